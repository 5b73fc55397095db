// The plan of a signature, told node by node: what the trace of the passes, the
// notes on the operations and the plan itself say.
#include "millrace/compiler/api/explain.h"
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/compiler/emit/Emit.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/compiler/pipeline/Compilation.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/plan_sizes.h"
#include "millrace/proto/value/strings.h"
#include <algorithm>
#include <unordered_map>

using namespace mlir;

namespace millrace {
namespace {

using namespace compiler;

class Explainer {
public:
  Explainer(Compilation &compilation, const Graph &graph, const SignatureSpec &spec)
      : compilation(compilation), state(stateOf(*compilation.module)), graph(graph), spec(spec) {}

  Result<Explanation> run(const std::map<std::string, int64_t> &dims, const CodeOptions &code) {
    MR_ASSIGN_OR_RETURN(plan, emitPlan(*compilation.module));
    MR_RETURN_IF_ERROR(AttachCode(&plan, graph.registry(), code));
    MR_RETURN_IF_ERROR(sizes.Read(plan, dims));
    block = &plan.blocks[plan.signatures[0].block];
    readNotes();
    nameValues();
    layOut();
    for (uint32_t s = 0; s < block->steps.size(); ++s)
      addStep(s);
    for (uint32_t v = 0; v < block->values.size(); ++v)
      valuesOf[nodeOf(shown[v])].push_back(v);
    for (const auto &node : graph.nodes())
      addNode(*node);
    for (const plan::Constant &c : plan.constants)
      out.constant_bytes += static_cast<int64_t>(c.content.size());
    out.constants = static_cast<int64_t>(plan.constants.size());
    out.plan = std::move(plan);
    return std::move(out);
  }

private:
  static std::string nodeOf(const std::string &value) {
    const size_t colon = value.rfind(':');
    return colon == std::string::npos ? value : value.substr(0, colon);
  }

  // What passes wrote on operations that became steps.
  void readNotes() {
    forEachOp(*compilation.module, [&](Operation *op) {
      const StepNote *note = stepOf(op);
      if (!note)
        return;
      if (auto why = op->getAttrOfType<StringAttr>("fuse.why"))
        whyNotFused[note->step] = why.getValue().str();
      if (auto why = op->getAttrOfType<StringAttr>("place.why"))
        whyThere[note->step] = why.getValue().str();
    });
  }

  // The results of a cluster have the names of the nodes that they come from.
  void nameValues() {
    for (const plan::Value &v : block->values)
      shown.push_back(v.name);
    for (const plan::Step &step : block->steps) {
      if (step.op != cluster::kClusterOp)
        continue;
      const Result<cluster::Program> program = cluster::FromAttrs(step.attrs);
      if (!program.ok() || program->outputs.size() != step.outputs.size())
        continue;
      for (size_t i = 0; i < step.outputs.size(); ++i) {
        const size_t at = static_cast<size_t>(program->outputs[i].reg) - program->inputs.size();
        if (step.outputs[i] != plan::kNone && at < program->instructions.size())
          shown[step.outputs[i]] = program->instructions[at].node + ":0";
      }
    }
  }

  void layOut() {
    PlanSizes::Size at = PlanSizes::Number(0);
    for (const plan::Slot &slot : block->slots) {
      offsets.push_back(explain(at));
      at = sizes.Add(at, sizes.Aligned(sizes.Expr(slot.bytes)));
    }
    out.slots = static_cast<int64_t>(block->slots.size());
    for (const plan::Value &v : block->values)
      out.late_values += v.storage == plan::Storage::kLate;
  }

  SizeExplanation explain(const PlanSizes::Size &size) const {
    return {sizes.Text(size), size.number()};
  }

