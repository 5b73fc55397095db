// Reductions of rows that lie one after the other in memory, for kernels that
// make the elements themselves. The same order of arithmetic, and so the same
// bits, as the ops over the last dimensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/ops/reduce/columns.h"
#include "millrace/ops/reduce/loops.h"
#include "millrace/proto/value/dtype.h"

namespace millrace::reduce {

// Elements that come in parts come in multiples of this many, but for the last.
inline constexpr int64_t kRowPart = 128;
// Room for a state, aligned to 16.
inline constexpr size_t kRowStateBytes = 160;

// Of one op and element type; thread-safe.
class RowReducer {
 public:
  // `rows` rows of n elements from x, to as many results. No elements: the value
  // of nothing.
  virtual void rows(const void* x, int64_t rows, int64_t n, void* out) const = 0;
  // One piece in parts: n > 0 elements that are the at-th and following of a piece
  // of at most kPiece elements. `at` is 0 at first (no state need be set up), and
  // n a multiple of kRowPart unless it is the last part.
  virtual void feed(void* state, int64_t at, const void* x, int64_t n, bool last) const = 0;
  // The following piece of the row, which is complete, is added.
  virtual void join(void* state, const void* next) const = 0;
  // The result of the `count` elements of a row.
  virtual void finish(const void* state, int64_t count, void* out) const = 0;

  const double cycles;  // an element, about
  const ColumnReducer columns;

 protected:
  constexpr RowReducer(double cycles, ColumnReducer columns) : cycles(cycles), columns(columns) {}
  ~RowReducer() = default;
};

// Of "Sum", "Mean", "Prod", "Max", "Min", "All", "Any", of `type` to the same; of
// "ArgMax" and "ArgMin" to an index type (rows have elements then). Null where the op
// has no kernel for the types, or is none of these.
const RowReducer* FindRowReducer(std::string_view op, DType type, DType result);

}  // namespace millrace::reduce
