// MatrixTriangularSolve and Cholesky.
#include <cmath>
#include <limits>

#include "millrace/ops/linalg/batch_offsets.h"
#include "millrace/ops/linalg/matrices.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::Precise;

template <typename T>
class TriangularSolve final : public Kernel {
 public:
  explicit TriangularSolve(const KernelInit& init)
      : lower_(init.attr<bool>("lower")), adjoint_(init.attr<bool>("adjoint")) {}

  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    const TensorView &in = ctx.input(0), &rhs = ctx.input(1), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const int64_t n = in.dim(in.rank - 1), columns = rhs.dim(rhs.rank - 1);
    const linalg::BatchOffsets batches(in, rhs, out);
    const auto one = [&](int64_t m, C* a, Checkpoint& checkpoint) {
      C* const x = a + n * n;
      int64_t a_index, b_index;
      batches.Get(m, &a_index, &b_index);
      linalg::ReadMatrix(in.as<T>() + a_index * n * n, n, n, adjoint_, a);
      linalg::ReadMatrix(rhs.as<T>() + b_index * n * columns, n, columns, false, x);
      for (int64_t i = 0; i < n; ++i) {
        if (a[i * (n + 1)] == C(0)) return false;
      }
      linalg::SolveTriangular(a, n, lower_ != adjoint_, x, columns, checkpoint);
      linalg::WriteElements(x, n * columns, out.as<T>() + m * n * columns);
      return true;
    };
    const double cycles = static_cast<double>(n * n) * static_cast<double>(columns + 2) + 100;
    MR_ASSIGN_OR_RETURN(const int64_t failed,
                        linalg::ForEachMatrix<C>(ctx, batches.count(), n * (n + columns), cycles, one));
    return failed < 0 ? OkStatus() : InvalidArgument(Cat("matrix ", failed, " is not invertible"));
  }

 private:
  bool lower_, adjoint_;
};

// The lower triangle of each matrix is read.
template <typename T>
class Cholesky final : public Kernel {
 public:
  explicit Cholesky(const KernelInit&) {}
  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    const TensorView &in = ctx.input(0), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const int64_t n = in.dim(in.rank - 1);
    const auto one = [&](int64_t m, C* a, Checkpoint& checkpoint) {
      T* const to = out.as<T>() + m * n * n;
      linalg::ReadMatrix(in.as<T>() + m * n * n, n, n, false, a);
      if (!Factor(a, n, checkpoint)) std::fill_n(a, n * n, C(std::numeric_limits<double>::quiet_NaN()));
      linalg::WriteElements(a, n * n, to);
      return true;
    };
    const double cycles = static_cast<double>(n * n) * static_cast<double>(n) + 100;
    MR_ASSIGN_OR_RETURN([[maybe_unused]] const int64_t none,
                        linalg::ForEachMatrix<C>(ctx, linalg::MatrixCount(in), n * n, cycles, one));
    return OkStatus();
  }

 private:
  // False where the matrix is not positive definite.
  template <typename C>
  static bool Factor(C* a, int64_t n, Checkpoint& checkpoint) {
    for (int64_t j = 0; j < n; ++j) {
      double diagonal = std::real(a[j * n + j]);
      for (int64_t k = 0; k < j; ++k) diagonal -= std::norm(a[j * n + k]);
      if (!(diagonal > 0)) return false;
      const double root = std::sqrt(diagonal);
      a[j * n + j] = root;
      for (int64_t i = j + 1; i < n; ++i) {
        if (checkpoint.Reached(2.0 * static_cast<double>(j))) return true;
        C sum = a[i * n + j];
        for (int64_t k = 0; k < j; ++k) sum -= a[i * n + k] * linalg::Conj(a[j * n + k]);
        a[i * n + j] = sum / root;
        a[j * n + i] = C(0);
      }
    }
    return true;
  }
};

Status TriangularSolveShape(InferenceContext& ctx) {
  Dim n;
  MR_RETURN_IF_ERROR(linalg::SquareMatrices(ctx, 0, &n));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 2));
  const SymShape &a = ctx.input(0), &b = ctx.input(1);
  if (!a.has_rank || !b.has_rank) return OkStatus();
  MR_RETURN_IF_ERROR(ctx.Merge(n, b.dims[b.dims.size() - 2], &n));
  SymShape out;
  MR_RETURN_IF_ERROR(BroadcastShapes(ctx.dims(), SymShape(std::vector<Dim>(a.dims.begin(), a.dims.end() - 2)),
                                     SymShape(std::vector<Dim>(b.dims.begin(), b.dims.end() - 2)), &out));
  out.dims.push_back(n);
  out.dims.push_back(b.dims.back());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

}  // namespace

namespace families {

void triangular(Registry& registry) {
  OpBuilder solve = registry.Define("MatrixTriangularSolve");
  solve.Input("matrix: T").Input("rhs: T").Output("output: T");
  solve.Attr("lower: bool = true").Attr("adjoint: bool = false");
  solve.Attr("T: {bfloat16, double, float, half, complex64, complex128}");
  solve
      .Doc(
          "What the triangular part of each matrix, or its adjoint, times it is the right-hand side. A zero on the "
          "diagonal is an error.")
      .Shape(TriangularSolveShape);
  linalg::MatrixKernels<TriangularSolve>(solve);
  OpBuilder cholesky = registry.Define("Cholesky");
  cholesky.Input("input: T").Output("output: T").Attr("T: {double, float, half, complex64, complex128}");
  cholesky
      .Doc("The lower triangle whose product with its adjoint is the matrix; NaN where that is not positive definite.")
      .Shape(linalg::SquareShape);
  linalg::MatrixKernels<Cholesky>(cholesky);
}

}  // namespace families
}  // namespace millrace
