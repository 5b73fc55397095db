#include "millrace/compiler/emit/Emit.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/ops/user/user_ops_hash.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>

using namespace mlir;

namespace millrace::compiler {
namespace {

class Emitter {
public:
  explicit Emitter(ModuleOp module) : module(module), state(stateOf(module)) {}

  Result<plan::Plan> run() {
    deviceIndex(hostDevice(state));
    for (const std::string &name : state.dims.symbols())
      plan.symbols.push_back({name});
    exprOf.assign(state.dims.exprs().size(), plan::kNone);
    markUsed();
    for (auto func : module.getOps<func::FuncOp>())
      MR_RETURN_IF_ERROR(emit(func));
    plan.user_ops_hash = UserOpsHash(UserOps(plan), *state.registry);
    return std::move(plan);
  }

private:
  // ---- expressions ----

  void markUsed() {
    const std::vector<plan::DimExpr> &exprs = state.dims.exprs();
    std::vector<bool> used(exprs.size(), false);
    const auto mark = [&](Dim d) {
      if (d.symbolic() && d.expr() < used.size())
        used[d.expr()] = true;
    };
    const auto markAll = [&](DimsAttr dims) {
      for (size_t i = 0; dims && i < dims.size(); ++i)
        if (dims[i].kind == SymElement::Kind::kExpr)
          mark(dims[i].dim());
    };
    const auto markType = [&](Type type) {
      for (Dim d : shapeOf(type).dims)
        mark(d);
    };
    for (auto func : module.getOps<func::FuncOp>()) {
      markAll(func->getAttrOfType<DimsAttr>("plan.slots"));
      for (Value a : func.getArguments())
        markType(a.getType());
      for (Operation &op : func.getBody().front()) {
        for (Value r : op.getResults())
          if (!r.use_empty())
            markType(r.getType());
        if (isStructural(&op, "dims"))
          markAll(op.getAttrOfType<DimsAttr>("elements"));
      }
    }
    for (size_t i = used.size(); i-- > 0;) {
      if (!used[i] || exprs[i].op == plan::DimOp::kConstant || exprs[i].op == plan::DimOp::kSymbol)
        continue;
      used[exprs[i].a] = used[exprs[i].b] = true;
    }
    for (size_t i = 0; i < used.size(); ++i) {
      if (!used[i])
        continue;
      plan::DimExpr e = exprs[i];
      if (e.op == plan::DimOp::kConstant) {
        exprOf[i] = number(e.value);
        continue;
      }
      if (e.op != plan::DimOp::kSymbol) {
        e.a = exprOf[e.a];
        e.b = exprOf[e.b];
      }
      exprOf[i] = static_cast<uint32_t>(plan.exprs.size());
      plan.exprs.push_back(e);
    }
  }

  uint32_t number(int64_t value) {
    auto [it, fresh] = numbers.try_emplace(value, static_cast<uint32_t>(plan.exprs.size()));
    if (fresh)
      plan.exprs.push_back({plan::DimOp::kConstant, 0, 0, value});
    return it->second;
  }
  uint32_t expr(SymElement e) {
    if (e.kind == SymElement::Kind::kNumber)
      return number(e.number);
    return e.kind == SymElement::Kind::kExpr ? exprOf[e.expr] : plan::kNone;
  }
  uint32_t expr(Dim d) { return expr(SymElement::Of(d)); }

  // ---- a body ----

