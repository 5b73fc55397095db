#include "millrace/ops/reduce/engine.h"

#include <algorithm>

namespace millrace::reduce {
namespace {

// One accumulator, and those of a block of columns.
struct alignas(16) Total {
  char bytes[kAccBytes];
};
struct alignas(64) Columns {
  char bytes[kColumnBytes];
};

// f(first, offset, stride, n) for rows [first, last) of `groups`, cut where they do not
// follow each other at one distance.
template <typename F>
void ForRows(std::span<const Group> groups, int64_t first, int64_t last, const F& f) {
  const Group inner = groups.empty() ? Group{} : groups.back();
  for (int64_t r = first, n = 0; r < last; r += n) {
    n = groups.size() == 1 ? last - r : std::min(last - r, inner.extent - r % inner.extent);
    f(r, OffsetOf(groups, r), inner.stride, n);
  }
}

// The last group is reduced: every result is made of `reduced_count` runs of
// inner.extent elements, in pieces of some whole runs, or of a part of one.
struct Runs {
  const Loops& loops;
  const Layout& at;
  const int64_t run = at.inner.extent, runs = at.reduced_count;
  const int64_t runs_a_piece = run >= kPiece ? 1 : std::max<int64_t>(1, kPiece / run);
  const int64_t parts = run > kPiece ? (run + kPiece - 1) / kPiece : 1;
  const int64_t pieces = (runs + runs_a_piece - 1) / runs_a_piece * parts;

  void Piece(const void* base, int64_t p, void* total) const {
    if (parts > 1) {
      const int64_t start = p % parts * kPiece;
      const void* x = ElementAt(loops, base, OffsetOf(at.reduced, p / parts) + start);
      loops.run(true, x, 0, 1, std::min(kPiece, run - start), total);
      return;
    }
    const int64_t first = p * runs_a_piece, last = std::min(first + runs_a_piece, runs);
    ForRows(at.reduced, first, last, [&](int64_t r, int64_t offset, int64_t stride, int64_t n) {
      loops.run(r == first, ElementAt(loops, base, offset), stride, n, run, total);
    });
  }
};

Status InnerReduced(KernelContext& ctx, const Loops& l, const Layout& at, const void* in, void* out) {
  const Runs runs{l, at};
  const int64_t pieces = runs.pieces, count = at.ReducedElements();
  const double cycles =
      8 + 6.0 * static_cast<double>(at.reduced.empty() ? 0 : runs.runs) + static_cast<double>(count) * l.cycles;
  if (pieces == 1 || at.kept_count >= 64) {
    ctx.ParallelFor(at.kept_count, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
      if (at.reduced.empty()) {  // then `kept` is one group at most
        const int64_t stride = at.kept.empty() ? 0 : at.kept[0].stride;
        return l.rows(ElementAt(l, in, begin * stride), stride, end - begin, count, ResultAt(l, out, begin));
      }
      Total total, next;
      for (int64_t o = begin; o < end; ++o) {
        const void* base = ElementAt(l, in, OffsetOf(at.kept, o));
        runs.Piece(base, 0, &total);
        for (int64_t p = 1; p < pieces; ++p) {
          runs.Piece(base, p, &next);
          l.join(&total, &next, 1);
        }
        l.finish(&total, 1, count, ResultAt(l, out, o));
      }
    });
    return OkStatus();
  }
  // Few results of many elements: the pieces are spread, then added in order.
  MR_ASSIGN_OR_RETURN(void* partial, ctx.Scratch(static_cast<size_t>(at.kept_count * pieces) * l.acc_bytes));
  ctx.ParallelFor(at.kept_count * pieces, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      runs.Piece(ElementAt(l, in, OffsetOf(at.kept, u / pieces)), u % pieces, AccAt(l, partial, u));
    }
  });
  for (int64_t o = 0; o < at.kept_count; ++o) {
    void* const total = AccAt(l, partial, o * pieces);
    for (int64_t p = 1; p < pieces; ++p) l.join(total, AccAt(l, partial, o * pieces + p), 1);
    l.finish(total, 1, count, ResultAt(l, out, o));
  }
  return OkStatus();
}

// Rows [first, last) of the reduced groups, `columns` wide from `base`, into acc.
void ReduceRows(const Loops& l, std::span<const Group> groups, const void* base, int64_t first, int64_t last,
                int64_t columns, void* acc) {
  // Block sums, so that long sums stay accurate.
  Columns block;
  for (int64_t r = first; r < last; r += kRowBlock) {
    const int64_t stop = std::min(last, r + kRowBlock);
    void* const into = r == first ? acc : &block;
    ForRows(groups, r, stop, [&](int64_t k, int64_t offset, int64_t stride, int64_t n) {
      l.add(k == r, ElementAt(l, base, offset), stride, n, columns, into);
    });
    if (into != acc) l.join(acc, into, columns);
  }
}

