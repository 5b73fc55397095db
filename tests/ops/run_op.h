// RunOp: one op on given tensors, the way the executor would run it, without a
// graph, a compiler or a plan.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "millrace/ops/registry/op.h"

namespace millrace {

struct OpCall {
  std::string op;
  AttrMap attrs = {};  // defaults and types are filled in where they are absent
  std::vector<Tensor> inputs = {};
  // Inputs that the kernel sees as constants when it is made; empty: none.
  std::vector<bool> constants = {};
  int threads = 1;
  // Outputs that share the memory of an input (of a copy of it): output, input.
  std::vector<std::pair<int, int>> in_place = {};
  // Outputs that nobody wants: they come back without memory.
  std::vector<int> unwanted = {};
  bool cancelled = false;  // as the kernel is told
  // Told so from this look on, the first being 1; and how often it looked. Not reset.
  int64_t cancelled_from = INT64_MAX;
  std::atomic<int64_t>* looks = nullptr;
  // Where outputs and the workspace come from.
  Allocator* allocator = &HostAllocator();
  // Machine code that the kernel may find.
  const CodeStore* code = nullptr;
};

// Infers shapes, makes the kernel, runs it, and answers all outputs.
Result<std::vector<Tensor>> RunOp(const Registry& registry, const OpCall& call);

}  // namespace millrace
