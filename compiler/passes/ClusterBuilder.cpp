#include "millrace/compiler/passes/ClusterBuilder.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/ClusterSlices.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "millrace/ops/expr/expression.h"
#include "mlir/IR/Builders.h"
#include <map>

using namespace mlir;

namespace millrace::compiler {
namespace {

using cluster::Level;

class Builder {
public:
  Builder(const ClusterGroup &group, bool expandAll)
      : group(group), members(group.members.begin(), group.members.end()), expandAll(expandAll) {}

  std::unique_ptr<BuiltCluster> run(bool &tooLarge) {
    for (Operation *op : group.members)
      place(op);
    results.resize(items.size());
    for (const Item &item : items)
      emit(item);
    findOutputs();
    auto &p = built->program;
    tooLarge = p.instructions.size() > cluster::kMaxInstructions ||
               p.inputs.size() > cluster::kMaxInputs || p.outputs.size() > cluster::kMaxOutputs;
    if (tooLarge || !inputsMakeSpace())
      return nullptr;
    number();
    return std::move(built);
  }

private:
  struct Item {
    Operation *op;
    Role role;
    Level level;
  };
  // A register, before the number of inputs is known.
  struct Reg {
    bool input;
    int index;
  };

  const SymShape &space() const { return group.space.shape; }
  int rowRank() const { return group.space.rowRank; }

  // The item that computes `v`, through aliases; -1: none of the group.
  int itemOf(Value v) const {
    auto it = producer.find(v);
    return it == producer.end() ? -1 : static_cast<int>(it->second);
  }

  void place(Operation *op) {
    const Role role = roleOf(op);
    Value result = op->getResult(0);
    if (role.kind == Role::Kind::kAlias) {
      producer[result] = static_cast<uint32_t>(itemOf(op->getOperand(0)));
      return;
    }
    const uint32_t i = static_cast<uint32_t>(items.size());
    items.push_back({op, role, Level::kOne});
    Item &item = items.back();
    Level of = Level::kOne;
    for (Value v : dataOperands(op))
      if (const int from = itemOf(v); from >= 0)
        of = std::max(of, items[static_cast<size_t>(from)].level);
    const SymShape shape = shapeOf(result.getType());
    if (role.kind == Role::Kind::kReduce)
      item.level = Level::kRow;
    else if (role.kind == Role::Kind::kColumns)
      item.level = Level::kColumn;
    else if (role.kind == Role::Kind::kRowFunction)
      item.level = Level::kFull;
    else if (group.space.one)
      item.level = Level::kOne;
    else if (shape == space())
      item.level = Level::kFull;
    else
      item.level = isOne(shape) && of == Level::kOne ? Level::kOne : Level::kRow;
    producer[result] = i;
  }

  Reg operandOf(Value v, const Item &user) {
    if (const int from = itemOf(v); from >= 0)
      return {false, results[static_cast<size_t>(from)]};
    const SymShape shape = shapeOf(v.getType());
    cluster::Input input;
    input.type = dtypeOf(v.getType());
    const bool whole = user.role.kind != Role::Kind::kElementwise;
    if (user.level == Level::kRow && !whole && !isOne(shape)) {
      input.level = Level::kRow;
      input.keeps_dims = isKeptRow(shape, space(), rowRank());
    } else if (!whole && isOne(shape) && !(expandAll && user.level == Level::kFull)) {
      input.level = Level::kOne;
    } else if (!whole && !expandAll && rowRank() > 0 && isKeptRow(shape, space(), rowRank())) {
      input.level = Level::kRow;
    }
    auto [it, fresh] =
        inputs.try_emplace(std::tuple(v.getAsOpaquePointer(), input.level, input.keeps_dims),
                           static_cast<int>(built->inputs.size()));
    if (fresh) {
      shapes.push_back(shape);
      built->inputs.push_back(v);
      if (const auto slice = sliceToRead(v, input, user)) {
        built->inputs.back() = slice->source;
        built->slices.insert(v.getDefiningOp());
        input.slice_axis = slice->axis;
        input.slice_begin = slice->begin;
        input.slice_extent = slice->extent;
      }
      built->program.inputs.push_back(input);
    }
    return {true, it->second};
  }

