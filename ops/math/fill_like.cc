// ZerosLike and OnesLike.
#include <cstring>

#include "millrace/ops/math/definitions.h"

namespace millrace {
namespace {

Status RunZerosLike(KernelContext& ctx) {
  const TensorView& out = ctx.output(0);
  if (out.dtype == DType::kString) {
    for (std::string& s : out.elements<std::string>()) s.clear();
  } else if (const size_t bytes = out.bytes()) {
    std::memset(out.data, 0, bytes);
  }
  return OkStatus();
}

template <class T>
void FillOnes(const TensorView& out) {
  for (T& e : out.elements<T>()) e = static_cast<T>(1.0f);
}

Status RunOnesLike(KernelContext& ctx) {
  const TensorView& out = ctx.output(0);
  switch (out.dtype) {
#define MILLRACE_CASE(T) \
  case kDTypeOf<T>:      \
    FillOnes<T>(out);    \
    return OkStatus();
    MILLRACE_CASE(float)
    MILLRACE_CASE(double)
    MILLRACE_CASE(Half)
    MILLRACE_CASE(BFloat16)
    MILLRACE_CASE(int8_t)
    MILLRACE_CASE(int16_t)
    MILLRACE_CASE(int32_t)
    MILLRACE_CASE(int64_t)
    MILLRACE_CASE(uint8_t)
    MILLRACE_CASE(uint16_t)
    MILLRACE_CASE(uint32_t)
    MILLRACE_CASE(uint64_t)
    MILLRACE_CASE(bool)
    MILLRACE_CASE(std::complex<float>)
    MILLRACE_CASE(std::complex<double>)
#undef MILLRACE_CASE
    default:
      return Unimplemented("no kernel that fills with ones of " + DTypeName(out.dtype));
  }
}

// Integer elements are known where their number is.
template <int64_t kValue>
Status FilledShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(math::SameShape(c));
  const SymShape& shape = c.input(0);
  if (!IsInteger(c.input_info(0).dtype) || !shape.FullyKnown() || shape.rank() > 1) return OkStatus();
  constexpr int64_t kMostElements = 256;
  const int64_t count = shape.rank() == 0 ? 1 : shape.dims[0].value();
  if (count > kMostElements) return OkStatus();
  c.set_elements(0, {shape.rank() == 0, std::vector(static_cast<size_t>(count), SymElement::Number(kValue))});
  return OkStatus();
}

}  // namespace

namespace families {

void fill_like(Registry& r) {
  const std::vector<DType> zeros = {
      DType::kFloat,  DType::kDouble,    DType::kHalf,      DType::kBfloat16, DType::kInt8,   DType::kInt16,
      DType::kInt32,  DType::kInt64,     DType::kUint8,     DType::kUint16,   DType::kUint32, DType::kUint64,
      DType::kBool,   DType::kString,    DType::kQint8,     DType::kQuint8,   DType::kQint16, DType::kQuint16,
      DType::kQint32, DType::kComplex64, DType::kComplex128};
  r.Define("ZerosLike")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: type")
      .Doc("Zeros (empty strings, false) in the shape of x.")
      .NoGradient("does not depend on the elements")
      .Shape(FilledShape<0>)
      .Kernel("CPU", MakeKernel<RunZerosLike>, {{"T", zeros}});
  math::DefineUnary(r, "OnesLike",
                    "{bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64, "
                    "complex64, complex128, bool}")
      .Doc("Ones in the shape of x.")
      .NoGradient("does not depend on the elements")
      .Shape(FilledShape<1>)
      .Kernel("CPU", MakeKernel<RunOnesLike>);
}

}  // namespace families
}  // namespace millrace
