#include "millrace/ops/cluster/small.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/cluster/call.h"

namespace millrace::cluster {
namespace {

// Beyond these, blocks in place are worth the time that they take to set up.
constexpr int64_t kMostElements = 1024;
constexpr int64_t kMostBytes = 24576;
constexpr double kMostCycles = 30000;

// Whole vectors of any lanes fit in a register's place.
int64_t RoomFor(int64_t elements) { return (elements + 63) / 64 * 64; }

size_t IndexOf(Level level) { return static_cast<size_t>(level); }

}  // namespace

// Lists the calls, then places registers by the calls that they live for.
class SmallProgram::Maker {
 public:
  explicit Maker(SmallProgram& small)
      : s_(small), p_(small.p_), last_(static_cast<size_t>(p_.num_ids), -1), slot_of_(last_) {}

  void Make() {
    AddRange(p_.one, Level::kOne);
    for (const Phase& phase : p_.phases) {
      AddRange(phase.row, Level::kRow);
      for (const int32_t id : phase.spread) {
        s_.calls_.push_back(
            {.spread_from = p_.spread_of[static_cast<size_t>(id - p_.program.num_registers())], .spread_to = id});
      }
      AddRange(phase.full, Level::kFull);
      for (const RowStep& step : phase.row_steps) s_.calls_.push_back({.row = &step});
    }
    s_.moves_.assign(static_cast<size_t>(p_.num_ids), 0);
    for (int32_t id = 0; id < p_.num_ids; ++id)
      s_.moves_[static_cast<size_t>(id)] = LevelOf(id) == Level::kOne ? 0 : -1;
    for (size_t c = 0; c < s_.calls_.size(); ++c) {
      ForReads(s_.calls_[c], [&](int32_t id) { last_[static_cast<size_t>(id)] = static_cast<int>(c); });
    }
    for (const Output& output : p_.program.outputs) last_[static_cast<size_t>(output.reg)] = INT32_MAX;
    // Constants, which come first, and inputs keep their places: a register there
    // might be written over the input itself.
    for (const int32_t id : p_.constants) PlaceForGood(id);
    for (size_t i = 0; i < p_.program.inputs.size(); ++i) PlaceForGood(static_cast<int32_t>(i));
    for (size_t c = 0; c < s_.calls_.size(); ++c) PlaceCall(static_cast<int>(c));
    Pack();
  }

 private:
  struct Free {
    Level level;
    uint8_t size;
    uint32_t at;
  };

  // Of constants kOne, of what is spread over rows kFull.
  Level LevelOf(int32_t id) const {
    const int32_t registers = p_.program.num_registers();
    if (id < registers) return p_.program.level(id);
    return p_.spread_of[static_cast<size_t>(id - registers)] < 0 ? Level::kOne : Level::kFull;
  }

  void AddRange(const StepRange& range, Level level) {
    if (range.empty()) return;
    if (range.code.run != nullptr) {
      s_.calls_.push_back({.code = &range, .level = level});
      s_.arguments_ = std::max(s_.arguments_, 2 * range.reads.size() + range.writes.size());
      return;
    }
    for (int s = range.begin; s < range.end; ++s) {
      if (next_check_ < p_.checks.size() && p_.checks[next_check_].step == s) {
        s_.calls_.push_back({.check = &p_.checks[next_check_++], .level = level});
      }
      s_.calls_.push_back({.step = &p_.steps[static_cast<size_t>(s)], .level = level});
    }
  }

  template <typename F>
  void ForReads(const Call& call, F f) const {
    const Step* const step = call.check != nullptr ? &p_.steps[static_cast<size_t>(call.check->step)] : call.step;
    if (step != nullptr) std::for_each_n(step->in, step->arity, f);
    if (call.code != nullptr) std::for_each(call.code->reads.begin(), call.code->reads.end(), f);
    if (call.row != nullptr) f(call.row->in);
    if (call.spread_from >= 0) f(call.spread_from);
  }

  void Place(int32_t id) {
    const Level level = LevelOf(id);
    const uint8_t size = p_.sizes[static_cast<size_t>(id)];
    slot_of_[static_cast<size_t>(id)] = static_cast<int>(s_.slots_.size());
    const auto fits =
        std::find_if(free_.begin(), free_.end(), [&](const Free& f) { return f.level == level && f.size == size; });
    if (fits != free_.end()) {
      s_.slots_.push_back({id, level, fits->at});
      free_.erase(fits);
      return;
    }
    int64_t& bytes = s_.bytes_[IndexOf(level)];
    s_.slots_.push_back({id, level, static_cast<uint32_t>(bytes)});
    bytes += level == Level::kOne ? static_cast<int64_t>(kSplatBytes) : size;
  }

