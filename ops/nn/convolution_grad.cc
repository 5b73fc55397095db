// Gradients of convolutions and of their gradients. <dy, convolve(x, w)> is linear
// in each of x, w and dy; the three ops are its derivatives by each, so that the
// gradients of one are the two others.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/call_like.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

struct Convolution {
  const char *forward, *by_input, *by_filter;
};
constexpr Convolution kPlain = {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"};
constexpr Convolution kDepthwise = {"DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput",
                                    "DepthwiseConv2dNativeBackpropFilter"};

Operand SizesOf(GradientContext& g, const Output& x) { return array::Extents::ShapeOf(g, x).Vector(g); }

// Gradients of forward(x, w), by_input(sizes of x, w, dy) and
// by_filter(x, sizes of w, dy).
void ForwardGradient(GradientContext& g, const Convolution& ops, const AttrMap& changes = {}) {
  const Output x = g.input(0), w = g.input(1), dy = g.grad();
  if (g.wanted(0)) g.set(0, CallLike(g, ops.by_input, {SizesOf(g, x), w, dy}, changes));
  if (g.wanted(1)) g.set(1, CallLike(g, ops.by_filter, {x, SizesOf(g, w), dy}, changes));
}
void ByInputGradient(GradientContext& g, const Convolution& ops, const AttrMap& changes = {}) {
  const Output w = g.input(1), dy = g.input(2), ddx = g.grad();
  g.set(1, CallLike(g, ops.by_filter, {ddx, SizesOf(g, w), dy}, changes));
  g.set(2, CallLike(g, ops.forward, {ddx, w}, changes));
}
void ByFilterGradient(GradientContext& g, const Convolution& ops, const AttrMap& changes = {}) {
  const Output x = g.input(0), dy = g.input(2), ddw = g.grad();
  g.set(0, CallLike(g, ops.by_input, {SizesOf(g, x), ddw, dy}, changes));
  g.set(2, CallLike(g, ops.forward, {x, ddw}, changes));
}

void Conv2DGradient(GradientContext& g) { ForwardGradient(g, kPlain); }
void Conv2DByInputGradient(GradientContext& g) { ByInputGradient(g, kPlain); }
void Conv2DByFilterGradient(GradientContext& g) { ByFilterGradient(g, kPlain); }

// The ops for the gradients of depthwise convolutions take no notice of dilations
// (as in the original), so theirs know none either.
AttrMap Undilated() {
  ListValue ones;
  ones.i = {1, 1, 1, 1};
  return {{"dilations", ones}};
}
void DepthwiseByInputGradient(GradientContext& g) { ByInputGradient(g, kDepthwise, Undilated()); }
void DepthwiseByFilterGradient(GradientContext& g) { ByFilterGradient(g, kDepthwise, Undilated()); }

// A dilated convolution is a plain one whose filter has zeros between its elements.
void DepthwiseGradient(GradientContext& g) {
  const std::vector<int64_t>& dilations = g.attr<ListValue>("dilations").i;
  const size_t height = g.attr<std::string>("data_format") == "NCHW" ? 2 : 1;
  const std::vector<int64_t> steps = {dilations[height], dilations[height + 1], 1, 1};
  if (steps[0] == 1 && steps[1] == 1) return ForwardGradient(g, kDepthwise);
  const Output x = g.input(0), w = g.input(1), dy = g.grad();
  const Output step = Const(g, steps, DType::kInt32);
  const Output begin = Const(g, {0, 0, 0, 0}, DType::kInt32);
  const Output spread_sizes = (ops::Shape(g, w) - 1) * step + 1;
  const Output spread = ops::StridedSliceGrad(g, spread_sizes, begin, spread_sizes, step, w);
  g.set(0, CallLike(g, kDepthwise.by_input, {SizesOf(g, x), spread, dy}, Undilated()));
  const Output by_spread = CallLike(g, kDepthwise.by_filter, {x, spread_sizes, dy}, Undilated()).output();
  g.set(1, ops::StridedSlice(g, by_spread, begin, spread_sizes, step));
}

}  // namespace

namespace gradients {

void convolution(GradientTable& t) {
  t.Define("Conv2D", Conv2DGradient);
  t.Define("Conv2DBackpropInput", Conv2DByInputGradient);
  t.Define("Conv2DBackpropFilter", Conv2DByFilterGradient);
  t.Define("DepthwiseConv2dNative", DepthwiseGradient);
  t.Define("DepthwiseConv2dNativeBackpropInput", DepthwiseByInputGradient);
  t.Define("DepthwiseConv2dNativeBackpropFilter", DepthwiseByFilterGradient);
}

}  // namespace gradients
}  // namespace millrace
