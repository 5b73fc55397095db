#include "millrace/ops/training/initializers.h"

#include <algorithm>
#include <cmath>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/linalg_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/random_ops.h"
#include "millrace/ops/training/seed.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// The part of a normal distribution's deviation that is left where what is further
// than two deviations is drawn again.
constexpr double kTruncatedDeviation = 0.87962566103423978;

Output Fail(At at, std::string message) {
  at.scope().Fail(InvalidArgument(std::move(message)).At(at.scope().name_scope(), "Initializer"), at.where());
  return Output();
}

Output ShapeConstant(At at, const Shape& shape) {
  std::vector<int32_t> dims;
  for (const int64_t d : shape.dims()) {
    if (d > INT32_MAX) return Fail(at, Cat("expected dimensions of 31 bits, found shape ", shape.ToString()));
    dims.push_back(static_cast<int32_t>(d));
  }
  const Shape count({static_cast<int64_t>(dims.size())});
  return Const(at.In(at.scope().WithOpName("shape")), Tensor::Of<int32_t>(count, dims));
}

bool Floating(At at, DType dtype) {
  if (IsFloating(dtype)) return true;
  Fail(at, Cat("random values are floating-point, found ", DTypeName(dtype)));
  return false;
}

Output Constant(At at, std::string_view name, double value, DType dtype) {
  return Const(at.In(at.scope().WithOpName(name)), value, dtype);
}

Output Uniform(At at, const Shape& shape, DType dtype, const UniformOptions& options) {
  if (!Floating(at, dtype)) return Output();
  const At in = at.In(at.scope().NewSubScope("random_uniform"));
  const auto [seed, seed2] = RandomSeeds(in.scope(), options.seed);
  const Output low = Constant(in, "min", options.minval, dtype), high = Constant(in, "max", options.maxval, dtype);
  const Output unit = ops::RandomUniform(in, ShapeConstant(in, shape), dtype, {.seed = seed, .seed2 = seed2});
  return ops::AddV2(in, ops::Mul(in, unit, ops::Sub(in, high, low)), low);
}

Output Normal(At at, const Shape& shape, DType dtype, const NormalOptions& options, bool truncated) {
  if (!Floating(at, dtype)) return Output();
  const At in = at.In(at.scope().NewSubScope(truncated ? "truncated_normal" : "random_normal"));
  const auto [seed, seed2] = RandomSeeds(in.scope(), options.seed);
  const Output mean = Constant(in, "mean", options.mean, dtype), stddev = Constant(in, "stddev", options.stddev, dtype);
  const Output size = ShapeConstant(in, shape);
  const Output standard = truncated ? ops::TruncatedNormal(in, size, dtype, {.seed = seed, .seed2 = seed2})
                                    : ops::RandomStandardNormal(in, size, dtype, {.seed = seed, .seed2 = seed2});
  return ops::AddV2(in, ops::Mul(in, standard, stddev), mean);
}

// Inputs and outputs of a unit.
std::pair<double, double> Fans(const Shape& shape) {
  const int rank = shape.rank();
  if (rank == 0) return {1, 1};
  if (rank == 1) return {static_cast<double>(shape.dim(0)), static_cast<double>(shape.dim(0))};
  double window = 1;
  for (int i = 0; i + 2 < rank; ++i) window *= static_cast<double>(shape.dim(i));
  return {window * static_cast<double>(shape.dim(rank - 2)), window * static_cast<double>(shape.dim(rank - 1))};
}

Output Scaled(At at, const Shape& shape, DType dtype, const VarianceScalingOptions& options) {
  if (!(options.scale > 0)) return Fail(at, Cat("scale should be positive, found ", options.scale));
  const auto [inputs, outputs] = Fans(shape);
  using Mode = VarianceScalingOptions::Mode;
  const double n = options.mode == Mode::kFanIn    ? inputs
                   : options.mode == Mode::kFanOut ? outputs
                                                   : (inputs + outputs) / 2;
  const double variance = options.scale / std::max(1.0, n);
  switch (options.distribution) {
    case VarianceScalingOptions::Distribution::kUniform: {
      const double limit = std::sqrt(3 * variance);
      return Uniform(at, shape, dtype, {.minval = -limit, .maxval = limit, .seed = options.seed});
    }
    case VarianceScalingOptions::Distribution::kUntruncatedNormal:
      return Normal(at, shape, dtype, {.mean = 0, .stddev = std::sqrt(variance), .seed = options.seed}, false);
    case VarianceScalingOptions::Distribution::kTruncatedNormal:
      break;
  }
  const double stddev = std::sqrt(variance) / kTruncatedDeviation;
  return Normal(at, shape, dtype, {.mean = 0, .stddev = stddev, .seed = options.seed}, true);
}

