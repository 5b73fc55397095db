// BatchOffsets: the matrices of two operands whose leading dimensions broadcast.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::linalg {

// Where in the operands each matrix of a batch lies; a broadcast dimension has
// stride 0.
class BatchOffsets {
 public:
  BatchOffsets(const TensorView& x, const TensorView& y, const TensorView& out) : rank_(std::max(0, out.rank - 2)) {
    Fill(x, &x_);
    Fill(y, &y_);
    for (int i = 0; i < rank_; ++i) dims_.push_back(out.dim(i)), count_ *= out.dim(i);
  }
  int64_t count() const { return count_; }
  // Number of the matrix of x and of y that batch `index` takes.
  void Get(int64_t index, int64_t* x, int64_t* y) const {
    *x = *y = 0;
    for (int i = rank_ - 1; i >= 0; --i) {
      const int64_t at = index % dims_[static_cast<size_t>(i)];
      index /= dims_[static_cast<size_t>(i)];
      *x += at * x_[static_cast<size_t>(i)];
      *y += at * y_[static_cast<size_t>(i)];
    }
  }
  // One matrix of y for all, and those of x one after the other: a taller product.
  bool SharesY() const {
    for (size_t i = 0; i < dims_.size(); ++i) {
      if (dims_[i] != 1 && (y_[i] != 0 || x_[i] == 0)) return false;
    }
    return true;
  }

 private:
  using Numbers = absl::InlinedVector<int64_t, 6>;
  void Fill(const TensorView& operand, Numbers* strides) {
    strides->resize(static_cast<size_t>(rank_));
    int64_t stride = 1;
    for (int i = 0; i < rank_; ++i) {
      const int from = operand.rank - 3 - i;
      const int64_t extent = from >= 0 ? operand.dim(from) : 1;
      (*strides)[static_cast<size_t>(rank_ - 1 - i)] = extent == 1 ? 0 : stride;
      stride *= extent;
    }
  }
  int rank_;
  int64_t count_ = 1;
  Numbers dims_, x_, y_;
};

}  // namespace millrace::linalg
