// Cast: every number as another type.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/registry/sym_eval.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

// A floating-point number as an int32 or int64, cut towards zero; the lowest one
// where it does not fit or is NaN, as the CPU's conversion has it.
template <class Word, class From, int N>
MILLRACE_INLINE Vec<Word, N> CutToWord(Vec<From, N> x) {
  using V = Vec<From, N>;
  constexpr From kLimit = static_cast<From>(2) * static_cast<From>(Word{1} << (8 * sizeof(Word) - 2));
  const auto fits = (x >= V(-kLimit)) & (x < V(kLimit));
  const auto word = Select(fits, x, V(0)).template To<Word>();
  constexpr Word kLowest = std::numeric_limits<Word>::min();
  return Select(fits, word, Vec<Word, N>(kLowest));
}
// Narrower types keep the low bits; uint32 and uint64 reach the upper half of
// their range by way of the distance from its middle.
template <class To, class From, int N>
MILLRACE_INLINE Vec<To, N> CutToInteger(Vec<From, N> x) {
  if constexpr (sizeof(To) < 4) {
    return CutToWord<int32_t>(x).template To<To>();
  } else if constexpr (std::is_signed_v<To>) {
    return CutToWord<To>(x);
  } else {
    constexpr To kMiddle = To{1} << (8 * sizeof(To) - 1);
    const Vec<From, N> middle(static_cast<From>(kMiddle));
    const auto low = CutToWord<IntOf<To>>(x).template To<To>();
    const auto high = CutToWord<IntOf<To>>(x - middle).template To<To>() | Vec<To, N>(kMiddle);
    return Select(x >= middle, high, low);
  }
}

template <class To, class From, int N>
MILLRACE_INLINE Vec<To, N> ConvertNumber(Vec<From, N> x) {
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) return CutToInteger<To>(x);
  else return x.template To<To>();
}

// From the compute type of the source to that of Dst. Complex numbers lose their
// imaginary part.
template <class Dst>
struct CastFn {
  template <class T, int N>
  MILLRACE_INLINE static auto Of(Vec<T, N> x) {
    if constexpr (std::is_same_v<Dst, bool>) {
      // Canonical: a denormal that counts as zero is false, whatever the compiler
      // makes of the question.
      if constexpr (Vec<T, N>::kFloating) return Canonical(x) != Vec<T, N>(0);
      else return x != Vec<T, N>(0);
    } else if constexpr (kIsComplex<Dst>) {
      using E = typename Dst::value_type;
      return Complex<E>{ConvertNumber<E>(x).v, 0};
    } else {
      return ConvertNumber<Compute<Dst>>(x);
    }
  }
  template <int B, int N>
  MILLRACE_INLINE static auto Of(Mask<B, N> m) {
    if constexpr (std::is_same_v<Dst, bool>) {
      return m;
    } else if constexpr (kIsComplex<Dst>) {
      using E = typename Dst::value_type;
      return Complex<E>{E(m.v), 0};
    } else {
      using To = Compute<Dst>;
      return Select(m, Vec<To, N>(To(1)), Vec<To, N>(To(0)));
    }
  }
  template <class T>
  static auto Of(Complex<T> z) {
    if constexpr (kIsComplex<Dst>) {
      using E = typename Dst::value_type;
      return Complex<E>{static_cast<E>(z.re), static_cast<E>(z.im)};
    } else {
      return Of(Vec<T, 1>(z.re));
    }
  }
};

// Floating-point numbers cut to kBits of mantissa before they are converted.
template <class Dst, int kBits>
struct TruncatedCastFn {
  template <class T, int N>
  MILLRACE_INLINE static auto Of(Vec<T, N> x) {
    using V = Vec<T, N>;
    using Word = IntOf<T>;
    constexpr int kDropped = (sizeof(T) == 4 ? 23 : 52) - kBits;
    const V cut = V::FromBits(Bits(x) & typename V::I(static_cast<Word>(~((Word{1} << kDropped) - 1))));
    return ConvertNumber<Compute<Dst>>(Select(x == x, cut, x));
  }
};

