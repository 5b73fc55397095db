// A row in parts, by any reducer's loops.
#pragma once

#include "millrace/ops/reduce/loops.h"

namespace millrace::reduce {

// As RowReducer::feed, join and finish.
void FeedRow(const Loops& loops, void* state, int64_t at, const void* x, int64_t n, bool last);
void JoinRow(const Loops& loops, void* state, const void* next);
void FinishRow(const Loops& loops, const void* state, int64_t count, void* out);

}  // namespace millrace::reduce
