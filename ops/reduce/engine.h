// The loops of all reductions. The order of the arithmetic depends on the shape
// alone: fixed lanes, blocks and pieces, so that neither the instruction set nor
// the number of threads changes a bit.
//
// A reducer R is a struct of types and static functions:
//   In, Out      elements of the input and the result
//   Acc          what is accumulated
//   Initial()    the value of nothing
//   Load(In)     an element as an Acc
//   Combine(a, b)
//   Finish(acc, count)   the result of `count` elements
//   Short        optional: what a few elements in a row are accumulated in, where
//                a wider type than Acc costs nothing; Combine takes it too
#pragma once

#include <algorithm>
#include <cstdint>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/reduce/layout.h"
#include "millrace/ops/reduce/rows.h"

namespace millrace::reduce {

// Within a piece, lanes are folded into one number this often.
inline constexpr int64_t kBlock = 4096;
// Rows that are added up one after the other before they meet the total.
inline constexpr int64_t kRowBlock = 64;
// Elements that rows narrower than half of it are widened to.
inline constexpr int64_t kWide = 64;

template <typename R>
struct ShortType {
  using type = typename R::Acc;
};
template <typename R>
  requires requires { typename R::Short; }
struct ShortType<R> {
  using type = typename R::Short;
};
template <typename R>
using ShortOf = typename ShortType<R>::type;

template <typename R>
struct Engine {
  using In = typename R::In;
  using Out = typename R::Out;
  using Acc = typename R::Acc;
  // Columns that are added up at once: their sums fit the first cache.
  static constexpr int64_t kColumns = 16384 / sizeof(Acc);
  static constexpr int64_t kLanes = sizeof(Acc) >= 128 ? 1 : 128 / sizeof(Acc);

  // Four accumulators, for fewer than kLanes elements.
  static Acc ReduceShort(const In* x, int64_t n) {
    if (n == 1) return R::Load(x[0]);
    using A = ShortOf<R>;
    const A none = static_cast<A>(R::Initial());
    A a[4] = {none, none, none, none};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (int k = 0; k < 4; ++k) a[k] = R::Combine(a[k], static_cast<A>(R::Load(x[i + k])));
    }
    for (int k = 0; k < 3; ++k) {
      if (i + k < n) a[k] = R::Combine(a[k], static_cast<A>(R::Load(x[i + k])));
    }
    return static_cast<Acc>(R::Combine(R::Combine(a[0], a[1]), R::Combine(a[2], a[3])));
  }

  // kLanes accumulators: the elements from x to x + n are added to them, from the
  // first lane on. `open`: x starts a block, at least kLanes long.
  static void AddToLanes(bool open, const In* x, int64_t n, Acc* sums) {
    Acc lanes[kLanes];
    int64_t i = 0;
    if (open) {
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = R::Load(x[l]);
      i = kLanes;
    } else {
      std::copy_n(sums, kLanes, lanes);
    }
    for (; i + kLanes <= n; i += kLanes) {
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = R::Combine(lanes[l], R::Load(x[i + l]));
    }
    for (int64_t l = 0; i + l < n; ++l) lanes[l] = R::Combine(lanes[l], R::Load(x[i + l]));
    std::copy_n(lanes, kLanes, sums);
  }
  // Folded pairwise.
  static Acc FoldLanes(Acc* lanes) {
    for (int64_t half = kLanes / 2; half > 0; half /= 2) {
      for (int64_t l = 0; l < half; ++l) lanes[l] = R::Combine(lanes[l], lanes[l + half]);
    }
    return lanes[0];
  }

  static Acc ReduceBlock(const In* x, int64_t n) {
    if (n < kLanes) return ReduceShort(x, n);
    Acc lanes[kLanes];
    AddToLanes(true, x, n, lanes);
    return FoldLanes(lanes);
  }

  static Acc ReduceRun(const In* x, int64_t n) {
    Acc total = ReduceBlock(x, std::min(n, kBlock));
    for (int64_t i = kBlock; i < n; i += kBlock) total = R::Combine(total, ReduceBlock(x + i, std::min(kBlock, n - i)));
    return total;
  }

