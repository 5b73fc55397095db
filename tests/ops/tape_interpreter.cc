#include "millrace/tests/ops/tape_interpreter.h"

#include <immintrin.h>

#include <cmath>
#include <cstring>
#include <type_traits>

namespace millrace {
namespace {

template <class T>
T From(uint64_t bits) {
  // Any byte but 0 is true, as where bools are loaded from memory.
  if constexpr (std::is_same_v<T, bool>) return static_cast<uint8_t>(bits) != 0;
  T v{};
  std::memcpy(&v, &bits, sizeof v);
  return v;
}
template <class T>
uint64_t To(T v) {
  uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof v);
  return bits;
}

template <class F>
uint64_t WithType(TapeType type, F f) {
  switch (type) {
    case TapeType::kBool:
      return f(bool{});
    case TapeType::kI8:
      return f(int8_t{});
    case TapeType::kI16:
      return f(int16_t{});
    case TapeType::kI32:
      return f(int32_t{});
    case TapeType::kI64:
      return f(int64_t{});
    case TapeType::kU8:
      return f(uint8_t{});
    case TapeType::kU16:
      return f(uint16_t{});
    case TapeType::kU32:
      return f(uint32_t{});
    case TapeType::kU64:
      return f(uint64_t{});
    case TapeType::kF16:
      return f(_Float16{});
    case TapeType::kF32:
      return f(float{});
    case TapeType::kF64:
      return f(double{});
  }
  return 0;
}

template <class T>
constexpr bool kFloats = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
constexpr bool kHalf = std::is_same_v<T, _Float16>;

template <class T>
bool Compare(TapeOp op, T a, T b) {
  switch (op) {
    case TapeOp::kLess:
      return a < b;
    case TapeOp::kLessEqual:
      return a <= b;
    case TapeOp::kGreater:
      return a > b;
    case TapeOp::kGreaterEqual:
      return a >= b;
    case TapeOp::kEqual:
      return a == b;
    default:
      return a != b;
  }
}

// Of integers and truths.
template <class T>
T Whole(TapeOp op, T x, T y) {
  const auto a = static_cast<uint64_t>(x), b = static_cast<uint64_t>(y);
  switch (op) {
    case TapeOp::kAdd:
      return static_cast<T>(a + b);
    case TapeOp::kSub:
      return static_cast<T>(a - b);
    case TapeOp::kMul:
      return static_cast<T>(a * b);
    case TapeOp::kAnd:
      return static_cast<T>(a & b);
    case TapeOp::kOr:
      return static_cast<T>(a | b);
    case TapeOp::kXor:
      return static_cast<T>(a ^ b);
    case TapeOp::kNot:
      if constexpr (std::is_same_v<T, bool>) return !x;
      else return static_cast<T>(~a);
    case TapeOp::kShiftLeft:
      return static_cast<T>(a << b);
    case TapeOp::kShiftRight:
      if constexpr (std::is_same_v<T, bool>) return false;
      else return static_cast<T>(x >> y);
    default:
      return T{};
  }
}

template <class T>
T Floating(TapeOp op, T a, T b, T c) {
  switch (op) {
    case TapeOp::kAdd:
      return a + b;
    case TapeOp::kSub:
      return a - b;
    case TapeOp::kMul:
      return a * b;
    case TapeOp::kDiv:
      return a / b;
    case TapeOp::kNeg:
      return -a;
    case TapeOp::kAbs:
      return std::fabs(a);
    case TapeOp::kFloor:
      return std::floor(a);
    case TapeOp::kCeil:
      return std::ceil(a);
    case TapeOp::kTrunc:
      return std::trunc(a);
    case TapeOp::kRint:
      return std::nearbyint(a);
    case TapeOp::kSqrt:
      return std::sqrt(a);
    case TapeOp::kCanonical: {
      volatile T one = 1;
      return a * one;
    }
    case TapeOp::kMin:
      if constexpr (sizeof(T) == 4) return _mm_cvtss_f32(_mm_min_ss(_mm_set_ss(a), _mm_set_ss(b)));
      else return _mm_cvtsd_f64(_mm_min_sd(_mm_set_sd(a), _mm_set_sd(b)));
    case TapeOp::kMax:
      if constexpr (sizeof(T) == 4) return _mm_cvtss_f32(_mm_max_ss(_mm_set_ss(a), _mm_set_ss(b)));
      else return _mm_cvtsd_f64(_mm_max_sd(_mm_set_sd(a), _mm_set_sd(b)));
    case TapeOp::kFma:
      return std::fma(a, b, c);
    default:
      return T{};
  }
}

}  // namespace

std::vector<uint64_t> RunTape(const Tape& tape, std::span<const uint64_t> inputs) {
  std::vector<uint64_t> values(tape.code.size());
  for (size_t at = 0; at < tape.code.size(); ++at) {
    const TapeInstruction& i = tape.code[at];
    const uint64_t a = values[i.a], b = values[i.b], c = values[i.c];
    switch (i.op) {
      case TapeOp::kInput:
        values[at] = inputs[i.immediate];
        break;
      case TapeOp::kConstant:
        values[at] = i.immediate;
        break;
      case TapeOp::kLess:
      case TapeOp::kLessEqual:
      case TapeOp::kGreater:
      case TapeOp::kGreaterEqual:
      case TapeOp::kEqual:
      case TapeOp::kNotEqual:
        values[at] =
            WithType(tape.code[i.a].type, [&]<class T>(T) { return uint64_t{Compare(i.op, From<T>(a), From<T>(b))}; });
        break;
      case TapeOp::kSelect:
      case TapeOp::kRareEnd:
        values[at] = a != 0 ? b : c;
        break;
      case TapeOp::kBits:
      case TapeOp::kTruth:
        values[at] = a;
        break;
      case TapeOp::kConvert:
        values[at] = WithType(tape.code[i.a].type, [&]<class T>(T) {
          return WithType(i.type, [&]<class U>(U) { return To(static_cast<U>(From<T>(a))); });
        });
        break;
      case TapeOp::kRare:  // what follows is computed for all
        break;
      default:
        values[at] = WithType(i.type, [&]<class T>(T) {
          if constexpr (kFloats<T>) return To(Floating(i.op, From<T>(a), From<T>(b), From<T>(c)));
          else if constexpr (kHalf<T>) return uint64_t{0};
          else return To(Whole(i.op, From<T>(a), From<T>(b)));
        });
    }
  }
  std::vector<uint64_t> out;
  for (const Tape::Output& o : tape.outputs) out.push_back(values[o.value]);
  return out;
}

}  // namespace millrace
