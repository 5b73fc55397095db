#include "millrace/ops/cluster/frame.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/cluster/call.h"

namespace millrace::cluster {

void Failure::Report(int step, int64_t position, Status status) {
  const std::scoped_lock lock(mutex_);
  if (!status_.ok() && (step > step_ || (step == step_ && position >= position_))) return;
  step_ = step;
  position_ = position;
  status_ = std::move(status);
}

bool Failure::Take(Status* status, int* step) const {
  const std::scoped_lock lock(mutex_);
  *status = status_;
  *step = step_;
  return !status_.ok();
}

void Frame::Init() {
  const Prepared& p = b_.p;
  const FrameLayout& l = b_.layout;
  const int registers = p.program.num_registers();
  char** const at = At();
  int64_t* const moves = Moves();
  for (size_t i = 0; i < p.one_ids.size(); ++i) at[p.one_ids[i]] = main_ + l.ones + i * kSplatBytes;
  char* row_value = rows_ + l.row_values;
  for (const int32_t id : p.row_ids) {
    at[id] = row_value;
    row_value += l.rows > 1 ? l.row_room * Size(id) : kSplatBytes;
  }
  for (const int32_t id : p.row_ids) moves[id] = l.rows > 1 ? -1 : 0;
  for (const int32_t id : p.one_ids) moves[id] = 0;
  for (size_t i = 0; i < p.constants.size(); ++i) {
    at[p.constants[i]] = p.splats.get() + i * kSplatBytes;
    moves[p.constants[i]] = 0;
  }
  char* spread = memory_ + l.spread;
  for (int id = registers; id < p.num_ids; ++id) {
    const int32_t row = p.spread_of[static_cast<size_t>(id - registers)];
    if (row < 0) continue;
    if (l.rows > 1) {
      at[id] = spread;
      spread += static_cast<size_t>(l.block) * Size(id);
    } else {
      at[id] = at[row];
    }
    moves[id] = l.rows > 1 ? -1 : 0;
  }
  for (const Placement::Slot& slot : b_.placement->slots) {
    moves[slot.id] = -1;
    InPlace()[slot.id] = false;
    at[slot.id] = slot.whole ? rows_ + l.whole_rows + static_cast<size_t>(slot.offset * l.whole)
                             : memory_ + l.local + static_cast<size_t>(slot.offset * l.block);
  }
  if (b_.direct) {
    for (const Output& output : p.program.outputs) {
      if (p.program.level(output.reg) != Level::kFull) continue;
      moves[output.reg] = -1;
      InPlace()[output.reg] = true;
    }
  }
  int64_t* const cached = reinterpret_cast<int64_t*>(memory_ + l.cached);
  for (size_t i = 0; i < p.program.inputs.size(); ++i) {
    const InputState& input = b_.inputs[i];
    if (p.program.inputs[i].level != Level::kFull || input.kind == InputState::Kind::kUnused) continue;
    cached[2 * i] = -1;
    moves[i] = -1;
    InPlace()[i] = true;
    if (input.kind != InputState::Kind::kOne) continue;
    at[i] = memory_ + l.splats + i * kSplatBytes;
    Splat(input.data, input.size, at[i]);
    moves[i] = 0;
    InPlace()[i] = false;
  }
  std::memcpy(Tail(), at, static_cast<size_t>(p.num_ids) * sizeof(char*));
}

bool Frame::Passes(const Check& check, char* const* table, int64_t count, int64_t position) {
  Status status = CallCheck(b_.p, check, table, Moves(), count);
  if (status.ok()) return true;
  failure_->Report(check.step, position, std::move(status));
  return false;
}

void Frame::RunSteps(const StepRange& range, char* const* table, int64_t count, int64_t position) {
  if (range.code.run != nullptr) return RunCode(range, table, count);
  const int64_t* const moves = Moves();
  const Prepared& p = b_.p;
  const Check* check = nullptr;
  const Check* const checks_end = p.checks.data() + p.checks.size();
  if (range.has_checks) {
    check = std::lower_bound(p.checks.data(), checks_end, range.begin,
                             [](const Check& c, int step) { return c.step < step; });
  }
  for (int s = range.begin; s < range.end; ++s) {
    const Step& step = p.steps[static_cast<size_t>(s)];
    if (check != nullptr && check != checks_end && check->step == s) {
      if (!Passes(*check, table, count, position)) return;
      ++check;
    }
    CallStep(step, table, moves, count);
  }
}

void Frame::RunCode(const StepRange& range, char* const* table, int64_t count) {
  CallCode(range, table, Moves(), count, memory_ + b_.layout.arguments);
}

// Every operand is a single value, in a vector that repeats.
void Frame::RunSingle(const StepRange& range) {
  char* const* const table = At();
  const Prepared& p = b_.p;
  if (range.code.run != nullptr) {
    RunCode(range, table, 1);
    for (const int32_t id : range.writes) Splat(table[id], Size(id), table[id]);
    return;
  }
  static constexpr int64_t kRepeats[kMaxOperands] = {};
  size_t check = 0;
  if (range.has_checks) {
    while (check < p.checks.size() && p.checks[check].step < range.begin) ++check;
  } else {
    check = p.checks.size();
  }
  const Step* step = p.steps.data() + range.begin;
  for (const Step* const end = p.steps.data() + range.end; step != end; ++step) {
    if (check < p.checks.size() && p.steps.data() + p.checks[check].step == step) {
      if (!Passes(p.checks[check], table, 1, 0)) return;
      ++check;
    }
    const void* const in[kMaxOperands] = {table[step->in[0]], table[step->in[1]], table[step->in[2]]};
    char* const out = table[step->out];
    step->run(in, kRepeats, out, 1);
    if (step->spread) Splat(out, Size(step->out), out);
  }
}

void Frame::RunOne() {
  const Prepared& p = b_.p;
  for (size_t i = 0; i < p.one_ids.size(); ++i) {
    const int32_t id = p.one_ids[i];
    if (static_cast<size_t>(id) >= p.program.inputs.size()) break;  // inputs come first
    const InputState& input = b_.inputs[id];
    if (input.kind != InputState::Kind::kUnused) Splat(input.data, input.size, At()[id]);
  }
  RunSingle(p.one);
}

void Frame::LoadRows(int64_t row, int64_t rows) {
  const Prepared& p = b_.p;
  const bool single = b_.layout.rows == 1;
  for (const int32_t id : p.row_ids) {
    if (static_cast<size_t>(id) >= p.program.inputs.size()) break;  // inputs come first
    const InputState& input = b_.inputs[id];
    char* const to = At()[id];
    switch (input.kind) {
      case InputState::Kind::kUnused:
        break;
      case InputState::Kind::kOne:
        if (single) Splat(input.data, input.size, to);
        else RepeatElements(input.data, input.size, 1, rows, to);
        break;
      case InputState::Kind::kDense: {
        const char* const from = input.data + static_cast<size_t>(row) * input.size;
        if (single) Splat(from, input.size, to);
        else std::memcpy(to, from, static_cast<size_t>(rows) * input.size);
        break;
      }
      case InputState::Kind::kGeneral:
        if (single) Splat(input.data + static_cast<size_t>(input.access.OffsetOf(row)) * input.size, input.size, to);
        else input.access.Expand(row, rows, to);
    }
  }
}

void Frame::RunRows(const Phase& phase, int64_t row, int64_t rows, int64_t length) {
  if (!phase.row.empty()) {
    if (b_.layout.rows == 1) RunSingle(phase.row);
    else RunSteps(phase.row, At(), rows, row);
  }
  if (b_.layout.rows == 1) return;
  const int registers = b_.p.program.num_registers();
  for (const int32_t id : phase.spread) {
    const int32_t from = b_.p.spread_of[static_cast<size_t>(id - registers)];
    RepeatElements(At()[from], Size(from), rows, length, At()[id]);
  }
}

void Frame::LoadBlock(int input, int64_t first, int64_t count, bool whole) {
  const InputState& state = b_.inputs[input];
  if (state.kind == InputState::Kind::kDense) {
    At()[input] = const_cast<char*>(state.data) + static_cast<size_t>(first) * state.size;
    return;
  }
  if (state.kind != InputState::Kind::kGeneral) return;
  const Access& access = state.access;
  const AccessGroup& inner = access.inner();
  const int64_t column = first % inner.extent;
  int64_t* const cached = reinterpret_cast<int64_t*>(memory_ + b_.layout.cached) + 2 * input;
  if (state.same_rows) {
    if (cached[0] == column && cached[1] == count) return;
    cached[0] = column;
    cached[1] = count;
  }
  if (column + count <= inner.extent && inner.stride <= 1) {
    const char* const from = access.data + static_cast<size_t>(access.OffsetOf(first)) * state.size;
    if (inner.stride == 1) {
      At()[input] = const_cast<char*>(from);
      Moves()[input] = -1;
      InPlace()[input] = true;
      return;
    }
    if (!whole && !b_.p.materialise[static_cast<size_t>(input)]) {
      At()[input] = memory_ + b_.layout.splats + static_cast<size_t>(input) * kSplatBytes;
      Splat(from, state.size, At()[input]);
      Tail()[input] = At()[input];
      Moves()[input] = 0;
      InPlace()[input] = false;
      return;
    }
  }
  At()[input] = memory_ + state.expanded;
  access.Expand(first, count, At()[input]);
  Moves()[input] = -1;
  InPlace()[input] = false;
}

void Frame::LoadWhole(const Phase& phase, int64_t first, int64_t count) {
  for (const int32_t input : phase.whole_inputs) LoadBlock(input, first, count, true);
}

void Frame::SetMoving(int64_t first, int64_t offset) {
  const Prepared& p = b_.p;
  if (b_.placement->whole_bytes > 0) {
    for (const Placement::Slot& slot : b_.placement->slots) {
      if (!slot.whole) continue;
      At()[slot.id] = rows_ + b_.layout.whole_rows + static_cast<size_t>(slot.offset * b_.layout.whole) +
                      static_cast<size_t>(offset) * Size(slot.id);
    }
  }
  if (!b_.direct) return;
  for (size_t o = 0; o < p.program.outputs.size(); ++o) {
    const int reg = p.program.outputs[o].reg;
    if (p.program.level(reg) != Level::kFull) continue;
    At()[reg] = b_.output(o) + static_cast<size_t>(first) * Size(reg);
  }
}

void Frame::SetRows(int64_t first) { SetMoving(first, 0); }

// Registers as the last, partial vector sees them: what is read or written in
// place goes through a vector of its own.
void Frame::SetTails(const Phase& phase, int64_t done, int64_t rest) {
  const Prepared& p = b_.p;
  char** const tail = Tail();
  for (const int32_t id : phase.full_ids) {
    if (Moves()[id] == 0) {
      tail[id] = At()[id];
      continue;
    }
    char* const from = At()[id] + static_cast<size_t>(done) * Size(id);
    if (!InPlace()[id]) {
      tail[id] = from;
      continue;
    }
    tail[id] = memory_ + b_.layout.tails + static_cast<size_t>(p.tails[static_cast<size_t>(id)]) * b_.layout.tail_bytes;
    const size_t bytes = static_cast<size_t>(rest) * Size(id);
    // (What this phase is about to write is copied too, which does no harm.)
    std::memcpy(tail[id], from, bytes);
    std::memset(tail[id] + bytes, 0, b_.layout.tail_bytes - bytes);
  }
  if (b_.layout.rows == 1) return;
  const int registers = p.program.num_registers();
  for (int id = registers; id < p.num_ids; ++id) {
    if (Moves()[id] != 0) tail[id] = At()[id] + static_cast<size_t>(done) * Size(id);
  }
}

void Frame::RunBlock(const Phase& phase, int64_t first, int64_t offset, int64_t count) {
  if (count == 0) return;
  for (const int32_t input : phase.inputs) LoadBlock(input, first, count, false);
  SetMoving(first, offset);
  if (phase.full.empty()) return;
  const int64_t rest = count & (b_.p.max_lanes - 1), done = count - rest;
  if (done > 0) RunSteps(phase.full, At(), done, first);
  if (rest == 0) return;
  SetTails(phase, done, rest);
  RunSteps(phase.full, Tail(), rest, first + done);
  if (!b_.direct) return;
  for (const int32_t o : phase.outputs) {
    const int reg = b_.p.program.outputs[static_cast<size_t>(o)].reg;
    std::memcpy(At()[reg] + static_cast<size_t>(done) * Size(reg), Tail()[reg], static_cast<size_t>(rest) * Size(reg));
  }
}

void Frame::StoreBlock(const Phase& phase, int64_t first, int64_t count) {
  if (b_.direct) return;
  for (const int32_t o : phase.outputs) {
    char* const output = b_.output(static_cast<size_t>(o));
    const int reg = b_.p.program.outputs[static_cast<size_t>(o)].reg;
    if (output == nullptr || b_.p.late_whole[static_cast<size_t>(o)]) continue;
    std::memcpy(output + static_cast<size_t>(first) * Size(reg), At()[reg], static_cast<size_t>(count) * Size(reg));
  }
}

void Frame::StoreRows(int64_t row, int64_t rows, int64_t first, int64_t count) {
  const Prepared& p = b_.p;
  if (!b_.direct) SetRows(first);
  for (size_t o = 0; o < p.program.outputs.size(); ++o) {
    const int reg = p.program.outputs[o].reg;
    char* const output = b_.output(o);
    if (output == nullptr) continue;
    if (p.program.level(reg) == Level::kRow) {
      std::memcpy(output + static_cast<size_t>(row) * Size(reg), At()[reg], static_cast<size_t>(rows) * Size(reg));
    } else if (p.program.level(reg) == Level::kFull && !b_.direct && p.late_whole[o]) {
      std::memcpy(output + static_cast<size_t>(first) * Size(reg), At()[reg], static_cast<size_t>(count) * Size(reg));
    }
  }
}

void Frame::Spread(const RowStep& step) {
  if (step.spread) Splat(At()[step.out], Size(step.out), At()[step.out]);
}

}  // namespace millrace::cluster
