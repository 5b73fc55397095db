// What factorisations and solvers compute in: double, or complex numbers of it.
#pragma once

#include <complex>

#include "millrace/proto/value/half.h"

namespace millrace::linalg {

template <typename T>
struct PreciseOf {
  using type = double;
};
template <typename T>
struct PreciseOf<std::complex<T>> {
  using type = std::complex<double>;
};
template <typename T>
using Precise = typename PreciseOf<T>::type;

template <typename T>
Precise<T> ToPrecise(T x) {
  return static_cast<Precise<T>>(x);
}
inline double ToPrecise(Half x) { return static_cast<float>(x); }

inline double Conj(double x) { return x; }
inline std::complex<double> Conj(std::complex<double> x) { return std::conj(x); }

}  // namespace millrace::linalg
