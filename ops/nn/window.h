// Windows that slide over images: convolutions and pooling read their attributes
// and compute their extents here.
#pragma once

#include <cstdint>
#include <string_view>

#include "millrace/ops/registry/inference.h"
#include "millrace/proto/value/attr.h"

namespace millrace::nn {

enum class Padding { kSame, kValid, kExplicit };

// Height and width of the attributes of a node with an image in NHWC or NCHW.
struct WindowAttrs {
  bool nchw = false;
  Padding padding = Padding::kValid;
  int64_t stride[2] = {1, 1};
  int64_t dilation[2] = {1, 1};
  int64_t window[2] = {0, 0};                             // `ksize`, where the node has it
  int64_t pad_before[2] = {0, 0}, pad_after[2] = {0, 0};  // of EXPLICIT
  bool along_depth = false;                               // `ksize` or `strides` of the channels is not 1
  int64_t depth_window = 1, depth_stride = 1;

  // Positions of batch, channels, height and width in a shape.
  int channels() const { return nchw ? 1 : 3; }
  int spatial(int i) const { return (nchw ? 2 : 1) + i; }
};

// Reads `strides`, `padding`, and where they are there `ksize`, `dilations`,
// `explicit_paddings` and `data_format`. InvalidArgument, with expected and found,
// for lengths other than 4, extents below 1, and windows over the batch.
Status ReadWindowAttrs(const AttrMap& attrs, WindowAttrs* out);

// Positions of a window of `window` elements along `in` elements, along spatial
// dimension `i`.
Status WindowExtent(InferenceContext& ctx, const WindowAttrs& attrs, int i, Dim in, Dim window, Dim* out);

// Padding before the first element, where in, window and out are known.
int64_t PadBefore(const WindowAttrs& attrs, int i, int64_t in, int64_t window, int64_t out);

// A shape from batch, channels, height and width in the order of data_format.
SymShape ImageShape(const WindowAttrs& attrs, Dim batch, Dim height, Dim width, Dim channels);

}  // namespace millrace::nn
