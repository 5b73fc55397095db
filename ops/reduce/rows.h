// Reductions of rows that lie one after the other in memory, for kernels that
// make the elements themselves. The same order of arithmetic, and so the same
// bits, as the ops over the last dimensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/ops/reduce/columns.h"
#include "millrace/proto/value/dtype.h"

namespace millrace::reduce {

// Elements that are added up before they meet the running total: what one
// thread works on.
inline constexpr int64_t kPiece = 65536;
// Elements that come in parts come in multiples of this many, but for the last.
inline constexpr int64_t kRowPart = 128;
// Room for a state, aligned to 16.
inline constexpr size_t kRowStateBytes = 160;

// Functions without state of their own, for one op and element type; thread-safe.
struct RowReducer {
  // `rows` rows of n elements from x, to as many results. No elements: the value
  // of nothing.
  void (*rows)(const void* x, int64_t rows, int64_t n, void* out);
  // One piece in parts: n > 0 elements that are the at-th and following of a piece
  // of at most kPiece elements. `at` is 0 at first (no state need be set up), and
  // n a multiple of kRowPart unless it is the last part.
  void (*feed)(void* state, int64_t at, const void* x, int64_t n, bool last);
  // The following piece of the row, which is complete, is added.
  void (*join)(void* state, const void* next);
  // The result of the `count` elements of a row.
  void (*finish)(const void* state, int64_t count, void* out);
  double cycles;          // an element, about
  ColumnReducer columns;  // null functions where there is none
};

// Of "Sum", "Mean", "Prod", "Max", "Min", "All", "Any", of `type` to the same; of
// "ArgMax" and "ArgMin" to an index type (rows have elements then). Null where the op
// has no kernel for the types, or is none of these.
const RowReducer* FindRowReducer(std::string_view op, DType type, DType result);

}  // namespace millrace::reduce
