// ArgMax, ArgMin.
#include <algorithm>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status ArgShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  if (out.rank() == 0) {
    ctx.set_output(0, std::move(out));  // such a node may stand in a graph; running it is the error
    return OkStatus();
  }
  const std::optional<int64_t> wanted = array::IntScalar(ctx, 1);
  if (!wanted) {
    ctx.set_output(0, SymShape::Unknown(out.rank() - 1));
    return OkStatus();
  }
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, out.rank(), "dimension", &axis));
  out.dims.erase(out.dims.begin() + axis);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

template <typename T>
using Held = std::conditional_t<reduce::kIsSmallFloat<T>, float, T>;

// The first of the best; a NaN is never better. Columns in blocks, so that rows
// are read along memory.
template <typename T, bool kMax, typename Index>
void FindBest(KernelContext& ctx, const T* x, int64_t outer, int64_t n, int64_t inner, Index* out) {
  constexpr int64_t kColumns = 256;
  const int64_t blocks = (inner + kColumns - 1) / kColumns;
  const double cycles = 2.0 * static_cast<double>(n * std::min(inner, kColumns));
  ctx.ParallelFor(outer * blocks, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    Held<T> best[kColumns];
    bool chosen[kColumns];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t column = u % blocks * kColumns, columns = std::min(kColumns, inner - column);
      const T* base = x + u / blocks * n * inner + column;
      Index* index = out + u / blocks * inner + column;
      for (int64_t c = 0; c < columns; ++c) {
        best[c] = static_cast<Held<T>>(base[c]);
        chosen[c] = best[c] == best[c];
        index[c] = 0;
      }
      for (int64_t r = 1; r < n; ++r) {
        const T* row = base + r * inner;
        for (int64_t c = 0; c < columns; ++c) {
          const Held<T> v = static_cast<Held<T>>(row[c]);
          const bool better = chosen[c] ? (kMax ? v > best[c] : v < best[c]) : v == v;
          if (better) {
            best[c] = v;
            chosen[c] = true;
            index[c] = static_cast<Index>(r);
          }
        }
      }
    }
  });
}

template <bool kMax>
class Arg final : public Kernel {
 public:
  explicit Arg(const KernelInit&) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& x = ctx.input(0);
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(1), 0), x.rank, "dimension", &axis));
    Ints dims = array::IntsOf(x.shape());
    const int64_t n = x.dim(axis);
    dims.erase(dims.begin() + axis);
    int64_t outer = 1, inner = 1;
    for (int k = 0; k < axis; ++k) outer *= x.dim(k);
    for (int k = axis + 1; k < x.rank; ++k) inner *= x.dim(k);
    if (n == 0 && outer * inner > 0) {
      return InvalidArgument(Cat("dimension ", axis, " is empty: there is nothing to choose from"));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    if (outer * inner == 0) return OkStatus();
    const TensorView& out = ctx.output(0);
    const auto run = [&]<typename T>() {
      switch (out.dtype) {
        case DType::kInt64:
          FindBest<T, kMax>(ctx, x.as<T>(), outer, n, inner, out.as<int64_t>());
          break;
        case DType::kInt32:
          FindBest<T, kMax>(ctx, x.as<T>(), outer, n, inner, out.as<int32_t>());
          break;
        default:
          FindBest<T, kMax>(ctx, x.as<T>(), outer, n, inner, out.as<uint16_t>());
      }
    };
    switch (x.dtype) {
      case DType::kFloat:
        run.template operator()<float>();
        break;
      case DType::kDouble:
        run.template operator()<double>();
        break;
      case DType::kHalf:
        run.template operator()<Half>();
        break;
      case DType::kBfloat16:
        run.template operator()<BFloat16>();
        break;
      case DType::kInt8:
      case DType::kQint8:
        run.template operator()<int8_t>();
        break;
      case DType::kInt16:
      case DType::kQint16:
        run.template operator()<int16_t>();
        break;
      case DType::kInt32:
      case DType::kQint32:
        run.template operator()<int32_t>();
        break;
      case DType::kInt64:
        run.template operator()<int64_t>();
        break;
      case DType::kUint8:
      case DType::kQuint8:
      case DType::kBool:
        run.template operator()<uint8_t>();
        break;
      case DType::kUint16:
      case DType::kQuint16:
        run.template operator()<uint16_t>();
        break;
      case DType::kUint32:
        run.template operator()<uint32_t>();
        break;
      case DType::kUint64:
        run.template operator()<uint64_t>();
        break;
      default:
        return Unimplemented(Cat("no kernel for ", DTypeName(x.dtype)));
    }
    return OkStatus();
  }
};

}  // namespace

namespace families {
void reduce_arg(Registry& registry) {
  registry.Define("ArgMax")
      .Input("input: T")
      .Input("dimension: Tidx")
      .Output("output: output_type")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
          "qint32, qint16, quint16, bool}")
      .Attr("Tidx: {int16, int32, int64} = DT_INT32")
      .Attr("output_type: {int16, uint16, int32, int64} = DT_INT64")
      .Doc("Where the largest element along a dimension is; the first of equals, never a NaN.")
      .Shape(ArgShape)
      .NoGradient("its result is an index")
      .Kernel("CPU", NewKernel<Arg<true>>);
  registry.Define("ArgMin")
      .Input("input: T")
      .Input("dimension: Tidx")
      .Output("output: output_type")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
          "qint32, qint16, quint16, bool}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Attr("output_type: {int32, int64} = DT_INT64")
      .Doc("Where the smallest element along a dimension is; the first of equals, never a NaN.")
      .Shape(ArgShape)
      .NoGradient("its result is an index")
      .Kernel("CPU", NewKernel<Arg<false>>);
}
}  // namespace families
}  // namespace millrace
