// One piece of code, wherever it comes from.
#pragma once

#include "millrace/compiler/codegen/Cache.h"
#include "millrace/compiler/codegen/Codegen.h"

#include <string>

namespace millrace::codegen {

struct Made {
  std::string blob; // empty: there is no code to be had
  bool cached = false;
  bool noLibrary = false;
  CompileTimes times;
};

// The code of these segments, whose contentKey is `key`: from the cache, or compiled
// and put there. Thread-safe.
Made makeCode(const std::string &key, std::span<const SegmentTape> segments, Isa isa,
              const Cache &cache);

} // namespace millrace::codegen
