// A Plan as text, for people and for tests that keep it.
#pragma once

#include <string>

#include "millrace/proto/plan/plan.h"

namespace millrace::plan {

// Stable: equal plans give equal text. Contents of constants are abbreviated.
// Any plan may be printed, one that is not valid too.
//
//   block 0 "train":
//     v0 = float[batch,3] feed 0 "x:0"
//     v1 = float[3,1] constant c0 "w:0"
//     v2 = float[batch,1] slot m0 "y:0"
//     0: MatMul "y" (v0, v1) -> (v2) on d0 {transpose_a=false} after []
std::string Print(const Plan& plan);

}  // namespace millrace::plan
