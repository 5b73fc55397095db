// One group of operations as a `_Cluster` operation.
#pragma once

#include "millrace/compiler/passes/ClusterGroups.h"
#include "millrace/ops/cluster/program.h"
#include "llvm/ADT/SetVector.h"

namespace millrace::compiler {

struct BuiltCluster {
  cluster::Program program;
  llvm::SmallVector<mlir::Value, 8> inputs; // of program.inputs
  // What only the cluster used, and is read in place.
  llvm::SmallSetVector<mlir::Operation *, 2> slices;
  struct Output {
    mlir::Value value; // a member's result
    mlir::Type type;   // of the cluster's
    int number;        // of the cluster's results
  };
  llvm::SmallVector<Output, 4> outputs; // more than program.outputs: aliases too
};

// Null where the shapes of the inputs would not make the space, or where the
// program would be larger than programs may be: then `tooLarge` is set.
std::unique_ptr<BuiltCluster> buildCluster(const ClusterGroup &group, bool &tooLarge);

// Puts the operation before the last member; members, and what is read in place, have
// no uses left and are erased. Other operations may stand in the wrong order then.
void replaceMembers(const ClusterGroup &group, const BuiltCluster &built, const Op &clusterOp);

} // namespace millrace::compiler
