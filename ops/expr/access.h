// How an operand lies under the elements of an output that it is broadcast to:
// groups of neighbouring dimensions, each with one distance. What everything that
// runs bodies over tensors shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "millrace/proto/value/shape.h"

namespace millrace {

// Bytes of a vector that is used again and again.
inline constexpr size_t kSplatBytes = 64;

struct AccessGroup {
  int64_t extent;
  int64_t stride;  // elements; 0 repeats
};
inline constexpr int kMaxAccessGroups = Shape::kMaxRank + 1;

// An operand's memory under the output. The groups belong to the caller.
struct Access {
  const AccessGroup* groups = nullptr;  // outermost first
  int rank = 0;                         // at least 1
  const char* data = nullptr;
  size_t size = 0;  // of an element

  const AccessGroup& inner() const { return groups[rank - 1]; }
  // True where the operand looks alike at each multiple of inner().extent.
  bool SameRows() const;
  // Where the output's element `position` is, in elements from `data`.
  int64_t OffsetOf(int64_t position) const;
  // Elements [begin, begin + count) as the output sees them, laid out densely.
  void Expand(int64_t begin, int64_t count, char* to) const;
};

// The groups of an operand with extents `operand`, which broadcast to `dims`;
// returns how many were written, at least 1.
int MakeAccessGroups(std::span<const int64_t> operand, std::span<const int64_t> dims, AccessGroup* groups);

// One element of 1, 2, 4, 8 or 16 bytes over a whole vector.
void Splat(const void* element, size_t size, char* to);
void CopyElement(const void* from, size_t size, void* to);
// Each of `count` elements `times` times.
void RepeatElements(const char* from, size_t size, int64_t count, int64_t times, char* to);

}  // namespace millrace
