#include "millrace/ops/training/clip.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/nn_ops.h"
#include "millrace/ops/builder/reduce_ops.h"

namespace millrace {
namespace {

Gradient WithValues(const Gradient& gradient, const Output& values) {
  if (!gradient.sparse()) return values;
  return IndexedSlices{values, gradient.slices().indices, gradient.slices().dense_shape};
}

const Output& ValuesOf(const Gradient& gradient) {
  return gradient.sparse() ? gradient.slices().values : gradient.dense();
}

// The call's nodes go below its name.
At Inside(At at, std::string_view name) { return at.In(at.scope().ForCall(name)); }

Output AsNumber(At at, const Operand& value, DType dtype) {
  if (value.output() == nullptr) return Const(at, value, dtype);
  const Output& output = *value.output();
  return !output.valid() || BaseType(output.dtype()) == dtype ? output : ops::Cast(at, output, dtype);
}

}  // namespace

Output ClipByValue(At at, const Output& x, const Operand& low, const Operand& high) {
  if (!at.scope().ok() || !x.valid()) return Output();
  const At in = Inside(at, "clip_by_value");
  return ops::Maximum(in, ops::Minimum(in, x, high), low);
}

Gradient ClipByValue(At at, const Gradient& gradient, const Operand& low, const Operand& high) {
  if (gradient.none()) return gradient;
  return WithValues(gradient, ClipByValue(at, ValuesOf(gradient), low, high));
}

Output ClipByNorm(At at, const Output& x, const Operand& clip_norm, const std::vector<int>& axes) {
  if (!at.scope().ok() || !x.valid()) return Output();
  const At in = Inside(at, "clip_by_norm");
  const Output limit = AsNumber(in, clip_norm, BaseType(x.dtype()));
  const Output along = axes.empty() ? ops::Range(in, 0, ops::Rank(in, x), 1) : Const(in, axes);
  const Output squares = ops::Sum(in, ops::Mul(in, x, x), along, {.keep_dims = true});
  // The square root has no gradient at zero: such a norm stays away from it.
  const Output positive = ops::Greater(in, squares, ops::ZerosLike(in, squares));
  const Output safe = ops::SelectV2(in, positive, squares, ops::OnesLike(in, squares));
  const Output norm = ops::SelectV2(in, positive, ops::Sqrt(in, safe), squares);
  return ops::RealDiv(in, ops::Mul(in, x, limit), ops::Maximum(in, norm, limit));
}

Gradient ClipByNorm(At at, const Gradient& gradient, const Operand& clip_norm) {
  if (gradient.none()) return gradient;
  return WithValues(gradient, ClipByNorm(at, ValuesOf(gradient), clip_norm));
}

Output GlobalNorm(At at, const std::vector<Gradient>& gradients) {
  if (!at.scope().ok()) return Output();
  const At in = Inside(at, "global_norm");
  Operands halves;
  DType dtype = DType::kInvalid;
  for (const Gradient& gradient : gradients) {
    if (gradient.none()) continue;
    const Output half = ops::L2Loss(in, ValuesOf(gradient));
    if (!half.valid()) return Output();
    if (dtype == DType::kInvalid) dtype = half.dtype();
    halves.emplace_back(half.dtype() == dtype ? half : ops::Cast(in, half, dtype));
  }
  if (halves.empty()) {
    at.scope().Fail(
        InvalidArgument("there is no gradient to take the norm of").At(in.scope().name_scope(), "GlobalNorm"),
        at.where());
    return Output();
  }
  return ops::Sqrt(in, ops::Mul(in, ops::Sum(in, ops::Pack(in, halves), 0), 2));
}

ClippedByGlobalNorm ClipByGlobalNorm(At at, const std::vector<Gradient>& gradients, const Operand& clip_norm) {
  if (!at.scope().ok()) return {std::vector<Gradient>(gradients.size()), Output()};
  const At in = Inside(at, "clip_by_global_norm");
  ClippedByGlobalNorm result{{}, GlobalNorm(in, gradients)};
  if (!result.global_norm.valid()) return {std::vector<Gradient>(gradients.size()), Output()};
  const DType dtype = BaseType(result.global_norm.dtype());
  const Output limit = AsNumber(in, clip_norm, dtype);
  const Output one = Const(in, 1, dtype);
  Output scale =
      ops::Mul(in, limit, ops::Minimum(in, ops::RealDiv(in, one, result.global_norm), ops::RealDiv(in, one, limit)));
  // Zero for a finite norm, else NaN.
  scale = ops::AddV2(in, scale, ops::Sub(in, result.global_norm, result.global_norm));
  for (const Gradient& gradient : gradients) {
    if (gradient.none()) {
      result.gradients.push_back(gradient);
      continue;
    }
    const Output& values = ValuesOf(gradient);
    result.gradients.push_back(
        WithValues(gradient, ops::Mul(in, values, AsNumber(in, scale, BaseType(values.dtype())))));
  }
  return result;
}

GradientsAndVariables ClipByGlobalNorm(At at, const GradientsAndVariables& gradients, const Operand& clip_norm) {
  std::vector<Gradient> bare;
  for (const GradientAndVariable& pair : gradients) bare.push_back(pair.gradient);
  ClippedByGlobalNorm clipped = ClipByGlobalNorm(at, bare, clip_norm);
  GradientsAndVariables result = gradients;
  for (size_t i = 0; i < result.size(); ++i) result[i].gradient = clipped.gradients[i];
  return result;
}

}  // namespace millrace
