#include "millrace/ops/gradients/aggregate.h"

#include <algorithm>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"

namespace millrace::gradients {
namespace {

Gradient Join(At at, const std::vector<Gradient>& gradients) {
  const bool wide = std::any_of(gradients.begin(), gradients.end(),
                                [](const Gradient& g) { return g.slices().indices.dtype() == DType::kInt64; });
  Operands values, indices;
  IndexedSlices joined;
  for (const Gradient& g : gradients) {
    const IndexedSlices& slices = g.slices();
    values.push_back(slices.values);
    const bool narrow = slices.indices.dtype() != DType::kInt64;
    indices.push_back(wide && narrow ? ops::Cast(at, slices.indices, DType::kInt64) : slices.indices);
    if (!joined.dense_shape.valid()) joined.dense_shape = slices.dense_shape;
  }
  joined.values = ops::ConcatV2(at, values, 0);
  joined.indices = ops::ConcatV2(at, indices, 0);
  return joined;
}

}  // namespace

Gradient Aggregate(At at, const std::vector<Gradient>& gradients) {
  if (gradients.empty()) return {};
  if (gradients.size() == 1) return gradients[0];
  if (std::all_of(gradients.begin(), gradients.end(), [](const Gradient& g) { return g.sparse(); })) {
    return Join(at, gradients);
  }
  Operands dense;
  for (const Gradient& g : gradients) dense.push_back(g.ToDense(at));
  return ops::AddN(at, dense);
}

}  // namespace millrace::gradients
