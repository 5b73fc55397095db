#include "millrace/ops/reduce/columns.h"

#include <algorithm>

#include "millrace/ops/reduce/engine.h"
#include "millrace/ops/reduce/rows.h"
#include "millrace/ops/reduce/rows_of_loops.h"

namespace millrace::reduce {
namespace {

char* PartialOf(const ColumnCut& cut, void* partials, int64_t block) {
  return static_cast<char*>(partials) + static_cast<size_t>(block) * cut.partial_bytes;
}

// x is the at-th and following of the block's elements.
void AddToBlock(const Loops& l, int64_t columns, int64_t at, const void* x, int64_t n, void* acc) {
  for (int64_t part = 0; n > 0; n -= part) {
    const int64_t column = at % columns;
    const bool whole = column == 0 && n >= columns;
    part = whole ? n / columns * columns : std::min(n, columns - column);
    l.add(at < columns, x, columns, whole ? part / columns : 1, whole ? columns : part, AccAt(l, acc, column));
    at += part;
    x = ElementAt(l, x, part);
  }
}

}  // namespace

ColumnCut ColumnReducer::cut(int64_t rows, int64_t width, bool one_as_row) const {
  ColumnCut cut;
  cut.rows = cut.main_rows = rows;
  cut.width = cut.columns = width;
  if (rows == 0 || width == 0) return cut;
  size_t bytes = 0;
  if (width == 1 && one_as_row) {
    cut.line = true;
    cut.block_rows = kPiece;
    bytes = kRowStateBytes;
  } else {
    cut.block_rows = kRowBlock;
    cut.joined_first = PieceRows(*loops, width) / kRowBlock;
    if (IsNarrow(rows, width)) {
      const int64_t fold = kWide / width;
      cut.columns = fold * width;
      cut.block_rows = kRowBlock * fold;
      cut.main_rows = rows / fold * fold;
      cut.joined_first = INT64_MAX;
    }
    bytes = static_cast<size_t>(cut.columns) * loops->acc_bytes;
  }
  cut.partial_bytes = (bytes + 63) / 64 * 64;
  cut.blocks = (cut.main_rows + cut.block_rows - 1) / cut.block_rows + (cut.main_rows < rows ? 1 : 0);
  return cut;
}

void ColumnReducer::add(const ColumnCut& cut, void* partials, int64_t at, const void* x, int64_t n) const {
  const int64_t main = cut.main_rows * cut.width, all = cut.rows * cut.width, size = cut.block_rows * cut.width;
  while (n > 0) {
    const bool last = at >= main;
    const int64_t block = last ? cut.blocks - 1 : at / size;
    const int64_t begin = last ? main : block * size, end = last ? all : std::min(main, begin + size);
    const int64_t part = std::min(n, end - at);
    void* const acc = PartialOf(cut, partials, block);
    if (cut.line) FeedRow(*loops, acc, at - begin, x, part, at + part == end);
    else AddToBlock(*loops, cut.columns, at - begin, x, part, acc);
    at += part;
    x = ElementAt(*loops, x, part);
    n -= part;
  }
}

void ColumnReducer::finish(const ColumnCut& cut, void* partials, void* out) const {
  const Loops& l = *loops;
  if (cut.blocks == 0) return l.rows(nullptr, 0, cut.width, 0, out);
  void* const total = PartialOf(cut, partials, 0);
  if (cut.line) {
    for (int64_t b = 1; b < cut.blocks; ++b) JoinRow(l, total, PartialOf(cut, partials, b));
    return FinishRow(l, total, cut.rows, out);
  }
  const int64_t blocks = cut.blocks - (cut.main_rows < cut.rows ? 1 : 0);
  for (int64_t first = 0; first < blocks;) {
    const int64_t end = blocks - first > cut.joined_first ? first + cut.joined_first : blocks;
    void* const piece = PartialOf(cut, partials, first);
    for (int64_t b = first + 1; b < end; ++b) l.join(piece, PartialOf(cut, partials, b), cut.columns);
    if (first > 0) l.join(total, piece, cut.columns);
    first = end;
  }
  FoldSides(l, cut.columns / cut.width, cut.width, total);
  void* const rest = PartialOf(cut, partials, cut.blocks - 1);
  for (int64_t r = 0; r < cut.rows - cut.main_rows; ++r) l.join(total, AccAt(l, rest, r * cut.width), cut.width);
  l.finish(total, cut.width, cut.rows, out);
}

}  // namespace millrace::reduce
