#include "millrace/ops/cluster/prepared.h"

#include <algorithm>
#include <map>

#include "millrace/ops/cluster/kinds.h"
#include "millrace/ops/expr/access.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace::cluster {
namespace {

class Maker {
 public:
  Maker(Prepared& p, const Registry& registry) : p_(p), program_(p.program), registry_(registry) {}

  Status Make(const CodeStore* code, std::string_view symbol) {
    for (int r = 0; r < program_.num_registers(); ++r) AddId(program_.type(r));
    phases_ = PhasesOf(program_);
    const int inputs = static_cast<int>(program_.inputs.size());
    p_.last_read.assign(program_.inputs.size(), -1);
    p_.materialise.assign(program_.inputs.size(), false);
    for (size_t i = 0; i < program_.instructions.size(); ++i) {
      const Instruction& instruction = program_.instructions[i];
      MR_RETURN_IF_ERROR(AddInstruction(static_cast<int>(i)).At(instruction.node, instruction.op));
      for (const int r : instruction.operands) {
        if (r < inputs) p_.last_read[static_cast<size_t>(r)] = static_cast<int>(i);
      }
    }
    p_.num_ids = static_cast<int>(p_.sizes.size());
    MakeConstants();
    AttachCode(code, symbol);
    MarkSpread();
    ListIds();
    ListOutputs();
    p_.direct = Place(false);
    p_.late = Place(true);
    for (const Output& output : program_.outputs) {
      const auto slot = std::find_if(p_.late.slots.begin(), p_.late.slots.end(),
                                     [&](const Placement::Slot& s) { return s.id == output.reg; });
      p_.late_whole.push_back(slot != p_.late.slots.end() && slot->whole);
    }
    return OkStatus();
  }

 private:
  int AddId(DType type) {
    p_.sizes.push_back(static_cast<uint8_t>(ElementSize(type)));
    p_.types.push_back(type);
    return static_cast<int>(p_.sizes.size()) - 1;
  }
  Phase& PhaseAt(int phase) {
    while (static_cast<int>(p_.phases.size()) <= phase) {
      p_.phases.emplace_back();
      const int at = static_cast<int>(p_.steps.size());
      p_.phases.back().row.begin = p_.phases.back().row.end = at;
      p_.phases.back().full.begin = p_.phases.back().full.end = at;
    }
    return p_.phases[static_cast<size_t>(phase)];
  }
  StepRange& RangeAt(Level level, int phase) {
    if (level == Level::kOne) return p_.one;
    return level == Level::kRow ? PhaseAt(phase).row : PhaseAt(phase).full;
  }
  static void AddOnce(std::vector<int32_t>& list, int id) {
    if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
  }

  Status AddInstruction(int i) {
    const Instruction& instruction = program_.instructions[static_cast<size_t>(i)];
    const int out = static_cast<int>(program_.inputs.size()) + i;
    const int phase = phases_[static_cast<size_t>(i)];
    if (KindOf(instruction.op) == Kind::kElementwise) return AddStep(instruction, out, phase);
    Phase& at = PhaseAt(phase);
    RowStep step;
    step.in = instruction.operands[0];
    step.out = out;
    const bool bias = instruction.op == "BiasAddGrad";
    const reduce::RowReducer* const reduce =
        reduce::FindRowReducer(bias ? "Sum" : instruction.op, program_.type(instruction.operands[0]), instruction.type);
    step.softmax = nn::FindSoftmax(instruction.op, instruction.type);
    const bool columns = instruction.level == Level::kColumn;
    if (columns ? reduce == nullptr || reduce->columns.loops == nullptr
                : reduce == nullptr && step.softmax == nullptr) {
      return Unimplemented(Cat("no kernel for ", columns ? "columns" : "rows", " of ",
                               DTypeName(program_.type(instruction.operands[0])), " to ", DTypeName(instruction.type)));
    }
    if (IsIndexOf(instruction.op)) p_.chooses = i;
    if (columns) {
      step.columns = &reduce->columns;
      step.column_step = static_cast<int32_t>(p_.column_steps.size());
      // A bias knows its channels; what sums over given axes sees through dimensions of 1.
      p_.column_steps.push_back({step.columns, !bias, out});
    } else {
      step.reduce = reduce;
    }
    p_.softmax_functions = p_.softmax_functions || step.softmax != nullptr;
    if (step.softmax != nullptr) p_.softmax_bytes = std::max(p_.softmax_bytes, step.softmax->workspace_bytes);
    p_.full_cycles += reduce != nullptr ? reduce->cycles : 2;
    if (step.in < static_cast<int>(program_.inputs.size())) {
      p_.materialise[static_cast<size_t>(step.in)] = true;
      AddOnce(step.softmax == nullptr ? at.inputs : at.whole_inputs, step.in);
    }
    at.row_steps.push_back(step);
    return OkStatus();
  }

