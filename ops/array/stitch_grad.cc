// Gradients of ops that hand rows out and put them together again.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

// The numbers of the rows take the same way as the rows did, so they say where
// each gradient belongs.
void DynamicPartitionGradient(GradientContext& g) {
  const Output partitions = g.input(1);
  const Extents shape = Extents::ShapeOf(g, partitions);
  const Output number = ops::Range(g, 0, shape.Product(g).Scalar(g), 1);
  const std::vector<Output> places =
      ops::DynamicPartition(g, ops::Reshape(g, number, shape.Vector(g)), partitions, g.num_outputs());
  Operands grads;
  for (int i = 0; i < g.num_outputs(); ++i) grads.push_back(g.grad(i));
  const Output rows = ops::DynamicStitch(g, Operands(places.begin(), places.end()), grads);
  g.set(0, array::ReshapeLike(g, rows, g.input(0)));
}

// Each of the first half of the inputs says where the rows of its partner in the
// second half went. As in the reference, a row that another one took the place of
// gets that one's gradient.
void StitchGradient(GradientContext& g) {
  const int count = g.num_inputs() / 2;
  for (int i = 0; i < count; ++i) g.set(count + i, ops::GatherV2(g, g.grad(), g.input(i), 0));
}

}  // namespace

namespace gradients {

void array_stitch(GradientTable& t) {
  t.Define("DynamicPartition", DynamicPartitionGradient);
  t.Define("DynamicStitch", StitchGradient);
  t.Define("ParallelDynamicStitch", StitchGradient);
}

}  // namespace gradients
}  // namespace millrace
