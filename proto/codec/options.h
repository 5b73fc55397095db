// What bounds a parse of bytes that come from anywhere.
#pragma once

#include <cstdint>

namespace millrace {

struct ParseOptions {
  // Messages within messages; 100 is also protobuf's limit.
  int max_depth = 100;
  // Nodes, those of functions included.
  uint64_t max_nodes = uint64_t{1} << 26;
  uint64_t max_bytes = uint64_t{1} << 40;
};

}  // namespace millrace
