// Elementary functions, written once over the scalar types. Float and double go
// through polynomials of our own, so the bits are the same for every instruction
// set; the errors stand in README.md. Arguments that are not finite, zeros and
// values that overflow give what C's functions give.
#pragma once

#include "millrace/ops/expr/activation.h"
#include "millrace/ops/expr/error_function.h"
#include "millrace/ops/expr/exponential.h"
#include "millrace/ops/expr/logarithm.h"
#include "millrace/ops/expr/numbers.h"
#include "millrace/ops/expr/power.h"
#include "millrace/ops/expr/trigonometric.h"
