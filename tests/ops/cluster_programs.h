// Random programs of clusters with inputs for them, and the same program run op by
// op: what tests and fuzzers of clusters are made of.
#pragma once

#include <random>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/op.h"

namespace millrace {

struct ClusterCase {
  cluster::Program program;
  std::vector<Tensor> inputs;
};

struct ClusterOptions {
  std::vector<int64_t> space;  // the shape computed over
  int row_rank = 0;            // ops over rows only where it is above 0
  int instructions = 12;
  bool float_only = false;  // of element types
  bool finite = false;      // of the inputs: a NaN among many elements hides the order of a sum
};

// A valid program over the whole space, with at least one output; inputs have
// shapes that broadcast and hold NaN, infinities, zeros of both signs and
// denormals among others. Depends on `rng` alone.
ClusterCase RandomCluster(std::mt19937& rng, const ClusterOptions& options);

// Elements of any plain type, special values among them unless they are to be
// finite.
Tensor RandomTensor(std::mt19937& rng, DType type, const Shape& shape, bool finite = false);

// The outputs as the separate ops of `registry` give them, one after the other.
Result<std::vector<Tensor>> RunOpByOp(const Registry& registry, const ClusterCase& c);

// Where the bits of two tensors differ first (NaNs of any payload count as
// equal); "" where nowhere.
std::string DifferenceOf(const Tensor& a, const Tensor& b);

}  // namespace millrace