  // The last group is reduced: every result is made of `reduced_count` runs of
  // inner.extent elements.
  static Status InnerReduced(KernelContext& ctx, const Layout& at, const In* in, Out* out) {
    const int64_t run = at.inner.extent, runs = at.reduced_count, count = at.ReducedElements();
    // A piece is some whole runs, or a part of one.
    const int64_t runs_a_piece = run >= kPiece ? 1 : std::max<int64_t>(1, kPiece / run);
    const int64_t parts = run > kPiece ? (run + kPiece - 1) / kPiece : 1;
    const int64_t pieces = (runs + runs_a_piece - 1) / runs_a_piece * parts;
    const auto piece = [&](const In* base, int64_t p) {
      if (parts > 1) {
        const int64_t start = p % parts * kPiece;
        return ReduceRun(base + OffsetOf(at.reduced, p / parts) + start, std::min(kPiece, run - start));
      }
      const int64_t first = p * runs_a_piece, last = std::min(first + runs_a_piece, runs);
      Acc total = ReduceRun(base + OffsetOf(at.reduced, first), run);
      for (int64_t r = first + 1; r < last; ++r) {
        total = R::Combine(total, ReduceRun(base + OffsetOf(at.reduced, r), run));
      }
      return total;
    };
    const double cycles =
        8 + 6.0 * static_cast<double>(at.reduced.empty() ? 0 : runs) + static_cast<double>(count) * R::kCycles;
    if (pieces == 1 || at.kept_count >= 64) {
      ctx.ParallelFor(at.kept_count, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
        for (int64_t o = begin; o < end; ++o) {
          const In* base = in + OffsetOf(at.kept, o);
          Acc total = piece(base, 0);
          for (int64_t p = 1; p < pieces; ++p) total = R::Combine(total, piece(base, p));
          out[o] = R::Finish(total, count);
        }
      });
      return OkStatus();
    }
    // Few results of many elements: the pieces are spread, then added in order.
    MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(static_cast<size_t>(at.kept_count * pieces) * sizeof(Acc)));
    Acc* partial = static_cast<Acc*>(scratch);
    ctx.ParallelFor(at.kept_count * pieces, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t u = begin; u < end; ++u) partial[u] = piece(in + OffsetOf(at.kept, u / pieces), u % pieces);
    });
    for (int64_t o = 0; o < at.kept_count; ++o) {
      Acc total = partial[o * pieces];
      for (int64_t p = 1; p < pieces; ++p) total = R::Combine(total, partial[o * pieces + p]);
      out[o] = R::Finish(total, count);
    }
    return OkStatus();
  }

  // Rows [first, last) of the reduced groups, `columns` wide from `base`, into acc.
  static void ReduceRows(const Layout& at, const In* base, int64_t first, int64_t last, int64_t columns, Acc* acc) {
    // Block sums, so that long sums stay accurate.
    Acc block[kColumns];
    for (int64_t r = first; r < last; r += kRowBlock) {
      const int64_t stop = std::min(last, r + kRowBlock);
      Acc* into = r == first ? acc : block;
      const In* row = base + OffsetOf(at.reduced, r);
      for (int64_t c = 0; c < columns; ++c) into[c] = R::Load(row[c]);
      for (int64_t k = r + 1; k < stop; ++k) {
        row = at.reduced.size() == 1 ? row + at.reduced[0].stride : base + OffsetOf(at.reduced, k);
        for (int64_t c = 0; c < columns; ++c) into[c] = R::Combine(into[c], R::Load(row[c]));
      }
      if (into == block) {
        for (int64_t c = 0; c < columns; ++c) acc[c] = R::Combine(acc[c], block[c]);
      }
    }
  }

  // Rows that a thread works on: about a piece of elements.
  static int64_t PieceRows(int64_t width) {
    return std::max<int64_t>(kRowBlock, kPiece / std::min(width, kColumns) / kRowBlock * kRowBlock);
  }

  // The last group is kept: rows are added up, column by column.
  static Status InnerKept(KernelContext& ctx, const Layout& at, const In* in, Out* out) {
    const int64_t width = at.inner.extent, rows = at.reduced_count;
    const int64_t blocks = (width + kColumns - 1) / kColumns;
    const int64_t piece_rows = PieceRows(width);
    const int64_t pieces = (rows + piece_rows - 1) / piece_rows;
    const int64_t units = at.kept_count * blocks;
    const auto piece = [&](int64_t u, int64_t p, Acc* acc) {
      const int64_t column = u % blocks * kColumns;
      ReduceRows(at, in + OffsetOf(at.kept, u / blocks) + column, p * piece_rows, std::min(rows, (p + 1) * piece_rows),
                 std::min(kColumns, width - column), acc);
    };
    const auto finish = [&](int64_t u, const Acc* acc) {
      const int64_t column = u % blocks * kColumns, columns = std::min(kColumns, width - column);
      Out* o = out + u / blocks * width + column;
      for (int64_t c = 0; c < columns; ++c) o[c] = R::Finish(acc[c], rows);
    };
    const auto columns_of = [&](int64_t u) { return std::min(kColumns, width - u % blocks * kColumns); };
    if (pieces == 1 || units >= 64) {
      const double cycles =
          static_cast<double>(rows) * (3 + static_cast<double>(std::min(width, kColumns)) * R::kCycles);
      ctx.ParallelFor(units, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
        Acc total[kColumns], next[kColumns];
        for (int64_t u = begin; u < end; ++u) {
          piece(u, 0, total);
          for (int64_t p = 1; p < pieces; ++p) {
            piece(u, p, next);
            for (int64_t c = 0; c < columns_of(u); ++c) total[c] = R::Combine(total[c], next[c]);
          }
          finish(u, total);
        }
      });
      return OkStatus();
    }
    MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(static_cast<size_t>(units * pieces * kColumns) * sizeof(Acc)));
    Acc* partial = static_cast<Acc*>(scratch);
    ctx.ParallelFor(units * pieces, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t k = begin; k < end; ++k) piece(k / pieces, k % pieces, partial + k * kColumns);
    });
    for (int64_t u = 0; u < units; ++u) {
      Acc* total = partial + u * pieces * kColumns;
      for (int64_t p = 1; p < pieces; ++p) {
        const Acc* next = total + p * kColumns;
        for (int64_t c = 0; c < columns_of(u); ++c) total[c] = R::Combine(total[c], next[c]);
      }
      finish(u, total);
    }
    return OkStatus();
  }

  static bool IsNarrow(int64_t rows, int64_t width) { return width <= kWide / 2 && rows >= 8 * kWide; }
  // `fold` rows of `width` accumulators side by side become the first.
  static void FoldSides(int64_t fold, int64_t width, Acc* acc) {
    for (int64_t half = fold; half > 1;) {
      const int64_t keep = (half + 1) / 2;
      for (int64_t c = 0; c < (half - keep) * width; ++c) acc[c] = R::Combine(acc[c], acc[keep * width + c]);
      half = keep;
    }
  }

  // Rows too narrow for vectors: `fold` of them side by side make one row of the
  // same memory; what they give is folded at the end.
  static Status NarrowKept(KernelContext& ctx, const Layout& at, const In* in, Out* out) {
    const int64_t width = at.inner.extent, rows = at.reduced[0].extent;
    const int64_t fold = kWide / width, wide = fold * width, wide_rows = rows / fold;
    ctx.ParallelFor(at.kept_count, BlockFor(static_cast<double>(rows * width) * R::kCycles),
                    [&](int64_t begin, int64_t end, int) {
                      Acc acc[kWide];
                      Layout line;
                      line.reduced.push_back({wide_rows, wide});
                      for (int64_t o = begin; o < end; ++o) {
                        const In* base = in + OffsetOf(at.kept, o);
                        ReduceRows(line, base, 0, wide_rows, wide, acc);
                        FoldSides(fold, width, acc);
                        for (int64_t r = wide_rows * fold; r < rows; ++r) {
                          for (int64_t c = 0; c < width; ++c) acc[c] = R::Combine(acc[c], R::Load(base[r * width + c]));
                        }
                        for (int64_t c = 0; c < width; ++c) out[o * width + c] = R::Finish(acc[c], rows);
                      }
                    });
    return OkStatus();
  }

  static Status Run(KernelContext& ctx, const Layout& at, const In* in, Out* out) {
    const int64_t results = at.kept_count * (at.inner_reduced ? 1 : at.inner.extent);
    if (results == 0) return OkStatus();
    if (at.ReducedElements() == 0) {
      std::fill_n(out, results, R::Finish(R::Initial(), 0));
      return OkStatus();
    }
    if (at.inner_reduced) return InnerReduced(ctx, at, in, out);
    if (at.reduced.size() == 1 && IsNarrow(at.reduced[0].extent, at.inner.extent) &&
        at.reduced[0].stride == at.inner.extent) {
      return NarrowKept(ctx, at, in, out);
    }
    return InnerKept(ctx, at, in, out);
  }
};

