// The recording scalars: vectors and masks of zero lanes. Nothing is computed;
// what is asked of them is written to the thread's Recorder, so the generic
// function of an element-wise op, instantiated with them, gives its tape.
#pragma once

#include "millrace/ops/expr/recorder.h"
#include "millrace/ops/expr/scalar.h"

MILLRACE_ISA_NAMESPACE_BEGIN

namespace internal {

template <class T>
constexpr TapeType RecordedType() {
  if constexpr (std::is_same_v<T, float>) return TapeType::kF32;
  else if constexpr (std::is_same_v<T, double>) return TapeType::kF64;
  else if constexpr (std::is_same_v<T, _Float16>) return TapeType::kF16;
  else {
    constexpr TapeType kSigned[] = {TapeType::kI8, TapeType::kI16, TapeType::kI32, TapeType::kI64};
    constexpr TapeType kUnsigned[] = {TapeType::kU8, TapeType::kU16, TapeType::kU32, TapeType::kU64};
    constexpr int kLog = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return std::is_signed_v<T> ? kSigned[kLog] : kUnsigned[kLog];
  }
}
template <class T>
constexpr uint32_t Packed(TapeOp op) {
  return Recorder::Pack(op, RecordedType<T>());
}
constexpr uint32_t PackedTruth(TapeOp op) { return Recorder::Pack(op, TapeType::kBool); }

}  // namespace internal

// Truth values have no width on a tape.
template <int B>
struct Mask<B, 0> {
  static constexpr int kLanes = 0;
  uint32_t id;

#define MILLRACE_RECORD(op, name)                                             \
  friend MILLRACE_INLINE Mask operator op(Mask x, Mask y) {                   \
    return {Recorder::Add2(internal::PackedTruth(TapeOp::name), x.id, y.id)}; \
  }
  MILLRACE_RECORD(&, kAnd)
  MILLRACE_RECORD(|, kOr)
  MILLRACE_RECORD(^, kXor)
  MILLRACE_RECORD(!=, kXor)
#undef MILLRACE_RECORD
  friend MILLRACE_INLINE Mask operator==(Mask x, Mask y) { return !(x ^ y); }
  friend MILLRACE_INLINE Mask operator!(Mask x) { return {Recorder::Add1(internal::PackedTruth(TapeOp::kNot), x.id)}; }
  friend MILLRACE_INLINE Mask Select(Mask m, Mask x, Mask y) {
    return {Recorder::Add3(internal::PackedTruth(TapeOp::kSelect), m.id, x.id, y.id)};
  }
  template <int B2>
  MILLRACE_INLINE Mask<B2, 0> As() const {
    return {id};
  }
  // There is no value to look at: see SelectRare.
  MILLRACE_INLINE bool Any() const {
    Recorder::Refuse();
    return false;
  }
};

template <class T>
struct Vec<T, 0> {
  using Elem = T;
  using M = Mask<sizeof(T), 0>;
  using I = Vec<IntOf<T>, 0>;
  static constexpr int kLanes = 0;
  static constexpr bool kFloating = std::is_floating_point_v<T>;
  uint32_t id;

