#include "millrace/compiler/passes/Passes.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_CSE
#include "millrace_passes/Passes.h.inc"

namespace {

// Operations by what they compute, whatever their locations.
struct ByContent : llvm::DenseMapInfo<Operation *> {
  static unsigned getHashValue(const Operation *op) {
    return static_cast<unsigned>(OperationEquivalence::computeHash(
        const_cast<Operation *>(op), OperationEquivalence::directHashValue,
        OperationEquivalence::ignoreHashValue, OperationEquivalence::IgnoreLocations));
  }
  static bool isEqual(const Operation *a, const Operation *b) {
    if (a == b)
      return true;
    if (a == getEmptyKey() || a == getTombstoneKey() || b == getEmptyKey() ||
        b == getTombstoneKey())
      return false;
    return OperationEquivalence::isEquivalentTo(const_cast<Operation *>(a),
                                                const_cast<Operation *>(b),
                                                OperationEquivalence::IgnoreLocations);
  }
};

struct Cse : impl::CseBase<Cse> {
  void runOnOperation() override {
    forEachBody(getOperation(), [](Block &block) {
      llvm::DenseSet<Operation *, ByContent> seen;
      for (Operation &op : llvm::make_early_inc_range(block)) {
        if (!hasNoEffects(&op) && !isStructural(&op, "read"))
          continue;
        auto [it, fresh] = seen.insert(&op);
        if (fresh)
          continue;
        Operation *first = *it;
        if (first->getNumResults() > 0)
          recordHeir(&op, first->getResult(0));
        op.replaceAllUsesWith(first->getResults());
        op.erase();
      }
    });
  }
};

} // namespace
} // namespace millrace::compiler
