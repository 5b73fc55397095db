// TF_NewWhile and what follows: a loop from a graph of its condition and one of its
// body. Its nodes (Enter, Merge, Switch ...) are put into one GraphDef, which is
// imported as a whole, so that the graph gets all of them or none.
#include <algorithm>
#include <memory>
#include <unordered_map>

#include "millrace/ops/graph/colocation.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
namespace {

// "Enter", "Enter_1", "Enter_2" ...
std::string Numbered(std::string_view name, size_t i) { return i == 0 ? std::string(name) : Cat(name, "_", i); }

// Placeholders "cond_input0" ... for the loop variables, in a graph of its own.
Result<std::unique_ptr<TF_Graph>> NewPart(std::string_view prefix, std::span<const TF_Output> inputs,
                                          std::vector<TF_Output>* placeholders) {
  auto part = std::make_unique<TF_Graph>();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Endpoint e = ToEndpoint(inputs[i]);
    NodeSpec spec;
    spec.name = Cat(prefix, i);
    spec.op = "Placeholder";
    spec.attrs["dtype"] = BaseType(e.node->output_types()[static_cast<size_t>(e.index)]);
    spec.attrs["shape"] = Shape::UnknownRank();
    MR_ASSIGN_OR_RETURN(Node * node, part->state->graph->AddNode(std::move(spec)));
    placeholders->push_back(FromEndpoint({node, 0}));
  }
  return part;
}

Status CheckTensor(const TF_Graph& graph, const TF_Output& tensor, std::string_view what) {
  const Node* node = ToNode(tensor.oper);
  if (node == nullptr) return InvalidArgument(Cat(what, ": expected a tensor, found none"));
  if (graph.state->graph->Find(node->name()) != node) {
    return InvalidArgument(Cat(what, ": expected a node of its graph, found '", node->name(), "' of another"));
  }
  if (tensor.index >= 0 && tensor.index < node->num_outputs()) return OkStatus();
  return OutOfRange(Cat(what, ": expected an output of '", node->name(), "', which has ", node->num_outputs(),
                        ", found number ", tensor.index));
}

Result<TF_WhileParams> NewWhile(const TF_Graph& graph, std::span<const TF_Output> inputs) {
  if (inputs.empty()) return InvalidArgument("expected one loop variable or more, found none");
  for (size_t i = 0; i < inputs.size(); ++i) {
    MR_RETURN_IF_ERROR(CheckTensor(graph, inputs[i], Cat("loop variable ", i)));
  }
  std::vector<TF_Output> of_cond, of_body;
  MR_ASSIGN_OR_RETURN(std::unique_ptr<TF_Graph> cond, NewPart("cond_input", inputs, &of_cond));
  MR_ASSIGN_OR_RETURN(std::unique_ptr<TF_Graph> body, NewPart("body_input", inputs, &of_body));
  cond->loop = std::make_unique<LoopPlace>(LoopPlace{graph.state, {inputs.begin(), inputs.end()}});
  const auto array = [](const std::vector<TF_Output>& from) {
    TF_Output* const made = new TF_Output[from.size()];
    std::copy(from.begin(), from.end(), made);
    return made;
  };
  const std::vector<TF_Output> unset(inputs.size(), TF_Output{nullptr, -1});
  return TF_WhileParams{static_cast<int>(inputs.size()),
                        cond.release(),
                        array(of_cond),
                        {nullptr, -1},
                        body.release(),
                        array(of_body),
                        array(unset),
                        nullptr};
}

void Free(const TF_WhileParams& params) {
  delete params.cond_graph;
  delete params.body_graph;
  delete[] params.cond_inputs;
  delete[] params.body_inputs;
  delete[] params.body_outputs;
}

// The nodes of a loop under construction, in the order in which they arrive.
class LoopMaker {
 public:
  explicit LoopMaker(const TF_WhileParams& params) : params_(params), count_(static_cast<size_t>(params.ninputs)) {
    for (size_t i = 0; i < count_; ++i) {
      variables_[ToNode(params.cond_inputs[i].oper)] = variables_[ToNode(params.body_inputs[i].oper)] = i;
    }
  }

  Status Check() const {
    if (params_.name == nullptr) return InvalidArgument("name of the loop: expected a text, found null");
    MR_RETURN_IF_ERROR(CheckTensor(*params_.cond_graph, params_.cond_output, "cond_output"));
    if (const DType found = TypeOf(params_.cond_output); found != DType::kBool) {
      return InvalidArgument(Cat("cond_output: expected bool, found ", DTypeName(found)));
    }
    for (size_t i = 0; i < count_; ++i) {
      const std::string what = Cat("body_outputs[", i, "]");
      MR_RETURN_IF_ERROR(CheckTensor(*params_.body_graph, params_.body_outputs[i], what));
      const DType expected = TypeOf(params_.body_inputs[i]), found = TypeOf(params_.body_outputs[i]);
      if (found != expected) {
        return InvalidArgument(
            Cat(what, ": expected ", DTypeName(expected), " as the loop variable has, found ", DTypeName(found)));
      }
    }
    return OkStatus();
  }