  Status emit(func::FuncOp func) {
    plan::Block block;
    block.name = func.getName().str();
    values.clear();
    resourceValues.clear();

    plan::Signature signature;
    signature.name = block.name;
    signature.block = static_cast<uint32_t>(plan.blocks.size());
    const auto names = [&](const char *attr) {
      std::vector<std::string> out;
      if (auto list = func->getAttrOfType<ArrayAttr>(attr))
        for (Attribute a : list)
          out.push_back(llvm::cast<StringAttr>(a).getValue().str());
      return out;
    };
    const std::vector<std::string> feedNames = names("graph.feeds");
    for (BlockArgument argument : func.getArguments()) {
      const uint32_t i = argument.getArgNumber();
      const uint32_t v = addValue(block, argument, plan::Storage::kFeed, i);
      block.arguments.push_back(v);
      signature.feeds.push_back(
          feed(argument.getType(), i < feedNames.size() ? feedNames[i] : Cat("feed ", i)));
    }

    if (auto slots = func->getAttrOfType<DimsAttr>("plan.slots"))
      for (size_t i = 0; i < slots.size(); ++i)
        block.slots.push_back({expr(slots[i])});
    for (Operation &op : func.getBody().front().without_terminator())
      MR_RETURN_IF_ERROR(emit(block, &op));

    for (Value v : func.getBody().front().getTerminator()->getOperands())
      if (!isControl(v))
        block.results.push_back(values.lookup(v));
    signature.fetches = names("graph.fetches");
    signature.targets = names("graph.targets");
    plan.blocks.push_back(std::move(block));
    plan.signatures.push_back(std::move(signature));
    return OkStatus();
  }

  plan::Feed feed(Type type, std::string name) {
    plan::Feed out;
    out.name = std::move(name);
    out.dtype = dtypeOf(type);
    const SymShape shape = shapeOf(type);
    out.unknown_rank = !shape.has_rank;
    for (Dim d : shape.dims) {
      out.dims.push_back(d.known() ? d.value() : -1);
      const bool symbol = d.symbolic() && state.dims.exprs()[d.expr()].op == plan::DimOp::kSymbol;
      out.symbols.push_back(symbol ? static_cast<uint32_t>(state.dims.exprs()[d.expr()].value)
                                   : plan::kNone);
    }
    return out;
  }

  uint32_t addValue(plan::Block &block, Value v, plan::Storage storage, uint32_t index) {
    plan::Value value;
    value.dtype = dtypeOf(v.getType());
    value.storage = storage;
    value.index = index;
    const SymShape shape = shapeOf(v.getType());
    value.unknown_rank = !shape.has_rank;
    for (Dim d : shape.dims)
      value.dims.push_back(expr(d));
    value.name = valueName(v);
    const uint32_t number = static_cast<uint32_t>(block.values.size());
    block.values.push_back(std::move(value));
    values[v] = number;
    return number;
  }

  Status emit(plan::Block &block, Operation *op) {
    if (ElementsAttr constant = constantValue(op)) {
      if (!op->getResult(0).use_empty())
        addValue(block, op->getResult(0), plan::Storage::kConstant, constantIndex(op, constant));
      return OkStatus();
    }
    if (isStructural(op, "dims")) {
      const uint32_t v = addValue(block, op->getResult(0), plan::Storage::kDims, plan::kNone);
      auto elements = op->getAttrOfType<DimsAttr>("elements");
      for (size_t i = 0; i < elements.size(); ++i)
        block.values[v].elements.push_back(expr(elements[i]));
      return OkStatus();
    }
    if (isStructural(op, "alias")) {
      addValue(block, op->getResult(0), plan::Storage::kAlias, values.lookup(op->getOperand(0)));
      return OkStatus();
    }
    if (createsResource(op)) {
      values[op->getResult(0)] = resourceValue(block, op);
      return OkStatus();
    }
    const StepNote *note = stepOf(op);
    if (!note)
      return OkStatus();

    plan::Step step;
    step.node = nodeName(op->getLoc()).str();
    for (llvm::StringRef name : otherNodes(op->getLoc()))
      step.fused_nodes.push_back(name.str());
    step.device = deviceIndex(note->device);
    if (const Op *def = opOf(op)) {
      step.op = def->name();
      step.attrs = attrsOf(op);
    } else if (isStructural(op, "copy")) {
      step.kind = plan::StepKind::kCopy;
    } else { // graph.read
      step.op = "Identity";
      step.attrs["T"] = BaseType(dtypeOf(op->getOperand(0).getType()));
    }
    for (Value v : dataOperands(op))
      step.inputs.push_back(values.lookup(v));
    for (unsigned i = 0; i < numDataResults(op); ++i) {
      Value result = op->getResult(i);
      if (isResourceValue(result)) {
        // An op that returns a reference returns its first.
        const OperandRange operands = op->getOperands();
        auto first = llvm::find_if(operands, [](Value v) { return isResourceValue(v); });
        auto known = first == operands.end() ? values.end() : values.find(*first);
        if (known == values.end())
          return blame(op, Unimplemented(
                               "a reference or handle whose resource is not known before the run"));
        const uint32_t reference = known->second;
        values[result] = reference;
        step.outputs.push_back(plan::kNone);
        continue;
      }
      if (result.use_empty()) {
        step.outputs.push_back(plan::kNone);
        continue;
      }
      const int64_t slot = i < note->slots.size() ? note->slots[i] : -1;
      step.outputs.push_back(
          slot < 0 ? addValue(block, result, plan::Storage::kLate, plan::kNone)
                   : addValue(block, result, plan::Storage::kSlot, static_cast<uint32_t>(slot)));
    }
    step.after.assign(note->after.begin(), note->after.end());
    block.steps.push_back(std::move(step));
    return OkStatus();
  }

