// Feeds that a measurement makes by itself.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/plan/plan.h"

namespace millrace::graphc {

// What the command line says of them.
struct FeedArguments {
  std::vector<std::string> dims, shapes, highs;
  int64_t batch = 1;
  uint64_t seed = 1;
  void AddTo(CLI::App* command);
};

// A tensor for every feed of `signature`: numbers of a seeded generator, floats
// from -1 to 1, integers from 0 to --high. Errors name the feed, or the option that
// fits none.
Result<std::vector<Tensor>> MakeFeeds(const plan::Plan& plan, const plan::Signature& signature,
                                      const FeedArguments& arguments);

}  // namespace millrace::graphc
