// Recorder: writes down what the recording scalars (recording.h) are asked to do.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "millrace/ops/expr/tape.h"

namespace millrace {

struct Body;

// Builds one tape from any number of bodies, one after the other, so that what
// they have in common is there once. Not thread-safe; recorders of different
// threads are independent.
class Recorder {
 public:
  // An input of the tape, in the order of the calls.
  uint32_t Input(TapeType type);
  // Runs `body` over values of the tape, each in the form its dtype has in memory
  // (MemoryType), and returns the result in that form. Nothing where the body
  // cannot be recorded: it has no recording, or asks for a function of the C
  // library. The tape is then of no use.
  std::optional<uint32_t> Record(const Body& body, std::span<const uint32_t> operands);
  void Output(uint32_t value);
  // The value's bits as another type of the same size, for constants of the caller.
  uint32_t As(TapeType type, uint32_t value);
  uint32_t Constant(TapeType type, uint64_t bits);
  // What was recorded; the recorder is empty afterwards.
  Tape Take();
  // So far: instructions, and those from `begin` on that compute something (no
  // constants, nothing in a region that few values need).
  uint32_t size() const { return static_cast<uint32_t>(tape_.code.size()); }
  int64_t Weight(uint32_t begin) const;

  // For the recording scalars, in the thread that records. `code` packs the
  // operation and the type, so that a call in an expression is a few bytes.
  static constexpr uint32_t Pack(TapeOp op, TapeType type) {
    return static_cast<uint32_t>(op) | static_cast<uint32_t>(type) << 8;
  }
  static uint32_t Add1(uint32_t code, uint32_t a);
  static uint32_t Add2(uint32_t code, uint32_t a, uint32_t b);
  static uint32_t Add3(uint32_t code, uint32_t a, uint32_t b, uint32_t c);
  static uint32_t AddConstant(uint32_t type, uint64_t bits);
  static uint32_t Operand(uint32_t index, uint32_t type);
  static void SetResult(uint32_t value);
  // What the thread records cannot be a tape; a value, so that it goes on.
  static uint32_t Refuse();
  static uint32_t BeginRare(uint32_t mask);
  static uint32_t EndRare(uint32_t begin, uint32_t type, uint32_t mask, uint32_t slow, uint32_t fast);

 private:
  uint32_t Append(TapeInstruction instruction);

  Tape tape_;
  std::unordered_multimap<uint64_t, uint32_t> seen_;  // by hash: values that may be used again
  std::vector<uint32_t> in_region_;                   // of seen_, to be forgotten at its end
  int depth_ = 0;
  std::span<const uint32_t> operands_;
  std::optional<uint32_t> result_;
  bool refused_ = false;
};

}  // namespace millrace
