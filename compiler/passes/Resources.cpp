#include "millrace/compiler/passes/Resources.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/ops/registry/effects.h"

using namespace mlir;

namespace millrace::compiler {

llvm::SmallVector<Resources::Access, 1> Resources::see(Operation *op) {
  trace(op);
  llvm::SmallVector<Access, 1> accesses;
  if (isStructural(op, "read"))
    accesses.push_back({of(op->getOperand(0)), false});
  if (const Op *def = opOf(op); def && def->has_effects())
    VisitAccesses(*def, attrsOf(op), [&](int input, bool write) {
      if (static_cast<unsigned>(input) < op->getNumOperands())
        accesses.push_back({of(op->getOperand(static_cast<unsigned>(input))), write});
    });
  return accesses;
}

// What an op returns is what it creates, or its first reference.
void Resources::trace(Operation *op) {
  for (Value result : op->getResults()) {
    if (!isResourceValue(result))
      continue;
    uint32_t number = kUnknown;
    if (createsResource(op))
      number = numbers.try_emplace(resourceName(op), size()).first->second;
    else
      for (Value v : op->getOperands())
        if (isResourceValue(v)) {
          number = of(v);
          break;
        }
    resourceOf[result] = number;
  }
}

} // namespace millrace::compiler
