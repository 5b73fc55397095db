// Qr: by Householder's reflections. Numbers of 32 bits and fewer are computed in
// double.
#include <algorithm>
#include <cmath>
#include <complex>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/linalg/precise.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::Conj;
using linalg::Precise;
using linalg::ToPrecise;

// One m x n matrix, in `work`.
template <typename C>
class Householder {
 public:
  static size_t WorkSize(int64_t m, int64_t n) {
    return static_cast<size_t>(m) * static_cast<size_t>(n) + static_cast<size_t>(std::min(m, n)) +
           static_cast<size_t>(m);
  }
  Householder(int64_t m, int64_t n, C* work, Checkpoint& checkpoint)
      : checkpoint_(checkpoint),
        m_(m),
        n_(n),
        count_(std::min(m, n)),
        a_(work),
        tau_(a_ + m * n),
        column_(tau_ + count_) {}

  // Column-major.
  C& a(int64_t row, int64_t column) { return a_[column * m_ + row]; }

  // R above the diagonal, the reflections' vectors below it (their first element is 1).
  // False where the run is to stop.
  bool Factor() {
    for (int64_t k = 0; k < count_; ++k) {
      double below = 0;
      for (int64_t i = k + 1; i < m_; ++i) below += std::norm(a(i, k));
      const C head = a(k, k);
      tau_[k] = 0;
      if (below == 0 && std::imag(head) == 0) continue;
      const double size = std::sqrt(std::norm(head) + below);
      const double beta = std::real(head) > 0 ? -size : size;
      tau_[k] = (beta - head) / beta;
      const C scale = C(1) / (head - beta);
      for (int64_t i = k + 1; i < m_; ++i) a(i, k) *= scale;
      a(k, k) = beta;
      for (int64_t j = k + 1; j < n_; ++j) {
        if (checkpoint_.Reached(CyclesOf(k))) return false;
        Reflect(k, Conj(tau_[k]), &a(0, j));
      }
    }
    return true;
  }

  // Column `column` of Q, of m elements, until the next call; null where the run is to
  // stop.
  const C* Column(int64_t column) {
    std::fill_n(column_, m_, C(0));
    column_[column] = 1;
    for (int64_t k = count_; k-- > 0;) {
      if (checkpoint_.Reached(CyclesOf(k))) return nullptr;
      Reflect(k, tau_[k], column_);
    }
    return column_;
  }

 private:
  // x -= tau v (v^H x) with v the vector of reflection k.
  void Reflect(int64_t k, C tau, C* x) {
    if (tau == C(0)) return;
    C dot = x[k];
    for (int64_t i = k + 1; i < m_; ++i) dot += Conj(a(i, k)) * x[i];
    dot *= tau;
    x[k] -= dot;
    for (int64_t i = k + 1; i < m_; ++i) x[i] -= dot * a(i, k);
  }

  // Of one reflection.
  double CyclesOf(int64_t k) const { return 4.0 * static_cast<double>(m_ - k); }

  Checkpoint& checkpoint_;
  const int64_t m_, n_, count_;
  C *const a_, *const tau_, *const column_;
};

template <typename T>
class Qr final : public Kernel {
 public:
  explicit Qr(const KernelInit& init) : full_(init.attr<bool>("full_matrices")) {}

  Status Run(KernelContext& ctx) const override {
    using C = Precise<T>;
    const TensorView& input = ctx.input(0);
    const int rank = input.rank;
    const int64_t m = input.dim(rank - 2), n = input.dim(rank - 1), inner = full_ ? m : std::min(m, n);
    array::Ints q_dims = array::IntsOf(input.shape()), r_dims = q_dims;
    q_dims[static_cast<size_t>(rank - 1)] = inner;
    r_dims[static_cast<size_t>(rank - 2)] = inner;
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, array::SpanOf(q_dims)));
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 1, array::SpanOf(r_dims)));
    int64_t count = 1;
    for (int i = 0; i + 2 < rank; ++i) count *= input.dim(i);
    MR_ASSIGN_OR_RETURN(void* work, ctx.Scratch(Householder<C>::WorkSize(m, n) * sizeof(C)));
    Checkpoint checkpoint(ctx);
    Householder<C> factors(m, n, static_cast<C*>(work), checkpoint);
    for (int64_t b = 0; b < count; ++b) {
      const T* a = input.as<T>() + b * m * n;
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) factors.a(i, j) = ToPrecise(a[i * n + j]);
      }
      if (!factors.Factor()) return Checkpoint::Stopped();
      if (ctx.output_wanted(1)) {
        T* r = ctx.output(1).as<T>() + b * inner * n;
        for (int64_t i = 0; i < inner; ++i) {
          for (int64_t j = 0; j < n; ++j) r[i * n + j] = i <= j ? static_cast<T>(factors.a(i, j)) : T(0);
        }
      }
      if (ctx.output_wanted(0)) {
        T* q = ctx.output(0).as<T>() + b * m * inner;
        for (int64_t j = 0; j < inner; ++j) {
          const C* column = factors.Column(j);
          if (column == nullptr) return Checkpoint::Stopped();
          for (int64_t i = 0; i < m; ++i) q[i * inner + j] = static_cast<T>(column[i]);
        }
      }
    }
    return OkStatus();
  }

 private:
  const bool full_;
};

Status QrShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  const SymShape& input = ctx.input(0);
  if (!input.has_rank) return OkStatus();
  const Dim m = input.dims[input.dims.size() - 2], n = input.dims.back();
  const Dim inner = ctx.attr<bool>("full_matrices") ? m : ctx.dims().Min(m, n);
  SymShape q = input, r = input;
  q.dims.back() = inner;
  r.dims[r.dims.size() - 2] = inner;
  ctx.set_output(0, std::move(q));
  ctx.set_output(1, std::move(r));
  return OkStatus();
}

}  // namespace

namespace families {
void qr(Registry& registry) {
  registry.Define("Qr")
      .Input("input: T")
      .Output("q: T")
      .Output("r: T")
      .Attr("full_matrices: bool = false")
      .Attr("T: {double, float, half, complex64, complex128}")
      .Doc(
          "The factors of each matrix [..., m, n]: q with orthonormal columns, [..., m, min(m, n)], and r, upper "
          "triangular, [..., min(m, n), n]; with full_matrices [..., m, m] and [..., m, n].")
      .Shape(QrShape)
      .Kernel("CPU", NewKernel<Qr<double>>, {{"T", {DType::kDouble}}})
      .Kernel("CPU", NewKernel<Qr<float>>, {{"T", {DType::kFloat}}})
      .Kernel("CPU", NewKernel<Qr<Half>>, {{"T", {DType::kHalf}}})
      .Kernel("CPU", NewKernel<Qr<std::complex<float>>>, {{"T", {DType::kComplex64}}})
      .Kernel("CPU", NewKernel<Qr<std::complex<double>>>, {{"T", {DType::kComplex128}}});
}
}  // namespace families
}  // namespace millrace
