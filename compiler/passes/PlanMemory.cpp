#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/nn/pooling.h"
#include "millrace/proto/value/strings.h"
#include <map>
#include <set>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_PLANMEMORY
#include "millrace_passes/Passes.h.inc"

namespace {

// Bytes of a value: a number times a symbolic factor (1 where unknown()).
struct Size {
  int64_t number = 0;
  Dim factor;
};

struct Slot {
  Size size;
  uint32_t device = 0;
  SmallVector<uint32_t, 4> users; // steps that use the value that is in it now
};

class Planner {
public:
  Planner(Operation *func, CompileState &state)
      : func(func), block(func->getRegion(0).front()), dims(state.dims) {}

  LogicalResult run() {
    lifetimes();
    for (Operation &op : block.without_terminator()) {
      StepNote *note = stepOf(&op);
      if (!note)
        continue;
      if (failed(assign(&op, *note)))
        return failure();
      release(note->step);
    }
    MLIRContext *c = func->getContext();
    SmallVector<Dim> bytes;
    for (const Slot &s : slots)
      bytes.push_back(bytesOf(s.size));
    func->setAttr("plan.slots", DimsAttr::get(c, ArrayRef<Dim>(bytes)));
    return success();
  }

private:
  struct Life {
    int64_t lastUse = -1;
    bool isResult = false;
    int64_t slot = -1;
  };

  // The value whose elements these are.
  Value rootOf(Value v) const {
    auto it = roots.find(v);
    return it == roots.end() ? v : it->second;
  }

  void lifetimes() {
    for (Operation &op : block.without_terminator()) {
      if (isStructural(&op, "alias")) {
        roots[op.getResult(0)] = rootOf(op.getOperand(0));
        continue;
      }
      const StepNote *note = stepOf(&op);
      if (!note)
        continue;
      for (Value v : dataOperands(&op))
        lives[rootOf(v)].lastUse = note->step;
    }
    for (Value v : block.getTerminator()->getOperands())
      lives[rootOf(v)].isResult = true;
    for (auto &[value, life] : lives)
      if (life.lastUse >= 0 && !life.isResult) {
        if (dying.size() <= static_cast<size_t>(life.lastUse))
          dying.resize(static_cast<size_t>(life.lastUse) + 1);
        dying[static_cast<size_t>(life.lastUse)].push_back(value);
      }
  }

  // False where the size is not known from the feeds.
  bool sizeOf(Type type, Size &size, bool &tooLarge) {
    const DType dtype = dtypeOf(type);
    const SymShape shape = shapeOf(type);
    if (IsObject(dtype) || IsRef(dtype) || !shape.has_rank)
      return false;
    size = {static_cast<int64_t>(ElementSize(dtype)), Dim()};
    Dim factor(1);
    for (Dim d : shape.dims) {
      if (d.unknown())
        return false;
      if (!d.known())
        factor = dims.Mul(factor, d);
      else if (__builtin_mul_overflow(size.number, d.value(), &size.number))
        return tooLarge = true, false;
    }
    if (factor.unknown())
      return false;
    if (factor.known())
      return !__builtin_mul_overflow(size.number, factor.value(), &size.number);
    // A product's number comes first.
    const plan::DimExpr &e = dims.exprs()[factor.expr()];
    if (e.op == plan::DimOp::kMul && dims.exprs()[e.a].op == plan::DimOp::kConstant &&
        !__builtin_mul_overflow(size.number, dims.exprs()[e.a].value, &size.number))
      factor = Dim::Expr(e.b);
    size.factor = factor;
    return true;
  }

  Dim bytesOf(const Size &s) {
    return s.factor.unknown() ? Dim(s.number) : dims.Mul(Dim(s.number), s.factor);
  }

  // Slots are reused on one device, for one symbolic factor.
  using Key = std::pair<uint32_t, int64_t>;
  static Key keyOf(uint32_t device, Dim factor) {
    return {device, factor.unknown() ? -1 : static_cast<int64_t>(factor.expr())};
  }

  LogicalResult assign(Operation *op, StepNote &note) {
    const uint32_t step = note.step;
    SmallVectorImpl<int64_t> &assigned = note.slots;
    assigned.clear();
    const size_t known = note.after.size();
    for (Value v : dataOperands(op))
      if (auto life = lives.find(rootOf(v)); life != lives.end() && life->second.slot >= 0)
        slots[static_cast<size_t>(life->second.slot)].users.push_back(step);
    for (unsigned i = 0; i < numDataResults(op); ++i) {
      Value result = op->getResult(i);
      assigned.push_back(-1);
      auto life = lives.find(result);
      Size size;
      bool tooLarge = false;
      // Snapshots of variables keep the variable's own memory; what a step on
      // another device leaves on the host is not in that device's.
      if (life == lives.end() || isStructural(op, "read") ||
          (severalDevices(op) && resultOnHost(op, i)) ||
          !sizeOf(result.getType(), size, tooLarge)) {
        if (tooLarge)
          return fail(op, ResourceExhausted(Cat("output ", i, " has more bytes than 2^63: ",
                                                shapeOf(result.getType()).ToShape().ToString())));
        continue;
      }
      int64_t slot = life->second.isResult ? -1 : overwritten(op, i, step);
      if (slot < 0)
        slot = take(size, note.device, life->second.isResult);
      life->second.slot = slot;
      assigned.back() = slot;
      auto &users = slots[static_cast<size_t>(slot)].users;
      for (uint32_t user : users)
        if (user != step)
          note.after.push_back(user);
      users.assign(1, step);
    }
    if (note.after.size() != known) {
      llvm::sort(note.after);
      note.after.erase(std::unique(note.after.begin(), note.after.end()), note.after.end());
    }
    return success();
  }