  Status AddStep(const Instruction& instruction, int out, int phase) {
    const Op* op = registry_.Find(instruction.op);
    if (op == nullptr) return Unimplemented(Cat("op '", instruction.op, "' is not known to this build"));
    const Expression* expression = op->expression();
    if (expression == nullptr) return Internal("a cluster holds an op that is not element-wise");
    const ExpressionTraits& traits = expression->traits;
    const size_t given = instruction.operands.size();
    const size_t arity = given + (traits.attr_operand != nullptr ? 1 : 0);
    if (arity != static_cast<size_t>(expression->arity())) {
      return Internal(Cat("expected ", expression->arity(), " operands in a cluster, found ", arity));
    }
    DType in[kMaxOperands] = {};
    for (size_t k = 0; k < given; ++k) in[k] = program_.type(instruction.operands[k]);
    if (arity > given) in[given] = in[0];
    const Body* body = BodyFor(*expression, instruction.variant, {in, arity}, instruction.type, ActiveIsa());
    if (body == nullptr) {
      return Unimplemented(Cat("no body for ", DTypeName(in[0]), " to ", DTypeName(instruction.type)));
    }
    Step step;
    step.run = body->run;
    step.lanes = body->lanes;
    step.shift = __builtin_ctz(static_cast<unsigned>(body->lanes));
    step.arity = static_cast<int32_t>(arity);
    step.out = out;
    for (size_t k = 0; k < given; ++k) step.in[k] = OperandId(instruction.operands[k], instruction.level, phase);
    if (arity > given) {
      char value[kMaxElementBytes] = {};
      if (!MakeAttrOperand(instruction.value, in[0], value)) {
        return Internal(Cat("attribute '", traits.attr_operand, "' cannot be an operand of type ", DTypeName(in[0])));
      }
      step.in[given] = ConstantId(in[0], std::string(value, ElementSize(in[0])));
    }
    for (size_t k = arity; k < kMaxOperands; ++k) step.in[k] = step.in[0];
    p_.max_lanes = std::max(p_.max_lanes, body->lanes);

    StepRange& range = RangeAt(instruction.level, phase);
    const int at = static_cast<int>(p_.steps.size());
    if (range.empty()) range.begin = at;
    range.end = at + 1;
    bool integers = false;
    for (size_t k = 0; k < arity; ++k) integers = integers || IsInteger(in[k]);
    // Checks are about integers: floating-point numbers divide by zero.
    if (traits.check != nullptr && integers) {
      p_.checks.push_back({at, traits.check});
      range.has_checks = true;
    }
    if (instruction.level == Level::kFull) p_.full_cycles += traits.cycles;
    p_.steps.push_back(step);
    p_.step_instructions.push_back(out - static_cast<int>(program_.inputs.size()));
    return OkStatus();
  }

  // The id under which an instruction of `level` reads a register.
  int OperandId(int reg, Level level, int phase) {
    const bool input = reg < static_cast<int>(program_.inputs.size());
    if (level != Level::kFull) return reg;
    if (program_.level(reg) == Level::kFull) {
      if (input) AddOnce(PhaseAt(phase).inputs, reg);
      return reg;
    }
    if (program_.level(reg) == Level::kOne) return reg;
    const auto [found, added] = spread_.try_emplace(reg, 0);
    if (added) {
      found->second = AddId(program_.type(reg));
      p_.spread_of.push_back(reg);
      PhaseAt(phase).spread.push_back(found->second);
    }
    return found->second;
  }

  int ConstantId(DType type, std::string bytes) {
    const auto [found, added] = constants_.try_emplace({type, std::move(bytes)}, 0);
    if (added) {
      found->second = AddId(type);
      p_.spread_of.push_back(-1);
      p_.constants.push_back(found->second);
      constant_bytes_.push_back(found->first.second);
    }
    return found->second;
  }

  void MakeConstants() {
    p_.splats.reset(new char[kSplatBytes * p_.constants.size() + 1]);
    for (size_t i = 0; i < p_.constants.size(); ++i) {
      Splat(constant_bytes_[i].data(), constant_bytes_[i].size(), p_.splats.get() + i * kSplatBytes);
    }
  }

