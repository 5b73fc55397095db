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
// Bytes of the largest element.
inline constexpr size_t kMaxElementBytes = 16;

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

// Walks through an access from the front, some elements at a time.
class AccessCursor {
 public:
  // At the output's element `position`; `access` outlives the cursor.
  AccessCursor(const Access& access, int64_t position) : access_(&access), column_(position % access.inner().extent) {
    int64_t row = position / access.inner().extent;
    for (int g = access.rank - 2; g >= 0; --g) {
      index_[g] = row % access.groups[g].extent;
      row /= access.groups[g].extent;
      row_offset_ += index_[g] * access.groups[g].stride;
    }
  }
  // Of the element, and of the start of its run of the inner group.
  int64_t offset() const { return row_offset_ + column_ * access_->inner().stride; }
  int64_t row_offset() const { return row_offset_; }
  int64_t column() const { return column_; }
  // Runs of the inner group, this one included, that follow each other `distance`
  // apart.
  int64_t RowsInLine() const {
    return access_->rank < 2 ? 1 : access_->groups[access_->rank - 2].extent - index_[access_->rank - 2];
  }
  int64_t distance() const { return access_->rank < 2 ? 0 : access_->groups[access_->rank - 2].stride; }
  // Leaves `elements` behind, which do not reach beyond this run.
  void Advance(int64_t elements) {
    column_ += elements;
    if (column_ < access_->inner().extent) return;
    AdvanceRows(1);
  }
  // Leaves the rest of this run and the following rows - 1 behind, at most
  // RowsInLine() in all.
  void AdvanceRows(int64_t rows) {
    column_ = 0;
    for (int g = access_->rank - 2; g >= 0; --g, rows = 1) {
      const AccessGroup& group = access_->groups[g];
      row_offset_ += rows * group.stride;
      if ((index_[g] += rows) < group.extent) return;
      row_offset_ -= group.stride * group.extent;
      index_[g] = 0;
    }
  }

 private:
  const Access* access_;
  int64_t column_;
  int64_t row_offset_ = 0;
  int64_t index_[kMaxAccessGroups];  // in the outer groups
};

// Makes the groups of an operand from its axes, innermost first: those whose elements
// follow each other become one.
class AccessGrouper {
 public:
  explicit AccessGrouper(AccessGroup* groups) : groups_(groups) {}
  void Add(int64_t extent, int64_t stride);
  // Turns the groups round; returns how many there are, at least 1.
  int Finish();

 private:
  AccessGroup* groups_;
  int rank_ = 0;
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
