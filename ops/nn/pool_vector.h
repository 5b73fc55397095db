// Windows of max pooling, a vector of channels at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "millrace/ops/nn/pooling.h"

namespace millrace::nn {

// Types that are compared and added as they are.
template <typename T>
inline constexpr bool kPoolsInVectors = std::is_arithmetic_v<T>;

template <typename T>
inline constexpr int64_t kPoolLanes = 32 / static_cast<int64_t>(sizeof(T));
template <typename T>
struct PoolVectorOf {
  typedef T Type __attribute__((vector_size(32)));
};
template <typename T>
using PoolVector = typename PoolVectorOf<T>::Type;

// The first `count` lanes; the others are 0, and are not stored.
template <typename T>
PoolVector<T> LoadPoolVector(const T* p, int64_t count = kPoolLanes<T>) {
  PoolVector<T> v = {};
  std::memcpy(&v, p, static_cast<size_t>(count) * sizeof(T));
  return v;
}
template <typename T>
void StorePoolVector(T* p, PoolVector<T> v, int64_t count = kPoolLanes<T>) {
  std::memcpy(p, &v, static_cast<size_t>(count) * sizeof(T));
}

// body(c) for vectors that begin at channel c, of at least kPoolLanes channels. The
// last vector overlaps the one before it: what a body writes, it writes again.
template <typename T, typename Body>
void ForEachPoolVector(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + kPoolLanes<T> <= channels; c += kPoolLanes<T>) body(c);
  if (c < channels) body(channels - kPoolLanes<T>);
}

// body(height, width) of a window, as numbers that the compiler knows where it is one
// of 2 x 2 as most are.
template <typename Body>
void WithExtents(PoolShape::Range rows, PoolShape::Range columns, const Body& body) {
  const int64_t height = rows.end - rows.begin, width = columns.end - columns.begin;
  constexpr std::integral_constant<int64_t, 2> kTwo;
  if (height == kTwo && width == kTwo) {
    body(kTwo, kTwo);
  } else {
    body(height, width);
  }
}

// The largest elements of a window of `image`, `lowest` and NaN apart.
template <typename T>
void LargestOfWindow(const PoolShape& s, const T* image, PoolShape::Range rows, PoolShape::Range columns, T lowest,
                     T* to) {
  const int64_t step = s.channels, pitch = s.in[1] * step;
  const T* const first = image + rows.begin * pitch + columns.begin * step;
  WithExtents(rows, columns, [&](auto height, auto width) {
    ForEachPoolVector<T>(s.channels, [&](int64_t c) {
      PoolVector<T> best = PoolVector<T>{} + lowest;
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const PoolVector<T> v = LoadPoolVector(first + c + y * pitch + x * step);
          best = v > best ? v : best;
        }
      }
      StorePoolVector(to + c, best);
    });
  });
}

// What an activation's gradient, of the image that was pooled, lets through.
enum class PoolGate { kOpen, kRelu, kRelu6 };
// Of numbers of the image, or vectors of them: whether each lets its gradient through.
template <PoolGate gate, typename V>
auto Passes(V x) {
  const auto above = x > V{};
  if constexpr (gate == PoolGate::kRelu) return above;
  else return above & (x < V{} + 6);
}

// The first of the largest elements of a window gets its gradient, the others 0, in
// `result`, which is as `image` and may be the image itself. A NaN is the largest where
// it is the first.
template <PoolGate gate, typename T>
void GradientToWindow(const PoolShape& s, const T* image, PoolShape::Range rows, PoolShape::Range columns,
                      const T* grad, T* result) {
  const int64_t step = s.channels, pitch = s.in[1] * step;
  const int64_t at = rows.begin * pitch + columns.begin * step;
  WithExtents(rows, columns, [&](auto height, auto width) {
    const auto part = [&](int64_t c, auto count) {
      using V = PoolVector<T>;
      const T* const first = image + at + c;
      const V head = LoadPoolVector(first, count);
      V best = head;
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const V v = LoadPoolVector(first + y * pitch + x * step, count);
          best = best < v ? v : best;
        }
      }
      // A sum with 0, as where windows overlap: it makes 0 of -0.
      V g = LoadPoolVector(grad + c, count) + V{};
      if constexpr (gate != PoolGate::kOpen) g = Passes<gate>(best) ? g : V{};
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const int64_t place = y * pitch + x * step;
          const auto here = y + x == 0 ? ~(head < best) : LoadPoolVector(first + place, count) == best;
          StorePoolVector(result + at + c + place, here ? g : V{}, count);
          g = here ? V{} : g;  // what is left for the others
        }
      }
    };
    constexpr std::integral_constant<int64_t, kPoolLanes<T>> kWhole;
    int64_t c = 0;
    for (; c + kWhole <= s.channels; c += kWhole) part(c, kWhole);
    if (c < s.channels) part(c, s.channels - c);
  });
}

}  // namespace millrace::nn
