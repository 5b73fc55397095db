// Complex numbers and their parts.
#include "millrace/ops/expr/complex.h"

#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/definitions.h"

MILLRACE_ISA_NAMESPACE_BEGIN
template <class T>
Complex<T> MakeComplex(Vec<T, 1> re, Vec<T, 1> im) {
  return {re.v, im.v};
}
template <class T>
Vec<T, 1> Real(Complex<T> z) {
  return Vec<T, 1>(z.re);
}
template <class T>
Vec<T, 1> Imag(Complex<T> z) {
  return Vec<T, 1>(z.im);
}
MILLRACE_ISA_NAMESPACE_END

MILLRACE_BINARY_FN(ComplexFn, MakeComplex(x, y))
MILLRACE_UNARY_FN(RealFn, Real(x))
MILLRACE_UNARY_FN(ImagFn, Imag(x))
MILLRACE_UNARY_FN(ConjFn, Conj(x))
MILLRACE_UNARY_FN(ComplexAbsFn, Abs(x))
MILLRACE_UNARY_FN(AngleFn, Angle(x))

#define MILLRACE_TO_REAL(Fn) ScalarSig<Fn, float, std::complex<float>>, ScalarSig<Fn, double, std::complex<double>>
MILLRACE_BASELINE_EXPRESSION(Complex, {2}, ScalarSig<ComplexFn, std::complex<float>, float, float>,
                             ScalarSig<ComplexFn, std::complex<double>, double, double>)
MILLRACE_BASELINE_EXPRESSION(Real, {2}, MILLRACE_TO_REAL(RealFn))
MILLRACE_BASELINE_EXPRESSION(Imag, {2}, MILLRACE_TO_REAL(ImagFn))
MILLRACE_BASELINE_EXPRESSION(Conj, {2}, ScalarUnary<ConjFn, std::complex<float>, std::complex<double>>)
MILLRACE_BASELINE_EXPRESSION(ComplexAbs, {10}, MILLRACE_TO_REAL(ComplexAbsFn))
MILLRACE_BASELINE_EXPRESSION(Angle, {40}, MILLRACE_TO_REAL(AngleFn))

namespace millrace::families {

void complex(Registry& r) {
  constexpr const char* kT = "T: {complex64, complex128} = DT_COMPLEX64";
  constexpr const char* kTout = "Tout: {float, double} = DT_FLOAT";
  r.Define("Complex")
      .Input("real: T")
      .Input("imag: T")
      .Output("out: Tout")
      .Attr("T: {float, double} = DT_FLOAT")
      .Attr("Tout: {complex64, complex128} = DT_COMPLEX64")
      .Doc("The complex number of two parts.")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(&kComplex);
  const auto part = [&](const char* name, const char* input, const char* output) {
    OpBuilder b = r.Define(name);
    b.Input(input).Output(output).Attr(kT).Attr(kTout).Shape(math::SameShape);
    return b;
  };
  part("Real", "input: T", "output: Tout").Doc("The real part.").Elementwise(&kReal);
  part("Imag", "input: T", "output: Tout").Doc("The imaginary part.").Elementwise(&kImag);
  part("Angle", "input: T", "output: Tout").Doc("The angle with the real axis.").Elementwise(&kAngle);
  part("ComplexAbs", "x: T", "y: Tout").Doc("The absolute value.").Elementwise(&kComplexAbs);
  r.Define("Conj")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: {complex64, complex128, variant} = DT_COMPLEX64")
      .Doc("The complex conjugate.")
      .Shape(math::SameShape)
      .Elementwise(&kConj);
}

}  // namespace millrace::families
