#include "millrace/ops/cluster/program.h"

#include <algorithm>
#include <numeric>

#include "millrace/ops/cluster/kinds.h"
#include "millrace/ops/expr/body.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/strings.h"

namespace millrace::cluster {

bool IsIndexOf(std::string_view op) { return op == "ArgMax" || op == "ArgMin"; }

Kind KindOf(std::string_view op) {
  for (const std::string_view reduction : {"Sum", "Mean", "Max", "Min", "Prod", "Any", "All", "BiasAddGrad"}) {
    if (op == reduction) return Kind::kReduce;
  }
  if (IsIndexOf(op)) return Kind::kReduce;
  return op == "Softmax" || op == "LogSoftmax" ? Kind::kRowFunction : Kind::kElementwise;
}

DType Program::type(int reg) const {
  const auto r = static_cast<size_t>(reg);
  return r < inputs.size() ? inputs[r].type : instructions[r - inputs.size()].type;
}
Level Program::level(int reg) const {
  const auto r = static_cast<size_t>(reg);
  return r < inputs.size() ? inputs[r].level : instructions[r - inputs.size()].level;
}

std::vector<int> PhasesOf(const Program& program) {
  const size_t inputs = program.inputs.size();
  // From which phase on a register is there.
  std::vector<int> ready(inputs, 0), phases;
  for (const Instruction& instruction : program.instructions) {
    int phase = 0;
    for (const int r : instruction.operands) phase = std::max(phase, ready[static_cast<size_t>(r)]);
    phases.push_back(phase);
    ready.push_back(phase + (KindOf(instruction.op) == Kind::kElementwise ? 0 : 1));
  }
  return phases;
}

Program Canonical(Program program) {
  const int inputs = static_cast<int>(program.inputs.size());
  const size_t count = program.instructions.size();
  const std::vector<int> phases = PhasesOf(program);
  const auto key = [&](size_t i) {
    const Instruction& instruction = program.instructions[i];
    if (instruction.level == Level::kOne) return -1;
    const int stage = KindOf(instruction.op) != Kind::kElementwise ? 2 : instruction.level == Level::kFull ? 1 : 0;
    return phases[i] * 3 + stage;
  };
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) != key(b) ? key(a) < key(b) : a < b; });
  std::vector<int> renumbered(static_cast<size_t>(program.num_registers()));
  std::iota(renumbered.begin(), renumbered.end(), 0);
  std::vector<Instruction> sorted;
  for (size_t i = 0; i < count; ++i) {
    renumbered[static_cast<size_t>(inputs) + order[i]] = inputs + static_cast<int>(i);
    sorted.push_back(std::move(program.instructions[order[i]]));
  }
  for (Instruction& instruction : sorted) {
    for (int& r : instruction.operands) r = renumbered[static_cast<size_t>(r)];
  }
  for (Output& output : program.outputs) output.reg = renumbered[static_cast<size_t>(output.reg)];
  program.instructions = std::move(sorted);
  return program;
}

AttrMap ToAttrs(const Program& given) {
  const Program program = Canonical(given);
  ListValue tin, tout, levels, ops, nodes, types, arities, operands, values, variants, outputs, in_keeps, out_keeps,
      slices;
  for (const Input& input : program.inputs) {
    if (input.sliced()) {
      slices.i.insert(slices.i.end(),
                      {static_cast<int64_t>(tin.type.size()), input.slice_axis, input.slice_begin, input.slice_extent});
    }
    tin.type.push_back(input.type);
    levels.i.push_back(static_cast<int64_t>(input.level));
    in_keeps.b.push_back(input.keeps_dims);
  }
  for (const Instruction& instruction : program.instructions) {
    levels.i.push_back(static_cast<int64_t>(instruction.level));
    ops.s.push_back(instruction.op);
    nodes.s.push_back(instruction.node);
    types.type.push_back(instruction.type);
    arities.i.push_back(static_cast<int64_t>(instruction.operands.size()));
    operands.i.insert(operands.i.end(), instruction.operands.begin(), instruction.operands.end());
    values.f.push_back(instruction.value);
    variants.b.push_back(instruction.variant);
  }
  for (const Output& output : program.outputs) {
    tout.type.push_back(program.type(output.reg));
    outputs.i.push_back(output.reg);
    out_keeps.b.push_back(output.keeps_dims);
  }
  AttrMap attrs;
  attrs["Tin"] = std::move(tin);
  attrs["Tout"] = std::move(tout);
  attrs["levels"] = std::move(levels);
  attrs["ops"] = std::move(ops);
  attrs["nodes"] = std::move(nodes);
  attrs["types"] = std::move(types);
  attrs["arities"] = std::move(arities);
  attrs["operands"] = std::move(operands);
  attrs["values"] = std::move(values);
  attrs["variants"] = std::move(variants);
  attrs["outputs"] = std::move(outputs);
  attrs["input_keeps_dims"] = std::move(in_keeps);
  attrs["output_keeps_dims"] = std::move(out_keeps);
  attrs["slices"] = std::move(slices);
  attrs["row_rank"] = program.row_rank;
  attrs["code"] = "";
  return attrs;
}

