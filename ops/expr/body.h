// Body: the inner loop of an expression for one set of dtypes and one instruction
// set. Built-in bodies and compiled ones have the same signature, so that one
// driver serves both.
#pragma once

#include <cstdint>

#include "millrace/proto/value/dtype.h"

namespace millrace {

inline constexpr int kMaxOperands = 3;

// Computes `vectors` whole vectors of Body::lanes elements. Operand j advances by
// steps[j] elements a vector: `lanes`, or 0 for a vector that is used again and
// again (a splat). `out` may be the memory of an operand with a step of `lanes`.
// Nothing need be aligned.
using BodyFn = void (*)(const void* const* operands, const int64_t* steps, void* out, int64_t vectors);

struct Body {
  DType in[kMaxOperands];  // kInvalid past the arity
  DType out;
  int32_t lanes;  // a power of two; times the size of any operand or the output at most 64 bytes
  BodyFn run;
  // Writes the expression to the thread's Recorder, which has the operands (see
  // recorder.h); null where it has no tape: what is made for one lane at a time,
  // and tables for other instruction sets than the floor.
  void (*record)();
};

struct BodyTable {
  const Body* bodies;
  int32_t count;
};

}  // namespace millrace
