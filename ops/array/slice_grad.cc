// Gradients of ops that take a part, and of those that put something around.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

void SliceGradient(GradientContext& g) {
  const Extents begin = Extents::ElementsOf(g, g.input(1));
  const Extents end = begin.Plus(g, Extents::ShapeOf(g, g.output()));
  const Operand ones = begin.size() < 0 ? ops::OnesLike(g, begin.Vector(g))
                                        : Operand(std::vector<int64_t>(static_cast<size_t>(begin.size()), 1));
  g.set(0, ops::StridedSliceGrad(g, Extents::ShapeOf(g, g.input()).Vector(g), begin.Vector(g), end.Vector(g), ones,
                                 g.grad()));
}

void StridedSliceGradient(GradientContext& g) {
  const DType index = g.type("Index") == DType::kInt64 ? DType::kInt64 : DType::kInt32;
  const Operand shape = Extents::ShapeOf(g, g.input()).Vector(g, index);
  const Output begin = array::IndexOperand(g, g.input(1));
  const Output end = array::IndexOperand(g, g.input(2));
  const Output strides = array::IndexOperand(g, g.input(3));
  g.set(0, ops::StridedSliceGrad(g, shape, begin, end, strides, g.grad(),
                                 {.begin_mask = g.attr<int64_t>("begin_mask"),
                                  .end_mask = g.attr<int64_t>("end_mask"),
                                  .ellipsis_mask = g.attr<int64_t>("ellipsis_mask"),
                                  .new_axis_mask = g.attr<int64_t>("new_axis_mask"),
                                  .shrink_axis_mask = g.attr<int64_t>("shrink_axis_mask")}));
}

void StridedSliceGradGradient(GradientContext& g) {
  g.set(4, ops::StridedSlice(g, g.grad(), g.input(1), g.input(2), g.input(3),
                             {.begin_mask = g.attr<int64_t>("begin_mask"),
                              .end_mask = g.attr<int64_t>("end_mask"),
                              .ellipsis_mask = g.attr<int64_t>("ellipsis_mask"),
                              .new_axis_mask = g.attr<int64_t>("new_axis_mask"),
                              .shrink_axis_mask = g.attr<int64_t>("shrink_axis_mask")}));
}

// Input 0 within output 0 behind input 1, its paddings.
void PadGradient(GradientContext& g) {
  const Output x = g.input(), paddings = g.input(1);
  const DType dtype = g.type("Tpaddings");
  Operand begin;
  if (const std::optional<std::vector<int64_t>> known = array::KnownIntegers(paddings)) {
    std::vector<int64_t> before;
    for (size_t i = 0; i < known->size(); i += 2) before.push_back((*known)[i]);
    begin = Operand(before);
  } else {
    begin = ops::Reshape(g, ops::Slice(g, paddings, {0, 0}, {-1, 1}), {-1});
  }
  g.set(0, ops::Slice(g, g.grad(), begin, Extents::ShapeOf(g, x).Vector(g, dtype)));
}

void MirrorPadGradient(GradientContext& g) {
  g.set(0, ops::MirrorPadGrad(g, g.grad(), g.input(1), g.attr<std::string>("mode")));
}
void MirrorPadGradGradient(GradientContext& g) {
  g.set(0, ops::MirrorPad(g, g.grad(), g.input(1), g.attr<std::string>("mode")));
}

}  // namespace

namespace gradients {

void array_slice(GradientTable& t) {
  t.Define("MirrorPad", MirrorPadGradient);
  t.Define("MirrorPadGrad", MirrorPadGradGradient);
  t.Define("Pad", PadGradient);
  t.Define("PadV2", PadGradient);
  t.Define("Slice", SliceGradient);
  t.Define("StridedSlice", StridedSliceGradient);
  t.Define("StridedSliceGrad", StridedSliceGradGradient);
}

}  // namespace gradients
}  // namespace millrace