namespace {

// The attributes as they were written, with the sizes checked.
struct Lists {
  const std::vector<DType>*tin, *tout, *types;
  const std::vector<int64_t>*levels, *arities, *operands, *outputs, *slices = nullptr;
  const std::vector<std::string>*ops, *nodes;
  const std::vector<float>* values;
  const std::vector<bool>*variants, *in_keeps, *out_keeps;
  int64_t row_rank;
};

template <typename T>
Status Take(const AttrMap& attrs, std::string_view name, std::vector<T> ListValue::* member,
            const std::vector<T>** out) {
  const auto found = attrs.find(name);
  const ListValue* list = found == attrs.end() ? nullptr : found->second.get<ListValue>();
  if (list == nullptr) return InvalidArgument(Cat("attribute '", name, "' of a cluster: expected a list, found none"));
  *out = &(list->*member);
  return OkStatus();
}

Status ExpectSize(std::string_view name, size_t found, size_t expected) {
  if (found == expected) return OkStatus();
  return InvalidArgument(Cat("attribute '", name, "': expected ", expected, " elements, found ", found));
}
Status ExpectAtMost(std::string_view name, size_t found, int limit) {
  if (found <= static_cast<size_t>(limit)) return OkStatus();
  return InvalidArgument(Cat("attribute '", name, "': expected at most ", limit, " elements, found ", found));
}

Status ReadLists(const AttrMap& attrs, Lists* l) {
  MR_RETURN_IF_ERROR(Take(attrs, "Tin", &ListValue::type, &l->tin));
  MR_RETURN_IF_ERROR(Take(attrs, "Tout", &ListValue::type, &l->tout));
  MR_RETURN_IF_ERROR(Take(attrs, "types", &ListValue::type, &l->types));
  MR_RETURN_IF_ERROR(Take(attrs, "levels", &ListValue::i, &l->levels));
  MR_RETURN_IF_ERROR(Take(attrs, "arities", &ListValue::i, &l->arities));
  MR_RETURN_IF_ERROR(Take(attrs, "operands", &ListValue::i, &l->operands));
  MR_RETURN_IF_ERROR(Take(attrs, "outputs", &ListValue::i, &l->outputs));
  // (Not there in older plans.)
  if (attrs.contains("slices")) MR_RETURN_IF_ERROR(Take(attrs, "slices", &ListValue::i, &l->slices));
  MR_RETURN_IF_ERROR(Take(attrs, "ops", &ListValue::s, &l->ops));
  MR_RETURN_IF_ERROR(Take(attrs, "nodes", &ListValue::s, &l->nodes));
  MR_RETURN_IF_ERROR(Take(attrs, "values", &ListValue::f, &l->values));
  MR_RETURN_IF_ERROR(Take(attrs, "variants", &ListValue::b, &l->variants));
  MR_RETURN_IF_ERROR(Take(attrs, "input_keeps_dims", &ListValue::b, &l->in_keeps));
  MR_RETURN_IF_ERROR(Take(attrs, "output_keeps_dims", &ListValue::b, &l->out_keeps));
  const auto rank = attrs.find("row_rank");
  const int64_t* row_rank = rank == attrs.end() ? nullptr : rank->second.get<int64_t>();
  if (row_rank == nullptr || *row_rank < 0 || *row_rank > Shape::kMaxRank) {
    return InvalidArgument(Cat("attribute 'row_rank': expected a number from 0 to ", Shape::kMaxRank));
  }
  l->row_rank = *row_rank;
  const size_t inputs = l->tin->size(), instructions = l->ops->size(), outputs = l->tout->size();
  MR_RETURN_IF_ERROR(ExpectAtMost("Tin", inputs, kMaxInputs));
  MR_RETURN_IF_ERROR(ExpectAtMost("ops", instructions, kMaxInstructions));
  MR_RETURN_IF_ERROR(ExpectAtMost("Tout", outputs, kMaxOutputs));
  MR_RETURN_IF_ERROR(ExpectSize("levels", l->levels->size(), inputs + instructions));
  MR_RETURN_IF_ERROR(ExpectSize("nodes", l->nodes->size(), instructions));
  MR_RETURN_IF_ERROR(ExpectSize("types", l->types->size(), instructions));
  MR_RETURN_IF_ERROR(ExpectSize("arities", l->arities->size(), instructions));
  MR_RETURN_IF_ERROR(ExpectSize("values", l->values->size(), instructions));
  MR_RETURN_IF_ERROR(ExpectSize("variants", l->variants->size(), instructions));
  MR_RETURN_IF_ERROR(ExpectSize("outputs", l->outputs->size(), outputs));
  MR_RETURN_IF_ERROR(ExpectSize("input_keeps_dims", l->in_keeps->size(), inputs));
  MR_RETURN_IF_ERROR(ExpectSize("output_keeps_dims", l->out_keeps->size(), outputs));
  size_t operands = 0;
  for (const int64_t arity : *l->arities) {
    if (arity < 1 || arity > kMaxOperands) {
      return InvalidArgument(Cat("attribute 'arities': expected 1 to ", kMaxOperands, ", found ", arity));
    }
    operands += static_cast<size_t>(arity);
  }
  return ExpectSize("operands", l->operands->size(), operands);
}

Status CheckLevel(int64_t level, int64_t row_rank) {
  const bool rows = level == static_cast<int64_t>(Level::kRow) || level == static_cast<int64_t>(Level::kColumn);
  if (level >= 0 && level <= static_cast<int64_t>(Level::kColumn) && (!rows || row_rank > 0)) return OkStatus();
  return InvalidArgument(Cat("attribute 'levels': found ", level, " in a program with ", row_rank, " row dimensions"));
}

// Four numbers for each; inputs in order.
Status ReadSlices(const std::vector<int64_t>& slices, std::vector<Input>* inputs) {
  size_t next = 0;  // input that may have one
  for (size_t k = 0; k + 4 <= slices.size(); k += 4) {
    const int64_t input = slices[k], axis = slices[k + 1], begin = slices[k + 2], extent = slices[k + 3];
    int64_t end = 0;
    if (input < static_cast<int64_t>(next) || input >= static_cast<int64_t>(inputs->size()) ||
        (*inputs)[static_cast<size_t>(input)].level != Level::kFull || axis < 0 || axis >= Shape::kMaxRank ||
        begin < 0 || extent < 0 || __builtin_add_overflow(begin, extent, &end)) {
      return InvalidArgument(
          Cat("attribute 'slices': found input ", input, ", axis ", axis, ", begin ", begin, ", extent ", extent));
    }
    Input& sliced = (*inputs)[static_cast<size_t>(input)];
    sliced.slice_axis = static_cast<int>(axis);
    sliced.slice_begin = begin;
    sliced.slice_extent = extent;
    next = static_cast<size_t>(input) + 1;
  }
  if (slices.size() % 4 == 0) return OkStatus();
  return InvalidArgument(Cat("attribute 'slices': expected four numbers for each, found ", slices.size()));
}

Status CheckType(std::string_view name, DType type) {
  if (IsValid(type) && !IsRef(type) && ElementSize(type) > 0) return OkStatus();
  return InvalidArgument(Cat("attribute '", name, "': expected types of plain elements, found ",
                             IsValid(type) ? DTypeName(type) : Cat("number ", static_cast<int32_t>(type))));
}

// What an instruction's kind asks of its levels and types.
Status CheckInstruction(const Program& program, const Instruction& instruction) {
  const Kind kind = KindOf(instruction.op);
  if (kind == Kind::kElementwise) {
    bool fits = instruction.level != Level::kColumn;
    for (const int r : instruction.operands) fits = fits && program.level(r) <= instruction.level;
    if (!fits) return InvalidArgument("attribute 'levels': an operand has a higher level than the result");
    return OkStatus();
  }
  const bool columns =
      kind == Kind::kReduce && (instruction.level == Level::kColumn || instruction.op == "BiasAddGrad");
  const Level result = columns ? Level::kColumn : kind == Kind::kReduce ? Level::kRow : Level::kFull;
  const int operand = instruction.operands[0];
  const bool index = IsIndexOf(instruction.op);
  if (program.row_rank == 0 || instruction.operands.size() != 1 || program.level(operand) != Level::kFull ||
      instruction.level != result || (!index && instruction.type != program.type(operand)) ||
      ((kind == Kind::kRowFunction || index) && program.row_rank != 1)) {
    return InvalidArgument("attributes 'levels', 'types', 'arities' and 'row_rank' do not fit an op over rows");
  }
  return OkStatus();
}

}  // namespace

