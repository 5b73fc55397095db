// Parts of values that a cluster can read where they lie.
#pragma once

#include "millrace/compiler/dialect/Graph.h"
#include <optional>

namespace millrace::compiler {

struct ValueSlice {
  mlir::Value source;
  int axis;
  int64_t begin, extent;
};

// `v` as a part of another value along one axis, from a Split, SplitV, Slice or
// StridedSlice with constant places; nothing where it is something else, or where
// the source is a variable's old value.
std::optional<ValueSlice> sliceOf(mlir::Value v);

} // namespace millrace::compiler