#define MILLRACE_WIDE_CASTS(Dst)                                                                         \
  Sig<CastFn<Dst>, Dst, float>, Sig<CastFn<Dst>, Dst, double>, Sig<CastFn<Dst>, Dst, Half>,              \
      Sig<CastFn<Dst>, Dst, BFloat16>, Sig<CastFn<Dst>, Dst, int8_t>, Sig<CastFn<Dst>, Dst, int16_t>,    \
      Sig<CastFn<Dst>, Dst, int32_t>, Sig<CastFn<Dst>, Dst, int64_t>, Sig<CastFn<Dst>, Dst, uint8_t>,    \
      Sig<CastFn<Dst>, Dst, uint16_t>, Sig<CastFn<Dst>, Dst, uint32_t>, Sig<CastFn<Dst>, Dst, uint64_t>, \
      Sig<CastFn<Dst>, Dst, bool>, ScalarSig<CastFn<Dst>, Dst, std::complex<float>>,                     \
      ScalarSig<CastFn<Dst>, Dst, std::complex<double>>
template <class Dst, class... Src>
struct ComplexCasts {
  static constexpr int kCount = MILLRACE_BASELINE * sizeof...(Src);
  static constexpr void Fill(Body* at) { ((ScalarSig<CastFn<Dst>, Dst, Src>::Fill(at), at += MILLRACE_BASELINE), ...); }
};

MILLRACE_ISA_NAMESPACE_END

MILLRACE_EXPRESSION(TruncatedCast, {1}, Sig<TruncatedCastFn<Half, 10>, Half, float>,
                    Sig<TruncatedCastFn<BFloat16, 7>, BFloat16, float>, Sig<TruncatedCastFn<float, 23>, float, double>,
                    Sig<TruncatedCastFn<Half, 10>, Half, double>, Sig<TruncatedCastFn<BFloat16, 7>, BFloat16, double>)
MILLRACE_EXPRESSION(Cast, ({.cycles = 1, .variant_attr = "Truncate", .variant = &kTruncatedCast}),
                    MILLRACE_WIDE_CASTS(float), MILLRACE_WIDE_CASTS(double), MILLRACE_WIDE_CASTS(Half),
                    MILLRACE_WIDE_CASTS(BFloat16), MILLRACE_WIDE_CASTS(int8_t), MILLRACE_WIDE_CASTS(int16_t),
                    MILLRACE_WIDE_CASTS(int32_t), MILLRACE_WIDE_CASTS(int64_t), MILLRACE_WIDE_CASTS(uint8_t),
                    MILLRACE_WIDE_CASTS(uint16_t), MILLRACE_WIDE_CASTS(uint32_t), MILLRACE_WIDE_CASTS(uint64_t),
                    MILLRACE_WIDE_CASTS(bool),
                    ComplexCasts<std::complex<float>, MILLRACE_REAL_TYPES, bool, MILLRACE_COMPLEX_TYPES>,
                    ComplexCasts<std::complex<double>, MILLRACE_REAL_TYPES, bool, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE
namespace millrace {
namespace {

Status CastShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(math::SameShape(c));
  EvalCast(c, c.attr<DType>("DstT"));
  return OkStatus();
}

}  // namespace

namespace families {

void cast(Registry& r) {
  r.Define("Cast")
      .Input("x: SrcT")
      .Output("y: DstT")
      .Attr("SrcT: type")
      .Attr("DstT: type")
      .Attr("Truncate: bool = false")
      .Doc(
          "x as another type.\nFloating-point numbers are cut towards zero on the way to integers, and rounded to the "
          "nearest, or cut with Truncate, on the way to narrower ones.")
      .Shape(CastShape)
      .Elementwise(&kCast);
}

}  // namespace families
}  // namespace millrace
#endif
