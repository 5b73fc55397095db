#include "millrace/ops/expr/driver.h"

#include <algorithm>
#include <cstring>

#include "millrace/proto/value/dtype.h"

namespace millrace {
namespace {

constexpr int kMaxLaneBytes = 64;  // of one operand's vector
// Rows shorter than this are not run one by one: operands that repeat are
// expanded into blocks of at most kBlock elements.
constexpr int64_t kShortRow = 48;
constexpr int64_t kBlock = 512;
constexpr size_t kMaxElement = 16;

// Copies one element of 1, 2, 4, 8 or 16 bytes over a whole vector.
void Splat(const void* element, size_t size, char* to) {
  const auto fill = [&]<class T>(T) {
    T v;
    std::memcpy(&v, element, sizeof v);
    for (size_t i = 0; i < kMaxLaneBytes / sizeof v; ++i) std::memcpy(to + i * sizeof v, &v, sizeof v);
  };
  switch (size) {
    case 1:
      return fill(uint8_t{});
    case 2:
      return fill(uint16_t{});
    case 4:
      return fill(uint32_t{});
    case 8:
      return fill(uint64_t{});
    default:
      for (size_t i = 0; i < kMaxLaneBytes; i += 16) std::memcpy(to + i, element, 16);
  }
}

void CopyElement(const void* from, size_t size, void* to) {
  switch (size) {
    case 1:
      std::memcpy(to, from, 1);
      return;
    case 2:
      std::memcpy(to, from, 2);
      return;
    case 4:
      std::memcpy(to, from, 4);
      return;
    case 8:
      std::memcpy(to, from, 8);
      return;
    default:
      std::memcpy(to, from, 16);
  }
}

struct Operand {
  const char* data;
  size_t size;  // of an element
  bool splat;   // one element for all
};

// `count` elements in a row; every operand is dense or one element.
void RunRow(const Body& body, const Operand* operands, int arity, char* out, size_t out_size, int64_t count) {
  alignas(64) char vectors[kMaxOperands + 1][kMaxLaneBytes];
  const void* from[kMaxOperands];
  int64_t steps[kMaxOperands];
  const int64_t lanes = body.lanes;
  if (count == 1 && lanes > 1) {
    for (int j = 0; j < arity; ++j) {
      Splat(operands[j].data, operands[j].size, vectors[j]);
      from[j] = vectors[j];
      steps[j] = 0;
    }
    body.run(from, steps, vectors[kMaxOperands], 1);
    CopyElement(vectors[kMaxOperands], out_size, out);
    return;
  }
  for (int j = 0; j < arity; ++j) {
    from[j] = operands[j].data;
    steps[j] = lanes;
    if (operands[j].splat) {
      Splat(operands[j].data, operands[j].size, vectors[j]);
      from[j] = vectors[j];
      steps[j] = 0;
    }
  }
  const int64_t whole = count >> __builtin_ctzll(static_cast<uint64_t>(lanes));  // lanes are a power of two
  const int64_t done = whole * lanes, rest = count - done;
  if (whole > 0) body.run(from, steps, out, whole);
  if (rest == 0) return;
  for (int j = 0; j < arity; ++j) {
    if (steps[j] == 0) continue;
    const char* tail = operands[j].data + static_cast<size_t>(done) * operands[j].size;
    Splat(tail, operands[j].size, vectors[j]);
    std::memcpy(vectors[j], tail, static_cast<size_t>(rest) * operands[j].size);
    from[j] = vectors[j];
  }
  body.run(from, steps, vectors[kMaxOperands], 1);
  std::memcpy(out + static_cast<size_t>(done) * out_size, vectors[kMaxOperands], static_cast<size_t>(rest) * out_size);
}

// The output's dimensions with those that behave alike in every operand merged,
// and each operand's element strides in them (0: repeats).
struct Layout {
  int rank = 0;
  int64_t dims[Shape::kMaxRank + 1];
  int64_t strides[kMaxOperands][Shape::kMaxRank + 1];
  bool dense[kMaxOperands];  // lies exactly as the output does
  bool splat[kMaxOperands];

  Layout(std::span<const TensorView> operands, const TensorView& out) {
    const int arity = static_cast<int>(operands.size());
    int64_t dense_stride[kMaxOperands];
    for (int j = 0; j < arity; ++j) {
      dense_stride[j] = 1;
      dense[j] = operands[j].num_elements == out.num_elements;
      splat[j] = operands[j].num_elements == 1 && out.num_elements != 1;
    }
    // From the innermost; reversed at the end.
    for (int i = 0; i < out.rank; ++i) {
      const int64_t extent = out.dims[out.rank - 1 - i];
      if (extent == 1) continue;
      int64_t stride[kMaxOperands];
      bool merges = rank > 0;
      for (int j = 0; j < arity; ++j) {
        const TensorView& t = operands[j];
        const int64_t own = i < t.rank ? t.dims[t.rank - 1 - i] : 1;
        stride[j] = own == 1 ? 0 : dense_stride[j];
        dense_stride[j] *= own;
        if (merges && stride[j] != strides[j][rank - 1] * dims[rank - 1]) merges = false;
      }
      if (merges) {
        dims[rank - 1] *= extent;
        continue;
      }
      dims[rank] = extent;
      for (int j = 0; j < arity; ++j) strides[j][rank] = stride[j];
      ++rank;
    }
    if (rank == 0) {
      dims[0] = 1;
      for (int j = 0; j < arity; ++j) strides[j][0] = 0;
      rank = 1;
    }
    std::reverse(dims, dims + rank);
    for (int j = 0; j < arity; ++j) std::reverse(strides[j], strides[j] + rank);
  }
};

// Where the output element `position` lies: an index for each dimension, and each
// operand's offset of the start of its row.
struct Cursor {
  int64_t index[Shape::kMaxRank + 1];
  int64_t offset;

