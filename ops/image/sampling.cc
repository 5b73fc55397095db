#include "millrace/ops/image/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::image {
namespace {

// Keys' cubic at distance x from the centre, below 1 and from 1 to 2; `a` is its
// slope parameter.
float CubicNear(double x, double a) { return static_cast<float>(((a + 2) * x - (a + 3)) * x * x + 1); }
float CubicFar(double x, double a) { return static_cast<float>(((a * x - 5 * a) * x + 8 * a) * x - 4 * a); }

// The original rounds positions between pixels to 1/1024.
constexpr double kCubicSteps = 1024;

size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

Axis::Axis(const Sampling& sampling, int64_t in, int64_t out) : sampling_(sampling), in_(in), out_(out) {
  scale_ = sampling.align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                             : static_cast<float>(in) / static_cast<float>(out);
}

int64_t Axis::MostTaps() const {
  switch (sampling_.method) {
    case Method::kNearest:
      return out_;
    case Method::kLinear:
      return 2 * out_;
    case Method::kCubic:
      return 4 * out_;
    case Method::kArea:
      break;
  }
  // Ranges that follow one another share a pixel at most; each has one.
  return static_cast<int64_t>(std::ceil(static_cast<float>(out_) * scale_)) + out_ + 1;
}

size_t Axis::bytes() const {
  return Align(static_cast<size_t>(out_ + 1) * sizeof(int64_t)) + Align(static_cast<size_t>(MostTaps()) * sizeof(Tap));
}

size_t Axis::transposed_bytes() const {
  return bytes() + Align(static_cast<size_t>(in_ + 2) * sizeof(int64_t)) +
         Align(static_cast<size_t>(MostTaps()) * sizeof(Tap));
}

int64_t Axis::At(int64_t o, Tap* taps) const {
  const auto position = static_cast<float>(o);
  const float centre = sampling_.half_pixel_centers ? (position + 0.5f) * scale_ - 0.5f : position * scale_;
  const auto inside = [&](int64_t i) { return std::clamp<int64_t>(i, 0, in_ - 1); };
  switch (sampling_.method) {
    case Method::kNearest: {
      const float at = sampling_.half_pixel_centers ? (position + 0.5f) * scale_ : centre;
      taps[0] = {inside(static_cast<int64_t>(sampling_.align_corners ? std::round(at) : std::floor(at))), 1};
      return 1;
    }
    case Method::kLinear: {
      const float floor = std::floor(centre), lerp = centre - floor;
      taps[0] = {inside(static_cast<int64_t>(floor)), 1 - lerp};
      taps[1] = {inside(static_cast<int64_t>(std::ceil(centre))), lerp};
      return 2;
    }
    case Method::kCubic: {
      const float floor = std::floor(centre);
      const double step = std::nearbyint(static_cast<double>(centre - floor) * kCubicSteps) / kCubicSteps;
      const double a = sampling_.half_pixel_centers ? -0.5 : -0.75;
      const float weights[4] = {CubicFar(1 + step, a), CubicNear(step, a), CubicNear(1 - step, a),
                                CubicFar(2 - step, a)};
      float sum = 0;
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t at = static_cast<int64_t>(floor) - 1 + i;
        taps[i] = {inside(at), weights[i]};
        // With centres on centres, pixels outside do not count.
        if (sampling_.half_pixel_centers && taps[i].at != at) taps[i].weight = 0;
        sum += taps[i].weight;
      }
      if (sampling_.half_pixel_centers && std::abs(sum) >= 1000 * std::numeric_limits<float>::min()) {
        for (int i = 0; i < 4; ++i) taps[i].weight *= 1 / sum;
      }
      return 4;
    }
    case Method::kArea:
      break;
  }
  // Aligned corners of a single pixel: no area, but nothing else to show.
  if (scale_ == 0) {
    taps[0] = {0, 1};
    return 1;
  }
  // The pixels that the output covers, by how much of it they are.
  const float begin = position * scale_, end = static_cast<float>(o + 1) * scale_;
  const auto first = static_cast<int64_t>(std::floor(begin)), last = static_cast<int64_t>(std::ceil(end));
  for (int64_t i = first; i < last; ++i) {
    const auto at = static_cast<float>(i);
    const float covered = std::min(at + 1, end) - std::max(at, begin);
    taps[i - first] = {inside(i), covered * (1 / scale_)};
  }
  return std::max<int64_t>(0, last - first);
}

Taps Axis::Fill(void* table) const {
  auto* const start = static_cast<int64_t*>(table);
  auto* const taps =
      reinterpret_cast<Tap*>(static_cast<char*>(table) + Align(static_cast<size_t>(out_ + 1) * sizeof(int64_t)));
  start[0] = 0;
  for (int64_t o = 0; o < out_; ++o) start[o + 1] = start[o] + At(o, taps + start[o]);
  return {start, taps};
}

Taps Axis::FillTransposed(void* table) const {
  const Taps forward = Fill(table);
  char* const space = static_cast<char*>(table) + bytes();
  // Counting sort by input; `next` is one ahead until all are placed.
  auto* const next = reinterpret_cast<int64_t*>(space);
  auto* const taps = reinterpret_cast<Tap*>(space + Align(static_cast<size_t>(in_ + 2) * sizeof(int64_t)));
  std::fill(next, next + in_ + 2, int64_t{0});
  for (int64_t k = 0; k < forward.start[out_]; ++k) ++next[forward.taps[k].at + 2];
  for (int64_t i = 2; i < in_ + 2; ++i) next[i] += next[i - 1];
  for (int64_t o = 0; o < out_; ++o) {
    for (int64_t k = forward.start[o]; k < forward.start[o + 1]; ++k) {
      taps[next[forward.taps[k].at + 1]++] = {o, forward.taps[k].weight};
    }
  }
  return {next, taps};
}

}  // namespace millrace::image
