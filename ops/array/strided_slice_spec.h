// What a StridedSlice means: the sparse specification (one entry an index
// expression, with masks) made dense (one entry a dimension).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::array {

struct StridedSliceMasks {
  int64_t begin = 0, end = 0, ellipsis = 0, new_axis = 0, shrink_axis = 0;
  explicit StridedSliceMasks(const AttrMap& attrs);
};

// One dimension of the input.
struct SliceDimension {
  int64_t begin = 0;  // first element taken; only where count > 0
  int64_t stride = 1;
  int64_t count = 0;    // elements taken
  bool shrink = false;  // gone from the result: count is 1
};
// One dimension of the result: of the input's dimension `from`, or new (-1).
struct SliceResult {
  int from = -1;
};

struct StridedSliceSpec {
  std::vector<SliceDimension> dims;
  std::vector<SliceResult> results;

  // The result's shape.
  Ints ResultDims() const;
};

// Checks everything against the input's dims.
Status MakeStridedSlice(const StridedSliceMasks& masks, std::span<const int64_t> begin, std::span<const int64_t> end,
                        std::span<const int64_t> strides, std::span<const int64_t> input_dims, StridedSliceSpec* spec);

// The same in inference: dims and entries may be unknown. Answers the result's
// shape and, for an input of rank 1 with known entries, which elements it takes.
struct TakenElements {
  int64_t begin = 0, stride = 1, count = 0;
  bool scalar = false;
};
Status InferStridedSlice(DimTable& table, const StridedSliceMasks& masks, const SymShape& input,
                         std::span<const SymElement> begin, std::span<const SymElement> end,
                         std::span<const SymElement> strides, SymShape* result, std::optional<TakenElements>* taken);

}  // namespace millrace::array
