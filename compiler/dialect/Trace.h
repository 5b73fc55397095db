// Trace: where the nodes of the graph went, for `Explain`. Kept only where somebody
// asks (CompileState::trace); a pass needs to say nothing but what stands for the
// operation that it takes away, where that is not the operation's own location:
//
//   recordHeir(op, first->getResult(0));
//   op->erase();
//
// The rest is found by comparing the names in the IR before and after each pass.
#pragma once

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"
#include <string>
#include <vector>

namespace millrace::compiler {

class Trace {
public:
  // What the operation is that stands for a node now, the best where there are
  // several: kernel before alias, extents, constant, read.
  enum class Form : uint8_t { kNone, kRead, kConstant, kDims, kAlias, kOperation };

  // What happened to a node.
  struct Fate {
    std::vector<std::string> passes; // that changed it, in order
    Form form = Form::kNone;         // what is left of it; kNone: nothing under its name
    llvm::StringRef op;              // the name of that operation, "graph.Relu"
    std::string within; // the node whose operation took it over; "" where it is its own
    std::string heir;   // where nothing is left: "x:0", the value that stands for it
  };

  // Compares `module` with what the last call saw.
  void observe(mlir::Operation *module, llvm::StringRef pass);
  void setHeir(llvm::StringRef node, std::string heir) { heirs[node] = std::move(heir); }

  // Null for a node that was never there.
  const Fate *find(llvm::StringRef node) const {
    auto it = fates.find(node);
    return it == fates.end() ? nullptr : &it->second;
  }

private:
  llvm::StringMap<Fate> fates;
  llvm::StringMap<std::string> heirs; // said by the pass that runs
};

// Before `gone` is erased: `by` has its first result's value from now on. Nothing
// is done where nobody asks for a trace.
void recordHeir(mlir::Operation *gone, mlir::Value by);

} // namespace millrace::compiler
