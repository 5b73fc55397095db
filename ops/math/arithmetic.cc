// Sums, differences and products, of numbers of any type.
#include "millrace/ops/expr/family.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/registry/sym_eval.h"
#endif

#define MILLRACE_REAL_TYPES \
  float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
#define MILLRACE_COMPLEX_TYPES std::complex<float>, std::complex<double>

MILLRACE_BINARY_FN(AddFn, x + y)
MILLRACE_BINARY_FN(SubFn, x - y)
MILLRACE_BINARY_FN(MulFn, x * y)

MILLRACE_EXPRESSION(Add, {1}, Binary<AddFn, MILLRACE_REAL_TYPES>, ScalarBinary<AddFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Sub, {1}, Binary<SubFn, MILLRACE_REAL_TYPES>, ScalarBinary<SubFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Mul, {1}, Binary<MulFn, MILLRACE_REAL_TYPES>, ScalarBinary<MulFn, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE
namespace millrace {
namespace families { void arithmetic(Registry&); }
namespace {

template <plan::DimOp kOp>
Status ArithmeticShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(shape_fns::BroadcastBinary(c));
  EvalBinary(c, kOp);
  return OkStatus();
}

}  // namespace

void families::arithmetic(Registry& r) {
  using math::DefineBinary;
  DefineBinary(r, "Add",
               "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}")
      .Doc("x + y.\nIntegers wrap.")
      .Shape(ArithmeticShape<plan::DimOp::kAdd>)
      .Elementwise(&kAdd);
  DefineBinary(r, "AddV2",
               "{bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, "
               "complex128}")
      .Doc("x + y.\nIntegers wrap.")
      .Commutative()
      .Aggregate()
      .Shape(ArithmeticShape<plan::DimOp::kAdd>)
      .Elementwise(&kAdd);
  constexpr std::string_view kSubTypes =
      "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, uint32, uint64}";
  DefineBinary(r, "Sub", kSubTypes).Doc("x - y.").Shape(ArithmeticShape<plan::DimOp::kSub>).Elementwise(&kSub);
  constexpr std::string_view kMulTypes =
      "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}";
  DefineBinary(r, "Mul", kMulTypes).Doc("x * y.").Commutative().Shape(ArithmeticShape<plan::DimOp::kMul>).Elementwise(&kMul);
}

}  // namespace millrace
#endif
