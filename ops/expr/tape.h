// A tape: an expression as data. What the generic function of an element-wise op
// does to its scalars, one instruction each, in order; every value is written
// once. The compiler lowers tapes to machine code; tests run them one element at a
// time.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/status.h"

namespace millrace {

enum class TapeType : uint8_t { kBool, kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64, kF16, kF32, kF64 };

enum class TapeOp : uint8_t {
  kInput,     // immediate: which input of the tape; as it lies in memory (see MemoryType)
  kConstant,  // immediate: the bits
  // Of two values of the result's type, or one. Integers wrap; floating-point
  // operations round once.
  kAdd,
  kSub,
  kMul,
  kDiv,  // floating-point only
  kNeg,  // floating-point only
  kAnd,  // integers and kBool, as the three below
  kOr,
  kXor,
  kNot,
  kShiftLeft,   // counts are in [0, width)
  kShiftRight,  // keeps the sign of signed types
  // To kBool, of two values of one type that is not kBool. A NaN is unequal to
  // everything and neither more nor less.
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kSelect,   // b where a (kBool) holds, else c
  kBits,     // the bits of a in another type of the same size
  kConvert,  // the number a in another type, as C++ converts it; floating-point to integer only in range
  kTruth,    // of a kBool: 1 or 0
  // Floating-point.
  kAbs,
  kFloor,
  kCeil,
  kTrunc,
  kRint,  // ties to even
  kSqrt,
  kCanonical,  // a denormal becomes 0 where arithmetic flushes them
  kMin,        // as minps has it: b where either is NaN or both are zero; flushes what arithmetic flushes
  kMax,
  kFma,  // a * b + c, rounded once
  // SelectRare: the instructions that follow a kRare, immediate of them, matter
  // only where a (kBool) holds in some lane; they may be left out where it holds in
  // none. The kRareEnd after them is a kSelect. Regions do not nest in each other's
  // values: what is inside is used inside and by its kRareEnd alone.
  kRare,
  kRareEnd,
};

struct TapeInstruction {
  TapeOp op;
  TapeType type;                 // of the result
  uint32_t a = 0, b = 0, c = 0;  // values: numbers of earlier instructions
  uint64_t immediate = 0;
};

struct Tape {
  struct Output {
    uint32_t value = 0;
    TapeType type = TapeType::kF32;
  };
  std::vector<TapeInstruction> code;
  std::vector<TapeType> inputs;
  std::vector<Output> outputs;
};

inline constexpr int TapeTypeBytes(TapeType type) {
  constexpr int kBytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8};
  return kBytes[static_cast<int>(type)];
}
inline constexpr bool IsFloatingTape(TapeType type) { return type >= TapeType::kF16; }
inline constexpr bool IsSignedTape(TapeType type) { return type >= TapeType::kI8 && type <= TapeType::kI64; }
// How many of a, b, c the operation reads.
int TapeArity(TapeOp op);

// The type in which elements of a dtype are loaded and stored: a bool is kI8 (0 or
// 1), bfloat16 kU16, half kF16, complex64 the kU64 of its bits. kBool where tapes
// have no form for the dtype.
TapeType MemoryType(DType dtype);

// Instructions [begin, end) that compute something each time: no constants, inputs,
// bits seen as another type, nothing in a region.
int64_t TapeWeight(const Tape& tape, size_t begin, size_t end);

// InvalidArgument, naming the instruction, where `tape` is none: what reads tapes
// from elsewhere asks this first.
Status ValidateTape(const Tape& tape);

}  // namespace millrace
