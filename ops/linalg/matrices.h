// Batches of matrices: the loop over them, and how they are read and written by
// kernels that compute in `precise.h`'s types.
#pragma once

#include <atomic>

#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/linalg/precise.h"
#include "millrace/ops/registry/op.h"

namespace millrace::linalg {

// Matrices in a tensor of rank 2 or more.
inline int64_t MatrixCount(const TensorView& t) {
  int64_t count = 1;
  for (int i = 0; i + 2 < t.rank; ++i) count *= t.dim(i);
  return count;
}

// body(i, work, checkpoint) for each of `count` matrices, with `elements` of C to work
// in; it says false where the matrix will not do. Answers the first such, or -1.
// `cycles` is what one takes. Where the run is to stop, Cancelled: a body that its
// checkpoint stops may leave what it likes and say what it likes.
template <typename C, typename Body>
Result<int64_t> ForEachMatrix(KernelContext& ctx, int64_t count, int64_t elements, double cycles, const Body& body) {
  const size_t bytes = (static_cast<size_t>(elements) * sizeof(C) + 63) / 64 * 64;
  MR_ASSIGN_OR_RETURN(void* const scratch, ctx.Scratch(bytes * static_cast<size_t>(ctx.workers())));
  std::atomic<int64_t> failed{count};
  ctx.ParallelFor(count, BlockFor(cycles), [&](int64_t begin, int64_t end, int worker) {
    C* const work = reinterpret_cast<C*>(static_cast<char*>(scratch) + bytes * static_cast<size_t>(worker));
    Checkpoint checkpoint(ctx);
    for (int64_t i = begin; i < end && !checkpoint.Reached(cycles); ++i) {
      if (body(i, work, checkpoint)) continue;
      for (int64_t first = failed; i < first && !failed.compare_exchange_weak(first, i);) {
      }
    }
  });
  MR_RETURN_IF_ERROR(Checkpoint::Outcome(ctx));
  return failed < count ? failed.load() : int64_t{-1};
}

// A rows x columns matrix, or its adjoint, which is columns x rows.
template <typename T>
void ReadMatrix(const T* from, int64_t rows, int64_t columns, bool adjoint, Precise<T>* to) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const Precise<T> v = ToPrecise(from[i * columns + j]);
      if (adjoint) {
        to[j * rows + i] = Conj(v);
      } else {
        to[i * columns + j] = v;
      }
    }
  }
}
template <typename T>
void WriteElements(const Precise<T>* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
}

// x = t^-1 x for the triangle of an n x n matrix below its diagonal (`lower`) or
// above, and n x columns elements of x.
template <typename C>
void SolveTriangular(const C* t, int64_t n, bool lower, C* x, int64_t columns, Checkpoint& checkpoint) {
  for (int64_t k = 0; k < n; ++k) {
    const int64_t i = lower ? k : n - 1 - k;
    C* const row = x + i * columns;
    for (int64_t j = lower ? 0 : i + 1; j < (lower ? i : n); ++j) {
      if (checkpoint.Reached(2.0 * static_cast<double>(columns))) return;
      const C factor = t[i * n + j];
      for (int64_t c = 0; c < columns; ++c) row[c] -= factor * x[j * columns + c];
    }
    for (int64_t c = 0; c < columns; ++c) row[c] /= t[i * n + i];
  }
}

// The last two dims of input i are the same: `n`.
Status SquareMatrices(InferenceContext& ctx, int i, Dim* n);
// Output 0 is like input 0, square matrices.
Status SquareShape(InferenceContext& ctx);

// Kernels of class K<T> for the types that these ops have.
template <template <typename> class K>
OpBuilder& MatrixKernels(OpBuilder& op) {
  return op.Kernel("CPU", NewKernel<K<float>>, {{"T", {DType::kFloat}}})
      .Kernel("CPU", NewKernel<K<double>>, {{"T", {DType::kDouble}}})
      .Kernel("CPU", NewKernel<K<std::complex<float>>>, {{"T", {DType::kComplex64}}})
      .Kernel("CPU", NewKernel<K<std::complex<double>>>, {{"T", {DType::kComplex128}}});
}

}  // namespace millrace::linalg
