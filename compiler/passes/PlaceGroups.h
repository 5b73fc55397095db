// What must be together: operations that touch one variable, and those that
// their graph wants on one device.
#pragma once

#include "millrace/compiler/dialect/Devices.h"
#include "llvm/ADT/SmallVector.h"

namespace millrace::compiler {

struct PlaceGroup {
  llvm::SmallVector<mlir::Operation *, 2> members; // in order
  // The variable that keeps the group together; null where colocation does.
  mlir::Operation *resource = nullptr;
  // What the members asked for, together, and the first of them that asked.
  DeviceName asked;
  mlir::Operation *askedBy = nullptr;
};

// Whether place has to find a device for `op`: it has work, or is a resource.
bool needsPlace(mlir::Operation *op);

// The operations of all functions, each in one group, in order of their first
// members: variables of one name are one. A variable's own wish comes first, then
// that of the earlier node. One that contradicts it is dropped, or fails where
// placement is strict. Linear in the operations.
mlir::FailureOr<std::vector<PlaceGroup>> placeGroups(mlir::Operation *module);

} // namespace millrace::compiler
