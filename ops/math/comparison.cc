// Comparisons and what asks for the kind of a number.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/math/equality.h"
#endif

MILLRACE_BINARY_FN(EqualFn, x == y)
MILLRACE_BINARY_FN(NotEqualFn, x != y)
MILLRACE_BINARY_FN(LessFn, x < y)
MILLRACE_BINARY_FN(LessEqualFn, x <= y)
MILLRACE_BINARY_FN(GreaterFn, x > y)
MILLRACE_BINARY_FN(GreaterEqualFn, x >= y)
MILLRACE_TERNARY_FN(ApproximateEqualFn, Select(x > y, x - y, y - x) < z)
MILLRACE_UNARY_FN(IsNanFn, IsNan(x))
MILLRACE_UNARY_FN(IsInfFn, IsInf(x))
MILLRACE_UNARY_FN(IsFiniteFn, IsFinite(x))

MILLRACE_ISA_NAMESPACE_BEGIN
template <class Fn, class... T>
struct Comparison3 {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, bool, T, T, T>::Fill(at++)), ...); }
};
MILLRACE_ISA_NAMESPACE_END

MILLRACE_EXPRESSION(Equal, ({.factory = math::NewEqual}), Comparison<EqualFn, MILLRACE_REAL_TYPES, bool>,
                    ScalarComparison<EqualFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(NotEqual, ({.factory = math::NewNotEqual}), Comparison<NotEqualFn, MILLRACE_REAL_TYPES, bool>,
                    ScalarComparison<NotEqualFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Less, {1}, Comparison<LessFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(LessEqual, {1}, Comparison<LessEqualFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(Greater, {1}, Comparison<GreaterFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(GreaterEqual, {1}, Comparison<GreaterEqualFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(ApproximateEqual, ({.cycles = 1, .attr_operand = "tolerance"}),
                    Comparison3<ApproximateEqualFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(IsNan, {1}, Predicate<IsNanFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(IsInf, {1}, Predicate<IsInfFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(IsFinite, {1}, Predicate<IsFiniteFn, MILLRACE_FLOAT_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void comparison(Registry& r) {
  const auto compare = [&](const char* name, const char* types) {
    OpBuilder b = r.Define(name);
    b.Input("x: T").Input("y: T").Output("z: bool").Attr(types);
    b.Shape(shape_fns::BroadcastBinary).NoGradient("truth values have none");
    return b;
  };
  compare("Equal", "T: type")
      .Attr("incompatible_shape_error: bool = true")
      .Doc("x == y.\nWithout incompatible_shape_error, shapes that do not broadcast give one false.")
      .Commutative()
      .Shape(math::EqualityShape)
      .Elementwise(&kEqual)
      .Kernel("CPU", math::NewStringEqual, {{"T", {DType::kString}}});
  compare("NotEqual", "T: type")
      .Attr("incompatible_shape_error: bool = true")
      .Doc("x != y.\nWithout incompatible_shape_error, shapes that do not broadcast give one true.")
      .Commutative()
      .Shape(math::EqualityShape)
      .Elementwise(&kNotEqual)
      .Kernel("CPU", math::NewStringNotEqual, {{"T", {DType::kString}}});
  constexpr const char* kOrdered =
      "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}";
  compare("Less", kOrdered).Doc("x < y.").Elementwise(&kLess);
  compare("LessEqual", kOrdered).Doc("x <= y.").Elementwise(&kLessEqual);
  compare("Greater", kOrdered).Doc("x > y.").Elementwise(&kGreater);
  compare("GreaterEqual", kOrdered).Doc("x >= y.").Elementwise(&kGreaterEqual);
  compare("ApproximateEqual",
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("tolerance: float = 1e-05")
      .Doc("|x - y| < tolerance.")
      .Commutative()
      .Shape(shape_fns::MergeInputs)
      .Elementwise(&kApproximateEqual);
  const auto ask = [&](const char* name) {
    OpBuilder b = r.Define(name);
    b.Input("x: T").Output("y: bool").Attr("T: {bfloat16, half, float, double}");
    b.Shape(math::SameShape).NoGradient("truth values have none");
    return b;
  };
  ask("IsNan").Doc("Whether x is not a number.").Elementwise(&kIsNan);
  ask("IsInf").Doc("Whether x is infinite.").Elementwise(&kIsInf);
  ask("IsFinite").Doc("Whether x is a finite number.").Elementwise(&kIsFinite);
}

}  // namespace millrace::families
#endif
