// ImagePlanes: copies of images with their padding in which the elements that a tap
// of a window meets are runs of memory, one for each row of the output.
#pragma once

#include <cstdint>

#include "millrace/ops/nn/convolution.h"

namespace millrace::nn {

// Of what lies under some rows of the output: a plane for each channel, and within it
// one for each remainder of the column by the stride:
//   planes[channel][remainder][row][column / stride]
struct ImagePlanes {
  int64_t rows = 0, columns = 0;
  int64_t remainder_stride = 0, channel_stride = 0;
  int64_t elements = 0;  // of all channels

  // Where the first output has the element of channel c under tap (ky, kx).
  int64_t Tap(const ConvolutionShape& s, int64_t c, int64_t ky, int64_t kx) const {
    const int64_t x = kx * s.dilation[1];
    return c * channel_stride + x % s.stride[1] * remainder_stride + ky * s.dilation[0] * columns + x / s.stride[1];
  }
  // From there to the next row of the output.
  int64_t RowStep(const ConvolutionShape& s) const { return s.stride[0] * columns; }
};

// Of the forward convolution, for so many rows of its output.
template <typename T>
ImagePlanes ImagePlanesFor(const ConvolutionShape& s, int64_t out_rows);
// Channels [c0, c0 + count) of `image`, for the rows of the output from `y0` on.
template <typename T>
void FillImagePlanes(const ConvolutionShape& s, const ImagePlanes& p, const T* image, int64_t y0, int64_t c0,
                     int64_t count, T* planes);

}  // namespace millrace::nn