  ValueExplanation explain(uint32_t v) {
    const plan::Value &value = block->values[v];
    ValueExplanation e;
    e.name = shown[v];
    std::vector<std::string> dims;
    PlanSizes::Size bytes = PlanSizes::Number(static_cast<int64_t>(ElementSize(value.dtype)));
    for (uint32_t d : value.dims) {
      dims.push_back(sizes.Text(sizes.Expr(d)));
      bytes = sizes.Mul(bytes, sizes.Expr(d));
    }
    e.type = Cat(DTypeName(value.dtype), value.unknown_rank ? "[*]" : "[" + Join(dims, ",") + "]");
    if (!value.unknown_rank && !IsObject(BaseType(value.dtype)) &&
        value.storage != plan::Storage::kResource)
      e.bytes = explain(bytes);
    switch (value.storage) {
    case plan::Storage::kFeed:
      e.place = Cat("feed ", value.index);
      break;
    case plan::Storage::kConstant:
      e.place = Cat("constant ", value.index);
      break;
    case plan::Storage::kSlot:
      e.place = Cat("slot ", value.index);
      e.offset = offsets[value.index];
      break;
    case plan::Storage::kLate:
      e.place = "late";
      break;
    case plan::Storage::kResource:
      e.place = Cat("resource ", value.index);
      break;
    case plan::Storage::kAlias:
      e.place = Cat("alias of '", shown[value.index], "'");
      break;
    case plan::Storage::kDims:
      e.place = "extents";
      break;
    }
    return e;
  }

  // The value whose elements these are.
  uint32_t rootOf(uint32_t v) const {
    while (block->values[v].storage == plan::Storage::kAlias)
      v = block->values[v].index;
    return v;
  }

  void addStep(uint32_t s) {
    const plan::Step &step = block->steps[s];
    StepExplanation e;
    e.node = step.node;
    e.op = step.op;
    e.nodes.push_back(step.node);
    for (const std::string &node : step.fused_nodes)
      if (std::find(e.nodes.begin(), e.nodes.end(), node) == e.nodes.end())
        e.nodes.push_back(node);
    const plan::DeviceRef &device = plan.devices[step.device];
    e.device = Cat(device.kind, ":", device.ordinal);
    e.device_why = whyThere[s];
    e.why_not_fused = whyNotFused[s];
    e.code = codeOf(step);
    e.after = step.after;
    for (uint32_t v : step.inputs)
      if (v != plan::kNone)
        e.reads.push_back(shown[v]);
    for (uint32_t v : step.outputs) {
      if (v == plan::kNone)
        continue;
      ValueExplanation value = explain(v);
      for (uint32_t in : step.inputs) {
        const uint32_t root = in == plan::kNone ? v : rootOf(in);
        if (root != v && block->values[v].storage == plan::Storage::kSlot &&
            block->values[root].storage == plan::Storage::kSlot &&
            block->values[root].index == block->values[v].index)
          value.over = shown[in];
      }
      e.writes.push_back(std::move(value));
    }
    for (size_t i = 0; i < e.nodes.size(); ++i) {
      // A read beside the operation that wanted it has its name too.
      const bool isRead = step.op == "Identity" && i == 0 && stepOfNode.contains(e.nodes[i]);
      if (!isRead)
        stepOfNode[e.nodes[i]] = s;
    }
    out.steps.push_back(std::move(e));
  }

  std::string codeOf(const plan::Step &step) const {
    const auto it = step.attrs.find("code");
    const std::string *symbol = step.op != cluster::kClusterOp || it == step.attrs.end()
                                    ? nullptr
                                    : it->second.get<std::string>();
    std::vector<std::string> pieces;
    for (const plan::Code &piece : plan.code)
      if (symbol && !symbol->empty() && piece.symbol == *symbol)
        pieces.push_back(Cat(piece.features, " ", piece.content.size(), " bytes"));
    return Join(pieces, ", ");
  }

  void addNode(const Node &node) {
    NodeExplanation e;
    e.node = node.name();
    e.op = node.op().name();
    fill(node, e);
    out.asked += e.fate != NodeFate::kNotAsked;
    out.nodes.push_back(std::move(e));
  }