  void AttachCode(const CodeStore* code, std::string_view symbol) {
    if (code == nullptr || symbol.empty()) return;
    const std::vector<Segment> segments = SegmentsOf(program_);
    for (size_t s = 0; s < segments.size(); ++s) {
      const Segment& segment = segments[s];
      if (segment.kind != Kind::kElementwise) continue;
      const CodeStore::Loop loop = code->Find(symbol, static_cast<int>(s), SegmentDigest(program_, segment));
      if (loop.run == nullptr || loop.lanes < 1 || (loop.lanes & (loop.lanes - 1)) != 0) continue;
      StepRange& range = RangeAt(segment.level, phases_[static_cast<size_t>(segment.begin)]);
      if (range.has_checks || range.end - range.begin != segment.end - segment.begin) continue;
      for (const int r : segment.reads) {
        const auto spread = segment.level == Level::kFull ? spread_.find(r) : spread_.end();
        range.reads.push_back(spread != spread_.end() ? spread->second : r);
      }
      range.writes.assign(segment.writes.begin(), segment.writes.end());
      bool fits = true;
      for (const int32_t id : range.reads) fits = fits && static_cast<size_t>(loop.lanes) * Size(id) <= kSplatBytes;
      for (const int32_t id : range.writes) fits = fits && static_cast<size_t>(loop.lanes) * Size(id) <= kSplatBytes;
      if (!fits) continue;
      range.code = loop;
      p_.max_lanes = std::max(p_.max_lanes, loop.lanes);
    }
  }
  size_t Size(int id) const { return p_.sizes[static_cast<size_t>(id)]; }

  // A single value is one vector of the step that made it; those who read it may
  // have more lanes.
  void MarkSpread() {
    std::vector<int> read(static_cast<size_t>(p_.num_ids), 1);
    const auto note = [&](int id, int lanes) {
      const int k = id - program_.num_registers();
      if (k >= 0) id = p_.spread_of[static_cast<size_t>(k)];
      if (id >= 0) read[static_cast<size_t>(id)] = std::max(read[static_cast<size_t>(id)], lanes);
    };
    const auto ranges = [&](const auto& f) {
      f(p_.one);
      for (Phase& phase : p_.phases) {
        f(phase.row);
        f(phase.full);
      }
    };
    ranges([&](StepRange& range) {
      for (int s = range.begin; s < range.end; ++s) {
        const Step& step = p_.steps[static_cast<size_t>(s)];
        for (int k = 0; k < step.arity; ++k) note(step.in[k], step.lanes);
      }
      if (range.code.run != nullptr) {
        for (const int32_t id : range.reads) note(id, range.code.lanes);
      }
    });
    ranges([&](StepRange& range) {
      for (int s = range.begin; s < range.end; ++s) {
        Step& step = p_.steps[static_cast<size_t>(s)];
        step.spread = read[static_cast<size_t>(step.out)] > step.lanes;
      }
    });
    for (Phase& phase : p_.phases) {
      for (RowStep& step : phase.row_steps) step.spread = read[static_cast<size_t>(step.out)] > 1;
    }
  }

  void ListIds() {
    for (int r = 0; r < program_.num_registers(); ++r) {
      if (program_.level(r) == Level::kRow) p_.row_ids.push_back(r);
      if (program_.level(r) == Level::kOne) p_.one_ids.push_back(r);
    }
    std::vector<int> seen(static_cast<size_t>(program_.num_registers()), -1);
    for (size_t k = 0; k < p_.phases.size(); ++k) {
      Phase& phase = p_.phases[k];
      const auto add = [&](int id) {
        if (id >= program_.num_registers() || program_.level(id) != Level::kFull) return;
        if (std::exchange(seen[static_cast<size_t>(id)], static_cast<int>(k)) == static_cast<int>(k)) return;
        phase.full_ids.push_back(id);
      };
      for (int s = phase.full.begin; s < phase.full.end; ++s) {
        const Step& step = p_.steps[static_cast<size_t>(s)];
        for (int j = 0; j < step.arity; ++j) add(step.in[j]);
        add(step.out);
      }
    }
  }

