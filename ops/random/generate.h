// Filling a tensor from a distribution, and the state that a seeded node keeps.
#pragma once

#include <algorithm>
#include <mutex>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/kernel/resource.h"
#include "millrace/ops/random/distributions.h"
#include "millrace/ops/random/philox.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::random {

// Group i starts kBlocks * i blocks into the stream, whoever fills it.
template <typename D>
void Generate(KernelContext& ctx, const D& distribution, const Philox& gen, const TensorView& out) {
  using T = typename D::T;
  T* const data = out.as<T>();
  const int64_t n = out.num_elements, groups = (n + D::kGroup - 1) / D::kGroup;
  ctx.ParallelFor(groups, BlockFor(200), [&](int64_t begin, int64_t end, int) {
    for (int64_t g = begin; g < end; ++g) {
      const Philox at = gen.Ahead(static_cast<uint64_t>(g) * D::kBlocks);
      if ((g + 1) * D::kGroup <= n) {
        distribution(at, data + g * D::kGroup);
      } else {
        T last[D::kGroup];
        distribution(at, last);
        std::copy(last, last + (n - g * D::kGroup), data + g * D::kGroup);
      }
    }
  });
}

// Where a node's stream stands: shared by all plans of a session, under the
// node's name. Thread-safe.
class RandomState final : public Resource {
 public:
  static constexpr std::string_view kKind = "RandomState";
  // Both 0: seeded by the system.
  RandomState(int64_t seed, int64_t seed2);
  std::string_view kind() const override { return kKind; }
  // The generator for a run that makes `values` values; the next run's starts
  // 256 blocks a value later.
  Philox Reserve(int64_t values);

 private:
  std::mutex mutex_;
  Philox next_;
};

// The state of the node that `init` is for, by its attributes seed and seed2.
Result<std::shared_ptr<RandomState>> StateOf(const KernelInit& init);

// Key and counter that the stateless ops of version 1 make of a seed of two numbers.
Philox FromSeedPair(uint64_t seed0, uint64_t seed1, uint64_t* key = nullptr, uint64_t* counter_high = nullptr);

// Output 0 has the shape that input 0 holds; negative extents are an error.
Status ShapeFromInput(InferenceContext& ctx);
// Makes output 0 of that shape.
Status PrepareFromShape(KernelContext& ctx);

}  // namespace millrace::random