Output Filled(At at, const Shape& shape, DType dtype, const Operand& value) {
  const Output filling = Const(at.In(at.scope().WithOpName("Const")), value, dtype);
  if (!filling.valid()) return filling;
  const Shape found = filling.shape().ToShape();
  if (found == shape) return filling;
  if (found.rank() == 0) return ops::Fill(at, ShapeConstant(at, shape), filling);
  const auto elements = found.NumElements();
  if (!elements || elements != shape.NumElements()) {
    return Fail(at, Cat("expected a scalar or ", shape.NumElements().value_or(-1), " elements for shape ",
                        shape.ToString(), ", found shape ", found.ToString()));
  }
  return ops::Reshape(at, filling, ShapeConstant(at, shape));
}

Output Orthogonal(At at, const Shape& shape, DType dtype, const OrthogonalOptions& options) {
  if (shape.rank() < 2) return Fail(at, Cat("expected a shape of rank 2 at least, found ", shape.ToString()));
  if (dtype != DType::kFloat && dtype != DType::kDouble) {
    return Fail(at, Cat("expected float or double, found ", DTypeName(dtype)));
  }
  const int64_t columns = shape.dim(shape.rank() - 1);
  const int64_t rows = columns == 0 ? 0 : *shape.NumElements() / columns;
  const Shape tall({std::max(rows, columns), std::min(rows, columns)});
  const auto qr = ops::Qr(at, Normal(at, tall, dtype, {.mean = 0, .stddev = 1, .seed = options.seed}, false));
  // Of the many Q, the one whose R has a positive diagonal: evenly distributed.
  Output q = ops::Mul(at, qr.q, ops::Sign(at, ops::MatrixDiagPart(at, qr.r)));
  if (rows < columns) q = ops::Transpose(at, q, {1, 0});
  return ops::Mul(at, Constant(at, "gain", options.gain, dtype), ops::Reshape(at, q, ShapeConstant(at, shape)));
}

}  // namespace

Initializer ConstantInitializer(Operand value) {
  return [value = std::move(value)](At at, const Shape& shape, DType dtype) { return Filled(at, shape, dtype, value); };
}
Initializer ZerosInitializer() {
  return [](At at, const Shape& shape, DType dtype) {
    const Operand zero = dtype == DType::kBool ? Operand(false) : dtype == DType::kString ? Operand("") : Operand(0);
    return Filled(at.In(at.scope().NewSubScope("zeros")), shape, dtype, zero);
  };
}
Initializer OnesInitializer() {
  return [](At at, const Shape& shape, DType dtype) {
    return Filled(at.In(at.scope().NewSubScope("ones")), shape, dtype, 1);
  };
}
Initializer RandomUniformInitializer(const UniformOptions& options) {
  return [options](At at, const Shape& shape, DType dtype) { return Uniform(at, shape, dtype, options); };
}
Initializer RandomNormalInitializer(const NormalOptions& options) {
  return [options](At at, const Shape& shape, DType dtype) { return Normal(at, shape, dtype, options, false); };
}
Initializer TruncatedNormalInitializer(const NormalOptions& options) {
  return [options](At at, const Shape& shape, DType dtype) { return Normal(at, shape, dtype, options, true); };
}
Initializer VarianceScalingInitializer(const VarianceScalingOptions& options) {
  return [options](At at, const Shape& shape, DType dtype) { return Scaled(at, shape, dtype, options); };
}
Initializer GlorotUniformInitializer(const SeedOption& options) {
  return VarianceScalingInitializer({.scale = 1,
                                     .mode = VarianceScalingOptions::Mode::kFanAverage,
                                     .distribution = VarianceScalingOptions::Distribution::kUniform,
                                     .seed = options.seed});
}
Initializer GlorotNormalInitializer(const SeedOption& options) {
  return VarianceScalingInitializer(
      {.scale = 1, .mode = VarianceScalingOptions::Mode::kFanAverage, .seed = options.seed});
}
Initializer HeUniformInitializer(const SeedOption& options) {
  return VarianceScalingInitializer(
      {.scale = 2, .distribution = VarianceScalingOptions::Distribution::kUniform, .seed = options.seed});
}
Initializer HeNormalInitializer(const SeedOption& options) {
  return VarianceScalingInitializer({.scale = 2, .seed = options.seed});
}
Initializer OrthogonalInitializer(const OrthogonalOptions& options) {
  return [options](At at, const Shape& shape, DType dtype) { return Orthogonal(at, shape, dtype, options); };
}

}  // namespace millrace
