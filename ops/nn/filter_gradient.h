// RunFilterGradient: the gradient of a convolution of float or double by its
// filter, on the tiles of linalg.
#pragma once

#include <cstddef>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/nn/convolution.h"

namespace millrace::nn {

// The shape is the forward convolution's. `image` and `grad` (of its result) are in
// its layout; `result` is as the filter. Every element of the result is one chain
// of multiply-adds over the pixels in order, whatever the blocks and threads.
template <typename T>
struct FilterGradientArgs {
  ConvolutionShape shape;
  const T* image = nullptr;
  const T* grad = nullptr;
  T* result = nullptr;
};

// Bytes of workspace.
template <typename T>
size_t FilterGradientScratchBytes(const FilterGradientArgs<T>& args, int workers);
template <typename T>
void RunFilterGradient(KernelContext& ctx, const FilterGradientArgs<T>& args, void* scratch);

}  // namespace millrace::nn
