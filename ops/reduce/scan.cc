// Cumsum, Cumprod.
#include <algorithm>

#include "millrace/ops/array/operands.h"
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

template <bool kProduct>
class Scan final : public Kernel {
 public:
  explicit Scan(const KernelInit& init)
      : exclusive_(init.attr<bool>("exclusive")), reverse_(init.attr<bool>("reverse")) {}
  Status Run(KernelContext& ctx) const override {
    switch (ctx.input(0).dtype) {
      case DType::kFloat:
        return ScanAs<float>(ctx);
      case DType::kDouble:
        return ScanAs<double>(ctx);
      case DType::kHalf:
        return ScanAs<Half>(ctx);
      case DType::kBfloat16:
        return ScanAs<BFloat16>(ctx);
      case DType::kInt8:
        return ScanAs<int8_t>(ctx);
      case DType::kInt16:
        return ScanAs<int16_t>(ctx);
      case DType::kInt32:
        return ScanAs<int32_t>(ctx);
      case DType::kInt64:
        return ScanAs<int64_t>(ctx);
      case DType::kUint8:
        return ScanAs<uint8_t>(ctx);
      case DType::kUint16:
        return ScanAs<uint16_t>(ctx);
      case DType::kUint32:
        return ScanAs<uint32_t>(ctx);
      case DType::kUint64:
        return ScanAs<uint64_t>(ctx);
      case DType::kComplex64:
        return ScanAs<std::complex<float>>(ctx);
      case DType::kComplex128:
        return ScanAs<std::complex<double>>(ctx);
      default:
        return Unimplemented(Cat("no kernel for ", DTypeName(ctx.input(0).dtype)));
    }
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
    const double cycles = 3.0 * static_cast<double>(n * std::min(inner, kColumns));
    ctx.ParallelFor(outer * blocks, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
      A acc[kColumns];
      for (int64_t u = begin; u < end; ++u) {
        const int64_t column = u % blocks * kColumns, columns = std::min(kColumns, inner - column);
        const int64_t base = u / blocks * n * inner + column;
        std::fill_n(acc, columns, kProduct ? A(1) : A(0));
        for (int64_t step = 0; step < n; ++step) {
          const int64_t at = base + (reverse_ ? n - 1 - step : step) * inner;
          for (int64_t c = 0; c < columns; ++c) {
            const A before = acc[c], v = static_cast<A>(in[at + c]);
            acc[c] = kProduct ? reduce::Times(before, v) : reduce::Plus(before, v);
            out[at + c] = static_cast<T>(exclusive_ ? before : acc[c]);
          }
        }
      }
    });
    return OkStatus();
  }

  const bool exclusive_, reverse_;
};

}  // namespace

namespace families {
void reduce_scan(Registry& registry) {
  registry.Define("Cumsum")
      .Input("x: T")
      .Input("axis: Tidx")
      .Output("out: T")
      .Attr("exclusive: bool = false")
      .Attr("reverse: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Running sums along a dimension.")
      .Shape(ScanShape)
      .Kernel("CPU", NewKernel<Scan<false>>);
  registry.Define("Cumprod")
      .Input("x: T")
      .Input("axis: Tidx")
      .Output("out: T")
      .Attr("exclusive: bool = false")
      .Attr("reverse: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Running products along a dimension.")
      .Shape(ScanShape)
      .Kernel("CPU", NewKernel<Scan<true>>);
}
}  // namespace families
}  // namespace millrace
