// MatrixInverse, MatrixSolve, MatrixDeterminant and LogMatrixDeterminant: by
// elimination with the largest pivot of each column.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "millrace/ops/linalg/matrices.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::Precise;

// Makes the n x n matrix `a` upper triangular by operations on rows, which `b`, of
// n x columns, goes through too. False where a column has no pivot left.
template <typename C>
bool Eliminate(C* a, int64_t n, C* b, int64_t columns, int64_t* swaps, Checkpoint& checkpoint) {
  *swaps = 0;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (a[pivot * n + k] == C(0)) return false;
    if (pivot != k) {
      ++*swaps;
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      std::swap_ranges(b + k * columns, b + (k + 1) * columns, b + pivot * columns);
    }
    for (int64_t i = k + 1; i < n; ++i) {
      if (checkpoint.Reached(2.0 * static_cast<double>(n - k + columns))) return true;
      const C factor = a[i * n + k] / a[k * n + k];
      if (factor == C(0)) continue;
      for (int64_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      for (int64_t j = 0; j < columns; ++j) b[i * columns + j] -= factor * b[k * columns + j];
    }
  }
  return true;
}

double Cycles(int64_t n, int64_t columns) {
  return static_cast<double>(n * n) * static_cast<double>(n + 3 * columns) + 100;
}

Status NotInvertible(int64_t matrix) { return InvalidArgument(Cat("matrix ", matrix, " is not invertible")); }

template <typename T>
class Inverse final : public Kernel {
 public:
  explicit Inverse(const KernelInit& init) : adjoint_(init.attr<bool>("adjoint")) {}
  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    const TensorView &in = ctx.input(0), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const int64_t n = in.dim(in.rank - 1);
    const auto one = [&](int64_t m, C* a, Checkpoint& checkpoint) {
      C* const inverse = a + n * n;
      linalg::ReadMatrix(in.as<T>() + m * n * n, n, n, adjoint_, a);
      std::fill_n(inverse, n * n, C(0));
      for (int64_t i = 0; i < n; ++i) inverse[i * n + i] = C(1);
      int64_t swaps;
      if (!Eliminate(a, n, inverse, n, &swaps, checkpoint)) return false;
      linalg::SolveTriangular(a, n, false, inverse, n, checkpoint);
      linalg::WriteElements(inverse, n * n, out.as<T>() + m * n * n);
      return true;
    };
    MR_ASSIGN_OR_RETURN(const int64_t failed,
                        linalg::ForEachMatrix<C>(ctx, linalg::MatrixCount(in), 2 * n * n, Cycles(n, n), one));
    return failed < 0 ? OkStatus() : NotInvertible(failed);
  }

 private:
  bool adjoint_;
};

template <typename T>
class Solve final : public Kernel {
 public:
  explicit Solve(const KernelInit& init) : adjoint_(init.attr<bool>("adjoint")) {}
  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    const TensorView &in = ctx.input(0), &rhs = ctx.input(1), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const int64_t n = in.dim(in.rank - 1), columns = rhs.dim(rhs.rank - 1);
    const auto one = [&](int64_t m, C* a, Checkpoint& checkpoint) {
      C* const x = a + n * n;
      linalg::ReadMatrix(in.as<T>() + m * n * n, n, n, adjoint_, a);
      linalg::ReadMatrix(rhs.as<T>() + m * n * columns, n, columns, false, x);
      int64_t swaps;
      if (!Eliminate(a, n, x, columns, &swaps, checkpoint)) return false;
      linalg::SolveTriangular(a, n, false, x, columns, checkpoint);
      linalg::WriteElements(x, n * columns, out.as<T>() + m * n * columns);
      return true;
    };
    MR_ASSIGN_OR_RETURN(const int64_t failed, linalg::ForEachMatrix<C>(ctx, linalg::MatrixCount(in), n * (n + columns),
                                                                       Cycles(n, columns), one));
    return failed < 0 ? OkStatus() : NotInvertible(failed);
  }

 private:
  bool adjoint_;
};

// Calls write(matrix, pivots, negative) with the n pivots of each, n apart by
// n + 1; null where one is missing: the determinant is 0.
template <typename T, typename Write>
Status ForEachDeterminant(KernelContext& ctx, const Write& write) {
  using C = Precise<T>;
  const TensorView& in = ctx.input(0);
  const int64_t n = in.dim(in.rank - 1);
  const auto one = [&](int64_t m, C* a, Checkpoint& checkpoint) {
    linalg::ReadMatrix(in.as<T>() + m * n * n, n, n, false, a);
    int64_t swaps;
    const bool regular = Eliminate(a, n, static_cast<C*>(nullptr), 0, &swaps, checkpoint);
    write(m, regular ? a : nullptr, n, swaps % 2 == 1);
    return true;
  };
  MR_ASSIGN_OR_RETURN([[maybe_unused]] const int64_t none,
                      linalg::ForEachMatrix<C>(ctx, linalg::MatrixCount(in), n * n, Cycles(n, 0), one));
  return OkStatus();
}