  Vec() = default;
  MILLRACE_INLINE explicit Vec(T c)
      : id(Recorder::AddConstant(static_cast<uint32_t>(internal::RecordedType<T>()),
                                 __builtin_bit_cast(UintOf<T>, c))) {}
  static MILLRACE_INLINE Vec OfId(uint32_t id) {
    Vec x;
    x.id = id;
    return x;
  }

#define MILLRACE_RECORD1(function, name, condition)                       \
  friend MILLRACE_INLINE Vec function(Vec x)                              \
    requires(condition)                                                   \
  {                                                                       \
    return OfId(Recorder::Add1(internal::Packed<T>(TapeOp::name), x.id)); \
  }
#define MILLRACE_RECORD2(function, name, condition)                             \
  friend MILLRACE_INLINE Vec function(Vec x, Vec y)                             \
    requires(condition)                                                         \
  {                                                                             \
    return OfId(Recorder::Add2(internal::Packed<T>(TapeOp::name), x.id, y.id)); \
  }
#define MILLRACE_RECORD_COMPARISON(op, name)                                  \
  friend MILLRACE_INLINE M operator op(Vec x, Vec y) {                        \
    return {Recorder::Add2(internal::PackedTruth(TapeOp::name), x.id, y.id)}; \
  }
  MILLRACE_RECORD2(operator+, kAdd, true)
  MILLRACE_RECORD2(operator-, kSub, true)
  MILLRACE_RECORD2(operator*, kMul, true)
  MILLRACE_RECORD2(operator/, kDiv, kFloating)
  MILLRACE_RECORD2(operator&, kAnd, !kFloating)
  MILLRACE_RECORD2(operator|, kOr, !kFloating)
  MILLRACE_RECORD2(operator^, kXor, !kFloating)
  MILLRACE_RECORD2(operator<<, kShiftLeft, !kFloating)
  MILLRACE_RECORD2(operator>>, kShiftRight, !kFloating)
  MILLRACE_RECORD1(operator~, kNot, !kFloating)
  MILLRACE_RECORD1(Floor, kFloor, kFloating)
  MILLRACE_RECORD1(Ceil, kCeil, kFloating)
  MILLRACE_RECORD1(Trunc, kTrunc, kFloating)
  MILLRACE_RECORD1(Rint, kRint, kFloating)
  MILLRACE_RECORD1(Sqrt, kSqrt, kFloating)
  MILLRACE_RECORD1(Canonical, kCanonical, kFloating)
  MILLRACE_RECORD_COMPARISON(<, kLess)
  MILLRACE_RECORD_COMPARISON(<=, kLessEqual)
  MILLRACE_RECORD_COMPARISON(>, kGreater)
  MILLRACE_RECORD_COMPARISON(>=, kGreaterEqual)
  MILLRACE_RECORD_COMPARISON(==, kEqual)
  MILLRACE_RECORD_COMPARISON(!=, kNotEqual)
#undef MILLRACE_RECORD1
#undef MILLRACE_RECORD2
#undef MILLRACE_RECORD_COMPARISON
  friend MILLRACE_INLINE Vec operator-(Vec x) {
    if constexpr (kFloating) return OfId(Recorder::Add1(internal::Packed<T>(TapeOp::kNeg), x.id));
    else return Vec(T(0)) - x;
  }
  friend MILLRACE_INLINE Vec operator<<(Vec x, int n)
    requires(!kFloating)
  {
    return x << Vec(static_cast<T>(n));
  }
  friend MILLRACE_INLINE Vec operator>>(Vec x, int n)
    requires(!kFloating)
  {
    return x >> Vec(static_cast<T>(n));
  }
  template <int B>
  friend MILLRACE_INLINE Vec Select(Mask<B, 0> m, Vec x, Vec y) {
    return OfId(Recorder::Add3(internal::Packed<T>(TapeOp::kSelect), m.id, x.id, y.id));
  }
  friend MILLRACE_INLINE M Test(Vec i)
    requires(!kFloating)
  {
    return i != Vec(T(0));
  }
  friend MILLRACE_INLINE I Bits(Vec x)
    requires(kFloating)
  {
    return I::OfId(Recorder::Add1(internal::Packed<IntOf<T>>(TapeOp::kBits), x.id));
  }
  static MILLRACE_INLINE Vec FromBits(I i) { return OfId(Recorder::Add1(internal::Packed<T>(TapeOp::kBits), i.id)); }
  static MILLRACE_INLINE Vec FromInt(I i) { return i.template To<T>(); }
  friend MILLRACE_INLINE Vec Abs(Vec x) {
    if constexpr (kFloating) return OfId(Recorder::Add1(internal::Packed<T>(TapeOp::kAbs), x.id));
    else return Select(x < Vec(T(0)), -x, x);
  }
  friend MILLRACE_INLINE Vec Fma(Vec x, Vec y, Vec z)
    requires(kFloating)
  {
    return OfId(Recorder::Add3(internal::Packed<T>(TapeOp::kFma), x.id, y.id, z.id));
  }
  friend MILLRACE_INLINE Vec Min2(Vec x, Vec y) {
    if constexpr (kFloating) return OfId(Recorder::Add2(internal::Packed<T>(TapeOp::kMin), x.id, y.id));
    else return Select(x < y, x, y);
  }
  friend MILLRACE_INLINE Vec Max2(Vec x, Vec y) {
    if constexpr (kFloating) return OfId(Recorder::Add2(internal::Packed<T>(TapeOp::kMax), x.id, y.id));
    else return Select(x > y, x, y);
  }

  // What goes lane by lane has no tape.
  friend MILLRACE_INLINE Vec Quotient(Vec, Vec)
    requires(!kFloating)
  {
    return OfId(Recorder::Refuse());
  }
  friend MILLRACE_INLINE Vec Remainder(Vec, Vec)
    requires(!kFloating)
  {
    return OfId(Recorder::Refuse());
  }
  template <class F>
  static MILLRACE_INLINE Vec PerLane(Vec, F) {
    return OfId(Recorder::Refuse());
  }
  template <class F>
  static MILLRACE_INLINE Vec PerLane(Vec, Vec, F) {
    return OfId(Recorder::Refuse());
  }

  template <class U>
  MILLRACE_INLINE Vec<U, 0> To() const {
    return Vec<U, 0>::OfId(Recorder::Add1(internal::Packed<U>(TapeOp::kConvert), id));
  }
};

// See scalar.h; what `slow` computes becomes a region of the tape.
template <int B, class T, class Slow>
MILLRACE_INLINE Vec<T, 0> SelectRare(Mask<B, 0> rare, Slow slow, Vec<T, 0> fast) {
  const uint32_t begin = Recorder::BeginRare(rare.id);
  const Vec<T, 0> value = slow();
  return Vec<T, 0>::OfId(
      Recorder::EndRare(begin, static_cast<uint32_t>(internal::RecordedType<T>()), rare.id, value.id, fast.id));
}

// A truth as the byte that it is in memory.
template <int B>
MILLRACE_INLINE Vec<int8_t, 0> TruthByte(Mask<B, 0> m) {
  return Vec<int8_t, 0>::OfId(Recorder::Add1(internal::Packed<int8_t>(TapeOp::kTruth), m.id));
}

MILLRACE_ISA_NAMESPACE_END
