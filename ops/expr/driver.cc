#include "millrace/ops/expr/driver.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/expr/access.h"
#include "millrace/proto/value/dtype.h"

namespace millrace {
namespace {

// Rows shorter than this are not run one by one: operands that repeat are
// expanded into blocks of at most kBlock elements.
constexpr int64_t kShortRow = 48;
constexpr int64_t kBlock = 512;

struct Operand {
  const char* data;
  size_t size;  // of an element
  bool splat;   // one element for all
};

// `count` elements in a row; every operand is dense or one element.
void RunRow(const Body& body, const Operand* operands, int arity, char* out, size_t out_size, int64_t count) {
  alignas(64) char vectors[kMaxOperands + 1][kSplatBytes];
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

// How the operands of a body lie under its output.
struct Layout {
  int64_t inner = 0;  // how far every operand goes on in one way, at least
  Access access[kMaxOperands];
  bool dense[kMaxOperands];  // lies exactly as the output does
  bool splat[kMaxOperands];  // one element
  AccessGroup groups[kMaxOperands][kMaxAccessGroups];

  Layout(std::span<const TensorView> operands, const TensorView& out) : inner(out.num_elements) {
    for (size_t j = 0; j < operands.size(); ++j) {
      const TensorView& t = operands[j];
      dense[j] = t.num_elements == out.num_elements;
      splat[j] = t.num_elements == 1 && out.num_elements != 1;
      access[j].rank = MakeAccessGroups(t.shape(), out.shape(), groups[j]);
      access[j].groups = groups[j];
      access[j].data = t.as<char>();
      access[j].size = ElementSize(t.dtype);
      inner = std::min(inner, access[j].inner().extent);
    }
  }
};

// Short rows: whole rows, gathered into blocks.
void RunShortRows(const Body& body, const Layout& layout, std::span<const TensorView> views, const TensorView& out,
                  int64_t begin, int64_t end) {
  alignas(64) char expanded[kMaxOperands][kBlock * kMaxElementBytes];
  const int arity = static_cast<int>(views.size());
  const size_t out_size = ElementSize(out.dtype);
  Operand operands[kMaxOperands];
  bool same[kMaxOperands];
  int64_t period = layout.inner;  // a block is a multiple of it
  for (int j = 0; j < arity; ++j) {
    const Access& access = layout.access[j];
    operands[j] = {access.data, access.size, layout.splat[j]};
    // The same row everywhere: one expansion serves all blocks.
    same[j] = access.SameRows() && access.inner().extent <= kBlock;
    if (same[j]) period = std::max(period, access.inner().extent);
  }
  const int64_t block = kBlock / period * period;
  for (int64_t at = begin; at < end; at += block) {
    const int64_t count = std::min(block, end - at);
    for (int j = 0; j < arity; ++j) {
      if (layout.splat[j]) continue;
      if (layout.dense[j]) {
        operands[j].data = layout.access[j].data + static_cast<size_t>(at) * operands[j].size;
      } else if (at == begin || !same[j]) {
        layout.access[j].Expand(at, count, expanded[j]);
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
  const size_t out_size = ElementSize(out.dtype);
  Operand operands[kMaxOperands];
  AccessCursor cursors[kMaxOperands] = {
      {layout.access[0], begin}, {layout.access[arity > 1 ? 1 : 0], begin}, {layout.access[arity > 2 ? 2 : 0], begin}};
  for (int j = 0; j < arity; ++j) {
    operands[j] = {nullptr, layout.access[j].size, layout.access[j].inner().stride == 0};
  }
  int64_t column = begin % layout.inner;
  for (int64_t at = begin; at < end;) {
    const int64_t count = std::min(layout.inner - column, end - at);
    for (int j = 0; j < arity; ++j) {
      operands[j].data = layout.access[j].data + static_cast<size_t>(cursors[j].offset()) * operands[j].size;
      cursors[j].Advance(count);
    }
    RunRow(body, operands, arity, static_cast<char*>(out.data) + static_cast<size_t>(at) * out_size, out_size, count);
    at += count;
    column = 0;
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
  if (layout.inner < kShortRow) {
    for_ranges(total, layout.inner,
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
  for (int64_t i = 0; i < out.num_elements; ++i) {
    int64_t at[kMaxOperands];
    for (size_t j = 0; j < operands.size(); ++j) at[j] = layout.access[j].OffsetOf(i);
    element(i, at);
  }
}

}  // namespace millrace
