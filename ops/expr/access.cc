#include "millrace/ops/expr/access.h"

#include <algorithm>
#include <cstring>

namespace millrace {
namespace {

struct Wide {
  uint64_t low, high;
};

// f(T{}) for an integer type of that size.
template <typename F>
auto BySize(size_t size, F f) {
  switch (size) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    case 8:
      return f(uint64_t{});
    default:
      return f(Wide{});
  }
}

// Rows of kInner elements, `distance` apart, one after the other; kRepeats: of one
// element that repeats. A length that is known makes each row a few moves.
template <class T, int kInner, bool kRepeats>
void CopyRows(const T* from, int64_t distance, int64_t rows, T* to) {
  for (; rows > 0; --rows, from += distance, to += kInner) {
    for (int i = 0; i < kInner; ++i) to[i] = from[kRepeats ? 0 : i];
  }
}
template <class T>
void CopyRows(const T* from, int64_t distance, int64_t rows, int64_t inner, bool repeats, T* to) {
  switch (inner) {
#define MILLRACE_CASE(kInner)                                            \
  case kInner:                                                           \
    return repeats ? CopyRows<T, kInner, true>(from, distance, rows, to) \
                   : CopyRows<T, kInner, false>(from, distance, rows, to);
    MILLRACE_CASE(2)
    MILLRACE_CASE(3)
    MILLRACE_CASE(4)
    MILLRACE_CASE(5)
    MILLRACE_CASE(6)
    MILLRACE_CASE(7)
    MILLRACE_CASE(8)
#undef MILLRACE_CASE
    default:
      for (; rows > 0; --rows, from += distance, to += inner) {
        if (repeats) std::fill_n(to, inner, *from);
        else std::copy_n(from, inner, to);
      }
  }
}
template <class T>
void CopyStrided(const T* from, int64_t stride, int64_t count, T* to) {
  if (stride == 1) std::copy_n(from, count, to);
  else if (stride == 0) std::fill_n(to, count, *from);
  else
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
}

template <class T>
void ExpandAs(const Access& access, int64_t begin, int64_t count, T* to) {
  const T* const from = reinterpret_cast<const T*>(access.data);
  const AccessGroup inner = access.inner();
  AccessCursor cursor(access, begin);
  if (const int64_t column = cursor.column(); column > 0) {
    const int64_t part = std::min(count, inner.extent - column);
    CopyStrided(from + cursor.offset(), inner.stride, part, to);
    cursor.Advance(part);
    to += part;
    count -= part;
  }
  for (int64_t left = count / inner.extent; left > 0;) {
    const int64_t rows = std::min(left, cursor.RowsInLine());
    if (inner.stride <= 1) {
      CopyRows(from + cursor.row_offset(), cursor.distance(), rows, inner.extent, inner.stride == 0, to);
    } else {
      for (int64_t r = 0; r < rows; ++r) {
        CopyStrided(from + cursor.row_offset() + r * cursor.distance(), inner.stride, inner.extent,
                    to + r * inner.extent);
      }
    }
    cursor.AdvanceRows(rows);
    to += rows * inner.extent;
    left -= rows;
  }
  CopyStrided(from + cursor.offset(), inner.stride, count % inner.extent, to);
}

}  // namespace

bool Access::SameRows() const {
  return std::all_of(groups, groups + rank - 1, [](const AccessGroup& g) { return g.stride == 0; });
}

int64_t Access::OffsetOf(int64_t position) const {
  int64_t offset = 0;
  for (int g = rank - 1; g > 0; --g) {
    offset += position % groups[g].extent * groups[g].stride;
    position /= groups[g].extent;
  }
  return offset + position * groups[0].stride;
}

void Access::Expand(int64_t begin, int64_t count, char* to) const {
  if (count <= 0) return;
  BySize(size, [&]<class T>(T) { ExpandAs(*this, begin, count, reinterpret_cast<T*>(to)); });
}

void AccessGrouper::Add(int64_t extent, int64_t stride) {
  if (extent == 1) return;
  if (rank_ > 0 && stride == groups_[rank_ - 1].stride * groups_[rank_ - 1].extent) {
    groups_[rank_ - 1].extent *= extent;
  } else {
    groups_[rank_++] = {extent, stride};
  }
}

int AccessGrouper::Finish() {
  if (rank_ == 0) groups_[rank_++] = {1, 0};
  std::reverse(groups_, groups_ + rank_);
  return rank_;
}

int MakeAccessGroups(std::span<const int64_t> operand, std::span<const int64_t> dims, AccessGroup* groups) {
  AccessGrouper grouper(groups);
  int64_t dense = 1;  // distance of the next dimension that is the operand's own
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t extent = dims[dims.size() - 1 - i];
    if (extent == 1) continue;
    const int64_t own = i < operand.size() ? operand[operand.size() - 1 - i] : 1;
    grouper.Add(extent, own == 1 ? 0 : dense);
    dense *= own;
  }
  return grouper.Finish();
}

void Splat(const void* element, size_t size, char* to) {
  BySize(size, [&]<class T>(T) {
    T v;
    std::memcpy(&v, element, sizeof v);
    for (size_t i = 0; i < kSplatBytes / sizeof v; ++i) std::memcpy(to + i * sizeof v, &v, sizeof v);
  });
}

void CopyElement(const void* from, size_t size, void* to) {
  BySize(size, [&]<class T>(T) { std::memcpy(to, from, sizeof(T)); });
}

void RepeatElements(const char* from, size_t size, int64_t count, int64_t times, char* to) {
  BySize(size, [&]<class T>(T) {
    const T* elements = reinterpret_cast<const T*>(from);
    T* out = reinterpret_cast<T*>(to);
    if (times == 1) std::copy_n(elements, count, out);
    else CopyRows(elements, 1, count, times, true, out);
  });
}

}  // namespace millrace
