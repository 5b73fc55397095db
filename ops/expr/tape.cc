#include "millrace/ops/expr/tape.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

int TapeArity(TapeOp op) {
  switch (op) {
    case TapeOp::kInput:
    case TapeOp::kConstant:
      return 0;
    case TapeOp::kNeg:
    case TapeOp::kNot:
    case TapeOp::kBits:
    case TapeOp::kConvert:
    case TapeOp::kTruth:
    case TapeOp::kAbs:
    case TapeOp::kFloor:
    case TapeOp::kCeil:
    case TapeOp::kTrunc:
    case TapeOp::kRint:
    case TapeOp::kSqrt:
    case TapeOp::kCanonical:
    case TapeOp::kRare:
      return 1;
    case TapeOp::kSelect:
    case TapeOp::kFma:
    case TapeOp::kRareEnd:
      return 3;
    default:
      return 2;
  }
}

TapeType MemoryType(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
      return TapeType::kI8;
    case DType::kInt16:
      return TapeType::kI16;
    case DType::kInt32:
      return TapeType::kI32;
    case DType::kInt64:
      return TapeType::kI64;
    case DType::kUint8:
      return TapeType::kU8;
    case DType::kUint16:
    case DType::kBfloat16:
      return TapeType::kU16;
    case DType::kUint32:
      return TapeType::kU32;
    case DType::kUint64:
    case DType::kComplex64:
      return TapeType::kU64;
    case DType::kHalf:
      return TapeType::kF16;
    case DType::kFloat:
      return TapeType::kF32;
    case DType::kDouble:
      return TapeType::kF64;
    default:
      return TapeType::kBool;
  }
}

int64_t TapeWeight(const Tape& tape, size_t begin, size_t end) {
  int64_t weight = 0;
  for (size_t at = begin; at < end; ++at) {
    const TapeInstruction& i = tape.code[at];
    if (i.op == TapeOp::kRare) at += i.immediate;
    else if (i.op != TapeOp::kInput && i.op != TapeOp::kConstant && i.op != TapeOp::kBits) ++weight;
  }
  return weight;
}

namespace {

// Whether `op` takes operands of these types and gives `i.type`.
bool TypesFit(const Tape& tape, const TapeInstruction& i) {
  const auto type = [&](uint32_t v) { return tape.code[v].type; };
  const bool floating = IsFloatingTape(i.type), boolean = i.type == TapeType::kBool;
  const bool computed = i.type == TapeType::kF32 || i.type == TapeType::kF64;
  switch (i.op) {
    case TapeOp::kInput:
      return i.immediate < tape.inputs.size() && tape.inputs[i.immediate] == i.type && !boolean;
    case TapeOp::kConstant:
      return true;
    case TapeOp::kAdd:
    case TapeOp::kSub:
    case TapeOp::kMul:
      return !boolean && i.type != TapeType::kF16 && type(i.a) == i.type && type(i.b) == i.type;
    case TapeOp::kDiv:
    case TapeOp::kMin:
    case TapeOp::kMax:
      return computed && type(i.a) == i.type && type(i.b) == i.type;
    case TapeOp::kAnd:
    case TapeOp::kOr:
    case TapeOp::kXor:
      return !floating && type(i.a) == i.type && type(i.b) == i.type;
    case TapeOp::kShiftLeft:
    case TapeOp::kShiftRight:
      return !floating && !boolean && type(i.a) == i.type && type(i.b) == i.type;
    case TapeOp::kNot:
      return !floating && type(i.a) == i.type;
    case TapeOp::kLess:
    case TapeOp::kLessEqual:
    case TapeOp::kGreater:
    case TapeOp::kGreaterEqual:
    case TapeOp::kEqual:
    case TapeOp::kNotEqual:
      return boolean && type(i.a) == type(i.b) && type(i.a) != TapeType::kBool && type(i.a) != TapeType::kF16;
    case TapeOp::kSelect:
    case TapeOp::kRareEnd:
      return type(i.a) == TapeType::kBool && type(i.b) == i.type && type(i.c) == i.type;
    case TapeOp::kBits:
      return !boolean && type(i.a) != TapeType::kBool && TapeTypeBytes(type(i.a)) == TapeTypeBytes(i.type);
    case TapeOp::kConvert:
      return !boolean && type(i.a) != TapeType::kBool;
    case TapeOp::kTruth:
      return i.type == TapeType::kI8 && type(i.a) == TapeType::kBool;
    case TapeOp::kFma:
      return computed && type(i.a) == i.type && type(i.b) == i.type && type(i.c) == i.type;
    case TapeOp::kRare:
      return type(i.a) == TapeType::kBool;
    default:
      return computed && type(i.a) == i.type;
  }
}

}  // namespace

Status ValidateTape(const Tape& tape) {
  struct Region {
    size_t begin, end;  // values in [begin, end) are inside
  };
  std::vector<Region> open, closed;
  const auto bad = [](size_t at, const char* what) {
    return InvalidArgument(Cat("tape instruction ", at, ": ", what));
  };
  const auto hidden = [&](uint32_t value, bool ends, size_t at) {
    for (const Region& r : closed) {
      if (value >= r.begin && value < r.end && !(ends && r.end == at)) return true;
    }
    return false;
  };
  for (size_t at = 0; at < tape.code.size(); ++at) {
    const TapeInstruction& i = tape.code[at];
    if (i.op > TapeOp::kRareEnd || i.type > TapeType::kF64) return bad(at, "no such operation or type");
    bool ends = false;
    if (!open.empty() && at == open.back().end) {
      if (i.op != TapeOp::kRareEnd) return bad(at, "expected the end of a region");
      closed.push_back(open.back());
      open.pop_back();
      ends = true;
    } else if (i.op == TapeOp::kRareEnd) {
      return bad(at, "the end of no region");
    }
    const int arity = TapeArity(i.op);
    const uint32_t operands[] = {i.a, i.b, i.c};
    for (int j = 0; j < arity; ++j) {
      if (operands[j] >= at) return bad(at, "a value that is not there yet");
      if (tape.code[operands[j]].op == TapeOp::kRare || hidden(operands[j], ends && j == 1, at)) {
        return bad(at, "a value that is out of reach");
      }
    }
    if (!TypesFit(tape, i)) return bad(at, "types that do not fit");
    if (i.op == TapeOp::kRare) {
      const size_t limit = open.empty() ? tape.code.size() : open.back().end;
      if (i.immediate >= limit - at - 1) return bad(at, "a region beyond the end");
      open.push_back({at + 1, at + 1 + static_cast<size_t>(i.immediate)});
    }
  }
  if (!open.empty()) return InvalidArgument("tape: a region without an end");
  for (const Tape::Output& o : tape.outputs) {
    if (o.value >= tape.code.size() || tape.code[o.value].type != o.type || o.type == TapeType::kBool ||
        tape.code[o.value].op == TapeOp::kRare || hidden(o.value, false, 0)) {
      return InvalidArgument("tape: an output that is no value");
    }
  }
  return OkStatus();
}

}  // namespace millrace
