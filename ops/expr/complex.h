// The functions of complex numbers, for bodies that are compiled for the floor
// only: they go through the C library.
#pragma once

#include <complex>

#include "millrace/ops/expr/memory.h"

MILLRACE_ISA_NAMESPACE_BEGIN

template <class T>
std::complex<T> Std(Complex<T> z) {
  return {z.re, z.im};
}
template <class T>
Complex<T> FromStd(std::complex<T> z) {
  return {z.real(), z.imag()};
}

template <class T>
Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
Complex<T> operator-(Complex<T> a) {
  return {-a.re, -a.im};
}
template <class T>
Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return FromStd(Std(a) * Std(b));
}
template <class T>
Complex<T> operator/(Complex<T> a, Complex<T> b) {
  return FromStd(Std(a) / Std(b));
}
template <class T>
Mask<1, 1> operator==(Complex<T> a, Complex<T> b) {
  return {a.re == b.re && a.im == b.im};
}
template <class T>
Mask<1, 1> operator!=(Complex<T> a, Complex<T> b) {
  return !(a == b);
}
template <int B, class T>
Complex<T> Select(Mask<B, 1> m, Complex<T> a, Complex<T> b) {
  return m.v ? a : b;
}

template <class T>
Complex<T> Zero(Complex<T>) {
  return {0, 0};
}
template <class T>
Complex<T> One(Complex<T>) {
  return {1, 0};
}
template <class T>
Complex<T> Conj(Complex<T> z) {
  return {z.re, -z.im};
}
template <class T>
Vec<T, 1> Abs(Complex<T> z) {
  return Vec<T, 1>(std::abs(Std(z)));
}
template <class T>
Vec<T, 1> Angle(Complex<T> z) {
  return Vec<T, 1>(std::arg(Std(z)));
}

template <class T>
Complex<T> Exp(Complex<T> z) {
  return FromStd(std::exp(Std(z)));
}
template <class T>
Complex<T> Log(Complex<T> z) {
  return FromStd(std::log(Std(z)));
}
template <class T>
Complex<T> Sqrt(Complex<T> z) {
  return FromStd(std::sqrt(Std(z)));
}
template <class T>
Complex<T> Sin(Complex<T> z) {
  return FromStd(std::sin(Std(z)));
}
template <class T>
Complex<T> Cos(Complex<T> z) {
  return FromStd(std::cos(Std(z)));
}
template <class T>
Complex<T> Tan(Complex<T> z) {
  return FromStd(std::tan(Std(z)));
}
template <class T>
Complex<T> Asin(Complex<T> z) {
  return FromStd(std::asin(Std(z)));
}
template <class T>
Complex<T> Acos(Complex<T> z) {
  return FromStd(std::acos(Std(z)));
}
template <class T>
Complex<T> Atan(Complex<T> z) {
  return FromStd(std::atan(Std(z)));
}
template <class T>
Complex<T> Sinh(Complex<T> z) {
  return FromStd(std::sinh(Std(z)));
}
template <class T>
Complex<T> Cosh(Complex<T> z) {
  return FromStd(std::cosh(Std(z)));
}
template <class T>
Complex<T> Asinh(Complex<T> z) {
  return FromStd(std::asinh(Std(z)));
}
template <class T>
Complex<T> Acosh(Complex<T> z) {
  return FromStd(std::acosh(Std(z)));
}
template <class T>
Complex<T> Atanh(Complex<T> z) {
  return FromStd(std::atanh(Std(z)));
}
template <class T>
Complex<T> Tanh(Complex<T> z) {
  return FromStd(std::tanh(Std(z)));
}
template <class T>
Complex<T> Pow(Complex<T> a, Complex<T> b) {
  // 0 to any power with a positive real part is 0, as C's pow has it; log(0) is not asked.
  if (a.re == 0 && a.im == 0) return b.re == 0 && b.im == 0 ? Complex<T>{1, 0} : Complex<T>{0, 0};
  return FromStd(std::pow(Std(a), Std(b)));
}
template <class T>
Complex<T> Rsqrt(Complex<T> z) {
  return FromStd(std::complex<T>(1) / std::sqrt(Std(z)));
}
template <class T>
Complex<T> Expm1(Complex<T> z) {
  // exp(a + bi) - 1 = expm1(a) cos(b) - 2 sin(b/2)^2 + i exp(a) sin(b)
  const T s = std::sin(z.im / 2);
  return {std::expm1(z.re) * std::cos(z.im) - 2 * s * s, std::exp(z.re) * std::sin(z.im)};
}
template <class T>
Complex<T> Log1p(Complex<T> z) {
  // |1 + z|^2 - 1 = 2 re + |z|^2
  return {std::log1p(z.re * (2 + z.re) + z.im * z.im) / 2, std::atan2(z.im, 1 + z.re)};
}
template <class T>
Complex<T> Sigmoid(Complex<T> z) {
  return FromStd(std::complex<T>(1) / (std::complex<T>(1) + std::exp(-Std(z))));
}

MILLRACE_ISA_NAMESPACE_END
