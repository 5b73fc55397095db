// Axis: resizing along one dimension as a table of weights. Every method is a
// linear map: an output is a sum of a few inputs; its gradient is the transpose.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::image {

enum class Method : uint8_t { kNearest, kLinear, kCubic, kArea };

struct Sampling {
  Method method;
  // Corners map to corners, or centres of pixels to centres; not both.
  bool align_corners = false, half_pixel_centers = false;
};

// Input `at`, times `weight`.
struct Tap {
  int64_t at;
  float weight;
};

// The taps of position i are taps[start[i]] ... taps[start[i + 1] - 1].
struct Taps {
  const int64_t* start;
  const Tap* taps;
};

class Axis {
 public:
  // From `in` elements, at least one, to `out`.
  Axis(const Sampling& sampling, int64_t in, int64_t out);
  // Of the table, and of the work space of the transposed one.
  size_t bytes() const;
  size_t transposed_bytes() const;
  // The inputs of each output.
  Taps Fill(void* table) const;
  // The outputs that each input goes to, in their order.
  Taps FillTransposed(void* table) const;
  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

 private:
  // Writes the taps of output o and answers how many.
  int64_t At(int64_t o, Tap* taps) const;
  int64_t MostTaps() const;
  Sampling sampling_;
  int64_t in_, out_;
  float scale_;
};

}  // namespace millrace::image
