#include "millrace/compiler/dialect/Trace.h"
#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/OpDefinition.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

Trace::Form formOf(Operation *op) {
  if (isStructural(op, "read"))
    return Trace::Form::kRead;
  if (isStructural(op, "dims"))
    return Trace::Form::kDims;
  if (isStructural(op, "alias"))
    return Trace::Form::kAlias;
  return constantValue(op) ? Trace::Form::kConstant : Trace::Form::kOperation;
}

} // namespace

void Trace::observe(Operation *module, llvm::StringRef pass) {
  llvm::StringMap<Fate> now;
  const auto see = [&](llvm::StringRef node, Operation *op, llvm::StringRef within) {
    if (node.empty())
      return;
    Fate &fate = now[node];
    const Form form = formOf(op);
    // An operation of its own says more than one that took it over; of several,
    // the later one.
    if (form < fate.form || (form == fate.form && !within.empty() && fate.within.empty()))
      return;
    fate.form = form;
    fate.op = op->getName().getStringRef();
    fate.within = within == node ? "" : within.str();
  };
  forEachOp(module, [&](Operation *op) {
    // Copies between devices are no nodes, though they have the names of what they copy.
    if (op->hasTrait<OpTrait::IsTerminator>() || isStructural(op, "copy"))
      return;
    const llvm::StringRef name = nodeName(op->getLoc());
    see(name, op, "");
    for (llvm::StringRef other : otherNodes(op->getLoc()))
      see(other, op, name);
  });

  for (auto &entry : now) {
    Fate &fate = fates[entry.getKey()];
    Fate &seen = entry.getValue();
    if (fate.form == seen.form && fate.op == seen.op && fate.within == seen.within)
      continue;
    seen.passes = std::move(fate.passes);
    fate = std::move(seen);
    if (!pass.empty())
      fate.passes.push_back(pass.str());
  }
  for (auto &entry : fates) {
    Fate &fate = entry.getValue();
    if (fate.form == Form::kNone || now.contains(entry.getKey()))
      continue;
    Fate gone;
    gone.passes = std::move(fate.passes);
    gone.passes.push_back(pass.str());
    fate = std::move(gone);
    if (auto heir = heirs.find(entry.getKey()); heir != heirs.end())
      fate.heir = heir->second;
  }
  heirs.clear();
}

void recordHeir(Operation *gone, Value by) {
  Trace *trace = stateOf(gone).trace.get();
  if (!trace)
    return;
  std::string value = valueName(by);
  if (isControl(by)) // "^x": what waited for the one waits for the other
    value = "^" + value.substr(0, value.rfind(':'));
  trace->setHeir(nodeName(gone->getLoc()), std::move(value));
}

} // namespace millrace::compiler
