// Reductions of rows into one row, column by column, for kernels that make the
// elements themselves. The same order of arithmetic, and so the same bits, as the
// ops over the first dimensions: blocks of rows are added up on their own, by any
// thread, and joined in order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::reduce {

struct Loops;

// How rows are cut into blocks. Follows from the sizes alone.
struct ColumnCut {
  int64_t rows = 0, width = 0;
  int64_t block_rows = 1;    // of a block, but for the last ones
  int64_t main_rows = 0;     // those behind are a last block of their own
  int64_t blocks = 0;        // all of them
  int64_t columns = 0;       // of what a block gives: some rows side by side may make one
  int64_t joined_first = 1;  // blocks that are joined before they meet the total
  size_t partial_bytes = 0;  // of a block, a multiple of 64
  bool line = false;         // a single column is added up as a row would be
};

// Of one op and element type; thread-safe.
struct ColumnReducer {
  const Loops* loops = nullptr;  // null where there is none

  // `one_as_row`: of one column, in the order of a row; so do reductions whose axes
  // are an operand.
  ColumnCut cut(int64_t rows, int64_t width, bool one_as_row) const;
  // n elements, the at-th and following of all rows, go to their blocks' partial
  // results at `partials`, aligned to 64. Each block's elements come in order, and
  // nobody else works on the block; no result need be set up. In a line parts are
  // multiples of kRowPart but for a block's last.
  void add(const ColumnCut& cut, void* partials, int64_t at, const void* x, int64_t n) const;
  // Once all elements were added; changes `partials`. No elements: the values of
  // nothing.
  void finish(const ColumnCut& cut, void* partials, void* out) const;
};

}  // namespace millrace::reduce
