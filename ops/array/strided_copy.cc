#include "millrace/ops/array/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "millrace/ops/array/move.h"

namespace millrace::array {
namespace {

struct Dimension {
  int64_t extent, from, to;
};
using Dimensions = absl::InlinedVector<Dimension, 8>;

template <typename W>
inline void CopyRun(const W* from, W* to, int64_t n) {
  if constexpr (std::is_trivially_copyable_v<W>) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(W));
  } else {
    std::copy_n(from, n, to);
  }
}

// The innermost dimension.
template <typename W>
inline void CopyLine(const W* from, int64_t from_stride, W* to, int64_t to_stride, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    CopyRun(from, to, n);
  } else if (to_stride == 1 && from_stride == 0) {
    std::fill_n(to, n, *from);
  } else if (to_stride == 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * from_stride];
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// Steps through dims[0, count) in row-major order and keeps both offsets.
class Odometer {
 public:
  Odometer(const Dimensions& dims, size_t count, int64_t start) : dims_(dims), at_(count) {
    for (size_t k = count; k-- > 0;) {
      at_[k] = start % dims[k].extent;
      start /= dims[k].extent;
      from_ += at_[k] * dims[k].from;
      to_ += at_[k] * dims[k].to;
    }
  }
  int64_t from() const { return from_; }
  int64_t to() const { return to_; }
  void Next() {
    for (size_t k = at_.size(); k-- > 0;) {
      from_ += dims_[k].from;
      to_ += dims_[k].to;
      if (++at_[k] < dims_[k].extent) return;
      from_ -= dims_[k].extent * dims_[k].from;
      to_ -= dims_[k].extent * dims_[k].to;
      at_[k] = 0;
    }
  }

 private:
  const Dimensions& dims_;
  Ints at_;
  int64_t from_ = 0, to_ = 0;
};

// Drops dimensions of one element and joins neighbours that lie in one line.
Dimensions Coalesce(std::span<const int64_t> dims, std::span<const int64_t> from, std::span<const int64_t> to) {
  Dimensions out;
  for (size_t k = 0; k < dims.size(); ++k) {
    if (dims[k] == 1) continue;
    const Dimension d{dims[k], from[k], to[k]};
    if (!out.empty() && out.back().from == d.from * d.extent && out.back().to == d.to * d.extent) {
      out.back() = {out.back().extent * d.extent, d.from, d.to};
    } else {
      out.push_back(d);
    }
  }
  return out;
}

// Tiles whose lines are whole cache lines, in blocks that keep to few pages.
constexpr int64_t kTile = 16, kTileBlock = 64;

// dims.back() runs along `to`, dims[from_dim] along `from`: tile by tile.
template <typename W>
void TransposeCopy(KernelContext& ctx, Dimensions dims, size_t from_dim, const W* from, W* to) {
  const Dimension column = dims.back(), row = dims[from_dim];  // row: from stride 1; column: to stride 1
  dims.pop_back();
  dims.erase(dims.begin() + static_cast<ptrdiff_t>(from_dim));
  int64_t batches = 1;
  for (const Dimension& d : dims) batches *= d.extent;
  const int64_t strips = (row.extent + kTileBlock - 1) / kTileBlock;
  const double strip_rows = static_cast<double>(std::min(kTileBlock, row.extent));
  const double cycles = strip_rows * static_cast<double>(column.extent) * (0.5 + 0.1 * sizeof(W));
  const auto tile = [&](const W* f, W* t, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    for (int64_t r = r0; r < r1; ++r) {
      const W* line = f + r;
      W* out = t + r * row.to;
      for (int64_t c = c0; c < c1; ++c) out[c] = line[c * column.from];
    }
  };
  ctx.ParallelFor(batches * strips, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const Odometer at(dims, dims.size(), unit / strips);
      const int64_t r_begin = (unit % strips) * kTileBlock, r_end = std::min(r_begin + kTileBlock, row.extent);
      for (int64_t c_begin = 0; c_begin < column.extent; c_begin += kTileBlock) {
        const int64_t c_end = std::min(c_begin + kTileBlock, column.extent);
        for (int64_t r = r_begin; r < r_end; r += kTile) {
          for (int64_t c = c_begin; c < c_end; c += kTile) {
            tile(from + at.from(), to + at.to(), r, std::min(r + kTile, r_end), c, std::min(c + kTile, c_end));
          }
        }
      }
    }
  });
}

template <typename W>
void Copy(KernelContext& ctx, const Dimensions& dims, const W* from, W* to) {
  if (dims.empty()) {
    *to = *from;
    return;
  }
  const Dimension inner = dims.back();
  // Cycles an element, from memory.
  const double cost = std::is_trivially_copyable_v<W> ? 0.25 * sizeof(W) + (inner.from == 1 ? 0 : 0.5) : 20;
  if (dims.size() == 1) {
    ctx.ParallelFor(inner.extent, BlockFor(cost), [&](int64_t begin, int64_t end, int) {
      CopyLine(from + begin * inner.from, inner.from, to + begin * inner.to, inner.to, end - begin);
    });
    return;
  }
  if (inner.to == 1 && inner.from != 1 && inner.from != 0) {
    for (size_t k = 0; k + 1 < dims.size(); ++k) {
      if (dims[k].from == 1 && dims[k].extent >= 4 && inner.extent >= 4) return TransposeCopy(ctx, dims, k, from, to);
    }
  }
  int64_t lines = 1;
  for (size_t k = 0; k + 1 < dims.size(); ++k) lines *= dims[k].extent;
  ctx.ParallelFor(lines, BlockFor(4 + cost * static_cast<double>(inner.extent)), [&](int64_t begin, int64_t end, int) {
    Odometer at(dims, dims.size() - 1, begin);
    if (inner.from == 1 && inner.to == 1 && inner.extent <= 16) {
      // Short runs: a loop is cheaper than a call.
      for (int64_t line = begin; line < end; ++line, at.Next()) {
        const W* f = from + at.from();
        W* t = to + at.to();
        for (int64_t i = 0; i < inner.extent; ++i) t[i] = f[i];
      }
      return;
    }
    for (int64_t line = begin; line < end; ++line, at.Next()) {
      CopyLine(from + at.from(), inner.from, to + at.to(), inner.to, inner.extent);
    }
  });
}

}  // namespace

void StridedCopy(KernelContext& ctx, DType dtype, std::span<const int64_t> dims, const void* from,
                 std::span<const int64_t> from_strides, void* to, std::span<const int64_t> to_strides) {
  for (const int64_t d : dims) {
    if (d <= 0) return;
  }
  const Dimensions merged = Coalesce(dims, from_strides, to_strides);
  DispatchWord(dtype, [&]<typename W>() { Copy(ctx, merged, static_cast<const W*>(from), static_cast<W*>(to)); });
}

void CopyElements(KernelContext& ctx, DType dtype, const void* from, void* to, int64_t count) {
  const int64_t one = 1;
  StridedCopy(ctx, dtype, {&count, 1}, from, {&one, 1}, to, {&one, 1});
}

void FillElements(KernelContext& ctx, DType dtype, const void* value, void* to, int64_t count) {
  const int64_t one = 1, zero = 0;
  StridedCopy(ctx, dtype, {&count, 1}, value, {&zero, 1}, to, {&one, 1});
}

void ZeroElements(KernelContext& ctx, DType dtype, void* to, int64_t count) {
  DispatchWord(dtype, [&]<typename W>() {
    const W zero{};
    FillElements(ctx, dtype, &zero, to, count);
  });
}

}  // namespace millrace::array