  void PlaceForGood(int32_t id) {
    last_[static_cast<size_t>(id)] = INT32_MAX;
    Place(id);
  }

  void PlaceCall(int c) {
    const Call& call = s_.calls_[static_cast<size_t>(c)];
    // What dies here may be where the result goes: operands of one size and level
    // are read as they are written over. Code has several results.
    if (call.code == nullptr) FreeReads(c);
    if (call.step != nullptr) Place(call.step->out);
    if (call.row != nullptr) Place(call.row->out);
    if (call.spread_to >= 0) Place(call.spread_to);
    if (call.code != nullptr) {
      for (const int32_t id : call.code->writes) Place(id);
      FreeReads(c);
    }
  }

  const Slot& SlotOf(int32_t id) const { return s_.slots_[static_cast<size_t>(slot_of_[static_cast<size_t>(id)])]; }

  void FreeReads(int c) {
    ForReads(s_.calls_[static_cast<size_t>(c)], [&](int32_t id) {
      int& last = last_[static_cast<size_t>(id)];
      if (last != c) return;
      last = -1;  // once, though it is read twice
      const Slot& slot = SlotOf(id);
      free_.push_back({slot.level, p_.sizes[static_cast<size_t>(id)], slot.at});
    });
  }

  // Steps of level kOne become singles; slots that only those use are forgotten.
  void Pack() {
    std::vector<bool> needed(static_cast<size_t>(p_.num_ids), false);
    const auto need = [&](int32_t id) { needed[static_cast<size_t>(id)] = true; };
    std::vector<Call> calls;
    for (const Call& call : s_.calls_) {
      if (call.step == nullptr || call.level != Level::kOne) {
        ForReads(call, need);
        if (call.code != nullptr) std::for_each(call.code->writes.begin(), call.code->writes.end(), need);
        calls.push_back(call);
        continue;
      }
      const auto at = static_cast<int>(s_.singles_.size());
      if (calls.empty() || calls.back().single_end != at || at == 0) {
        calls.push_back({.single_begin = at, .single_end = at, .level = Level::kOne});
      }
      ++calls.back().single_end;
      const Step& step = *call.step;
      Single single{step.run, {}, SlotOf(step.out).at, step.spread ? p_.sizes[static_cast<size_t>(step.out)] : 0U};
      for (int k = 0; k < kMaxOperands; ++k) single.in[k] = SlotOf(step.in[k]).at;
      s_.singles_.push_back(single);
    }
    s_.calls_ = std::move(calls);
    for (size_t i = 0; i < p_.program.inputs.size(); ++i) needed[i] = true;
    for (const Output& output : p_.program.outputs) need(output.reg);
    std::erase_if(s_.slots_,
                  [&](const Slot& slot) { return slot.level == Level::kOne && !needed[static_cast<size_t>(slot.id)]; });
  }

