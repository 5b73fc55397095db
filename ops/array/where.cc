// Where: the coordinates of what is not zero.
#include <complex>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status WhereShape(InferenceContext& ctx) {
  const SymShape& input = ctx.input(0);
  ctx.set_output(0, SymShape({Dim(), input.has_rank ? Dim(input.rank()) : Dim()}));
  return OkStatus();
}

template <typename T>
bool IsTrue(const T& v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return static_cast<float>(v) != 0;
  else return v != T(0);
}

template <typename T>
Status FindTrue(KernelContext& ctx) {
  const TensorView& input = ctx.input(0);
  const T* x = input.as<T>();
  int64_t count = 0;
  Checkpoint checkpoint(ctx);
  const bool counted = checkpoint.Each(input.num_elements, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) count += IsTrue(x[i]) ? 1 : 0;
  });
  if (!counted) return Checkpoint::Stopped();
  const int64_t rank = input.rank;
  const int64_t dims[2] = {count, rank};
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, dims));
  int64_t* out = ctx.output(0).as<int64_t>();
  array::Ints at(static_cast<size_t>(rank), 0);
  const auto one_dim = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (IsTrue(x[i])) *out++ = i;
    }
  };
  const auto any_dims = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (IsTrue(x[i])) {
        for (const int64_t v : at) *out++ = v;
      }
      for (size_t k = at.size(); k-- > 0;) {
        if (++at[k] < input.dims[k]) break;
        at[k] = 0;
      }
    }
  };
  const bool done =
      rank == 1 ? checkpoint.Each(input.num_elements, 2, one_dim) : checkpoint.Each(input.num_elements, 6, any_dims);
  return done ? OkStatus() : Checkpoint::Stopped();
}

Status RunWhere(KernelContext& ctx) {
  switch (ctx.input(0).dtype) {
    case DType::kBool:
      return FindTrue<bool>(ctx);
    case DType::kFloat:
      return FindTrue<float>(ctx);
    case DType::kDouble:
      return FindTrue<double>(ctx);
    case DType::kHalf:
      return FindTrue<Half>(ctx);
    case DType::kBfloat16:
      return FindTrue<BFloat16>(ctx);
    case DType::kInt8:
    case DType::kUint8:
    case DType::kQint8:
    case DType::kQuint8:
      return FindTrue<uint8_t>(ctx);
    case DType::kInt16:
    case DType::kUint16:
    case DType::kQint16:
    case DType::kQuint16:
      return FindTrue<uint16_t>(ctx);
    case DType::kInt32:
    case DType::kUint32:
    case DType::kQint32:
      return FindTrue<uint32_t>(ctx);
    case DType::kInt64:
    case DType::kUint64:
      return FindTrue<uint64_t>(ctx);
    case DType::kComplex64:
      return FindTrue<std::complex<float>>(ctx);
    case DType::kComplex128:
      return FindTrue<std::complex<double>>(ctx);
    default:
      return Unimplemented(Cat("no kernel for ", DTypeName(ctx.input(0).dtype)));
  }
}

}  // namespace

namespace families {
void array_where(Registry& registry) {
  registry.Define("Where")
      .Input("input: T")
      .Output("index: int64")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64, bool} = DT_BOOL")
      .Doc("The coordinates of the elements that are not zero, a row each, in order.")
      .Shape(WhereShape)
      .NoGradient("its result is indices")
      .Kernel("CPU", MakeKernel<RunWhere>);
}
}  // namespace families
}  // namespace millrace
