// Errors in units of the last place: of our kernels, of the C library, of results
// from elsewhere, against the same function in a wider type.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "millrace/proto/value/status.h"
#include "millrace/tools/ulp/functions.h"

namespace millrace::ulp {

struct Errors {
  double max = 0, sum = 0;
  int64_t count = 0;
  double worst[2] = {};  // the arguments of `max`

  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  void Add(const Errors& other);
};

// What is measured together, so that the exact value is computed once.
struct Report {
  Errors ours, c_library, given;
};

// Results computed elsewhere for consecutive samples: fills `results`, or says
// that there are no more.
using GivenResults = std::function<bool(std::span<float> results)>;

// Floats of one argument: every stride-th bit pattern from `first` below `last`
// (2^32 for all), in the calling thread. The C library is asked for every
// c_library_every-th of the samples, never for 0. Arguments that are denormal are
// left out: a run takes them for zero.
Report MeasureFloats(const Function& f, uint64_t first, uint64_t last, uint64_t stride, int c_library_every,
                     const GivenResults& given = {});

// Every float from the bit pattern `first` below `last`, of one argument: our kernel
// for double is taken for exact where it says that all is well; the C library judges
// the rest and one sample in c_library_every, where the two must also agree.
Report MeasureEveryFloat(const Function& f, uint64_t first, uint64_t last, int c_library_every);

// Random arguments with the hard ones among them: bit patterns of all kinds,
// values where the function turns, neighbours of 0 and 1 and of multiples of pi/2.
template <class T>
Report MeasureSamples(const Function& f, int64_t samples, uint64_t seed, int c_library_every);

}  // namespace millrace::ulp
