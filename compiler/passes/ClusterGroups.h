// Which operations of a body become one cluster. See ClusterGroups.cpp for how.
#pragma once

#include "millrace/compiler/passes/ClusterRoles.h"

namespace millrace::compiler {

// What the members of a group share.
struct ClusterSpace {
  SymShape shape;
  int rowRank = 0; // 0: nothing in it works on rows
  bool one = true; // only members of one element: any space will do
  // Every operand has the shape of the space or one element, so that all of it
  // may become row-level in a larger space.
  bool plain = true;
};

struct ClusterGroup {
  ClusterSpace space;
  llvm::SmallVector<mlir::Operation *, 4> members; // in the order of the block
};

// Groups of the operations of `block`, two instructions or more each, by the place
// of their last members. No path between members of a group leaves it, and groups
// do not wait for each other in a circle. Linear in the operations and their uses.
// With `why`, operations that stay outside are called with the reason.
std::vector<ClusterGroup>
groupForClusters(mlir::Block &block,
                 llvm::function_ref<void(mlir::Operation *, const char *)> why = nullptr);

} // namespace millrace::compiler