  void ListOutputs() {
    const int inputs = static_cast<int>(program_.inputs.size());
    p_.tails.assign(static_cast<size_t>(p_.num_ids), -1);
    for (int i = 0; i < inputs; ++i) p_.tails[static_cast<size_t>(i)] = p_.num_tails++;
    for (size_t o = 0; o < program_.outputs.size(); ++o) {
      const int reg = program_.outputs[o].reg;
      if (program_.level(reg) != Level::kFull) continue;
      int32_t& tail = p_.tails[static_cast<size_t>(reg)];
      if (tail >= 0) p_.outputs_differ = false;
      else tail = p_.num_tails++;
      const auto i = static_cast<size_t>(reg - inputs);
      if (KindOf(program_.instructions[i].op) == Kind::kElementwise) {
        PhaseAt(phases_[i]).outputs.push_back(static_cast<int32_t>(o));
      }
    }
  }

  // Places full-level registers by the instructions that they live for. Registers
  // that outlive their phase, and what functions of rows read and write, hold whole
  // rows.
  Placement Place(bool late_outputs) {
    const int inputs = static_cast<int>(program_.inputs.size());
    const int count = static_cast<int>(program_.instructions.size());
    std::vector<int> last(static_cast<size_t>(program_.num_registers()), -1);
    std::vector<bool> whole(last.size(), false), output(last.size(), false);
    for (int i = 0; i < count; ++i) {
      const Instruction& instruction = program_.instructions[static_cast<size_t>(i)];
      const bool row_function = KindOf(instruction.op) == Kind::kRowFunction;
      for (const int r : instruction.operands) {
        last[static_cast<size_t>(r)] = i;
        if (r < inputs) continue;
        if (row_function || phases_[static_cast<size_t>(r - inputs)] != phases_[static_cast<size_t>(i)]) {
          whole[static_cast<size_t>(r)] = true;
        }
      }
      if (row_function) whole[static_cast<size_t>(inputs + i)] = true;
    }
    for (const Output& o : program_.outputs) output[static_cast<size_t>(o.reg)] = true;

    // Outputs that are kept back until their row is done.
    const bool keep_rows = p_.phases.size() > 1 || p_.softmax_functions;
    Placement placement;
    struct Free {
      int64_t offset;
      size_t size;
      bool whole;
    };
    std::vector<Free> free;
    std::vector<std::vector<Free>> freed_after(static_cast<size_t>(count));
    std::map<int, Free> placed;
    for (int i = 0; i < count; ++i) {
      const int reg = inputs + i;
      for (const Free& f : freed_after[static_cast<size_t>(i)]) free.push_back(f);
      if (program_.level(reg) == Level::kFull && (late_outputs || !output[static_cast<size_t>(reg)])) {
        const bool is_output = output[static_cast<size_t>(reg)];
        const bool is_whole = whole[static_cast<size_t>(reg)] || (is_output && keep_rows);
        const size_t size = Size(reg);
        // The place of an operand that nothing reads afterwards may be the result's:
        // the sizes are equal.
        const auto fits = std::find_if(free.begin(), free.end(),
                                       [&](const Free& f) { return f.size == size && f.whole == is_whole; });
        Free place{0, size, is_whole};
        if (fits != free.end()) {
          place = *fits;
          free.erase(fits);
        } else {
          int64_t& bytes = is_whole ? placement.whole_bytes : placement.local_bytes;
          place.offset = bytes;
          bytes += static_cast<int64_t>(size);
        }
        placement.slots.push_back({reg, is_whole, place.offset});
        if (is_output) continue;
        if (last[static_cast<size_t>(reg)] < 0) free.push_back(place);
        else freed_after[static_cast<size_t>(last[static_cast<size_t>(reg)])].push_back(place);
      }
    }
    return placement;
  }

  Prepared& p_;
  const Program& program_;
  const Registry& registry_;
  std::vector<int> phases_;
  std::map<int, int> spread_;
  std::map<std::pair<DType, std::string>, int> constants_;
  std::vector<std::string> constant_bytes_;
};

}  // namespace

Result<std::unique_ptr<Prepared>> Prepared::Make(Program program, const Registry& registry, const CodeStore* code,
                                                 std::string_view symbol) {
  auto prepared = std::make_unique<Prepared>();
  prepared->program = std::move(program);
  MR_RETURN_IF_ERROR(Maker(*prepared, registry).Make(code, symbol));
  return prepared;
}

Status Prepared::At(Status status, int step) const {
  return AtInstruction(std::move(status), step_instructions[static_cast<size_t>(step)]);
}
Status Prepared::AtInstruction(Status status, int instruction) const {
  const Instruction& at = program.instructions[static_cast<size_t>(instruction)];
  return std::move(status).At(at.node, at.op);
}

}  // namespace millrace::cluster
