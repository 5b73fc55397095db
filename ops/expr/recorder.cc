#include "millrace/ops/expr/recorder.h"

#include "millrace/ops/expr/body.h"

namespace millrace {
namespace {

thread_local Recorder* current = nullptr;

uint64_t HashOf(const TapeInstruction& i) {
  uint64_t h = static_cast<uint64_t>(i.op) | static_cast<uint64_t>(i.type) << 8;
  for (const uint64_t word : {uint64_t{i.a}, uint64_t{i.b}, uint64_t{i.c}, i.immediate}) {
    h = (h ^ word) * 0x9e3779b97f4a7c15ull;
    h ^= h >> 29;
  }
  return h;
}

bool Same(const TapeInstruction& x, const TapeInstruction& y) {
  return x.op == y.op && x.type == y.type && x.a == y.a && x.b == y.b && x.c == y.c && x.immediate == y.immediate;
}

}  // namespace

uint32_t Recorder::Append(TapeInstruction i) {
  // One value for one computation. What is inside a region is not for those outside.
  const bool reusable = i.op != TapeOp::kRare && i.op != TapeOp::kRareEnd;
  uint64_t hash = 0;
  if (reusable) {
    hash = HashOf(i);
    const auto [begin, end] = seen_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      if (Same(tape_.code[it->second], i)) return it->second;
    }
  }
  const auto value = static_cast<uint32_t>(tape_.code.size());
  tape_.code.push_back(i);
  if (reusable) {
    seen_.emplace(hash, value);
    if (depth_ > 0) in_region_.push_back(value);
  }
  return value;
}

uint32_t Recorder::Input(TapeType type) {
  tape_.inputs.push_back(type);
  return Append({TapeOp::kInput, type, 0, 0, 0, tape_.inputs.size() - 1});
}

uint32_t Recorder::Constant(TapeType type, uint64_t bits) { return Append({TapeOp::kConstant, type, 0, 0, 0, bits}); }

uint32_t Recorder::As(TapeType type, uint32_t value) {
  const TapeInstruction& from = tape_.code[value];
  if (from.type == type) return value;
  if (from.op == TapeOp::kConstant) return Constant(type, from.immediate);
  // Back to what it was made of.
  if (from.op == TapeOp::kBits && tape_.code[from.a].type == type) return from.a;
  return Append({TapeOp::kBits, type, value, 0, 0, 0});
}

std::optional<uint32_t> Recorder::Record(const Body& body, std::span<const uint32_t> operands) {
  if (body.record == nullptr) return std::nullopt;
  Recorder* const before = current;
  current = this;
  operands_ = operands;
  result_.reset();
  refused_ = false;
  body.record();
  current = before;
  operands_ = {};
  if (refused_ || !result_.has_value() || MemoryType(body.out) == TapeType::kBool) return std::nullopt;
  return As(MemoryType(body.out), *result_);
}

void Recorder::Output(uint32_t value) { tape_.outputs.push_back({value, tape_.code[value].type}); }

int64_t Recorder::Weight(uint32_t begin) const { return TapeWeight(tape_, begin, tape_.code.size()); }

Tape Recorder::Take() {
  seen_.clear();
  in_region_.clear();
  Tape tape = std::move(tape_);
  tape_ = Tape();
  return tape;
}

uint32_t Recorder::Add1(uint32_t code, uint32_t a) { return Add3(code, a, 0, 0); }
uint32_t Recorder::Add2(uint32_t code, uint32_t a, uint32_t b) { return Add3(code, a, b, 0); }
uint32_t Recorder::Add3(uint32_t code, uint32_t a, uint32_t b, uint32_t c) {
  const auto op = static_cast<TapeOp>(code & 0xff);
  const auto type = static_cast<TapeType>(code >> 8);
  if (op == TapeOp::kBits) return current->As(type, a);
  if (op == TapeOp::kConvert && current->tape_.code[a].type == type) return a;
  // The byte of a truth asked whether it is not 0 is the truth.
  if (op == TapeOp::kNotEqual) {
    const std::vector<TapeInstruction>& t = current->tape_.code;
    if (t[a].op == TapeOp::kTruth && t[b].op == TapeOp::kConstant && t[b].immediate == 0) return t[a].a;
  }
  return current->Append({op, type, a, b, c, 0});
}
uint32_t Recorder::AddConstant(uint32_t type, uint64_t bits) {
  return current->Constant(static_cast<TapeType>(type), bits);
}

uint32_t Recorder::Operand(uint32_t index, uint32_t type) {
  if (index >= current->operands_.size()) return Refuse();
  const uint32_t value = current->operands_[index];
  const auto wanted = static_cast<TapeType>(type);
  if (TapeTypeBytes(current->tape_.code[value].type) != TapeTypeBytes(wanted)) return Refuse();
  return current->As(wanted, value);
}
void Recorder::SetResult(uint32_t value) { current->result_ = value; }

uint32_t Recorder::Refuse() {
  current->refused_ = true;
  return current->Constant(TapeType::kBool, 0);
}

uint32_t Recorder::BeginRare(uint32_t mask) {
  ++current->depth_;
  return current->Append({TapeOp::kRare, TapeType::kBool, mask, 0, 0, 0});
}
uint32_t Recorder::EndRare(uint32_t begin, uint32_t type, uint32_t mask, uint32_t slow, uint32_t fast) {
  Recorder& r = *current;
  --r.depth_;
  // Values of the region, and of those inside it, are out of reach from here on.
  while (!r.in_region_.empty() && r.in_region_.back() > begin) {
    const uint32_t value = r.in_region_.back();
    const auto [first, last] = r.seen_.equal_range(HashOf(r.tape_.code[value]));
    for (auto it = first; it != last; ++it) {
      if (it->second == value) {
        r.seen_.erase(it);
        break;
      }
    }
    r.in_region_.pop_back();
  }
  r.tape_.code[begin].immediate = r.tape_.code.size() - begin - 1;
  return r.Append({TapeOp::kRareEnd, static_cast<TapeType>(type), mask, slow, fast, 0});
}

}  // namespace millrace