template <typename T>
class Determinant final : public Kernel {
 public:
  explicit Determinant(const KernelInit&) {}
  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    T* const out = ctx.output(0).as<T>();
    return ForEachDeterminant<T>(ctx, [&](int64_t m, const C* pivots, int64_t n, bool negative) {
      C product = pivots == nullptr ? C(0) : C(negative ? -1 : 1);
      for (int64_t i = 0; pivots != nullptr && i < n; ++i) product *= pivots[i * (n + 1)];
      out[m] = static_cast<T>(product);
    });
  }
};

template <typename T>
class LogDeterminant final : public Kernel {
 public:
  explicit LogDeterminant(const KernelInit&) {}
  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    T* const signs = ctx.output_wanted(0) ? ctx.output(0).as<T>() : nullptr;
    T* const logs = ctx.output_wanted(1) ? ctx.output(1).as<T>() : nullptr;
    return ForEachDeterminant<T>(ctx, [&](int64_t m, const C* pivots, int64_t n, bool negative) {
      C sign = pivots == nullptr ? C(0) : C(negative ? -1 : 1);
      double log = pivots == nullptr ? -std::numeric_limits<double>::infinity() : 0;
      for (int64_t i = 0; pivots != nullptr && i < n; ++i) {
        const double size = std::abs(pivots[i * (n + 1)]);
        sign *= pivots[i * (n + 1)] / size;
        log += std::log(size);
      }
      if (signs != nullptr) signs[m] = static_cast<T>(sign);
      if (logs != nullptr) logs[m] = static_cast<T>(C(log));
    });
  }
};

Status DeterminantShape(InferenceContext& ctx) {
  Dim n;
  MR_RETURN_IF_ERROR(linalg::SquareMatrices(ctx, 0, &n));
  const SymShape& in = ctx.input(0);
  if (!in.has_rank) return OkStatus();
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    ctx.set_output(i, SymShape(std::vector<Dim>(in.dims.begin(), in.dims.end() - 2)));
  }
  return OkStatus();
}

Status SolveShape(InferenceContext& ctx) {
  Dim n;
  MR_RETURN_IF_ERROR(linalg::SquareMatrices(ctx, 0, &n));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 2));
  const SymShape &a = ctx.input(0), &b = ctx.input(1);
  if (!a.has_rank || !b.has_rank) return OkStatus();
  SymShape expected = a, out;
  expected.dims[expected.dims.size() - 2] = n;
  expected.dims.back() = b.dims.back();
  MR_RETURN_IF_ERROR(ctx.Merge(expected, b, &out));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

}  // namespace

namespace families {

void solve(Registry& registry) {
  const char* const types = "T: {double, float, half, complex64, complex128}";
  const char* const determinant_types = "T: {half, float, double, complex64, complex128}";
  OpBuilder inverse = registry.Define("MatrixInverse");
  inverse.Input("input: T").Output("output: T").Attr("adjoint: bool = false").Attr(types);
  inverse.Doc("The inverse of each matrix, or of its adjoint. A singular one is an error.").Shape(linalg::SquareShape);
  linalg::MatrixKernels<Inverse>(inverse).Kernel("CPU", NewKernel<Inverse<Half>>, {{"T", {DType::kHalf}}});
  OpBuilder solve = registry.Define("MatrixSolve");
  solve.Input("matrix: T").Input("rhs: T").Output("output: T").Attr("adjoint: bool = false").Attr(types);
  solve.Doc("What each matrix, or its adjoint, times it is the right-hand side. A singular one is an error.")
      .Shape(SolveShape);
  linalg::MatrixKernels<Solve>(solve);
  OpBuilder determinant = registry.Define("MatrixDeterminant");
  determinant.Input("input: T").Output("output: T").Attr(determinant_types);
  determinant.Doc("The determinant of each matrix.").Shape(DeterminantShape);
  linalg::MatrixKernels<Determinant>(determinant);
  OpBuilder log = registry.Define("LogMatrixDeterminant");
  log.Input("input: T").Output("sign: T").Output("log_abs_determinant: T").Attr(determinant_types);
  log.Doc("The determinant of each matrix as a sign and the logarithm of its absolute value.").Shape(DeterminantShape);
  linalg::MatrixKernels<LogDeterminant>(log);
}

}  // namespace families
}  // namespace millrace
