// Sums, differences, products and extremes.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/math/strings.h"
#include "millrace/ops/registry/sym_eval.h"
#endif

MILLRACE_BINARY_FN(AddFn, x + y)
MILLRACE_BINARY_FN(SubFn, x - y)
MILLRACE_BINARY_FN(MulFn, x* y)
MILLRACE_BINARY_FN(SquaredDifferenceFn, Conj(x - y) * (x - y))
MILLRACE_BINARY_FN(MulNoNanFn, Select(y == Zero(y), y, x* y))
MILLRACE_BINARY_FN(MaximumFn, Maximum(x, y))
MILLRACE_BINARY_FN(MinimumFn, Minimum(x, y))

MILLRACE_EXPRESSION(Add, {1}, Binary<AddFn, MILLRACE_REAL_TYPES>, ScalarBinary<AddFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Sub, {1}, Binary<SubFn, MILLRACE_REAL_TYPES>, ScalarBinary<SubFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Mul, {1}, Binary<MulFn, MILLRACE_REAL_TYPES>, ScalarBinary<MulFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(SquaredDifference, {1}, Binary<SquaredDifferenceFn, MILLRACE_FLOAT_TYPES, int32_t, int64_t>,
                    ScalarBinary<SquaredDifferenceFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(MulNoNan, {1}, Binary<MulNoNanFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<MulNoNanFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Maximum, {1}, Binary<MaximumFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(Minimum, {1}, Binary<MinimumFn, MILLRACE_REAL_TYPES>)

#if MILLRACE_BASELINE
namespace millrace {
namespace {

template <plan::DimOp kOp>
Status ArithmeticShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(shape_fns::BroadcastBinary(c));
  EvalBinary(c, kOp);
  return OkStatus();
}

}  // namespace

namespace families {

void arithmetic(Registry& r) {
  using math::DefineBinary;
  using plan::DimOp;
  DefineBinary(r, "Add",
               "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}")
      .Doc("x + y.\nIntegers wrap; strings are joined.")
      .Shape(ArithmeticShape<DimOp::kAdd>)
      .Elementwise(&kAdd)
      .Kernel("CPU", MakeKernel<math::JoinStrings>, {{"T", {DType::kString}}});
  DefineBinary(r, "AddV2",
               "{bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, "
               "complex128}")
      .Doc("x + y.\nIntegers wrap.")
      .Commutative()
      .Aggregate()
      .Shape(ArithmeticShape<DimOp::kAdd>)
      .Elementwise(&kAdd);
  DefineBinary(r, "Sub",
               "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, "
               "uint32, uint64}")
      .Doc("x - y.\nIntegers wrap.")
      .Shape(ArithmeticShape<DimOp::kSub>)
      .Elementwise(&kSub);
  DefineBinary(r, "Mul",
               "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, "
               "complex128}")
      .Doc("x * y.\nIntegers wrap.")
      .Commutative()
      .Shape(ArithmeticShape<DimOp::kMul>)
      .Elementwise(&kMul);
  DefineBinary(r, "SquaredDifference", "{bfloat16, half, float, double, int32, int64, complex64, complex128}")
      .Doc("(x - y)^2; of complex numbers the square of the distance.")
      .Commutative()
      .Elementwise(&kSquaredDifference);
  DefineBinary(r, "MulNoNan", "{bfloat16, half, float, double, complex64, complex128}")
      .Doc("x * y, and 0 where y is 0, whatever x is.")
      .Elementwise(&kMulNoNan);
  constexpr std::string_view kOrdered =
      "{bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}";
  DefineBinary(r, "Maximum", kOrdered)
      .Doc("The greater of x and y; a NaN wins.")
      .Shape(ArithmeticShape<DimOp::kMax>)
      .Elementwise(&kMaximum);
  DefineBinary(r, "Minimum", kOrdered)
      .Doc("The smaller of x and y; a NaN wins.")
      .Shape(ArithmeticShape<DimOp::kMin>)
      .Elementwise(&kMinimum);
}

}  // namespace families
}  // namespace millrace
#endif
