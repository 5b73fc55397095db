// Gradients of ops that give the elements another shape or order.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void ReshapeGradient(GradientContext& g) { g.set(0, array::ReshapeLike(g, g.grad(), g.input())); }

Operand InversePermutation(GradientContext& g) {
  const Output permutation = g.input(1);
  const std::optional<std::vector<int64_t>> known = array::KnownIntegers(permutation);
  if (!known) return ops::InvertPermutation(g, permutation);
  const auto rank = static_cast<int64_t>(known->size());
  std::vector<int64_t> inverse(known->size());
  for (int64_t i = 0; i < rank; ++i) {
    int64_t from = (*known)[static_cast<size_t>(i)];
    if (from < 0) from += rank;
    if (from < 0 || from >= rank) return ops::InvertPermutation(g, permutation);
    inverse[static_cast<size_t>(from)] = i;
  }
  return Operand(inverse);
}

void TransposeGradient(GradientContext& g) { g.set(0, ops::Transpose(g, g.grad(), InversePermutation(g))); }
void ConjugateTransposeGradient(GradientContext& g) {
  g.set(0, ops::ConjugateTranspose(g, g.grad(), InversePermutation(g)));
}

}  // namespace

namespace gradients {

void array_reshape(GradientTable& t) {
  t.Define("ConjugateTranspose", ConjugateTransposeGradient);
  t.Define("ExpandDims", ReshapeGradient);
  t.Define("Reshape", ReshapeGradient);
  t.Define("Squeeze", ReshapeGradient);
  t.Define("Transpose", TransposeGradient);
}

}  // namespace gradients
}  // namespace millrace
