#include "millrace/ops/linalg/batch_gradient.h"

#include <algorithm>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/reduce_ops.h"

namespace millrace::linalg {
namespace {

// True where all leading dimensions of x and y are the same.
bool SameBatches(const SymShape& x, const SymShape& y) {
  return x.has_rank && y.has_rank && x.rank() == y.rank() &&
         std::equal(x.dims.begin(), x.dims.end() - 2, y.dims.begin(),
                    [](Dim a, Dim b) { return !a.unknown() && a == b; });
}

}  // namespace

void SetBatchGradients(GradientContext& g, const Output& by_first, const Output& by_second) {
  const Output x = g.input(0), y = g.input(1);
  if (SameBatches(x.shape(), y.shape())) {
    g.set(0, by_first);
    g.set(1, by_second);
    return;
  }
  const Output x_shape = ops::Shape(g, x), y_shape = ops::Shape(g, y);
  const auto batches = [&](const Output& shape) { return ops::StridedSlice(g, shape, {0}, {-2}, {1}); };
  const auto axes = ops::BroadcastGradientArgs(g, batches(x_shape), batches(y_shape));
  g.set(0, ops::Reshape(g, ops::Sum(g, by_first, axes.r0), x_shape));
  g.set(1, ops::Reshape(g, ops::Sum(g, by_second, axes.r1), y_shape));
}

}  // namespace millrace::linalg
