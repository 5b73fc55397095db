// Where operations run. A device is a number: its place in CompileState::devices.
// Before the phase place, operations have `graph.device` (what their node asked
// for) and `graph.colocate` (the nodes it wants to be with); behind it,
// `place.device`. Where there is one device none of these is there: it is 0.
#pragma once

#include "millrace/compiler/dialect/Graph.h"
#include "millrace/proto/value/device_name.h"

namespace millrace::compiler {

inline bool severalDevices(mlir::Operation *op) { return stateOf(op).devices.size() > 1; }

// Of an operation behind place. One that a later pass made is where its first
// operand is that has a place. Transfers stand between operations on different
// devices, so what is fused along values stays where it was.
unsigned deviceOf(mlir::Operation *op);
void setDevice(mlir::Operation *op, unsigned device);
// "CPU": what its kernels are registered for.
llvm::StringRef kindOf(mlir::Operation *op);
// Whether its kernel reads operand `i`, or writes result `i`, in host memory
// wherever it runs: strings and other objects always.
bool operandOnHost(mlir::Operation *op, unsigned i);
bool resultOnHost(mlir::Operation *op, unsigned i);
// For passes that put operations together that no value connects.
inline bool samePlace(mlir::Operation *a, mlir::Operation *b) {
  return !severalDevices(a) || deviceOf(a) == deviceOf(b);
}

// CPU:0, where feeds and results are.
unsigned hostDevice(const CompileState &state);
// "CPU:0"; all of them: "CPU:0, CPU:1".
std::string deviceText(const CompileState &state, unsigned device);
std::string deviceTexts(const CompileState &state);

// What the operation asked for, or the node of its name; open where nothing. A
// node may have it from nodes that it wants to be with, or that touch it:
// `ownAsk` is what it asked for itself.
DeviceName askedFor(mlir::Operation *op);
DeviceName ownAsk(mlir::Operation *op);

// The module's `graph.devices`, and `graph.strict_placement` where placement is
// not soft: where the state is not set up by a compile (tests), it is read from
// there. Fails where a device has no kind and number.
mlir::LogicalResult readDevices(mlir::Operation *module);

} // namespace millrace::compiler