  // The slot of an operand that an elementwise operation, a cluster, or the gradient of
  // a pooling may write result `i` over.
  int64_t overwritten(Operation *op, unsigned i, int64_t step) {
    const Op *def = opOf(op);
    const bool isCluster = def && def->name() == cluster::kClusterOp;
    const bool isPool = isApartPoolGradient(op);
    if (!isCluster && !isPool && (!def || !def->expression() || numDataResults(op) != 1))
      return -1;
    const Type result = op->getResult(i).getType();
    for (auto [number, v] : llvm::enumerate(dataOperands(op))) {
      auto life = lives.find(rootOf(v));
      if (life == lives.end() || life->second.slot < 0 || life->second.isResult ||
          life->second.lastUse != step)
        continue;
      if (shapeOf(v.getType()) != shapeOf(result) ||
          ElementSize(dtypeOf(v.getType())) != ElementSize(dtypeOf(result)))
        continue;
      const int64_t slot = life->second.slot;
      if (slots[static_cast<size_t>(slot)].device != stepOf(op)->device ||
          (isCluster && !mayOverwrite(op, i, static_cast<unsigned>(number))) ||
          (isPool && (number != 0 || !isOnlyOperand(op, life->first))))
        continue;
      life->second.slot = -1; // it lives on under the result
      return slot;
    }
    return -1;
  }

  // Both are full-level, and the cluster reads those elements as nothing else.
  bool mayOverwrite(Operation *op, unsigned result, unsigned operand) {
    if (op != programOf) {
      Result<cluster::Program> read = cluster::FromAttrs(attrsOf(op));
      if (!read.ok())
        return false;
      program = std::move(*read);
      programOf = op;
    }
    if (result >= program.outputs.size() || operand >= program.inputs.size() ||
        program.inputs[operand].level != cluster::Level::kFull ||
        program.inputs[operand].sliced() ||
        program.level(program.outputs[result].reg) != cluster::Level::kFull)
      return false;
    return isOnlyOperand(op, rootOf(op->getOperand(operand)));
  }

  // Only one operand has the elements of `root`.
  bool isOnlyOperand(Operation *op, Value root) const {
    return llvm::count_if(dataOperands(op), [&](Value v) { return rootOf(v) == root; }) == 1;
  }

  // A MaxPoolGrad that goes window by window, as this project's kernel does.
  static bool isApartPoolGradient(Operation *op) {
    nn::WindowAttrs attrs;
    return (isNamed(op, "MaxPoolGrad") || isNamed(op, "_FusedMaxPoolGrad")) &&
           !(severalDevices(op) && kindOf(op) != "CPU") &&
           nn::ReadWindowAttrs(attrsOf(op), &attrs).ok() && nn::WindowsApart(attrs);
  }

  int64_t take(const Size &size, uint32_t device, bool isResult) {
    if (!isResult) {
      auto &free = freeSlots[keyOf(device, size.factor)];
      auto fit = free.lower_bound({size.number, 0});
      if (fit == free.end() && !free.empty())
        fit = std::prev(fit); // the largest grows
      if (fit != free.end()) {
        const size_t slot = fit->second;
        free.erase(fit);
        slots[slot].size.number = std::max(slots[slot].size.number, size.number);
        return static_cast<int64_t>(slot);
      }
    }
    slots.push_back({size, device, {}});
    return static_cast<int64_t>(slots.size()) - 1;
  }

  void release(int64_t step) {
    if (static_cast<size_t>(step) >= dying.size())
      return;
    // In the order of the slots, so that the plan depends on nothing else.
    SmallVector<size_t, 4> freed;
    for (Value v : dying[static_cast<size_t>(step)])
      if (int64_t slot = lives[v].slot; slot >= 0)
        freed.push_back(static_cast<size_t>(slot));
    llvm::sort(freed);
    for (size_t slot : freed)
      freeSlots[keyOf(slots[slot].device, slots[slot].size.factor)].insert(
          {slots[slot].size.number, slot});
  }

  Operation *func;
  Block &block;
  DimTable &dims;
  llvm::DenseMap<Value, Value> roots;
  llvm::DenseMap<Value, Life> lives;
  std::vector<SmallVector<Value, 1>> dying; // by step
  Operation *programOf = nullptr;           // whose program was read last
  cluster::Program program;
  std::vector<Slot> slots;
  // Free slots by device and symbolic factor, then size, then number.
  std::map<Key, std::set<std::pair<int64_t, size_t>>> freeSlots;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    CompileState &state = stateOf(getOperation());
    for (Operation &func : getOperation().getBody()->getOperations())
      if (func.getNumRegions() == 1 && !func.getRegion(0).empty() &&
          failed(Planner(&func, state).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace millrace::compiler
