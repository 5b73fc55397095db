// What the tests of ops/linalg and ops/nn share: calls, comparisons, and the check
// of equal bits.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "millrace/tests/ops/nn_reference.h"
#include "millrace/tests/ops/run_op.h"

namespace millrace {

ListValue Ints(std::vector<int64_t> v);
ListValue Strings(std::vector<std::string> v);

// Largest error relative to the largest magnitude; huge where only one is NaN.
double Error(const reference::Values& found, const reference::Values& expected);
bool SameBits(const Tensor& a, const Tensor& b);
// All outputs, or the first.
std::vector<Tensor> All(const OpCall& call);
Tensor Only(const OpCall& call);
// The op's first output, after checking that all have the same bits for every
// instruction set, number of threads, and whether input `constant` is one
// (-1: none).
Tensor Checked(OpCall call, int constant = 1);

// What a sum of `depth` terms may be off, relative to the largest result.
template <typename T>
double Tolerance(int64_t depth) {
  const double unit = std::is_same_v<T, double>  ? 0x1p-52
                      : std::is_same_v<T, float> ? 0x1p-23
                      : std::is_same_v<T, Half>  ? 0x1p-10
                                                 : 0x1p-7;
  return std::is_same_v<T, float> || std::is_same_v<T, double> ? unit * (4 + std::sqrt(static_cast<double>(depth)))
                                                               : unit;
}

int64_t Pick(std::mt19937& rng, int64_t low, int64_t high);
// A float tensor NHWC, as NCHW.
Tensor ToNchw(const Tensor& t);

}  // namespace millrace
