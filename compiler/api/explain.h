// Explain: what became of every node of a graph, and of its memory. No MLIR type
// shows. For people and tools; a compile that nobody asks to explain keeps none of
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// A size that feeds decide: "3072*x.0 + 64", and the number where all its symbols
// are given (-1 otherwise). "?" where only the run knows.
struct SizeExplanation {
  std::string text = "?";
  int64_t number = -1;
};

// A result of a step, a constant or a feed, as the plan holds it.
struct ValueExplanation {
  std::string name; // "conv:0"
  std::string type; // "float[x.0,224,224,3]"
  // "slot 3", "constant 2", "feed 0", "late", "extents", "resource 1", "alias of 'x:0'"
  std::string place;
  SizeExplanation bytes;
  SizeExplanation offset; // of a slot, in the run's memory
  std::string over;       // the value of an operand whose memory it is written over; "" for none
};

struct StepExplanation {
  std::string node, op;
  std::vector<std::string> nodes; // all that it computes, its own first
  std::string device, device_why; // "CPU:0" and, where placement says it, the reason
  std::vector<std::string> reads; // values
  std::vector<ValueExplanation> writes;
  std::vector<uint32_t> after; // steps that it waits for
  std::string code;            // of a cluster that was compiled: for which CPU, and bytes
  std::string why_not_fused;   // of a step of its own, where the fuse phase says it
};

enum class NodeFate {
  kNotAsked, // nothing that was asked for needs it
  kFed,      // its value is given
  kStep,     // a step of its own
  kFused,    // one of several in a step
  kConstant, // a constant of the plan, or computed into one
  kExtents,  // arithmetic on extents: a few integers known once the feeds are
  kAlias,    // the elements of another value under other dimensions
  kResource, // a variable
  kOrder,    // no work: what it waits for comes before what waits for it
  kReplaced, // another value stands for it
  kGone,     // nothing needs it, or others took its work over
};

struct NodeExplanation {
  std::string node, op;
  NodeFate fate = NodeFate::kGone;
  std::vector<std::string> passes;      // that changed it, in order; the last one decided
  int64_t step = -1;                    // that computes it
  std::string by;                       // kReplaced: the value that stands for it; kFed: the feed
  std::vector<ValueExplanation> values; // of kConstant, kExtents and kAlias
};

struct Explanation {
  std::vector<NodeExplanation> nodes; // in the order of the graph
  std::vector<StepExplanation> steps; // in the order of the plan
  int64_t asked = 0;                  // nodes that the fetches and targets need
  int64_t constants = 0, constant_bytes = 0;
  int64_t slots = 0;
  int64_t late_values = 0; // whose sizes come with the run, beside it
  plan::Plan plan;         // that all this is about; its constants share the graph's memory
};

struct ExplainOptions {
  CompileOptions compile;
  // Numbers for symbols, "x.0" -> 8: sizes then have numbers.
  std::map<std::string, int64_t> dims;
};

// Compiles the graph and tells. Errors as Compile's; InvalidArgument where a dim
// is no symbol of the plan, or negative.
Result<Explanation> Explain(const Graph &graph, const SignatureSpec &signature,
                            const ExplainOptions &options = {});

// "step", "fused", ... as texts and JSON name them.
std::string FateName(NodeFate fate);

} // namespace millrace
