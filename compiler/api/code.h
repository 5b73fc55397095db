// Machine code for the clusters of a plan. A plan runs without it, with the same
// bits; AttachCode makes what pays run faster.
#pragma once

#include <cstdint>
#include <memory>

#include "millrace/compiler/api/code_options.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace {

class CodeMaker;

struct CodeReport {
  int clusters = 0;        // _Cluster steps of the plan
  int attached = 0;        // that have code now
  int declined = 0;        // by the cost model
  int refused = 0;         // with nothing that can be compiled, or where the compiler gave up
  int compiled = 0;        // pieces that were compiled: equal clusters share one
  int from_cache = 0;      // pieces that were on disk
  bool no_library = false; // libmillrace_codegen is not there
  // What compiling took, in microseconds of the threads that did it: from tapes to
  // LLVM's dialect, and from there to code.
  double mlir_us = 0, llvm_us = 0;
};

// Attaches code to the clusters of `plan` and names it in their steps. What cannot
// be compiled stays as it is. InvalidArgument for a target that is none. Blocks
// until all is compiled; its threads are gone when it returns.
Status AttachCode(plan::Plan *plan, const Registry &registry, const CodeOptions &options,
                  CodeReport *report = nullptr);

// Makes code for clusters that are in use, as Codegen::kAuto has it in a session: in
// a thread of its own, which is there while there is something to make. Where no code
// can be had (no libmillrace_codegen, and no folder where `options` says that code is
// kept; `options.targets` without this CPU) there is no thread either.
//
// The thread belongs to the process that started it: a child that was forked since
// then goes on with the code it has. When the process ends, the thread ends first.
std::shared_ptr<CodeMaker> NewCodeMaker(const CodeOptions &options);

} // namespace millrace
