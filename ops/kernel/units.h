// How kernels cut work that may be cut anywhere. Boundaries depend on the work
// alone, never on the number of threads.
#pragma once

#include <cstdint>

namespace millrace {

// a / b rounded up, of numbers that are not negative.
inline int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Parts into which to cut work of `cycles` in all where any number of parts will
// do: a power of two up to 8, so that threads get equal shares, and each part is
// worth at least 3 microseconds.
inline int64_t UnitsFor(double cycles) {
  int64_t units = 1;
  while (units < 8 && cycles >= static_cast<double>(2 * units) * 8000) units *= 2;
  return units;
}
// Where part i of `parts` about equal ones of [0, total) begins.
inline int64_t PartBegin(int64_t total, int64_t parts, int64_t i) {
  return total / parts * i + total % parts * i / parts;
}

}  // namespace millrace