  // Sets what the Exits are, which come last.
  Status AddTo(Graph* graph, std::span<const TF_Output> inputs, TF_Output* outputs) {
    ImportOptions options;
    options.prefix = params_.name;
    if (options.prefix.ends_with('/')) options.prefix.pop_back();
    options.uniquify_prefix = options.uniquify_names = true;
    for (size_t i = 0; i < count_; ++i) {
      const std::string outside = Cat("loop_variable", i);
      options.input_map[{outside, 0}] = ToEndpoint(inputs[i]);
      NodeDef& enter = Add("Enter", i, {outside});
      enter.attrs["frame_name"] = std::string(params_.name);
      enter.attrs["is_constant"] = false;
      enter.attrs["parallel_iterations"] = int64_t{10};
    }
    for (size_t i = 0; i < count_; ++i) {
      Add("Merge", i, {Numbered("Enter", i), Numbered("NextIteration", i)}).attrs["N"] = int64_t{2};
    }
    AddPart(*params_.cond_graph->state->graph, kCond);
    def_.nodes.push_back(NodeDef{"LoopCond", "LoopCond", {NameOf(ToEndpoint(params_.cond_output), kCond)}, "", {}, {}});
    for (size_t i = 0; i < count_; ++i) Add("Switch", i, {Numbered("Merge", i), "LoopCond"});
    AddPart(*params_.body_graph->state->graph, kBody);
    for (size_t i = 0; i < count_; ++i) Add("NextIteration", i, {NameOf(ToEndpoint(params_.body_outputs[i]), kBody)});
    for (size_t i = 0; i < count_; ++i) Add("Exit", i, {Numbered("Switch", i)});

    def_.versions = graph->versions();
    ImportResults results;
    MR_RETURN_IF_ERROR(graph->Import(def_, options, &results));
    for (size_t i = 0; i < count_; ++i) {
      outputs[i] = FromEndpoint({results.nodes[results.nodes.size() - count_ + i], 0});
    }
    return OkStatus();
  }

 private:
  static DType TypeOf(const TF_Output& tensor) {
    const Endpoint e = ToEndpoint(tensor);
    return BaseType(e.node->output_types()[static_cast<size_t>(e.index)]);
  }

  // A node of loop variable `i`.
  NodeDef& Add(std::string_view op, size_t i, std::vector<std::string> inputs) {
    NodeDef& node = def_.nodes.emplace_back(NodeDef{Numbered(op, i), std::string(op), std::move(inputs), "", {}, {}});
    node.attrs["T"] = TypeOf(params_.body_inputs[i]);
    return node;
  }

  // A part's scope, and what stands in it for the placeholders of the variables.
  struct Part {
    std::string_view scope, stand_in, output;
  };
  static constexpr Part kCond = {"cond", "Merge", ""}, kBody = {"body", "Switch", ":1"};

  std::string NameOf(const Endpoint& e, const Part& part) const {
    const auto variable = variables_.find(e.node);
    if (variable != variables_.end()) return Numbered(part.stand_in, variable->second).append(part.output);
    return Cat(part.scope, "/", e.node->name(), ":", e.index);
  }

  // All nodes of a part but the placeholders. What has no input in the part waits
  // for the first variable: so it is of the loop, and runs in each iteration.
  void AddPart(const Graph& graph, const Part& part) {
    const std::string first = Cat("^", part.stand_in);
    for (const auto& node : graph.nodes()) {
      if (variables_.contains(node.get())) continue;
      NodeDef def = node->ToNodeDef();
      def.name = Cat(part.scope, "/", def.name);
      RenameGroups(&def.attrs, [&](std::string_view of) { return Cat(part.scope, "/", of); });
      def.inputs.clear();
      bool inside = false;
      for (const Endpoint& e : node->inputs()) {
        def.inputs.push_back(NameOf(e, part));
        inside |= !variables_.contains(e.node);
      }
      for (const Node* before : node->control_inputs()) {
        const auto variable = variables_.find(before);
        inside |= variable == variables_.end();
        def.inputs.push_back(variable != variables_.end() ? Cat("^", Numbered(part.stand_in, variable->second))
                                                          : Cat("^", part.scope, "/", before->name()));
      }
      if (!inside && std::find(def.inputs.begin(), def.inputs.end(), first) == def.inputs.end()) {
        def.inputs.push_back(first);
      }
      def_.nodes.push_back(std::move(def));
    }
    const FunctionLibrary& from = graph.library();
    FunctionLibrary& to = def_.library;
    to.functions.insert(to.functions.end(), from.functions.begin(), from.functions.end());
    to.gradients.insert(to.gradients.end(), from.gradients.begin(), from.gradients.end());
    def_.has_library |= !from.functions.empty();
  }

  const TF_WhileParams& params_;
  const size_t count_;
  std::unordered_map<const Node*, size_t> variables_;  // placeholders of both parts
  GraphDef def_;
};

Status FinishWhile(const TF_WhileParams& params, TF_Output* outputs) {
  LoopMaker maker(params);
  MR_RETURN_IF_ERROR(maker.Check());
  const LoopPlace& place = *params.cond_graph->loop;
  const GraphLock lock(*place.graph);
  return maker.AddTo(place.graph->graph.get(), place.inputs, outputs);
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

TF_WhileParams TF_NewWhile(TF_Graph* g, TF_Output* inputs, int ninputs, TF_Status* status) {
  const GraphLock lock(*g->state);
  const millrace::Result<TF_WhileParams> params = NewWhile(*g, {inputs, static_cast<size_t>(std::max(ninputs, 0))});
  Set(status, params.status());
  if (params.ok()) return *params;
  return {0, nullptr, nullptr, {nullptr, -1}, nullptr, nullptr, nullptr, nullptr};
}
void TF_FinishWhile(const TF_WhileParams* params, TF_Status* status, TF_Output* outputs) {
  Set(status, FinishWhile(*params, outputs));
  Free(*params);
}
void TF_AbortWhile(const TF_WhileParams* params) { Free(*params); }

}  // extern "C"
