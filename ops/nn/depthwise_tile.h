// Some rows of a depthwise convolution, vectorised over the channels. Compiled once
// for every instruction set, like linalg/gemm_tile.h, with the same promise: one
// chain of fused multiply-adds for each element, over the window in order.
#pragma once

#include <cstdint>

#include "millrace/ops/linalg/gemm_tile.h"

namespace millrace::nn {

template <typename T>
struct DepthwiseArgs {
  const T* input;  // row 0 of the image, or where it would be: only rows under the windows are read
  int64_t in_height, in_width, channels;
  // Along height and width.
  int64_t window[2], stride[2], dilation[2], pad[2];
  int64_t row_begin, row_end;          // output rows
  int64_t channel_begin, channel_end;  // of all channels
  int64_t out_width;
  const T* filter;               // height x window x channels
  T* output;                     // of row_begin; out_width x channels a row
  linalg::Epilogue<T> epilogue;  // the residual like the output
};

struct DepthwiseKernels {
  void (*f32)(const DepthwiseArgs<float>&);
  void (*f64)(const DepthwiseArgs<double>&);
};
const DepthwiseKernels& Depthwise();

inline void RunDepthwise(const DepthwiseArgs<float>& args) { Depthwise().f32(args); }
inline void RunDepthwise(const DepthwiseArgs<double>& args) { Depthwise().f64(args); }

}  // namespace millrace::nn

namespace millrace::linalg::avx2 {
extern const nn::DepthwiseKernels kDepthwiseKernels;
}
namespace millrace::linalg::avx512 {
extern const nn::DepthwiseKernels kDepthwiseKernels;
}
