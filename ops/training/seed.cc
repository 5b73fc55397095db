#include "millrace/ops/training/seed.h"

namespace millrace {
namespace {

// The reference framework's number for graphs whose ops alone have seeds.
constexpr int64_t kDefaultGraphSeed = 87654321;

std::optional<int64_t>& GraphSeed(const Scope& scope) {
  std::shared_ptr<void>& extension = scope.Extension("random_seed");
  if (extension == nullptr) extension = std::make_shared<std::optional<int64_t>>();
  return *static_cast<std::optional<int64_t>*>(extension.get());
}

}  // namespace

void SetRandomSeed(const Scope& scope, int64_t seed) { GraphSeed(scope) = seed; }

std::pair<int64_t, int64_t> RandomSeeds(const Scope& scope, std::optional<int64_t> seed) {
  const std::optional<int64_t> graph_seed = GraphSeed(scope);
  if (!graph_seed && !seed) return {0, 0};
  const int64_t first = graph_seed.value_or(kDefaultGraphSeed);
  const int64_t second = seed.value_or(static_cast<int64_t>(scope.graph()->nodes().size()));
  // Both zero would mean no seed at all.
  if (first == 0 && second == 0) return {0, INT32_MAX};
  return {first, second};
}

}  // namespace millrace