  static Status blame(Operation *op, const Status &status) {
    const Op *def = opOf(op);
    return status.At(std::string_view(nodeName(op->getLoc())), def ? def->name() : "");
  }

  // The plan lists the devices that it uses, the host first.
  uint32_t deviceIndex(uint32_t device) {
    if (plan.devices.empty())
      plan.devices.push_back(state.devices[hostDevice(state)]);
    const plan::DeviceRef &ref = state.devices[device];
    for (uint32_t i = 0; i < plan.devices.size(); ++i)
      if (plan.devices[i].kind == ref.kind && plan.devices[i].ordinal == ref.ordinal)
        return i;
    plan.devices.push_back(ref);
    return static_cast<uint32_t>(plan.devices.size()) - 1;
  }

  // ---- constants and resources, shared by all signatures ----

  uint32_t constantIndex(Operation *op, ElementsAttr attr) {
    auto [it, fresh] = constants.try_emplace(attr, static_cast<uint32_t>(plan.constants.size()));
    if (!fresh)
      return it->second;
    auto type = llvm::cast<ShapedType>(attr.getType());
    plan::Constant c;
    c.dtype = dtypeOfElement(type.getElementType());
    c.dims.assign(type.getShape().begin(), type.getShape().end());
    c.name = nodeName(op->getLoc()).str();
    if (auto strings = llvm::dyn_cast<DenseStringElementsAttr>(attr)) {
      for (llvm::StringRef s : strings.getValues<llvm::StringRef>())
        c.strings.push_back(s.str());
    } else {
      c.content = denseBytes(state, attr);
    }
    plan.constants.push_back(std::move(c));
    return it->second;
  }

  uint32_t resourceValue(plan::Block &block, Operation *creator) {
    plan::Resource r;
    r.kind = "Variable";
    const AttrMap &attrs = attrsOf(creator);
    std::tie(r.container, r.name) = resourceName(creator);
    if (auto it = attrs.find("dtype"); it != attrs.end() && it->second.get<DType>())
      r.dtype = BaseType(*it->second.get<DType>());
    r.unknown_rank = true;
    if (auto it = attrs.find("shape");
        it != attrs.end() && it->second.get<ShapeValue>() && !creator->hasAttr("graph.any_shape")) {
      const Shape &shape = it->second.get<ShapeValue>()->shape;
      r.unknown_rank = !shape.has_rank();
      r.dims = shape.ToVector();
    }
    auto [it, fresh] =
        resources.try_emplace({r.container, r.name}, static_cast<uint32_t>(plan.resources.size()));
    if (fresh)
      plan.resources.push_back(std::move(r));
    auto [value, isNew] = resourceValues.try_emplace(it->second, 0);
    if (isNew)
      value->second = addValue(block, creator->getResult(0), plan::Storage::kResource, it->second);
    return value->second;
  }

  ModuleOp module;
  CompileState &state;
  plan::Plan plan;
  std::vector<uint32_t> exprOf;
  std::map<int64_t, uint32_t> numbers;
  llvm::DenseMap<Value, uint32_t> values;
  llvm::DenseMap<uint32_t, uint32_t> resourceValues; // of this block
  llvm::DenseMap<Attribute, uint32_t> constants;
  std::map<std::pair<std::string, std::string>, uint32_t> resources;
};

} // namespace

Result<plan::Plan> emitPlan(ModuleOp module) { return Emitter(module).run(); }

} // namespace millrace::compiler