  SmallProgram& s_;
  const Prepared& p_;
  std::vector<int> last_;  // the last call that reads each id
  std::vector<int> slot_of_;
  size_t next_check_ = 0;  // checks are in order of their steps
  std::vector<Free> free_;
};

SmallProgram::SmallProgram(const Prepared& prepared) : p_(prepared) { Maker(*this).Make(); }

bool SmallProgram::Fits(const Space& space) const {
  return space.total > 0 && space.total <= kMostElements &&
         static_cast<double>(space.total) * p_.full_cycles <= kMostCycles &&
         bytes_[IndexOf(Level::kFull)] * RoomFor(space.total) + bytes_[IndexOf(Level::kRow)] * RoomFor(space.rows) <=
             kMostBytes;
}

void SmallProgram::LoadInput(const Space& space, const TensorView& view, size_t i, char** table) const {
  const Input& input = p_.program.inputs[i];
  const size_t size = p_.sizes[i];
  if (input.level == Level::kOne) return Splat(view.data, size, table[i]);
  const int64_t count = space.elements(input.level), rest = -count & (p_.max_lanes - 1);
  const bool dense = space.IsDense(input, view);
  const char* const data = DataOf(input, view);
  if (dense && rest == 0) {
    table[i] = view.as<char>();
    return;
  }
  const size_t bytes = static_cast<size_t>(count) * size;
  if (dense) {
    std::memcpy(table[i], view.data, bytes);
  } else if (ElementsOf(input, view) == 1) {
    RepeatElements(data, size, 1, count, table[i]);
  } else {
    AccessGroup groups[kMaxAccessGroups];
    Access access;
    access.rank = space.GroupsOf(input, view, groups);
    access.groups = groups;
    access.data = data;
    access.size = size;
    access.Expand(0, count, table[i]);
  }
  std::memset(table[i] + bytes, 0, static_cast<size_t>(rest) * size);
}

Status SmallProgram::Run(const Space& space, KernelContext& ctx) const {
  const int64_t counts[kLevels] = {1, space.rows, space.total, space.length};
  const int64_t rooms[kLevels] = {1, RoomFor(space.rows), RoomFor(space.total), RoomFor(space.length)};
  // Slots by level, workspace, partial results, arguments, table.
  size_t starts[kLevels], bytes = 0;
  for (size_t l = 0; l < kLevels; ++l) {
    starts[l] = bytes;
    bytes += static_cast<size_t>(bytes_[l] * rooms[l]);
  }
  const size_t workspace = bytes;
  bytes += static_cast<size_t>(RoomFor(p_.softmax_bytes * space.length));
  const size_t partials = bytes;
  size_t partial_bytes = 0;
  for (const Prepared::ColumnStep& step : p_.column_steps) {
    const reduce::ColumnCut cut = step.reduce->cut(space.rows, space.length, step.one_as_row);
    partial_bytes = std::max(partial_bytes, static_cast<size_t>(cut.blocks) * cut.partial_bytes);
  }
  bytes += partial_bytes;
  const size_t arguments = bytes;
  bytes += arguments_ * sizeof(char*);
  const size_t tables = bytes;
  bytes += static_cast<size_t>(p_.num_ids) * sizeof(char*);
  MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(bytes + 64));
  char* const memory = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(scratch) + 63) & ~uintptr_t{63});
  char** const table = reinterpret_cast<char**>(memory + tables);

  std::memcpy(memory, p_.splats.get(), p_.constants.size() * kSplatBytes);
  for (const Slot& slot : slots_) {
    const size_t l = IndexOf(slot.level);
    table[slot.id] = memory + starts[l] + slot.at * static_cast<size_t>(rooms[l]);
  }
  for (size_t i = 0; i < p_.program.inputs.size(); ++i) {
    if (p_.last_read[i] >= 0) LoadInput(space, ctx.input(static_cast<int>(i)), i, table);
  }
  const int64_t* const moves = moves_.data();
  const auto splat = [&](int32_t id) { Splat(table[id], p_.sizes[static_cast<size_t>(id)], table[id]); };
  for (const Call& call : calls_) {
    const int64_t count = counts[IndexOf(call.level)];
    if (call.step != nullptr) {
      CallStep(*call.step, table, moves, count);
    } else if (call.single_end > call.single_begin) {
      static constexpr int64_t kRepeats[kMaxOperands] = {};
      const Single* const end = singles_.data() + call.single_end;
      for (const Single* single = singles_.data() + call.single_begin; single != end; ++single) {
        const void* const in[kMaxOperands] = {memory + single->in[0], memory + single->in[1], memory + single->in[2]};
        single->run(in, kRepeats, memory + single->out, 1);
        if (single->spread != 0) Splat(memory + single->out, single->spread, memory + single->out);
      }
    } else if (call.row != nullptr) {
      const RowStep& row = *call.row;
      if (row.reduce != nullptr) {
        row.reduce->rows(table[row.in], space.rows, space.length, table[row.out]);
      } else if (row.softmax != nullptr) {
        row.softmax->rows(table[row.in], space.rows, space.length, table[row.out], memory + workspace);
      } else {
        const Prepared::ColumnStep& step = p_.column_steps[static_cast<size_t>(row.column_step)];
        const reduce::ColumnCut cut = row.columns->cut(space.rows, space.length, step.one_as_row);
        row.columns->add(cut, memory + partials, 0, table[row.in], space.total);
        row.columns->finish(cut, memory + partials, table[row.out]);
      }
    } else if (call.code != nullptr) {
      CallCode(*call.code, table, moves, count, memory + arguments);
      if (call.level == Level::kOne) std::for_each(call.code->writes.begin(), call.code->writes.end(), splat);
    } else if (call.check != nullptr) {
      Status status = CallCheck(p_, *call.check, table, moves, count);
      if (!status.ok()) return p_.At(std::move(status), call.check->step);
    } else {
      RepeatElements(table[call.spread_from], p_.sizes[static_cast<size_t>(call.spread_from)], space.rows, space.length,
                     table[call.spread_to]);
    }
  }
  for (size_t o = 0; o < p_.program.outputs.size(); ++o) {
    if (!ctx.output_wanted(static_cast<int>(o))) continue;
    const auto reg = static_cast<size_t>(p_.program.outputs[o].reg);
    const TensorView& output = ctx.output(static_cast<int>(o));
    if (output.num_elements == 1) CopyElement(table[reg], p_.sizes[reg], output.data);
    else std::memcpy(output.data, table[reg], static_cast<size_t>(output.num_elements) * p_.sizes[reg]);
  }
  return OkStatus();
}

}  // namespace millrace::cluster