// The last group is kept: rows are added up, column by column.
Status InnerKept(KernelContext& ctx, const Loops& l, const Layout& at, const void* in, void* out) {
  const int64_t most = static_cast<int64_t>(kColumnBytes / l.acc_bytes);
  const int64_t width = at.inner.extent, rows = at.reduced_count;
  const int64_t blocks = (width + most - 1) / most;
  const int64_t piece_rows = PieceRows(l, width);
  const int64_t pieces = (rows + piece_rows - 1) / piece_rows;
  const int64_t units = at.kept_count * blocks;
  const auto columns_of = [&](int64_t u) { return std::min(most, width - u % blocks * most); };
  const auto piece = [&](int64_t u, int64_t p, void* acc) {
    ReduceRows(l, at.reduced, ElementAt(l, in, OffsetOf(at.kept, u / blocks) + u % blocks * most), p * piece_rows,
               std::min(rows, (p + 1) * piece_rows), columns_of(u), acc);
  };
  const auto finish = [&](int64_t u, const void* acc) {
    l.finish(acc, columns_of(u), rows, ResultAt(l, out, u / blocks * width + u % blocks * most));
  };
  if (pieces == 1 || units >= 64) {
    const double cycles = static_cast<double>(rows) * (3 + static_cast<double>(std::min(width, most)) * l.cycles);
    ctx.ParallelFor(units, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
      Columns total, next;
      for (int64_t u = begin; u < end; ++u) {
        piece(u, 0, &total);
        for (int64_t p = 1; p < pieces; ++p) {
          piece(u, p, &next);
          l.join(&total, &next, columns_of(u));
        }
        finish(u, &total);
      }
    });
    return OkStatus();
  }
  MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(static_cast<size_t>(units * pieces) * kColumnBytes));
  Columns* const partial = static_cast<Columns*>(scratch);
  ctx.ParallelFor(units * pieces, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t k = begin; k < end; ++k) piece(k / pieces, k % pieces, partial + k);
  });
  for (int64_t u = 0; u < units; ++u) {
    Columns* const total = partial + u * pieces;
    for (int64_t p = 1; p < pieces; ++p) l.join(total, total + p, columns_of(u));
    finish(u, total);
  }
  return OkStatus();
}

// Rows too narrow for vectors: what those side by side give is folded at the end.
Status NarrowKept(KernelContext& ctx, const Loops& l, const Layout& at, const void* in, void* out) {
  const int64_t width = at.inner.extent, rows = at.reduced[0].extent;
  const int64_t fold = kWide / width, wide_rows = rows / fold, rest = rows - wide_rows * fold;
  const Group wide{wide_rows, fold * width};
  ctx.ParallelFor(at.kept_count, BlockFor(static_cast<double>(rows * width) * l.cycles),
                  [&](int64_t begin, int64_t end, int) {
                    alignas(64) char acc[kWide * kAccBytes];
                    for (int64_t o = begin; o < end; ++o) {
                      const void* base = ElementAt(l, in, OffsetOf(at.kept, o));
                      ReduceRows(l, {&wide, 1}, base, 0, wide_rows, wide.stride, acc);
                      FoldSides(l, fold, width, acc);
                      l.add(false, ElementAt(l, base, wide_rows * wide.stride), width, rest, width, acc);
                      l.finish(acc, width, rows, ResultAt(l, out, o * width));
                    }
                  });
  return OkStatus();
}

}  // namespace

int64_t PieceRows(const Loops& loops, int64_t width) {
  const int64_t most = static_cast<int64_t>(kColumnBytes / loops.acc_bytes);
  return std::max<int64_t>(kRowBlock, kPiece / std::min(width, most) / kRowBlock * kRowBlock);
}

void FoldSides(const Loops& loops, int64_t fold, int64_t width, void* acc) {
  for (int64_t half = fold; half > 1;) {
    const int64_t keep = (half + 1) / 2;
    loops.join(acc, AccAt(loops, acc, keep * width), (half - keep) * width);
    half = keep;
  }
}

Status Reduce(KernelContext& ctx, const Loops& loops, const Layout& at, const void* in, void* out) {
  const int64_t results = at.kept_count * (at.inner_reduced ? 1 : at.inner.extent);
  if (results == 0) return OkStatus();
  if (at.ReducedElements() == 0) {
    loops.rows(in, 0, results, 0, out);
    return OkStatus();
  }
  if (at.inner_reduced) return InnerReduced(ctx, loops, at, in, out);
  if (at.reduced.size() == 1 && IsNarrow(at.reduced[0].extent, at.inner.extent) &&
      at.reduced[0].stride == at.inner.extent) {
    return NarrowKept(ctx, loops, at, in, out);
  }
  return InnerKept(ctx, loops, at, in, out);
}

}  // namespace millrace::reduce