  Cursor(const Layout& layout, int operand, int64_t row) : offset(0) {
    for (int d = layout.rank - 2; d >= 0; --d) {
      index[d] = row % layout.dims[d];
      row /= layout.dims[d];
      offset += index[d] * layout.strides[operand][d];
    }
  }
  // How many rows, this one included, follow at the same distance.
  int64_t RowsInLine(const Layout& layout) const {
    return layout.rank < 2 ? 1 : layout.dims[layout.rank - 2] - index[layout.rank - 2];
  }
  // Of which `rows` are left behind.
  void Advance(const Layout& layout, int operand, int64_t rows) {
    for (int d = layout.rank - 2; d >= 0; --d, rows = 1) {
      offset += rows * layout.strides[operand][d];
      if ((index[d] += rows) < layout.dims[d]) return;
      offset -= layout.strides[operand][d] * layout.dims[d];
      index[d] = 0;
    }
  }
};

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

// Elements [begin, begin + count) of an operand as the output sees it, laid out
// densely; `begin` is the start of a row, `count` some rows.
template <class T>
void Expand(const Layout& layout, int operand, const char* data, int64_t begin, int64_t count, char* to_bytes) {
  const T* from = reinterpret_cast<const T*>(data);
  T* to = reinterpret_cast<T*>(to_bytes);
  const int64_t inner = layout.dims[layout.rank - 1];
  const bool repeats = layout.strides[operand][layout.rank - 1] == 0;
  const int64_t distance = layout.rank < 2 ? 0 : layout.strides[operand][layout.rank - 2];
  Cursor cursor(layout, operand, begin / inner);
  for (int64_t left = count / inner; left > 0;) {
    const int64_t rows = std::min(left, cursor.RowsInLine(layout));
    CopyRows(from + cursor.offset, distance, rows, inner, repeats, to);
    cursor.Advance(layout, operand, rows);
    to += rows * inner;
    left -= rows;
  }
}

struct Wide {
  uint64_t low, high;
};

void ExpandAny(const Layout& layout, int operand, const char* data, size_t size, int64_t begin, int64_t count,
               char* to) {
  switch (size) {
    case 1:
      return Expand<uint8_t>(layout, operand, data, begin, count, to);
    case 2:
      return Expand<uint16_t>(layout, operand, data, begin, count, to);
    case 4:
      return Expand<uint32_t>(layout, operand, data, begin, count, to);
    case 8:
      return Expand<uint64_t>(layout, operand, data, begin, count, to);
    default:
      return Expand<Wide>(layout, operand, data, begin, count, to);
  }
}

// Short rows: whole rows, gathered into blocks.
void RunShortRows(const Body& body, const Layout& layout, std::span<const TensorView> views, const TensorView& out,
                  int64_t begin, int64_t end) {
  alignas(64) char expanded[kMaxOperands][kBlock * kMaxElement];
  const int arity = static_cast<int>(views.size());
  const int64_t inner = layout.dims[layout.rank - 1], block = kBlock / inner * inner;
  const size_t out_size = ElementSize(out.dtype);
  Operand operands[kMaxOperands];
  bool row_only[kMaxOperands];  // the same row everywhere: one expansion serves all blocks
  for (int j = 0; j < arity; ++j) {
    operands[j] = {static_cast<const char*>(views[j].data), ElementSize(views[j].dtype), layout.splat[j]};
    row_only[j] = std::all_of(layout.strides[j], layout.strides[j] + layout.rank - 1, [](int64_t s) { return s == 0; });
  }
  for (int64_t at = begin; at < end; at += block) {
    const int64_t count = std::min(block, end - at);
    for (int j = 0; j < arity; ++j) {
      const char* data = static_cast<const char*>(views[j].data);
      if (layout.splat[j]) continue;
      if (layout.dense[j]) {
        operands[j].data = data + static_cast<size_t>(at) * operands[j].size;
      } else if (at == begin || !row_only[j]) {
        ExpandAny(layout, j, data, operands[j].size, at, count, expanded[j]);
        operands[j].data = expanded[j];
      }
    }
    RunRow(body, operands, arity, static_cast<char*>(out.data) + static_cast<size_t>(at) * out_size, out_size, count);
  }
}

// Long rows: each operand's row is dense or one element.
void RunLongRows(const Body& body, const Layout& layout, std::span<const TensorView> views, const TensorView& out,
                 int64_t begin, int64_t end) {
  const int arity = static_cast<int>(views.size());
  const int64_t inner = layout.dims[layout.rank - 1];
  const size_t out_size = ElementSize(out.dtype);
  Operand operands[kMaxOperands];
  for (int j = 0; j < arity; ++j) {
    operands[j] = {nullptr, ElementSize(views[j].dtype), layout.strides[j][layout.rank - 1] == 0};
  }
  int64_t index[Shape::kMaxRank + 1];
  int64_t offset[kMaxOperands] = {};
  int64_t row = begin / inner, column = begin % inner;
  for (int d = layout.rank - 2; d >= 0; --d) {
    index[d] = row % layout.dims[d];
    row /= layout.dims[d];
    for (int j = 0; j < arity; ++j) offset[j] += index[d] * layout.strides[j][d];
  }
  for (int64_t at = begin; at < end;) {
    const int64_t count = std::min(inner - column, end - at);
    for (int j = 0; j < arity; ++j) {
      const int64_t element = offset[j] + (operands[j].splat ? 0 : column);
      operands[j].data = static_cast<const char*>(views[j].data) + static_cast<size_t>(element) * operands[j].size;
    }
    RunRow(body, operands, arity, static_cast<char*>(out.data) + static_cast<size_t>(at) * out_size, out_size, count);
    at += count;
    column = 0;
    for (int d = layout.rank - 2; d >= 0; --d) {
      for (int j = 0; j < arity; ++j) offset[j] += layout.strides[j][d];
      if (++index[d] < layout.dims[d]) break;
      for (int j = 0; j < arity; ++j) offset[j] -= layout.strides[j][d] * layout.dims[d];
      index[d] = 0;
    }
  }
}

// Nothing repeats but single elements.
bool IsFlat(std::span<const TensorView> operands, const TensorView& out) {
  for (const TensorView& t : operands) {
    if (t.num_elements != out.num_elements && t.num_elements != 1) return false;
  }
  return true;
}

void RunFlat(const Body& body, std::span<const TensorView> views, const TensorView& out, int64_t begin, int64_t end) {
  Operand operands[kMaxOperands];
  const int arity = static_cast<int>(views.size());
  for (int j = 0; j < arity; ++j) {
    const size_t size = ElementSize(views[j].dtype);
    const bool splat = views[j].num_elements == 1;
    operands[j] = {static_cast<const char*>(views[j].data) + (splat ? 0 : static_cast<size_t>(begin) * size), size,
                   splat};
  }
  const size_t out_size = ElementSize(out.dtype);
  RunRow(body, operands, arity, static_cast<char*>(out.data) + static_cast<size_t>(begin) * out_size, out_size,
         end - begin);
}

// `for_ranges(total, multiple, run)` calls run(begin, end) for ranges that cover
// [0, total) and start at multiples of `multiple`.
template <class ForRanges>
void Run(const Body& body, std::span<const TensorView> operands, const TensorView& out, ForRanges for_ranges) {
  const int64_t total = out.num_elements;
  if (total == 0) return;
  if (IsFlat(operands, out)) {
    for_ranges(total, 64, [&](int64_t begin, int64_t end) { RunFlat(body, operands, out, begin, end); });
    return;
  }
  const Layout layout(operands, out);
  const int64_t inner = layout.dims[layout.rank - 1];
  if (inner < kShortRow) {
    for_ranges(total, inner,
               [&](int64_t begin, int64_t end) { RunShortRows(body, layout, operands, out, begin, end); });
  } else {
    for_ranges(total, 64, [&](int64_t begin, int64_t end) { RunLongRows(body, layout, operands, out, begin, end); });
  }
}

}  // namespace

void RunBody(KernelContext& ctx, const Body& body, std::span<const TensorView> operands, const TensorView& out,
             float cycles) {
  Run(body, operands, out, [&](int64_t total, int64_t multiple, auto run) {
    const int64_t units = BlockFor(cycles), block = (units + multiple - 1) / multiple * multiple;
    if (total <= block) return run(int64_t{0}, total);
    ctx.ParallelFor(total, block, [&](int64_t begin, int64_t end, int) { run(begin, end); });
  });
}

void RunBody(const Body& body, std::span<const TensorView> operands, const TensorView& out) {
  Run(body, operands, out, [](int64_t total, int64_t, auto run) { run(int64_t{0}, total); });
}

void ForEachBroadcast(std::span<const TensorView> operands, const TensorView& out,
                      absl::FunctionRef<void(int64_t, const int64_t*)> element) {
  if (out.num_elements == 0) return;
  const Layout layout(operands, out);
  const int64_t inner = layout.dims[layout.rank - 1];
  for (int64_t i = 0; i < out.num_elements; ++i) {
    int64_t at[kMaxOperands];
    for (int j = 0; j < static_cast<int>(operands.size()); ++j) {
      at[j] = Cursor(layout, j, i / inner).offset + i % inner * layout.strides[j][layout.rank - 1];
    }
    element(i, at);
  }
}

}  // namespace millrace