  void fill(const Node &node, NodeExplanation &e) {
    const Trace::Fate *fate = state.trace->find(e.node);
    if (!fate) {
      e.fate = NodeFate::kNotAsked;
      for (const std::string &feed : spec.feeds)
        if (nodeOf(feed) == e.node) {
          e.fate = NodeFate::kFed;
          e.by = feed;
        }
      return;
    }
    e.passes = fate->passes;
    auto step = stepOfNode.find(e.node);
    switch (fate->form) {
    case Trace::Form::kOperation:
      if (step != stepOfNode.end()) {
        e.step = step->second;
        e.fate = out.steps[step->second].nodes.size() > 1 ? NodeFate::kFused : NodeFate::kStep;
      } else {
        e.fate = createsResource(node.op()) ? NodeFate::kResource : NodeFate::kOrder;
      }
      return;
    case Trace::Form::kConstant:
      e.fate = NodeFate::kConstant;
      break;
    case Trace::Form::kDims:
      e.fate = NodeFate::kExtents;
      break;
    case Trace::Form::kAlias:
      e.fate = NodeFate::kAlias;
      break;
    case Trace::Form::kRead:
      if (step != stepOfNode.end())
        e.step = step->second;
      e.fate = NodeFate::kStep;
      return;
    case Trace::Form::kNone:
      if (!fate->heir.empty()) {
        e.fate = NodeFate::kReplaced;
        e.by = fate->heir;
        e.step = stepBehind(fate->heir);
      }
      return;
    }
    if (auto values = valuesOf.find(e.node); values != valuesOf.end())
      for (uint32_t v : values->second)
        e.values.push_back(explain(v));
    else if (step != stepOfNode.end())
      e.step = step->second;
  }

  // The step that computes a value, through all that stands for it.
  int64_t stepBehind(std::string value) const {
    for (size_t hops = 0; hops < graph.nodes().size(); ++hops) {
      const std::string node = nodeOf(value);
      if (auto step = stepOfNode.find(node); step != stepOfNode.end())
        return step->second;
      const Trace::Fate *fate = state.trace->find(node);
      if (!fate || fate->heir.empty())
        return -1;
      value = fate->heir;
    }
    return -1;
  }

  Compilation &compilation;
  CompileState &state;
  const Graph &graph;
  const SignatureSpec &spec;
  plan::Plan plan;
  const plan::Block *block = nullptr;
  PlanSizes sizes;
  Explanation out;
  std::vector<SizeExplanation> offsets; // of slots
  std::vector<std::string> shown;       // names of values
  std::unordered_map<uint32_t, std::string> whyNotFused, whyThere;
  std::unordered_map<std::string, uint32_t> stepOfNode;
  std::unordered_map<std::string, std::vector<uint32_t>> valuesOf;
};

} // namespace

Result<Explanation> Explain(const Graph &graph, const SignatureSpec &signature,
                            const ExplainOptions &options) {
  Compilation compilation;
  MR_RETURN_IF_ERROR(compilation.upTo(graph, {signature}, options.compile, "emit", /*trace=*/true));
  return Explainer(compilation, graph, signature).run(options.dims, options.compile.code);
}

std::string FateName(NodeFate fate) {
  switch (fate) {
  case NodeFate::kNotAsked:
    return "not asked for";
  case NodeFate::kFed:
    return "fed";
  case NodeFate::kStep:
    return "step";
  case NodeFate::kFused:
    return "fused";
  case NodeFate::kConstant:
    return "constant";
  case NodeFate::kExtents:
    return "extents";
  case NodeFate::kAlias:
    return "alias";
  case NodeFate::kResource:
    return "resource";
  case NodeFate::kOrder:
    return "order";
  case NodeFate::kReplaced:
    return "replaced";
  case NodeFate::kGone:
    return "gone";
  }
  return "?";
}

} // namespace millrace
