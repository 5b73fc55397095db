// Gradients of ops that join and split tensors.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

Operands OutputGradients(GradientContext& g) {
  Operands grads;
  for (int i = 0; i < g.num_outputs(); ++i) grads.push_back(g.grad(i));
  return grads;
}

// The extent of x along `axis`, an axis that may be computed at the run.
Extents ExtentAlong(GradientContext& g, const Output& x, const Output& axis) {
  const std::optional<std::vector<int64_t>> known = array::KnownIntegers(axis);
  const int rank = x.shape().rank();
  if (known && known->size() == 1) {
    int64_t a = (*known)[0];
    if (a < 0 && rank >= 0) a += rank;
    if (a >= 0 && (rank < 0 || a < rank)) {
      return Extents::ShapeOf(g, x).Part(static_cast<int>(a), static_cast<int>(a) + 1);
    }
  }
  const Output place = ops::FloorMod(g, ops::Cast(g, axis, DType::kInt32), ops::Rank(g, x));
  return Extents::ElementsOf(g, ops::GatherV2(g, ops::Shape(g, x), place, 0));
}

// The inputs from `first` on were joined along `axis`.
void SplitAgain(GradientContext& g, int first, int count, const Output& axis) {
  Extents sizes;
  for (int i = 0; i < count; ++i) sizes = sizes.Then(ExtentAlong(g, g.input(first + i), axis));
  const Operand dim = axis.dtype() == DType::kInt32 ? axis : ops::Cast(g, axis, DType::kInt32);
  const std::vector<Output> parts = ops::SplitV(g, g.grad(), sizes.Vector(g), dim, count);
  for (size_t i = 0; i < parts.size(); ++i) g.set(first + static_cast<int>(i), parts[i]);
}

void ConcatGradient(GradientContext& g) { SplitAgain(g, 1, g.num_inputs() - 1, g.input(0)); }
void ConcatV2Gradient(GradientContext& g) {
  const int count = g.num_inputs() - 1;
  SplitAgain(g, 0, count, g.input(count));
}

// Input `value` was split along input `axis`.
void JoinAgain(GradientContext& g, int value, int axis) {
  const Operands grads = OutputGradients(g);
  g.set(value, grads.size() == 1 ? g.grad() : ops::ConcatV2(g, grads, g.input(axis)));
}

void SplitGradient(GradientContext& g) { JoinAgain(g, 1, 0); }
void SplitVGradient(GradientContext& g) { JoinAgain(g, 0, 2); }

void PackGradient(GradientContext& g) {
  const std::vector<Output> parts = ops::Unpack(g, g.grad(), g.num_inputs(), {.axis = g.attr<int64_t>("axis")});
  for (size_t i = 0; i < parts.size(); ++i) g.set(static_cast<int>(i), parts[i]);
}
void UnpackGradient(GradientContext& g) {
  if (g.num_outputs() == 0) return;
  g.set(0, ops::Pack(g, OutputGradients(g), {.axis = g.attr<int64_t>("axis")}));
}

}  // namespace

namespace gradients {

void array_concat(GradientTable& t) {
  t.Define("Concat", ConcatGradient);
  t.Define("ConcatV2", ConcatV2Gradient);
  t.Define("Pack", PackGradient);
  t.Define("Split", SplitGradient);
  t.Define("SplitV", SplitVGradient);
  t.Define("Unpack", UnpackGradient);
}

}  // namespace gradients
}  // namespace millrace
