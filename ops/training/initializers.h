// Initial values of variables: constants and random numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"

namespace millrace {

// Adds the nodes that compute a variable's initial value. `shape` is fully known.
// A program's own is any function like that:
//
//   Variable w(root, Shape({n, n}), DType::kFloat, [n](At at, const Shape&, DType dtype) {
//     return ops::MatrixDiag(at, ops::Fill(at, {n}, Const(at, 1.0f, dtype)));
//   });
using Initializer = std::function<Output(At at, const Shape& shape, DType dtype)>;

// False where there are no numbers, and the empty string.
Initializer ZerosInitializer();
// Numbers only.
Initializer OnesInitializer();
// A scalar fills the shape; other values must have as many elements as it has.
Initializer ConstantInitializer(Operand value);

// Random numbers come from the reference framework's generator (Philox 4x32-10):
// the same seeds give the same values there and here. Without `seed` the numbers
// differ from run to run, unless SetRandomSeed was called.

struct UniformOptions {
  double minval = -0.05, maxval = 0.05;
  std::optional<int64_t> seed = {};
};
// In [minval, maxval). Floating-point dtypes.
Initializer RandomUniformInitializer(const UniformOptions& options = {});

struct NormalOptions {
  double mean = 0, stddev = 1;
  std::optional<int64_t> seed = {};
};
// Floating-point dtypes.
Initializer RandomNormalInitializer(const NormalOptions& options = {});
// The same without what is further than two standard deviations from the mean,
// which is drawn again.
Initializer TruncatedNormalInitializer(const NormalOptions& options = {});

struct VarianceScalingOptions {
  enum class Mode : uint8_t { kFanIn, kFanOut, kFanAverage };
  // kUntruncated is a normal distribution.
  enum class Distribution : uint8_t { kTruncatedNormal, kUntruncatedNormal, kUniform };
  double scale = 1;
  Mode mode = Mode::kFanIn;
  Distribution distribution = Distribution::kTruncatedNormal;
  std::optional<int64_t> seed = {};
};
// Variance scale / n with n the number of inputs of a unit, of its outputs, or
// their mean. In a shape [..., in, out] the leading dimensions are those of a
// convolution's window and count for both.
Initializer VarianceScalingInitializer(const VarianceScalingOptions& options = {});

struct SeedOption {
  std::optional<int64_t> seed = {};
};
// Uniform, and truncated normal, with variance 1 / mean(inputs, outputs). What
// GetVariable takes where nothing else is said.
Initializer GlorotUniformInitializer(const SeedOption& options = {});
Initializer GlorotNormalInitializer(const SeedOption& options = {});
// The same with variance 2 / inputs: for layers before a Relu.
Initializer HeUniformInitializer(const SeedOption& options = {});
Initializer HeNormalInitializer(const SeedOption& options = {});

struct OrthogonalOptions {
  double gain = 1;
  std::optional<int64_t> seed = {};
};
// A matrix with orthonormal rows or columns (whichever are fewer) times `gain`:
// the Q of a random normal matrix. The leading dimensions of a shape of higher
// rank are taken together as rows. Rank 2 at least; float or double.
Initializer OrthogonalInitializer(const OrthogonalOptions& options = {});

}  // namespace millrace
