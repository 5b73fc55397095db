// The exponentials of a row and their sum: what softmax and the losses on it are
// made of. Compiled for each instruction set; sums run over a fixed number of
// lanes, so the bits are the same.
#pragma once

#include <cstdint>

namespace millrace::nn {

template <typename T>
struct RowFunctions {
  // The sum of exp(x[i] - max), with max the largest of the row; the terms go to
  // `out` where that is not null (it may be x). 0 for an empty row.
  T (*exp_sum)(const T* x, int64_t count, T* out, T* max);
  T (*log)(T x);
};
struct SoftmaxRows {
  RowFunctions<float> f32;
  RowFunctions<double> f64;
};

}  // namespace millrace::nn

namespace millrace::expr::avx2 {
extern const nn::SoftmaxRows kSoftmaxRows;
}
namespace millrace::expr::avx512 {
extern const nn::SoftmaxRows kSoftmaxRows;
}
