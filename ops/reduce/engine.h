// A reduction of any axes, for any reducer: its inner loops are in loops.h. The
// order of the arithmetic depends on the shape alone: fixed blocks and pieces, so
// that the number of threads changes no bit.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/reduce/layout.h"
#include "millrace/ops/reduce/loops.h"

namespace millrace::reduce {

// `in` as `at` has it, to the results in `out`.
Status Reduce(KernelContext& ctx, const Loops& loops, const Layout& at, const void* in, void* out);

// How rows of `width` columns are cut, here and in columns.h.
// Rows that are added up one after the other before they meet the total.
inline constexpr int64_t kRowBlock = 64;
// Elements that rows narrower than half of it are widened to.
inline constexpr int64_t kWide = 64;
// Accumulators of the columns that are added up at once: they fit the first cache.
inline constexpr size_t kColumnBytes = 16384;
// Rows that a thread works on: about a piece of elements.
int64_t PieceRows(const Loops& loops, int64_t width);
// Whether rows are too narrow for vectors: `kWide / width` of them side by side make
// one row of the same memory.
inline bool IsNarrow(int64_t rows, int64_t width) { return width <= kWide / 2 && rows >= 8 * kWide; }
// `fold` rows of `width` accumulators side by side become the first.
void FoldSides(const Loops& loops, int64_t fold, int64_t width, void* acc);

}  // namespace millrace::reduce
