// The inner loops of a reduction, one table for each reducer and element type; all
// that surrounds them (engine.h, rows.h, columns.h) exists once, whatever the types
// are. The order of the arithmetic depends on the sizes alone: fixed lanes and
// blocks, so that no instruction set changes a bit.
//
// A reducer R is a struct of types and static functions:
//   In, Out      elements of the input and the result
//   Acc          what is accumulated, at most 16 bytes
//   Initial()    the value of nothing
//   Load(In)     an element as an Acc
//   Combine(a, b)
//   Finish(acc, count)   the result of `count` elements
//   kCycles      an element, about
//   Short        optional: what a few elements in a row are accumulated in, where
//                a wider type than Acc costs nothing; Combine takes it too
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace millrace::reduce {

// Elements that are added up before they meet the running total: what one
// thread works on.
inline constexpr int64_t kPiece = 65536;
// Within a piece, lanes are folded into one number this often.
inline constexpr int64_t kBlock = 4096;
// The accumulators of an open block.
inline constexpr size_t kLaneBytes = 128;
inline constexpr size_t kAccBytes = 16;

// No two arguments share memory.
struct Loops {
  size_t in_bytes, out_bytes, acc_bytes;
  int64_t lanes;
  double cycles;  // an element, about
  // Runs of 0 < n <= kPiece elements, which begin `stride` elements apart: what the
  // first gives becomes *total where that is `open`, or joins it; so do the others.
  void (*run)(bool open, const void* x, int64_t stride, int64_t runs, int64_t n, void* total);
  // The results of rows of n elements, which begin `stride` elements apart.
  void (*rows)(const void* x, int64_t stride, int64_t rows, int64_t n, void* out);
  // What `run` is made of: 0 < n < lanes elements to *total, and elements onto the
  // lanes, from the first one on. `open`: they begin a block, at least `lanes` long.
  void (*brief)(const void* x, int64_t n, void* total);
  void (*feed)(bool open, const void* x, int64_t n, void* sums);
  // Column by column: rows that begin `stride` elements apart are added to `columns`
  // accumulators; the first of them sets these up where they are `open`.
  void (*add)(bool open, const void* x, int64_t stride, int64_t rows, int64_t columns, void* total);
  // n accumulators onto n others; the results of n accumulators of `count` elements each.
  void (*join)(void* total, const void* next, int64_t n);
  void (*finish)(const void* total, int64_t n, int64_t count, void* out);
};

// What leads from one table to elements and accumulators.
inline const void* ElementAt(const Loops& l, const void* x, int64_t i) {
  return static_cast<const char*>(x) + i * static_cast<int64_t>(l.in_bytes);
}
inline void* ResultAt(const Loops& l, void* out, int64_t i) {
  return static_cast<char*>(out) + i * static_cast<int64_t>(l.out_bytes);
}
inline void* AccAt(const Loops& l, void* acc, int64_t i) {
  return static_cast<char*>(acc) + i * static_cast<int64_t>(l.acc_bytes);
}

namespace internal {

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
struct LoopsOf {
  using In = typename R::In;
  using Out = typename R::Out;
  using Acc = typename R::Acc;
  static_assert(sizeof(Acc) <= kAccBytes);
  static constexpr int64_t kLanes = kLaneBytes / sizeof(Acc);

  // Four accumulators.
  [[gnu::noinline]] static Acc ReduceBrief(const In* x, int64_t n) {
    if (n == 1) return R::Load(x[0]);
    using A = typename ShortType<R>::type;
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

  [[gnu::always_inline]] static void AddToLanes(bool open, const In* x, int64_t n, Acc* sums) {
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
  [[gnu::noinline]] static Acc ReduceBlock(const In* x, int64_t n) {
    if (n < kLanes) return ReduceBrief(x, n);
    Acc lanes[kLanes];
    AddToLanes(true, x, n, lanes);
    return FoldLanes(lanes);
  }
  static Acc ReduceRun(const In* x, int64_t n) {
    Acc total = ReduceBlock(x, std::min(n, kBlock));
    for (int64_t i = kBlock; i < n; i += kBlock) total = R::Combine(total, ReduceBlock(x + i, std::min(kBlock, n - i)));
    return total;
  }

  static void Run(bool open, const void* x, int64_t stride, int64_t runs, int64_t n, void* total) {
    const In* in = static_cast<const In*>(x);
    Acc* const to = static_cast<Acc*>(total);
    for (; runs > 0; --runs, in += stride, open = false) {
      const Acc sum = ReduceRun(in, n);
      *to = open ? sum : R::Combine(*to, sum);
    }
  }
  static void Rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
    const In* in = static_cast<const In*>(x);
    Out* const to = static_cast<Out*>(out);
    for (int64_t r = 0; r < rows; ++r, in += stride) {
      if (n == 0) {
        to[r] = R::Finish(R::Initial(), 0);
        continue;
      }
      Acc total = ReduceRun(in, std::min(n, kPiece));
      for (int64_t i = kPiece; i < n; i += kPiece) {
        total = R::Combine(total, ReduceRun(in + i, std::min(kPiece, n - i)));
      }
      to[r] = R::Finish(total, n);
    }
  }
  static void Brief(const void* x, int64_t n, void* total) {
    *static_cast<Acc*>(total) = ReduceBrief(static_cast<const In*>(x), n);
  }
  static void Feed(bool open, const void* x, int64_t n, void* sums) {
    AddToLanes(open, static_cast<const In*>(x), n, static_cast<Acc*>(sums));
  }
  static void Add(bool open, const void* x, int64_t stride, int64_t rows, int64_t columns, void* total) {
    const In* __restrict row = static_cast<const In*>(x);
    Acc* __restrict to = static_cast<Acc*>(total);
    if (open) {
      for (int64_t c = 0; c < columns; ++c) to[c] = R::Load(row[c]);
      row += stride;
      --rows;
    }
    for (; rows > 0; --rows, row += stride) {
      for (int64_t c = 0; c < columns; ++c) to[c] = R::Combine(to[c], R::Load(row[c]));
    }
  }
  static void Join(void* total, const void* next, int64_t n) {
    Acc* __restrict to = static_cast<Acc*>(total);
    const Acc* __restrict more = static_cast<const Acc*>(next);
    for (int64_t c = 0; c < n; ++c) to[c] = R::Combine(to[c], more[c]);
  }
  static void Finish(const void* total, int64_t n, int64_t count, void* out) {
    const Acc* __restrict from = static_cast<const Acc*>(total);
    Out* __restrict to = static_cast<Out*>(out);
    for (int64_t c = 0; c < n; ++c) to[c] = R::Finish(from[c], count);
  }
};

}  // namespace internal

template <typename R>
inline constexpr Loops kLoops = {sizeof(typename R::In),
                                 sizeof(typename R::Out),
                                 sizeof(typename R::Acc),
                                 internal::LoopsOf<R>::kLanes,
                                 R::kCycles,
                                 internal::LoopsOf<R>::Run,
                                 internal::LoopsOf<R>::Rows,
                                 internal::LoopsOf<R>::Brief,
                                 internal::LoopsOf<R>::Feed,
                                 internal::LoopsOf<R>::Add,
                                 internal::LoopsOf<R>::Join,
                                 internal::LoopsOf<R>::Finish};

}  // namespace millrace::reduce
