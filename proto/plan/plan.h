// The Plan as plain values: what the compiler emits and the writer lays out as
// bytes (proto/plan/writer.h). The runtime reads the bytes in place
// (runtime/plan); nothing else crosses from compiler to runtime.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "millrace/proto/plan/dim_expr.h"
#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/status.h"

namespace millrace::plan {

inline constexpr uint32_t kNone = 0xffffffffu;

// Where a value's elements are during a run.
enum class Storage : uint8_t {
  kFeed = 0,      // index: the argument of the block; the caller's memory
  kConstant = 1,  // index: into Plan::constants
  kSlot = 2,      // index: into Block::slots; size known once the feeds are
  kLate = 3,      // its own counted buffer, made by the step that produces it: sizes known
                  // only then, snapshots of variables, strings and other objects
  kResource = 4,  // index: into Plan::resources; a reference or handle, no elements
  kAlias = 5,     // index: the value whose elements it shares, under its own dims
  kDims = 6,      // an int32 or int64 tensor of rank 0 or 1 whose elements are `elements`
};

struct Value {
  DType dtype = DType::kInvalid;
  Storage storage = Storage::kLate;
  uint32_t index = kNone;
  // Expressions (into Plan::exprs) of the dimensions; kNone where late.
  std::vector<uint32_t> dims = {};
  bool unknown_rank = false;            // late rank; dims is empty
  std::vector<uint32_t> elements = {};  // of kDims
  std::string name = {};                // "node:k" of the graph, for messages and profiles
};

enum class StepKind : uint8_t {
  kKernel = 0,
  kIf = 1,         // blocks[0] then, blocks[1] else; input 0 is the predicate, the rest are arguments
  kWhile = 2,      // blocks[0] condition, blocks[1] body; inputs are the loop variables
  kCall = 3,       // blocks[0]
  kStackPush = 4,  // saves input 0 for a backward loop
  kStackPop = 5,
  kCopy = 6,  // input 0 to output 0, across devices or storage
};

struct Step {
  StepKind kind = StepKind::kKernel;
  std::string op;    // "MatMul"
  std::string node;  // name of the node, for messages
  uint32_t device = 0;
  AttrMap attrs;                  // what the kernel reads; defaults filled in
  std::vector<uint32_t> inputs;   // values; kNone for a control-only input
  std::vector<uint32_t> outputs;  // values; kNone for an output that nobody wants
  std::vector<uint32_t> blocks;
  // Steps of the same block that must end before this one starts: data, control,
  // resource order and reuse of slots alike. All smaller than this step's own number.
  std::vector<uint32_t> after;
  // Other nodes whose work this step took over (fusion), for profiles.
  std::vector<std::string> fused_nodes;
};

struct Slot {
  uint32_t bytes = kNone;  // expression: the largest value that lives there
};

// A sequence of steps with arguments and results: a signature's body, a branch,
// a loop's condition or body, a function.
struct Block {
  std::string name;
  std::vector<uint32_t> arguments;  // values of storage kFeed, in order
  std::vector<uint32_t> results;    // values
  std::vector<Step> steps;          // in an order that respects `after`
  std::vector<Value> values;
  std::vector<Slot> slots;
};

struct Constant {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;
  Bytes content;                     // dense elements, for plain types
  std::vector<std::string> strings;  // for kString
  std::string name;
};

struct Resource {
  std::string kind;  // "Variable"
  std::string container;
  std::string name;  // shared name, or the node's
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;  // -1 unknown
  bool unknown_rank = false;
};

// A dimension of a feed that a symbol stands for.
struct Symbol {
  std::string name;  // "x.0" or "batch"
};

struct Feed {
  std::string name;  // "x:0"
  DType dtype = DType::kInvalid;
  bool unknown_rank = false;
  // Per dimension: an extent, -1 for any; `symbols` gives what it binds.
  std::vector<int64_t> dims;
  std::vector<uint32_t> symbols;  // kNone where the dimension is fixed
};

// An entry point: init, train, predict ...
struct Signature {
  std::string name;
  uint32_t block = 0;
  std::vector<Feed> feeds;           // argument i of the block
  std::vector<std::string> fetches;  // result i of the block: "loss:0"
  std::vector<std::string> targets;
};

struct DeviceRef {
  std::string kind;  // "CPU"
  uint32_t ordinal = 0;
};

// Compiled code attached to a block's cluster: the format's place for it. The
// bytes are position-independent; `features` says which CPU they need.
struct Code {
  std::string symbol;
  std::string features;
  Bytes content;
};

struct Plan {
  std::vector<DimExpr> exprs;
  std::vector<Symbol> symbols;
  std::vector<Constant> constants;
  std::vector<Resource> resources;
  std::vector<DeviceRef> devices;
  std::vector<Block> blocks;
  std::vector<Signature> signatures;
  std::vector<Code> code;
  uint64_t user_ops_hash = 0;
};

}  // namespace millrace::plan