Result<Program> FromAttrs(const AttrMap& attrs) {
  Lists l;
  MR_RETURN_IF_ERROR(ReadLists(attrs, &l));
  Program program;
  program.row_rank = static_cast<int>(l.row_rank);
  for (const int64_t level : *l.levels) MR_RETURN_IF_ERROR(CheckLevel(level, l.row_rank));
  for (size_t i = 0; i < l.tin->size(); ++i) {
    MR_RETURN_IF_ERROR(CheckType("Tin", (*l.tin)[i]));
    if ((*l.levels)[i] == static_cast<int64_t>(Level::kColumn)) {
      return InvalidArgument(Cat("attribute 'levels': input ", i, " is of the level of columns"));
    }
    program.inputs.push_back({(*l.tin)[i], static_cast<Level>((*l.levels)[i]), (*l.in_keeps)[i], -1, 0, 0});
  }
  if (l.slices != nullptr) MR_RETURN_IF_ERROR(ReadSlices(*l.slices, &program.inputs));
  size_t next = 0;
  for (size_t i = 0; i < l.ops->size(); ++i) {
    const auto& node = (*l.nodes)[i];
    const auto& op = (*l.ops)[i];
    MR_RETURN_IF_ERROR(CheckType("types", (*l.types)[i]).At(node, op));
    Instruction instruction;
    instruction.op = op;
    instruction.node = node;
    instruction.type = (*l.types)[i];
    instruction.level = static_cast<Level>((*l.levels)[program.inputs.size() + i]);
    instruction.value = (*l.values)[i];
    instruction.variant = (*l.variants)[i];
    for (int64_t k = 0; k < (*l.arities)[i]; ++k) {
      const int64_t r = (*l.operands)[next++];
      if (r < 0 || r >= program.num_registers()) {
        return InvalidArgument(
                   Cat("attribute 'operands': expected registers below ", program.num_registers(), ", found ", r))
            .At(node, op);
      }
      instruction.operands.push_back(static_cast<int>(r));
    }
    MR_RETURN_IF_ERROR(CheckInstruction(program, instruction).At(node, op));
    program.instructions.push_back(std::move(instruction));
  }
  for (size_t i = 0; i < l.outputs->size(); ++i) {
    const int64_t r = (*l.outputs)[i];
    if (r < static_cast<int64_t>(program.inputs.size()) || r >= program.num_registers()) {
      return InvalidArgument(Cat("attribute 'outputs': expected registers of instructions, found ", r));
    }
    if ((*l.tout)[i] != program.type(static_cast<int>(r))) {
      return InvalidArgument(Cat("attribute 'Tout': expected ", DTypeName(program.type(static_cast<int>(r))),
                                 " for output ", i, ", found another type"));
    }
    program.outputs.push_back({static_cast<int>(r), (*l.out_keeps)[i]});
  }
  return Canonical(std::move(program));
}