// Run<R> of a node's inputs: x, axes.
template <typename R>
Status RunReduction(KernelContext& ctx, bool keep_dims) {
  Layout layout;
  MR_RETURN_IF_ERROR(MakeLayout(ctx.input(0), ctx.input(1), keep_dims, &layout));
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, array::SpanOf(layout.output_dims)));
  return Engine<R>::Run(ctx, layout, ctx.input(0).as<typename R::In>(), ctx.output(0).as<typename R::Out>());
}

template <typename R>
class Reduction final : public Kernel {
 public:
  explicit Reduction(const KernelInit& init) : keep_dims_(init.attr<bool>("keep_dims")) {}
  Status Run(KernelContext& ctx) const override { return RunReduction<R>(ctx, keep_dims_); }

 private:
  const bool keep_dims_;
};

// The factory of the reducer R<T> for the node's T.
template <template <typename> typename R, typename... Ts>
Result<std::unique_ptr<Kernel>> NewReduction(const KernelInit& init) {
  std::unique_ptr<Kernel> kernel;
  ((init.input_type(0) == kDTypeOf<Ts> ? void(kernel.reset(new Reduction<R<Ts>>(init))) : void()), ...);
  if (kernel == nullptr) return Unimplemented("no kernel for this type");
  return kernel;
}

