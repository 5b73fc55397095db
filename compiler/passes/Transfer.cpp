// Copies of values between devices.
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Steps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_TRANSFER
#include "millrace_passes/Passes.h.inc"

namespace {

// Constants are everywhere. Extents, and constants under another shape, are where
// the host's memory is read.
constexpr int kEverywhere = -1, kHostMemory = -2;

// One body.
class Transfers {
public:
  Transfers(Block &block, CompileState &state)
      : block(block), state(state), host(static_cast<int>(hostDevice(state))) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (op.hasTrait<OpTrait::IsTerminator>()) {
        for (OpOperand &operand : op.getOpOperands())
          if (!isControl(operand.get()))
            bring(operand, host);
        continue;
      }
      if (isStructural(&op, "copy") || !isTransparent(&op))
        visit(&op);
      else
        pass(&op);
    }
  }

private:
  bool readsHostMemory(int device) const {
    return state.devices[static_cast<size_t>(device)].kind == "CPU";
  }
  int placeOf(Value v) const {
    auto it = places.find(v);
    return it == places.end() ? host : it->second;
  }

  // An operation without work: where its results are.
  void pass(Operation *op) {
    if (constantValue(op))
      places[op->getResult(0)] = kEverywhere;
    else if (isStructural(op, "dims"))
      places[op->getResult(0)] = kHostMemory;
    else if (isStructural(op, "alias")) {
      const int from = placeOf(op->getOperand(0));
      places[op->getResult(0)] = from == kEverywhere ? kHostMemory : from;
    }
  }

  void visit(Operation *op) {
    const int device = static_cast<int>(deviceOf(op));
    if (!isStructural(op, "copy"))
      for (unsigned i = 0; i < numData(op->getOperands()); ++i)
        bring(op->getOpOperand(i), operandOnHost(op, i) ? host : device);
    for (unsigned i = 0; i < numDataResults(op); ++i)
      places[op->getResult(i)] = resultOnHost(op, i) ? host : device;
  }

  // Makes `operand` a value on `device`: itself, or the copy that others there use too.
  void bring(OpOperand &operand, int device) {
    const Value v = operand.get();
    const int from = placeOf(v);
    if (isResourceValue(v) || from == device || from == kEverywhere ||
        (from == kHostMemory && readsHostMemory(device)))
      return;
    Value &copy = copies[{v, device}];
    if (!copy) {
      mlir::OpBuilder b(operand.getOwner());
      OperationState made(nodeLocation(b.getContext(), nodeName(v.getLoc())), "graph.copy");
      made.addOperands(v);
      made.addTypes(v.getType());
      Operation *op = b.create(made);
      setDevice(op, static_cast<unsigned>(device));
      copy = op->getResult(0);
      places[copy] = device;
    }
    operand.set(copy);
  }

  Block &block;
  CompileState &state;
  const int host;
  llvm::DenseMap<Value, int> places;
  llvm::DenseMap<std::pair<Value, int>, Value> copies;
};

struct Transfer : impl::TransferBase<Transfer> {
  void runOnOperation() override {
    if (!severalDevices(getOperation()))
      return;
    CompileState &state = stateOf(getOperation());
    forEachBody(getOperation(), [&](Block &block) { Transfers(block, state).run(); });
  }
};

} // namespace
} // namespace millrace::compiler
