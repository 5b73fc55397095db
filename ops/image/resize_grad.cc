// Gradients of resizing.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/gradients/call_like.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

// Height and width, as the ops want them.
Operand SizeOf(GradientContext& g, const Output& images) {
  return array::Extents::ShapeOf(g, images).Part(1, 3).Vector(g);
}

void NearestGradient(GradientContext& g) {
  g.set(0, CallLike(g, "ResizeNearestNeighborGrad", {g.grad(), SizeOf(g, g.input(0))}));
}
void BilinearGradient(GradientContext& g) { g.set(0, CallLike(g, "ResizeBilinearGrad", {g.grad(), g.input(0)})); }
// The gradient op knows float and double only; the original passes nothing on for
// other images.
void BicubicGradient(GradientContext& g) {
  if (g.type() != DType::kFloat && g.type() != DType::kDouble) return;
  g.set(0, CallLike(g, "ResizeBicubicGrad", {g.grad(), g.input(0)}));
}

// Resizing is linear: the gradient of its gradient resizes again.
void SecondGradient(GradientContext& g, const char* forward) {
  g.set(0, CallLike(g, forward, {g.grad(), SizeOf(g, g.input(0))}));
}
void NearestGradGradient(GradientContext& g) { SecondGradient(g, "ResizeNearestNeighbor"); }
void BilinearGradGradient(GradientContext& g) { SecondGradient(g, "ResizeBilinear"); }
void BicubicGradGradient(GradientContext& g) { SecondGradient(g, "ResizeBicubic"); }

}  // namespace

namespace gradients {

void resize(GradientTable& t) {
  t.Define("ResizeNearestNeighbor", NearestGradient);
  t.Define("ResizeBilinear", BilinearGradient);
  t.Define("ResizeBicubic", BicubicGradient);
  t.Define("ResizeNearestNeighborGrad", NearestGradGradient);
  t.Define("ResizeBilinearGrad", BilinearGradGradient);
  t.Define("ResizeBicubicGrad", BicubicGradGradient);
  t.Define("ResizeArea", RefuseGradient);
}

}  // namespace gradients
}  // namespace millrace
