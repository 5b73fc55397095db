// GenericProduct: matrix products of integers and complex numbers, one plain
// loop. Integers wrap.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

namespace millrace::linalg {

template <typename T>
struct GenericMatrix {
  const T* data;
  int64_t row_stride, column_stride;
  bool conjugated;
};

namespace product_internal {
template <typename Out, typename T>
Out Convert(T v) {
  return static_cast<Out>(v);
}
template <typename Out, typename T>
Out MultiplyAdd(Out sum, T a, T b) {
  if constexpr (std::is_integral_v<Out>) {
    return static_cast<Out>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  } else {
    return sum + a * b;
  }
}
template <typename F>
std::complex<F> MultiplyAdd(std::complex<F> sum, std::complex<F> a, std::complex<F> b) {
  return {sum.real() + (a.real() * b.real() - a.imag() * b.imag()),
          sum.imag() + (a.real() * b.imag() + a.imag() * b.real())};
}
template <typename T>
T Conjugate(T v, bool) {
  return v;
}
template <typename F>
std::complex<F> Conjugate(std::complex<F> v, bool conjugated) {
  return conjugated ? std::conj(v) : v;
}
}  // namespace product_internal

// Rows [begin, end) of c = a b, c of row length n.
template <typename A, typename B, typename Out>
void GenericProduct(const GenericMatrix<A>& a, const GenericMatrix<B>& b, int64_t begin, int64_t end, int64_t n,
                    int64_t k, Out* c) {
  using product_internal::Conjugate;
  using product_internal::Convert;
  using product_internal::MultiplyAdd;
  for (int64_t i = begin; i < end; ++i) {
    Out* row = c + i * n;
    for (int64_t j = 0; j < n; ++j) row[j] = Out();
    for (int64_t l = 0; l < k; ++l) {
      const Out av = Convert<Out>(Conjugate(a.data[i * a.row_stride + l * a.column_stride], a.conjugated));
      const B* br = b.data + l * b.row_stride;
      for (int64_t j = 0; j < n; ++j) {
        row[j] = MultiplyAdd(row[j], av, Convert<Out>(Conjugate(br[j * b.column_stride], b.conjugated)));
      }
    }
  }
}

}  // namespace millrace::linalg