  // A part of a value that is copied for this group alone need not be copied.
  std::optional<ValueSlice> sliceToRead(Value v, const cluster::Input &input, const Item &user) {
    Operation *source = v.getDefiningOp();
    if (input.level != Level::kFull || user.level < Level::kFull || !source ||
        severalDevices(source))
      return std::nullopt;
    const auto inside = [&](Operation *op) { return members.contains(op); };
    return llvm::all_of(source->getUsers(), inside) ? sliceOf(v) : std::nullopt;
  }

  void instruction(const Item &item, ArrayRef<Reg> operands) {
    cluster::Instruction in;
    in.op = item.role.op.str();
    in.node = nodeName(item.op->getLoc()).str();
    in.type = dtypeOf(item.op->getResult(0).getType());
    in.level = item.level;
    if (const Op *def = opOf(item.op); def->expression() && item.role.op == def->name()) {
      const ExpressionTraits &traits = def->expression()->traits;
      if (traits.attr_operand)
        if (auto value = item.op->getAttrOfType<FloatAttr>(traits.attr_operand))
          in.value = value.getValue().convertToFloat();
      if (traits.variant)
        if (auto flag = item.op->getAttrOfType<BoolAttr>(traits.variant_attr))
          in.variant = flag.getValue();
    }
    operandRegs.emplace_back(operands.begin(), operands.end());
    built->program.instructions.push_back(std::move(in));
  }

  void emit(const Item &item) {
    SmallVector<Reg, 4> operands;
    for (Value v : dataOperands(item.op)) {
      operands.push_back(operandOf(v, item));
      if (item.role.kind == Role::Kind::kReduce || item.role.kind == Role::Kind::kColumns)
        break; // the axes are the space's
    }
    const auto last = [&] { return static_cast<int>(built->program.instructions.size()) - 1; };
    if (isNamed(item.op, "AddN")) {
      Reg sum = operands[0];
      for (size_t i = 1; i < operands.size(); ++i) {
        instruction(item, {sum, operands[i]});
        sum = {false, last()};
      }
    } else {
      instruction(item, operands);
    }
    results[static_cast<size_t>(&item - items.data())] = last();
  }

  void findOutputs() {
    std::map<int, int> numbers; // by instruction
    for (Operation *op : group.members) {
      Value value = op->getResult(0);
      if (llvm::all_of(value.getUsers(), [&](Operation *user) { return members.contains(user); }))
        continue;
      const int item = itemOf(value);
      const int reg = results[static_cast<size_t>(item)];
      auto [it, fresh] = numbers.try_emplace(reg, static_cast<int>(built->program.outputs.size()));
      const Type type = items[static_cast<size_t>(item)].op->getResult(0).getType();
      cluster::Output output;
      output.reg = reg;
      if (items[static_cast<size_t>(item)].level == Level::kRow)
        output.keeps_dims = isKeptRow(shapeOf(type), space(), rowRank());
      else if (items[static_cast<size_t>(item)].level == Level::kColumn)
        output.keeps_dims = shapeOf(type).rank() == space().rank();
      if (fresh)
        built->program.outputs.push_back(output);
      built->outputs.push_back({value, type, it->second});
    }
  }

  // The run takes the space from the full inputs: they must broadcast to it.
  bool inputsMakeSpace() const {
    const auto &program = built->program;
    if (llvm::none_of(program.instructions, [](const auto &in) { return in.level != Level::kOne; }))
      return true;
    const size_t rank = space().dims.size();
    bool ranked = rank == 0;
    SmallVector<SmallVector<Dim, 4>, 6> found(rank);
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      if (program.inputs[i].level != Level::kFull)
        continue;
      const SymShape &shape = shapes[i];
      ranked |= shape.dims.size() == rank;
      for (size_t d = 0; d < shape.dims.size(); ++d)
        found[d + rank - shape.dims.size()].push_back(shape.dims[d]);
    }
    CompileState &state = stateOf(group.members.front());
    for (size_t d = 0; ranked && d < rank; ++d)
      ranked = makes(found[d], space().dims[d], state.dims.exprs(), 16);
    return ranked;
  }

