#include "millrace/ops/reduce/rows_of_loops.h"

#include <algorithm>

#include "millrace/ops/reduce/definitions.h"

namespace millrace::reduce {
namespace {

struct State {
  alignas(16) char lanes[kLaneBytes];  // of the block that is open
  char total[kAccBytes];               // of the blocks before it
};
static_assert(sizeof(State) <= kRowStateBytes && kBlock % kRowPart == 0);

}  // namespace

void FeedRow(const Loops& l, void* state, int64_t at, const void* x, int64_t n, bool last) {
  State& s = *static_cast<State*>(state);
  while (n > 0) {
    const int64_t in_block = at % kBlock, part = std::min(n, kBlock - in_block);
    const bool first = at < kBlock, closes = in_block + part == kBlock || (last && part == n);
    if (in_block == 0 && part < l.lanes) {
      alignas(16) char sum[kAccBytes];
      l.brief(x, part, first ? s.total : sum);
      if (!first) l.join(s.total, sum, 1);
    } else {
      l.feed(in_block == 0, x, part, s.lanes);
      if (closes) {
        // Folded pairwise.
        for (int64_t half = l.lanes / 2; half > 0; half /= 2) l.join(s.lanes, AccAt(l, s.lanes, half), half);
        if (first) std::copy_n(s.lanes, l.acc_bytes, s.total);
        else l.join(s.total, s.lanes, 1);
      }
    }
    at += part;
    x = ElementAt(l, x, part);
    n -= part;
  }
}

void JoinRow(const Loops& l, void* state, const void* next) {
  l.join(static_cast<State*>(state)->total, static_cast<const State*>(next)->total, 1);
}

void FinishRow(const Loops& l, const void* state, int64_t count, void* out) {
  l.finish(static_cast<const State*>(state)->total, 1, count, out);
}

void LoopRows::rows(const void* x, int64_t rows, int64_t n, void* out) const {
  columns.loops->rows(x, n, rows, n, out);
}
void LoopRows::feed(void* state, int64_t at, const void* x, int64_t n, bool last) const {
  FeedRow(*columns.loops, state, at, x, n, last);
}
void LoopRows::join(void* state, const void* next) const { JoinRow(*columns.loops, state, next); }
void LoopRows::finish(const void* state, int64_t count, void* out) const {
  FinishRow(*columns.loops, state, count, out);
}

}  // namespace millrace::reduce
