// Expressions over dimensions: what a plan stores where an extent is known only
// when the feeds are.
#pragma once

#include <cstdint>

namespace millrace::plan {

enum class DimOp : uint8_t {
  kConstant = 0,  // value
  kSymbol = 1,    // the symbol of that number, bound by a feed's dimension
  kAdd = 2,       // a + b
  kSub = 3,       // a - b
  kMul = 4,       // a * b
  kFloorDiv = 5,  // floor(a / b); b = 0 is an error at binding
  kCeilDiv = 6,   // ceil(a / b)
  kMod = 7,       // a - b * floor(a / b)
  kMax = 8,
  kMin = 9,
  kBroadcast = 10,  // a where b is 1, b where a is 1, a where equal, else an error at binding
};

// One expression; operands are earlier expressions of the same table.
struct DimExpr {
  DimOp op = DimOp::kConstant;
  uint32_t a = 0;
  uint32_t b = 0;
  int64_t value = 0;  // the constant, or the symbol's number
  friend bool operator==(const DimExpr&, const DimExpr&) = default;
};

}  // namespace millrace::plan
