// What ColumnReducer's functions are made of: Engine's order, for elements that
// come in parts.
#pragma once

#include <algorithm>

#include "millrace/ops/reduce/columns.h"
#include "millrace/ops/reduce/engine.h"

namespace millrace::reduce {

template <typename R>
struct ColumnLoops {
  using E = Engine<R>;
  using In = typename R::In;
  using Out = typename R::Out;
  using Acc = typename R::Acc;

  static ColumnCut Cut(int64_t rows, int64_t width, bool one_as_row) {
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
      cut.joined_first = E::PieceRows(width) / kRowBlock;
      if (E::IsNarrow(rows, width)) {
        const int64_t fold = kWide / width;
        cut.columns = fold * width;
        cut.block_rows = kRowBlock * fold;
        cut.main_rows = rows / fold * fold;
        cut.joined_first = INT64_MAX;
      }
      bytes = static_cast<size_t>(cut.columns) * sizeof(Acc);
    }
    cut.partial_bytes = (bytes + 63) / 64 * 64;
    cut.blocks = (cut.main_rows + cut.block_rows - 1) / cut.block_rows + (cut.main_rows < rows ? 1 : 0);
    return cut;
  }

  static Acc* PartialOf(const ColumnCut& cut, void* partials, int64_t block) {
    return reinterpret_cast<Acc*>(static_cast<char*>(partials) + static_cast<size_t>(block) * cut.partial_bytes);
  }

  // x is the at-th and following of the block's elements.
  static void AddToBlock(int64_t columns, int64_t at, const In* x, int64_t n, Acc* acc) {
    for (int64_t column = at % columns; n > 0; column = 0) {
      const int64_t part = std::min(n, columns - column);
      Acc* const to = acc + column;
      if (at < columns) {
        for (int64_t c = 0; c < part; ++c) to[c] = R::Load(x[c]);
      } else {
        for (int64_t c = 0; c < part; ++c) to[c] = R::Combine(to[c], R::Load(x[c]));
      }
      at += part;
      x += part;
      n -= part;
    }
  }

  static void Add(const ColumnCut& cut, void* partials, int64_t at, const void* elements, int64_t n) {
    const In* x = static_cast<const In*>(elements);
    const int64_t main = cut.main_rows * cut.width, all = cut.rows * cut.width, size = cut.block_rows * cut.width;
    while (n > 0) {
      const bool last = at >= main;
      const int64_t block = last ? cut.blocks - 1 : at / size;
      const int64_t begin = last ? main : block * size, end = last ? all : std::min(main, begin + size);
      const int64_t part = std::min(n, end - at);
      Acc* const acc = PartialOf(cut, partials, block);
      if (cut.line) RowLoops<R>::Feed(acc, at - begin, x, part, at + part == end);
      else AddToBlock(cut.columns, at - begin, x, part, acc);
      at += part;
      x += part;
      n -= part;
    }
  }

  static void Join(int64_t columns, const Acc* next, Acc* total) {
    for (int64_t c = 0; c < columns; ++c) total[c] = R::Combine(total[c], next[c]);
  }

  static void Finish(const ColumnCut& cut, void* partials, void* result) {
    Out* const out = static_cast<Out*>(result);
    if (cut.blocks == 0) {
      std::fill_n(out, cut.width, R::Finish(R::Initial(), 0));
      return;
    }
    Acc* const total = PartialOf(cut, partials, 0);
    if (cut.line) {
      for (int64_t b = 1; b < cut.blocks; ++b) RowLoops<R>::Join(total, PartialOf(cut, partials, b));
      RowLoops<R>::Finish(total, cut.rows, out);
      return;
    }
    const int64_t blocks = cut.blocks - (cut.main_rows < cut.rows ? 1 : 0);
    for (int64_t first = 0; first < blocks;) {
      const int64_t end = blocks - first > cut.joined_first ? first + cut.joined_first : blocks;
      Acc* const piece = PartialOf(cut, partials, first);
      for (int64_t b = first + 1; b < end; ++b) Join(cut.columns, PartialOf(cut, partials, b), piece);
      if (first > 0) Join(cut.columns, piece, total);
      first = end;
    }
    E::FoldSides(cut.columns / cut.width, cut.width, total);
    const Acc* const rest = PartialOf(cut, partials, cut.blocks - 1);
    for (int64_t r = 0; r < cut.rows - cut.main_rows; ++r) Join(cut.width, rest + r * cut.width, total);
    for (int64_t c = 0; c < cut.width; ++c) out[c] = R::Finish(total[c], cut.rows);
  }
  static constexpr ColumnReducer kTable = {Cut, Add, Finish};
};

}  // namespace millrace::reduce
