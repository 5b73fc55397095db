// Gradients of ops between space, depth and batch: each is its partner.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void SpaceToDepthGradient(GradientContext& g) {
  g.set(0, ops::DepthToSpace(g, g.grad(), g.attr<int64_t>("block_size"),
                             {.data_format = g.attr<std::string>("data_format")}));
}
void DepthToSpaceGradient(GradientContext& g) {
  g.set(0, ops::SpaceToDepth(g, g.grad(), g.attr<int64_t>("block_size"),
                             {.data_format = g.attr<std::string>("data_format")}));
}
void SpaceToBatchGradient(GradientContext& g) {
  g.set(0, ops::BatchToSpace(g, g.grad(), g.input(1), g.attr<int64_t>("block_size")));
}
void BatchToSpaceGradient(GradientContext& g) {
  g.set(0, ops::SpaceToBatch(g, g.grad(), g.input(1), g.attr<int64_t>("block_size")));
}
void SpaceToBatchNDGradient(GradientContext& g) { g.set(0, ops::BatchToSpaceND(g, g.grad(), g.input(1), g.input(2))); }
void BatchToSpaceNDGradient(GradientContext& g) { g.set(0, ops::SpaceToBatchND(g, g.grad(), g.input(1), g.input(2))); }

}  // namespace

namespace gradients {

void array_space(GradientTable& t) {
  t.Define("BatchToSpace", BatchToSpaceGradient);
  t.Define("BatchToSpaceND", BatchToSpaceNDGradient);
  t.Define("DepthToSpace", DepthToSpaceGradient);
  t.Define("SpaceToBatch", SpaceToBatchGradient);
  t.Define("SpaceToBatchND", SpaceToBatchNDGradient);
  t.Define("SpaceToDepth", SpaceToDepthGradient);
}

}  // namespace gradients
}  // namespace millrace