  static bool makes(ArrayRef<Dim> found, Dim wanted, const std::vector<plan::DimExpr> &exprs,
                    int depth) {
    if (wanted == Dim(1) || llvm::is_contained(found, wanted))
      return true;
    if (!wanted.symbolic() || depth == 0)
      return false;
    const plan::DimExpr &e = exprs[wanted.expr()];
    const auto dim = [&](uint32_t i) {
      return exprs[i].op == plan::DimOp::kConstant ? Dim(exprs[i].value) : Dim::Expr(i);
    };
    return e.op == plan::DimOp::kBroadcast && makes(found, dim(e.a), exprs, depth - 1) &&
           makes(found, dim(e.b), exprs, depth - 1);
  }

  void number() {
    auto &program = built->program;
    program.row_rank = rowRank();
    const int first = static_cast<int>(program.inputs.size());
    for (size_t i = 0; i < operandRegs.size(); ++i)
      for (const Reg &r : operandRegs[i])
        program.instructions[i].operands.push_back(r.input ? r.index : first + r.index);
    for (cluster::Output &output : program.outputs)
      output.reg += first;
  }

  const ClusterGroup &group;
  const llvm::SmallPtrSet<Operation *, 16> members;
  const bool expandAll; // inputs of full-level instructions are full-level
  std::unique_ptr<BuiltCluster> built = std::make_unique<BuiltCluster>();
  std::vector<Item> items;                  // in the order of the block
  llvm::DenseMap<Value, uint32_t> producer; // items
  std::vector<int> results;                 // of items: instructions
  std::map<std::tuple<void *, Level, bool>, int> inputs;
  std::vector<SymShape> shapes;                 // of inputs, as the program sees them
  std::vector<SmallVector<Reg, 3>> operandRegs; // of instructions
};

} // namespace

std::unique_ptr<BuiltCluster> buildCluster(const ClusterGroup &group, bool &tooLarge) {
  tooLarge = false;
  if (auto built = Builder(group, false).run(tooLarge); built || tooLarge)
    return built;
  return Builder(group, true).run(tooLarge);
}

void replaceMembers(const ClusterGroup &group, const BuiltCluster &built, const Op &clusterOp) {
  Operation *last = group.members.back();
  MLIRContext *context = last->getContext();
  CompileState &state = stateOf(last);
  // The node of the first result lends its name: errors are most often looked for there.
  Operation *named = built.outputs.empty() ? last : built.outputs.front().value.getDefiningOp();
  SmallVector<Location> others;
  for (Operation *op : group.members)
    if (op != named)
      others.push_back(op->getLoc());
  for (Operation *op : built.slices)
    others.push_back(op->getLoc());
  OperationState fused(mergeLocations(named->getLoc(), others),
                       dialectOf(context)->define(clusterOp));
  fused.addOperands(built.inputs);
  for (const auto &[name, value] : cluster::ToAttrs(built.program))
    fused.addAttribute(name, toAttribute(state, context, value, name));
  SmallVector<Type, 4> types(built.program.outputs.size());
  for (const BuiltCluster::Output &output : built.outputs)
    types[static_cast<size_t>(output.number)] = output.type;
  fused.addTypes(types);
  mlir::OpBuilder b(last);
  Operation *made = b.create(fused);
  if (severalDevices(last))
    setDevice(made, deviceOf(last));
  for (const BuiltCluster::Output &output : built.outputs) {
    Value old = output.value;
    Value result = made->getResult(static_cast<unsigned>(output.number));
    old.replaceAllUsesWith(createAlias(last, old.getLoc(), result, old.getType()));
  }
  for (Operation *op : llvm::reverse(group.members))
    op->erase();
  for (Operation *op : built.slices)
    if (op->use_empty())
      op->erase();
}

} // namespace millrace::compiler
