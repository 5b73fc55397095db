// One row of a depthwise convolution, vectorised over the channels. Compiled once
// for every instruction set, like linalg/gemm_tile.h, with the same promise: one
// chain of fused multiply-adds for each element, over the window in order.
#pragma once

#include <cstdint>

#include "millrace/ops/linalg/gemm_tile.h"

namespace millrace::nn {

template <typename T>
struct DepthwiseRowArgs {
  const T* input;  // the row under the window's first row; rows outside the image are not read
  int64_t row_stride;    // elements from one row of the window to the next
  int64_t row_begin, row_end;  // rows of the window that lie in the image
  int64_t in_width, out_width, channels;
  int64_t window, stride, dilation, pad;  // along the row
  const T* filter;  // height x window x channels
  T* output;        // out_width x channels
  linalg::Epilogue<T> epilogue;  // the residual like the output
};

struct DepthwiseKernels {
  void (*f32)(const DepthwiseRowArgs<float>&);
  void (*f64)(const DepthwiseRowArgs<double>&);
};
const DepthwiseKernels& Depthwise();

inline void RunDepthwiseRow(const DepthwiseRowArgs<float>& args) { Depthwise().f32(args); }
inline void RunDepthwiseRow(const DepthwiseRowArgs<double>& args) { Depthwise().f64(args); }

}  // namespace millrace::nn

namespace millrace::linalg::avx2 {
extern const nn::DepthwiseKernels kDepthwiseKernels;
}
namespace millrace::linalg::avx512 {
extern const nn::DepthwiseKernels kDepthwiseKernels;
}
