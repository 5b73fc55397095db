// CheckGradient: the gradients that Gradients adds, against differences.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/builder/output.h"
#include "millrace/proto/value/status.h"

namespace millrace {

struct GradientCheckOptions {
  // Values of placeholders and other tensors, by name. An x that is among them
  // is checked at that value; another one needs a known shape, and gets random
  // numbers between -1 and 1.
  std::vector<std::pair<std::string, Tensor>> feeds;
  // Nodes that are run first, with the feeds: initialisers.
  std::vector<std::string> targets;
  // How far an element is moved, either way, in units of max(1, |element|); 0:
  // 1e-5 in double, 1e-2 in float and what is shorter.
  double step = 0;
  // Elements of each x that are moved; where it has more, some all over it.
  int64_t max_elements = 100;
  // Chooses the random numbers.
  uint64_t seed = 1;
  // Computes in double what the graph has in float, half and bfloat16 (complex64
  // in complex128), where all ops between have it; else in their own precision.
  bool in_double = true;
};

struct GradientCheck {
  // The largest |gradient - difference| over the larger of the two, but for
  // gradients that are small beside the others of their x, or beside the rounding
  // errors of the ys: those are measured by that.
  double worst_error = 0;
  // Where that was: an element, in row-major order, of one of the xs, what the
  // gradient says there, and what the difference does. Of a complex element it may
  // be the imaginary part.
  std::string x;
  int64_t element = 0;
  bool imaginary = false;
  double gradient = 0, difference = 0;
  // What all was computed in: double, or the shortest of the xs and ys. A right gradient
  // stays below 1e-6 in double, in float below 1e-2 or so.
  DType precision = DType::kDouble;
  // Elements that were moved.
  int64_t checked = 0;

  std::string ToString() const;
};

// Checks the gradients of `ys` with respect to `xs`: the ys are weighted with
// random numbers and summed up, and each element of the xs is moved a little up
// and down. Also the missing gradient of an x that the ys do depend on is found.
// Works on a copy: the graph stays as it is.
//
// The xs are tensors of floating-point or complex dtype that can be fed
// (placeholders, constants ...), or variables: references and handles, which
// `targets` initialise and which are checked at the value they then have. The ys
// depend on nothing random. The functions must be smooth around the point: at the corner
// of a Relu, or a tie of two maxima, differences say something else.
//
//   Result<GradientCheck> check = CheckGradient({loss}, {weights, bias});
//   if (!check.ok() || check->worst_error > 1e-6) ...
//
// Errors: those of Gradients and of the runs; InvalidArgument for tensors that do
// not fit the above.
Result<GradientCheck> CheckGradient(const std::vector<Output>& ys, const std::vector<Output>& xs,
                                    const GradientCheckOptions& options = {});

}  // namespace millrace
