// Cumsum, Cumprod, CumulativeLogsumexp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status ScanShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  const SymShape& x = ctx.input(0);
  if (const auto axis = array::IntScalar(ctx, 1); axis && x.has_rank) {
    int a = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(*axis, x.rank(), "axis", &a));
  }
  ctx.set_output(0, x);
  return OkStatus();
}

// What is carried from one element to the next.
struct Sums {
  static constexpr double kCycles = 3;
  template <typename A>
  static A Initial() {
    return A(0);
  }
  template <typename A>
  static A Combine(A a, A b) {
    return reduce::Plus(a, b);
  }
};
struct Products {
  static constexpr double kCycles = 3;
  template <typename A>
  static A Initial() {
    return A(1);
  }
  template <typename A>
  static A Combine(A a, A b) {
    return reduce::Times(a, b);
  }
};
// log(exp(a) + exp(b)), which may be far out of range themselves.
struct LogSums {
  static constexpr double kCycles = 80;
  template <typename A>
  static A Initial() {
    return -std::numeric_limits<A>::infinity();
  }
  template <typename A>
  static A Combine(A a, A b) {
    if (a == b) return a + std::log(A(2));
    return std::max(a, b) + std::log1p(std::exp(-std::fabs(a - b)));
  }
};

template <typename Carry, typename... Types>
class Scan final : public Kernel {
 public:
  explicit Scan(const KernelInit& init)
      : exclusive_(init.attr<bool>("exclusive")), reverse_(init.attr<bool>("reverse")) {}
  Status Run(KernelContext& ctx) const override {
    Status status = Unimplemented(Cat("no kernel for ", DTypeName(ctx.input(0).dtype)));
    ((ctx.input(0).dtype == kDTypeOf<Types> ? void(status = ScanAs<Types>(ctx)) : void()), ...);
    return status;
  }

 private:
  template <typename T>
  Status ScanAs(KernelContext& ctx) const {
    using A = reduce::Accumulator<T>;
    constexpr int64_t kColumns = 256;
    const TensorView& x = ctx.input(0);
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(1), 0), x.rank, "axis", &axis));
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
    if (x.num_elements == 0) return OkStatus();
    const int64_t n = x.dim(axis);
    int64_t outer = 1, inner = 1;
    for (int k = 0; k < axis; ++k) outer *= x.dim(k);
    for (int k = axis + 1; k < x.rank; ++k) inner *= x.dim(k);
    const T* in = x.as<T>();
    T* out = ctx.output(0).as<T>();
    const int64_t blocks = (inner + kColumns - 1) / kColumns;
    const double cycles = Carry::kCycles * static_cast<double>(n * std::min(inner, kColumns));
    ctx.ParallelFor(outer * blocks, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
      A acc[kColumns];
      Checkpoint checkpoint(ctx);
      for (int64_t u = begin; u < end; ++u) {
        const int64_t column = u % blocks * kColumns, columns = std::min(kColumns, inner - column);
        const int64_t base = u / blocks * n * inner + column;
        std::fill_n(acc, columns, Carry::template Initial<A>());
        const bool done =
            checkpoint.Each(n, Carry::kCycles * static_cast<double>(columns), [&](int64_t from, int64_t to) {
              for (int64_t step = from; step < to; ++step) {
                const int64_t at = base + (reverse_ ? n - 1 - step : step) * inner;
                for (int64_t c = 0; c < columns; ++c) {
                  const A before = acc[c], v = static_cast<A>(in[at + c]);
                  acc[c] = Carry::Combine(before, v);
                  out[at + c] = static_cast<T>(exclusive_ ? before : acc[c]);
                }
              }
            });
        if (!done) return;
      }
    });
    return Checkpoint::Outcome(ctx);
  }

  const bool exclusive_, reverse_;
};

template <typename Carry>
using ScanOfNumbers = Scan<Carry, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                           uint32_t, uint64_t, std::complex<float>, std::complex<double>>;

}  // namespace

namespace families {
void reduce_scan(Registry& registry) {
  const auto define = [&](const char* name, const char* types) {
    OpBuilder b = registry.Define(name);
    b.Input("x: T").Input("axis: Tidx").Output("out: T");
    b.Attr("exclusive: bool = false").Attr("reverse: bool = false");
    b.Attr(types).Attr("Tidx: {int32, int64} = DT_INT32").Shape(ScanShape);
    return b;
  };
  constexpr const char* kNumbers =
      "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
      "quint16, uint16, complex128, half, uint32, uint64}";
  define("Cumsum", kNumbers).Doc("Running sums along a dimension.").Kernel("CPU", NewKernel<ScanOfNumbers<Sums>>);
  define("Cumprod", kNumbers)
      .Doc("Running products along a dimension.")
      .Kernel("CPU", NewKernel<ScanOfNumbers<Products>>);
  define("CumulativeLogsumexp", "T: {bfloat16, half, float, double}")
      .Doc("Logarithms of the running sums of exponentials along a dimension.")
      .Kernel("CPU", NewKernel<Scan<LogSums, float, double, Half, BFloat16>>);
}
}  // namespace families
}  // namespace millrace
