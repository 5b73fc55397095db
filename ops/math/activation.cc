// Activation functions and their gradients.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/math/definitions.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

// The constants of "Self-Normalizing Neural Networks" (Klambauer et al.).
inline constexpr double kSeluScale = 1.0507009873554804934193349852946;
inline constexpr double kSeluScaleAlpha = 1.7580993408473768599402175208123;

// exp(x) - 1, and 0 so close to 0 that the reference's difference has nothing left.
template <FloatingScalar S>
MILLRACE_INLINE S SeluTail(S x) {
  return Select(x > Const<S>(-1e-30, -1e-300), S(0), Expm1(x));
}

MILLRACE_ISA_NAMESPACE_END

// Maximum and Minimum let a NaN through.
MILLRACE_UNARY_FN(ReluFn, Maximum(x, Zero(x)))
MILLRACE_UNARY_FN(Relu6Fn, Minimum(Maximum(x, Zero(x)), S(6)))
MILLRACE_BINARY_FN(LeakyReluFn, Select(x > Zero(x), x, x* y))
MILLRACE_UNARY_FN(EluFn, Select(x < Zero(x), Expm1(x), x))
MILLRACE_UNARY_FN(SeluFn, Select(x < Zero(x), Const<S>(kSeluScaleAlpha) * SeluTail(x), Const<S>(kSeluScale) * x))
MILLRACE_UNARY_FN(SoftplusFn, Softplus(x))
MILLRACE_UNARY_FN(SoftsignFn, x / (Abs(x) + S(1)))
// Of the gradient x and, as y, the features, or the result where the op's
// argument is called outputs.
MILLRACE_BINARY_FN(ReluGradFn, Select(y > Zero(y), x, Zero(x)))
MILLRACE_BINARY_FN(Relu6GradFn, Select((y > Zero(y)) & (y < S(6)), x, Zero(x)))
MILLRACE_TERNARY_FN(LeakyReluGradFn, Select(y > Zero(y), x, x* z))
MILLRACE_BINARY_FN(EluGradFn, Select(y < Zero(y), (y + S(1)) * x, x))
MILLRACE_BINARY_FN(SeluGradFn, Select(y < Zero(y), x*(y + Const<S>(kSeluScaleAlpha)), x* Const<S>(kSeluScale)))
MILLRACE_BINARY_FN(SoftplusGradFn, x* Sigmoid(y))
MILLRACE_BINARY_FN(SoftsignGradFn, x / ((Abs(y) + S(1)) * (Abs(y) + S(1))))

MILLRACE_EXPRESSION(Relu, {1}, Unary<ReluFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(Relu6, {1}, Unary<Relu6Fn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(LeakyRelu, ({.cycles = 1, .attr_operand = "alpha"}), Binary<LeakyReluFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Elu, {4}, Unary<EluFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Selu, {4}, Unary<SeluFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Softplus, {8}, Unary<SoftplusFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Softsign, {2}, Unary<SoftsignFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(ReluGrad, {1}, Binary<ReluGradFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(Relu6Grad, {1}, Binary<Relu6GradFn, MILLRACE_REAL_TYPES>)
MILLRACE_EXPRESSION(LeakyReluGrad, ({.cycles = 1, .attr_operand = "alpha"}),
                    Ternary<LeakyReluGradFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(EluGrad, {1}, Binary<EluGradFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(SeluGrad, {1}, Binary<SeluGradFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(SoftplusGrad, {5}, Binary<SoftplusGradFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(SoftsignGrad, {2}, Binary<SoftsignGradFn, MILLRACE_FLOAT_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void activation(Registry& r) {
  constexpr const char* kReal =
      "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}";
  constexpr const char* kFloat = "T: {half, bfloat16, float, double}";
  const auto define = [&](const char* name, const char* types) {
    OpBuilder b = r.Define(name);
    b.Input("features: T").Output("activations: T").Attr(types).Shape(math::SameShape);
    return b;
  };
  define("Relu", "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8}")
      .Doc("max(x, 0).")
      .Elementwise(&kRelu);
  define("Relu6", kReal).Doc("min(max(x, 0), 6).").Elementwise(&kRelu6);
  define("Elu", kFloat).Doc("x, and exp(x) - 1 below 0.").Elementwise(&kElu);
  define("Selu", kFloat).Doc("The scaled exponential linear unit.").Elementwise(&kSelu);
  define("Softplus", kFloat).Doc("log(1 + exp(x)).").Elementwise(&kSoftplus);
  define("Softsign", kFloat).Doc("x / (|x| + 1).").Elementwise(&kSoftsign);
  r.Define("LeakyRelu")
      .Input("features: T")
      .Output("activations: T")
      .Attr("alpha: float = 0.2")
      .Attr("T: {half, bfloat16, float, double} = DT_FLOAT")
      .Doc("x, and alpha x below 0.")
      .Shape(math::SameShape)
      .Elementwise(&kLeakyRelu);

  const auto gradient = [&](const char* name, const char* types, const char* of) {
    OpBuilder b = r.Define(name);
    b.Input("gradients: T").Input(of).Output("backprops: T").Attr(types);
    b.Shape(shape_fns::MergeInputs);
    return b;
  };
  gradient("ReluGrad", kReal, "features: T").Doc("The gradient of Relu; 0 at 0.").Elementwise(&kReluGrad);
  gradient("Relu6Grad", kReal, "features: T").Doc("The gradient of Relu6; 0 at the corners.").Elementwise(&kRelu6Grad);
  gradient("EluGrad", kFloat, "outputs: T").Doc("The gradient of Elu, from its result.").Elementwise(&kEluGrad);
  gradient("SeluGrad", kFloat, "outputs: T").Doc("The gradient of Selu, from its result.").Elementwise(&kSeluGrad);
  gradient("SoftplusGrad", kFloat, "features: T").Doc("The gradient of Softplus.").Elementwise(&kSoftplusGrad);
  gradient("SoftsignGrad", kFloat, "features: T").Doc("The gradient of Softsign.").Elementwise(&kSoftsignGrad);
  r.Define("LeakyReluGrad")
      .Input("gradients: T")
      .Input("features: T")
      .Output("backprops: T")
      .Attr("alpha: float = 0.2")
      .Attr("T: {half, bfloat16, float, double} = DT_FLOAT")
      .Doc("The gradient of LeakyRelu.")
      .Shape(shape_fns::MergeInputs)
      .Elementwise(&kLeakyReluGrad);
}

}  // namespace millrace::families
#endif
