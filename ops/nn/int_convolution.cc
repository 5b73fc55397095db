#include "millrace/ops/nn/int_convolution.h"

namespace millrace::nn {
namespace {

// Where an image has element (0, c, y, x), and the next ones.
struct ImageSteps {
  int64_t image, channel, row, column;
  ImageSteps(bool nchw, int64_t channels, const int64_t (&extent)[2])
      : image(channels * extent[0] * extent[1]),
        channel(nchw ? extent[0] * extent[1] : 1),
        row(extent[1] * (nchw ? 1 : channels)),
        column(nchw ? 1 : channels) {}
};

// The element of the input under position `at` of the spread and padded one, or -1.
int64_t Under(const ConvolutionShape& s, int i, int64_t at) {
  at -= s.pad[i];
  if (at < 0 || at % s.input_dilation[i] != 0) return -1;
  at /= s.input_dilation[i];
  return at < s.in[i] ? at : -1;
}

}  // namespace

void RunIntConvolution(KernelContext& ctx, const ConvolutionShape& s, const uint32_t* input, const uint32_t* filter,
                       const FilterSteps& steps, uint32_t* output) {
  const int64_t gc = s.group_channels(), gn = s.group_out_channels();
  const ImageSteps in(s.nchw, s.channels, s.in), out(s.nchw, s.out_channels, s.out);
  const auto element = [&](int64_t n, int64_t oy, int64_t ox, int64_t co) {
    const int64_t group = co / gn;
    const uint32_t* w = filter + steps.first + group * steps.group + co % gn * steps.out;
    const uint32_t* x = input + n * in.image + group * gc * in.channel;
    uint32_t sum = 0;
    for (int64_t ky = 0; ky < s.window[0]; ++ky) {
      const int64_t iy = Under(s, 0, oy * s.stride[0] + ky * s.dilation[0]);
      if (iy < 0) continue;
      for (int64_t kx = 0; kx < s.window[1]; ++kx) {
        const int64_t ix = Under(s, 1, ox * s.stride[1] + kx * s.dilation[1]);
        if (ix < 0) continue;
        const uint32_t* xs = x + iy * in.row + ix * in.column;
        const uint32_t* ws = w + (ky * s.window[1] + kx) * steps.tap;
        for (int64_t c = 0; c < gc; ++c) sum += xs[c * in.channel] * ws[c * steps.channel];
      }
    }
    return sum;
  };
  ctx.ParallelFor(s.batch * s.out[0], BlockFor(static_cast<double>(s.out[1] * s.out_channels * s.depth()) * 2),
                  [&](int64_t begin, int64_t end, int) {
                    for (int64_t u = begin; u < end; ++u) {
                      const int64_t n = u / s.out[0], oy = u % s.out[0];
                      for (int64_t ox = 0; ox < s.out[1]; ++ox) {
                        for (int64_t co = 0; co < s.out_channels; ++co) {
                          output[n * out.image + oy * out.row + ox * out.column + co * out.channel] =
                              element(n, oy, ox, co);
                        }
                      }
                    }
                  });
}

}  // namespace millrace::nn
