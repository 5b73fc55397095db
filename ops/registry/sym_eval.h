// Shape arithmetic: the integer elements of small tensors, as far as they are
// known, through the ops that graphs compute shapes with. Shape functions call
// these after they have set their outputs' shapes.
#pragma once

#include <optional>

#include "millrace/ops/registry/inference.h"

namespace millrace {

// Tensors with more elements than this are no shapes: nothing is said of them.
inline constexpr int64_t kMaxSymElements = 256;

// The elements of input i, an int32 or int64 tensor of rank 0 or 1: what
// inference knows of them, or else the contents where they are there. Nothing
// for other tensors. Not empty for a scalar.
std::optional<SymTensor> IntegerElements(const InferenceContext& c, int i);
// The same as numbers: nothing unless every element is a number.
std::optional<std::vector<int64_t>> IntegerValues(const InferenceContext& c, int i);
// The one element of input i (a scalar or a vector of one); unknown otherwise.
SymElement IntegerScalar(const InferenceContext& c, int i);

// Output 0 = inputs 0 and 1 combined element by element, a scalar or a vector of
// one with any: kAdd, kSub, kMul, kFloorDiv, kMod, kMax, kMin.
void EvalBinary(InferenceContext& c, plan::DimOp op);
// Output 0 = -input 0.
void EvalNegate(InferenceContext& c);
// Output 0 = input 0 as another integer type; nothing for other types.
void EvalCast(InferenceContext& c, DType to);

}  // namespace millrace
