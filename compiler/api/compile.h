// Compile: a live graph and what is asked of it, to a Plan. No MLIR type shows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/compiler/api/code.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// An entry point of a graph.
struct SignatureSpec {
  std::string name = "run";
  // Tensors that are fed, "x:0"; any tensor may be, not only placeholders. Each
  // cuts the edges into its node that nothing else needs.
  std::vector<std::string> feeds = {};
  std::vector<std::string> fetches = {}; // "loss:0"
  std::vector<std::string> targets = {}; // "train"
  // Ranks of feeds that the graph leaves open, to compile for those alone: empty,
  // or one for each feed, -1 where the graph's is meant.
  std::vector<int> feed_ranks = {};
  // Nodes of which an earlier run has had all that they do: who waits for one waits for
  // nothing, and a reference that one hands on is what its first input refers to. Other
  // outputs of theirs are fed where they are read.
  std::vector<std::string> ran = {};
};

struct CompileOptions {
  // Names of passes to leave out ("fold-batch-norm", ...; `graphc opt --list`), or
  // "all" for every one that a plan can be made without.
  std::vector<std::string> disabled_passes;
  // The devices that a plan may use, first choice first; empty: CPU:0 alone. CPU:0,
  // where feeds and results are, is one of them.
  std::vector<plan::DeviceRef> devices;
  // A node whose device is not among them, or has no kernel for it, goes to one
  // that has. False: that is InvalidArgument.
  bool soft_placement = true;
  // Machine code for the plan's clusters (code.h); none unless asked for.
  CodeOptions code;
  // What the compile may grow to: compile_nodes, clusters and constant_bytes.
  Limits limits;
  // Checked between passes; true stops with Cancelled.
  std::function<bool()> cancelled;
  // Called before each pass with its name, "simplify/cse", and before the plan is
  // written with "emit": to measure, or to show how far it is.
  std::function<void(std::string_view)> before_pass;
};

// The phases, in order. A phase's name is what `graphc opt --to=` takes.
// import infer differentiate simplify place fuse schedule emit
std::vector<std::string> PhaseNames();
// Pass names by phase, in order: "simplify/cse".
std::vector<std::string> PassNames();
// Those that may be left out, each once: "cse".
std::vector<std::string> OptionalPassNames();

// All signatures share constants and resources. Nodes that no signature needs
// are not looked at. Errors name the node. Constants of the plan share the
// graph's memory, which must outlive the plan's last use or its writing.
// Thread-safe on graphs that nobody changes meanwhile.
Result<plan::Plan> Compile(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                           const CompileOptions &options = {});

// The IR after phase `phase`, as text.
Result<std::string> CompileToText(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                                  const std::string &phase, const CompileOptions &options = {});

} // namespace millrace