// What RowReducer's functions are made of: Engine's order, for elements that come
// in parts.
template <typename R>
struct RowLoops {
  using E = Engine<R>;
  using In = typename R::In;
  using Out = typename R::Out;
  using Acc = typename R::Acc;
  struct State {
    Acc lanes[E::kLanes];  // of the block that is open
    Acc total;             // of the blocks before it
  };
  static_assert(sizeof(State) <= kRowStateBytes && kRowPart % E::kLanes == 0 && kBlock % kRowPart == 0);

  static void Rows(const void* x, int64_t rows, int64_t n, void* out) {
    const In* in = static_cast<const In*>(x);
    Out* to = static_cast<Out*>(out);
    for (int64_t r = 0; r < rows; ++r, in += n) {
      if (n == 0) {
        to[r] = R::Finish(R::Initial(), 0);
        continue;
      }
      Acc total = E::ReduceRun(in, std::min(n, kPiece));
      for (int64_t i = kPiece; i < n; i += kPiece) {
        total = R::Combine(total, E::ReduceRun(in + i, std::min(kPiece, n - i)));
      }
      to[r] = R::Finish(total, n);
    }
  }
  static void Feed(void* state, int64_t at, const void* x, int64_t n, bool last) {
    State& s = *static_cast<State*>(state);
    const In* in = static_cast<const In*>(x);
    while (n > 0) {
      const int64_t in_block = at % kBlock, part = std::min(n, kBlock - in_block);
      const bool closes = in_block + part == kBlock || (last && part == n);
      Acc sum;
      if (in_block == 0 && part < E::kLanes) {
        sum = E::ReduceShort(in, part);
      } else {
        E::AddToLanes(in_block == 0, in, part, s.lanes);
        if (closes) sum = E::FoldLanes(s.lanes);
      }
      if (closes) s.total = at < kBlock ? sum : R::Combine(s.total, sum);
      at += part;
      in += part;
      n -= part;
    }
  }
  static void Join(void* state, const void* next) {
    State& s = *static_cast<State*>(state);
    s.total = R::Combine(s.total, static_cast<const State*>(next)->total);
  }
  static void Finish(const void* state, int64_t count, void* out) {
    *static_cast<Out*>(out) = R::Finish(static_cast<const State*>(state)->total, count);
  }
};

}  // namespace millrace::reduce
