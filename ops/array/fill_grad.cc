// Gradients of ops that repeat their input.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

void FillGradient(GradientContext& g) {
  const Output grad = g.grad();
  g.set(1, grad.shape().rank() == 0 ? grad : ops::Sum(g, grad, array::AllAxes(g, grad)));
}

// The dimensions in which `in` was spread out to `out`, where that can be said.
// One that may be 1 or not is not for sure.
std::optional<std::vector<int64_t>> SpreadAxes(const SymShape& in, const SymShape& out) {
  if (!in.has_rank || !out.has_rank) return std::nullopt;
  std::vector<int64_t> axes;
  const int added = out.rank() - in.rank();
  for (int k = 0; k < out.rank(); ++k) {
    const Dim to = out.dims[static_cast<size_t>(k)];
    const Dim from = k < added ? Dim(1) : in.dims[static_cast<size_t>(k - added)];
    if (k < added || (from == Dim(1) && to != Dim(1))) {
      axes.push_back(k);
    } else if (!from.known() && (from.unknown() || from != to)) {
      return std::nullopt;
    }
  }
  return axes;
}

void BroadcastToGradient(GradientContext& g) {
  const Output x = g.input(), grad = g.grad();
  Operand axes;
  if (const std::optional<std::vector<int64_t>> known = SpreadAxes(x.shape(), g.output().shape())) {
    if (known->empty()) return g.set(0, grad);
    axes = Operand(*known);
  } else {
    axes = ops::BroadcastGradientArgs(g, Extents::ShapeOf(g, x).Vector(g), Extents::ShapeOf(g, grad).Vector(g)).r0;
  }
  g.set(0, array::ReshapeLike(g, ops::Sum(g, grad, axes), x));
}

// Each dimension of the output as two: which copy, and where in it.
void TileGradient(GradientContext& g) {
  const Output x = g.input();
  const Extents multiples = Extents::ElementsOf(g, g.input(1));
  const Extents shape = Extents::ShapeOf(g, x);
  Operand split, axes;
  if (const int rank = x.shape().rank(); rank >= 0 && multiples.size() == rank) {
    Extents pairs;
    std::vector<int64_t> copies;
    for (int i = 0; i < rank; ++i) {
      const Extents multiple = multiples.Part(i, i + 1);
      const std::optional<std::vector<int64_t>> known = multiple.numbers();
      if (!known || (*known)[0] != 1) {
        copies.push_back(pairs.size());
        pairs = pairs.Then(multiple);
      }
      pairs = pairs.Then(shape.Part(i, i + 1));
    }
    if (copies.empty()) return g.set(0, g.grad());
    split = pairs.Vector(g);
    axes = Operand(copies);
  } else {
    const Output pairs = ops::Reshape(g, ops::Pack(g, {multiples.Vector(g), shape.Vector(g)}, {.axis = 1}), {-1});
    split = pairs;
    axes = ops::Range(g, 0, ops::Size(g, pairs), 2);
  }
  g.set(0, array::ReshapeLike(g, ops::Sum(g, ops::Reshape(g, g.grad(), split), axes), x));
}

}  // namespace

namespace gradients {

void array_fill(GradientTable& t) {
  t.Define("BroadcastTo", BroadcastToGradient);
  t.Define("Fill", FillGradient);
  t.Define("Tile", TileGradient);
}

}  // namespace gradients
}  // namespace millrace
