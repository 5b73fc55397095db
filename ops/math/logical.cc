// Operations on truth values and on bits.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/math/definitions.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

// A count of bits to shift by, from 0 to the width less one.
template <class T, int N>
MILLRACE_INLINE Vec<T, N> ShiftCount(Vec<T, N> n) {
  return Max2(Vec<T, N>(T(0)), Min2(Vec<T, N>(static_cast<T>(8 * sizeof(T) - 1)), n));
}

MILLRACE_ISA_NAMESPACE_END

MILLRACE_BINARY_FN(AndFn, x& y)
MILLRACE_BINARY_FN(OrFn, x | y)
MILLRACE_BINARY_FN(XorFn, x ^ y)
MILLRACE_UNARY_FN(NotFn, !x)
MILLRACE_UNARY_FN(InvertFn, ~x)
MILLRACE_BINARY_FN(LeftShiftFn, x << ShiftCount(y))
MILLRACE_BINARY_FN(RightShiftFn, x >> ShiftCount(y))

MILLRACE_EXPRESSION(LogicalAnd, {1}, Binary<AndFn, bool>)
MILLRACE_EXPRESSION(LogicalOr, {1}, Binary<OrFn, bool>)
MILLRACE_EXPRESSION(LogicalNot, {1}, Unary<NotFn, bool>)
MILLRACE_EXPRESSION(BitwiseAnd, {1}, Binary<AndFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(BitwiseOr, {1}, Binary<OrFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(BitwiseXor, {1}, Binary<XorFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(Invert, {1}, Unary<InvertFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(LeftShift, {2}, Binary<LeftShiftFn, MILLRACE_INTEGER_TYPES>)
MILLRACE_EXPRESSION(RightShift, {2}, Binary<RightShiftFn, MILLRACE_INTEGER_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void logical(Registry& r) {
  const auto truth = [&](const char* name) {
    OpBuilder b = r.Define(name);
    b.Input("x: bool").Input("y: bool").Output("z: bool").Commutative();
    b.Shape(shape_fns::BroadcastBinary).NoGradient("truth values have none");
    return b;
  };
  truth("LogicalAnd").Doc("x and y.").Elementwise(&kLogicalAnd);
  truth("LogicalOr").Doc("x or y.").Elementwise(&kLogicalOr);
  r.Define("LogicalNot")
      .Input("x: bool")
      .Output("y: bool")
      .Doc("not x.")
      .Shape(math::SameShape)
      .NoGradient("truth values have none")
      .Elementwise(&kLogicalNot);

  constexpr std::string_view kTypes = "{int8, int16, int32, int64, uint8, uint16, uint32, uint64}";
  const auto bits = [&](const char* name) {
    return math::DefineBinary(r, name, kTypes).NoGradient("integers have none");
  };
  bits("BitwiseAnd").Doc("The bits that x and y share.").Commutative().Elementwise(&kBitwiseAnd);
  bits("BitwiseOr").Doc("The bits of x and of y.").Commutative().Elementwise(&kBitwiseOr);
  bits("BitwiseXor").Doc("The bits in which x and y differ.").Commutative().Elementwise(&kBitwiseXor);
  bits("LeftShift").Doc("x << y.\nThe count is brought into [0, width).").Elementwise(&kLeftShift);
  bits("RightShift")
      .Doc("x >> y, with the sign of signed types.\nThe count is brought into [0, width).")
      .Elementwise(&kRightShift);
  math::DefineUnary(r, "Invert", kTypes)
      .Doc("All bits of x the other way.")
      .NoGradient("integers have none")
      .Elementwise(&kInvert);
}

}  // namespace millrace::families
#endif
