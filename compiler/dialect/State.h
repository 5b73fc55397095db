// CompileState: what one compile shares beside the IR: the registry, the table
// of dimension expressions that types refer to, constants' owners, and the first
// error. Belongs to the graph dialect of one MLIRContext; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "millrace/compiler/dialect/Trace.h"
#include "millrace/devices/api/tensor.h"
#include "millrace/ops/registry/dim.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/status.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace millrace::compiler {

// Computes one node from constant inputs, as millrace::Evaluate does.
using Evaluator =
    std::function<Status(const Op &op, const AttrMap &attrs, std::span<const Tensor> inputs,
                         std::vector<Tensor> *outputs)>;

// What the schedule phase says of an operation that is a step of the plan. Beside
// the IR, because it differs from step to step: as attributes it would make a
// dictionary for each.
struct StepNote {
  uint32_t step = 0;
  uint32_t device = 0;                  // see Devices.h
  llvm::SmallVector<uint32_t, 4> after; // sorted
  llvm::SmallVector<int64_t, 1> slots;  // of its data results; -1: none
};

struct CompileState {
  const Registry *registry = &Registry::BuiltIn();
  // The functions of the graph; null where there is no graph.
  const FunctionLibrary *library = nullptr;
  DimTable dims;
  // The first error that a pass reported; later ones are dropped.
  Status error;
  std::function<bool()> cancelled;
  // Where operations may run, first choice first; CPU:0 is among them. A node that
  // cannot be where it asked to be goes elsewhere where placement is soft.
  std::vector<plan::DeviceRef> devices{{"CPU", 0}};
  bool softPlacement = true;
  // Whether somebody asks why operations are where they are (`place.why`).
  bool explainPlacement = false;
  // What nodes asked for, by name, where there is a choice or somebody asks: new
  // operations that passes make at a node's location have it from there.
  struct DeviceAsk {
    std::string own;    // by the node itself
    std::string wanted; // with what it took from others
  };
  std::map<std::string, DeviceAsk, std::less<>> askedDevices;
  // Runs one node on constant inputs: what constants are folded with.
  Evaluator evaluate;

  // Attributes of operations as the registry's functions want them, by their
  // dictionary. Entries stay where they are.
  llvm::DenseMap<mlir::Attribute, std::shared_ptr<const AttrMap>> attrs;
  // Dense bytes of constants, by attribute, with what keeps them alive.
  llvm::DenseMap<mlir::Attribute, Bytes> bytes;

  llvm::DenseMap<mlir::Operation *, StepNote> steps;

  // Where nodes went; null unless somebody asks.
  std::unique_ptr<Trace> trace;

  bool isCancelled() const { return cancelled && cancelled(); }
};

} // namespace millrace::compiler
