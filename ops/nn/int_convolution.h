// Convolutions of 32-bit integers: one plain loop, wrapping.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/nn/convolution.h"

namespace millrace::nn {

// Where the filter has the element that output channel `out` of `group` multiplies
// with channel `channel` of that group at a tap of the window.
struct FilterSteps {
  int64_t first, tap, channel, group, out;
  // Of a filter as Conv2D has it.
  static FilterSteps Of(const ConvolutionShape& s) {
    return {0, s.group_channels() * s.out_channels, s.out_channels, s.group_out_channels(), 1};
  }
  // The same filter for the gradient by the input: turned round, with its channels
  // exchanged. `s` is the forward convolution.
  static FilterSteps Turned(const ConvolutionShape& s) {
    const FilterSteps f = Of(s);
    return {(s.window[0] * s.window[1] - 1) * f.tap, -f.tap, f.out, f.group, f.channel};
  }
};

void RunIntConvolution(KernelContext& ctx, const ConvolutionShape& shape, const uint32_t* input, const uint32_t* filter,
                       const FilterSteps& steps, uint32_t* output);

}  // namespace millrace::nn
