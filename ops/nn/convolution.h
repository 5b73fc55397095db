// RunConvolution: convolutions of float and double over images, on the tiles of
// linalg. What Conv2D, its fused form and its gradient by the input share.
#pragma once

#include <cstdint>
#include <span>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/linalg/gemm_tile.h"
#include "millrace/ops/nn/window.h"

namespace millrace::nn {

// The input is batch x in[0] x in[1] x channels (or with the channels second),
// the filter window[0] x window[1] x (channels / groups) x out_channels. The
// input counts as spread out by `input_dilation` (zeros between its elements),
// then padded.
struct ConvolutionShape {
  int64_t batch = 0, channels = 0, out_channels = 0, groups = 1;
  int64_t in[2] = {0, 0}, out[2] = {0, 0}, window[2] = {1, 1};
  int64_t stride[2] = {1, 1}, dilation[2] = {1, 1}, input_dilation[2] = {1, 1};
  int64_t pad[2] = {0, 0};  // before; may be negative: elements left out
  bool nchw = false;

  int64_t group_channels() const { return channels / groups; }
  int64_t group_out_channels() const { return out_channels / groups; }
  // Terms of an output element.
  int64_t depth() const { return window[0] * window[1] * group_channels(); }
  // A filter of one element over every pixel: a matrix product.
  bool product() const {
    return !nchw && groups == 1 && window[0] == 1 && window[1] == 1 && stride[0] == 1 && stride[1] == 1 &&
           input_dilation[0] == 1 && input_dilation[1] == 1 && pad[0] == 0 && pad[1] == 0 && in[0] == out[0] &&
           in[1] == out[1];
  }
  bool empty() const { return batch * out[0] * out[1] * out_channels == 0; }
};

// Of the forward convolution between tensors of these dims; the filter's are
// height, width, channels of a group, output channels.
ConvolutionShape ConvolutionShapeOf(const WindowAttrs& attrs, std::span<const int64_t> input,
                                    std::span<const int64_t> filter, std::span<const int64_t> output);
// Inference of the forward convolution: checks image and filter (rank 4 or
// unknown) against each other, and answers the result's shape.
Status ConvolvedShape(InferenceContext& ctx, const WindowAttrs& attrs, const SymShape& image, const SymShape& filter,
                      SymShape* out);

template <typename T>
struct ConvolutionArgs {
  ConvolutionShape shape;
  const T* input = nullptr;
  const T* filter = nullptr;
  const T* packed_filter = nullptr;  // made by PackFilter; the filter is not read then
  T* output = nullptr;
  linalg::Epilogue<T> epilogue;  // the residual in the layout of the output, its stride unused
};

// Elements of a packed filter, and the packing.
template <typename T>
int64_t PackedFilterElements(const ConvolutionShape& shape);
template <typename T>
void PackFilter(const ConvolutionShape& shape, const T* filter, T* packed);

// ResourceExhausted where the padded input has more elements than any machine
// holds; the other functions count on less.
Status CheckConvolution(const ConvolutionShape& shape);

// Bytes of workspace that RunConvolution needs with so many workers.
template <typename T>
size_t ConvolutionScratchBytes(const ConvolutionArgs<T>& args, int workers);
template <typename T>
void RunConvolution(KernelContext& ctx, const ConvolutionArgs<T>& args, void* scratch);

}  // namespace millrace::nn
