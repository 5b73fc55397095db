// Quotients and remainders.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/checks.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/registry/sym_eval.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

// Integers are cut towards zero.
template <class S>
MILLRACE_INLINE S Divide(S x, S y) {
  if constexpr (requires { x / y; }) return x / y;
  else return Quotient(x, y);
}
template <class S>
MILLRACE_INLINE S TruncateDivide(S x, S y) {
  if constexpr (requires { Trunc(x); }) return Trunc(x / y);
  else return Quotient(x, y);
}
template <class S>
MILLRACE_INLINE S FloorDivide(S x, S y) {
  if constexpr (requires { Floor(x); }) {
    return Floor(x / y);
  } else {
    const S q = Quotient(x, y);
    return q - Select((q * y != x) & ((x < Zero(x)) ^ (y < Zero(y))), S(1), Zero(x));
  }
}
// x less as many y as there are in it, of floats, which is exact: in double lanes
// the quotient is, up to 2^28, and so is the difference. Larger quotients go in
// steps, by multiples of y that are powers of two.
template <class S>
MILLRACE_INLINE S FloatRemainder(S x, S y) {
  using D = Vec<double, S::kLanes>;
  const S size = Abs(x), divisor = Abs(y);
  const D a = size.template To<double>(), b = divisor.template To<double>(), quotient = a / b;
  const S near = Fma(-Trunc(quotient), b, a).template To<float>();
  const auto steps = [&] {
    D r = a;
    double scale = 0x1p252;
    for (int i = 0; i < 10; ++i, scale *= 0x1p-28) {
      const D step = b * D(scale);
      r = Fma(-Trunc(r / step), step, r);
    }
    return r.template To<float>();
  };
  const S r = SelectRare(quotient >= D(0x1p28), steps, near);
  return CopySign(Select(IsInf(divisor) & IsFinite(size), size, r), x);
}
// Floating-point remainders are exact.
template <class S>
MILLRACE_INLINE S TruncateRemainder(S x, S y) {
  using T = typename S::Elem;
  if constexpr (std::is_same_v<T, float>) return FloatRemainder(x, y);
  else if constexpr (std::is_same_v<T, double>)
    return S::PerLane(x, y, [](double a, double b) { return ::fmod(a, b); });
  else return Remainder(x, y);
}
template <class S>
MILLRACE_INLINE S FloorRemainder(S x, S y) {
  const S r = TruncateRemainder(x, y);
  return Select((r != Zero(r)) & ((r < Zero(r)) ^ (y < Zero(y))), r + y, r);
}

MILLRACE_ISA_NAMESPACE_END

MILLRACE_BINARY_FN(DivFn, Divide(x, y))
MILLRACE_BINARY_FN(TruncateDivFn, TruncateDivide(x, y))
MILLRACE_BINARY_FN(DivNoNanFn, Select(y == Zero(y), Zero(x), x / y))
MILLRACE_BINARY_FN(FloorDivFn, FloorDivide(x, y))
MILLRACE_BINARY_FN(FloorModFn, FloorRemainder(x, y))
MILLRACE_BINARY_FN(TruncateModFn, TruncateRemainder(x, y))

MILLRACE_EXPRESSION(Div, ({.cycles = 4, .check = math::CheckDivisor}), Binary<DivFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<DivFn, MILLRACE_INTEGER_TYPES, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(TruncateDiv, ({.cycles = 4, .check = math::CheckTruncatedDivisor}),
                    Binary<TruncateDivFn, MILLRACE_FLOAT_TYPES>, ScalarBinary<TruncateDivFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(DivNoNan, {2}, Binary<DivNoNanFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<DivNoNanFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(FloorDiv, ({.cycles = 4, .check = math::CheckDivisor}), Binary<FloorDivFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<FloorDivFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(FloorMod, ({.cycles = 20, .check = math::CheckDivisor}), Binary<FloorModFn, float, Half, BFloat16>,
                    ScalarBinary<FloorModFn, double, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(TruncateMod, ({.cycles = 20, .check = math::CheckDivisor}),
                    Binary<TruncateModFn, float, Half, BFloat16>,
                    ScalarBinary<TruncateModFn, double, MILLRACE_INTEGER_TYPES>)

#if MILLRACE_BASELINE
namespace millrace {
namespace {

template <plan::DimOp kOp>
Status DivisionShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(shape_fns::BroadcastBinary(c));
  EvalBinary(c, kOp);
  return OkStatus();
}
// Cut towards zero is the floor for extents, but elements may be negative.
Status TruncatingShape(InferenceContext& c) { return shape_fns::BroadcastBinary(c); }

}  // namespace

namespace families {

void division(Registry& r) {
  using math::DefineBinary;
  constexpr std::string_view kTypes =
      "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, "
      "complex128}";
  DefineBinary(r, "Div", kTypes)
      .Doc("x / y; integers are cut towards zero.\nAn integer division by 0 is an error.")
      .Shape(TruncatingShape)
      .Elementwise(&kDiv);
  DefineBinary(r, "RealDiv", kTypes).Doc("x / y.").Elementwise(&kDiv);
  DefineBinary(r, "TruncateDiv", kTypes)
      .NoGradient("its result moves in steps")
      .Doc("x / y, cut towards zero.\nAn integer division by 0 is an error.")
      .Elementwise(&kTruncateDiv);
  DefineBinary(r, "FloorDiv", kTypes)
      .NoGradient("its result moves in steps")
      .Doc("floor(x / y).\nAn integer division by 0 is an error.")
      .Shape(DivisionShape<plan::DimOp::kFloorDiv>)
      .Elementwise(&kFloorDiv);
  DefineBinary(r, "DivNoNan", "{half, float, bfloat16, double, complex64, complex128}")
      .Doc("x / y, and 0 where y is 0.")
      .Elementwise(&kDivNoNan);
  DefineBinary(r, "FloorMod",
               "{int8, int16, int32, int64, uint8, uint16, uint32, uint64, bfloat16, half, float, double}")
      .Doc("The remainder with the sign of y.\nAn integer division by 0 is an error.")
      .Shape(DivisionShape<plan::DimOp::kMod>)
      .Elementwise(&kFloorMod);
  DefineBinary(r, "TruncateMod", "{int32, int64, bfloat16, half, float, double}")
      .NoGradient("the original has none")
      .Doc("The remainder with the sign of x.\nAn integer division by 0 is an error.")
      .Elementwise(&kTruncateMod);
  DefineBinary(r, "Mod", "{int32, int64, half, half, bfloat16, float, double}")
      .NoGradient("the original has none")
      .Doc("The remainder with the sign of x.\nAn integer division by 0 is an error.")
      .Elementwise(&kTruncateMod);
}

}  // namespace families
}  // namespace millrace
#endif
