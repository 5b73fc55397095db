// Seeds of random ops.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "millrace/ops/builder/scope.h"

namespace millrace {

// The seed of the whole graph: random nodes that are added afterwards draw the
// same numbers in every session, each of them others.
void SetRandomSeed(const Scope& scope, int64_t seed);

// The attributes "seed" and "seed2" of a random op, as the reference framework
// sets them: the graph's seed, if there is one, and `seed`, or else the number of
// nodes in the graph so far. (0, 0) asks for numbers that differ from run to run.
//
//   const auto [seed, seed2] = RandomSeeds(scope, 7);
//   ops::RandomUniform(scope, shape, DType::kFloat, {.seed = seed, .seed2 = seed2});
std::pair<int64_t, int64_t> RandomSeeds(const Scope& scope, std::optional<int64_t> seed = {});

}  // namespace millrace