std::vector<Segment> SegmentsOf(const Program& program) {
  const int inputs = static_cast<int>(program.inputs.size());
  const int count = static_cast<int>(program.instructions.size());
  const auto at = [&](int i) -> const Instruction& { return program.instructions[static_cast<size_t>(i)]; };
  // The last instruction that reads each register; `count` for an output.
  std::vector<int> last_read(static_cast<size_t>(program.num_registers()), -1);
  for (int i = 0; i < count; ++i) {
    for (const int r : at(i).operands) last_read[static_cast<size_t>(r)] = i;
  }
  for (const Output& output : program.outputs) last_read[static_cast<size_t>(output.reg)] = count;

  std::vector<Segment> segments;
  std::vector<int> seen(last_read.size(), -1);  // the last segment that lists a register as read
  for (int begin = 0; begin < count;) {
    Segment s;
    s.kind = KindOf(at(begin).op);
    s.level = at(begin).level;
    s.begin = begin;
    s.end = begin + 1;
    while (s.kind == Kind::kElementwise && s.end < count && KindOf(at(s.end).op) == s.kind &&
           at(s.end).level == s.level) {
      ++s.end;
    }
    const int number = static_cast<int>(segments.size());
    for (int i = s.begin; i < s.end; ++i) {
      for (const int r : at(i).operands) {
        if (r >= inputs + s.begin || seen[static_cast<size_t>(r)] == number) continue;
        seen[static_cast<size_t>(r)] = number;
        s.reads.push_back(r);
      }
      if (last_read[static_cast<size_t>(inputs + i)] >= s.end) s.writes.push_back(inputs + i);
    }
    begin = s.end;
    segments.push_back(std::move(s));
  }
  return segments;
}

}  // namespace millrace::cluster
