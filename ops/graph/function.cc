#include "millrace/ops/graph/function.h"

#include "millrace/ops/graph/expand.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

bool IsCallOp(std::string_view op) { return op == "PartitionedCall" || op == "StatefulPartitionedCall"; }

Result<InlinedFunction> InlineFunction(Graph* graph, const FuncValue& f, const std::vector<Endpoint>& inputs,
                                       const InlineOptions& options) {
  FunctionCall call;
  call.function = graph->FindFunction(f.name);
  if (call.function == nullptr) return NotFound(Cat("there is no function '", f.name, "' in the graph's library"));
  if (f.attrs != nullptr) call.attrs = *f.attrs;
  std::vector<DType> wanted, outputs;
  MR_RETURN_IF_ERROR(BindAttrs(*call.function, &call.attrs, &wanted, &outputs));
  std::vector<std::string> names, controls;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Endpoint& e = inputs[i];
    if (e.node == nullptr || e.index < 0 || e.index >= e.node->num_outputs()) {
      return InvalidArgument(Cat("function '", f.name, "', argument ", i, ": expected a tensor, found none"));
    }
    const DType found = e.node->output_types()[static_cast<size_t>(e.index)];
    if (i < wanted.size() && found != wanted[i] && BaseType(found) != wanted[i]) {
      return InvalidArgument(Cat("function '", f.name, "', argument ", i, ": expected ", DTypeName(wanted[i]),
                                 ", found ", DTypeName(found)));
    }
    names.push_back(Cat(e.node->name(), ":", e.index));
  }
  for (const Node* node : options.control_inputs) controls.push_back("^" + node->name());

  Expander expander({&graph->registry(), [&](std::string_view name) { return graph->FindFunction(name); },
                     [&](std::string_view base) { return graph->UniqueName(base); }},
                    {options.max_depth, options.max_nodes});
  const std::string scope = options.scope.empty() ? graph->UniqueName(f.name) : options.scope;
  MR_ASSIGN_OR_RETURN(const Expander::Results results, expander.Expand(call, scope, options.device, names, controls));
  GraphDef def;
  def.nodes.assign(expander.nodes().begin(), expander.nodes().end());
  def.versions = graph->versions();
  MR_RETURN_IF_ERROR(graph->Import(def));
  InlinedFunction inlined;
  for (size_t i = 0; i < results.outputs.size(); ++i) {
    MR_ASSIGN_OR_RETURN(const Endpoint e, graph->FindEndpoint(results.outputs[i]));
    const DType found = e.node->output_types()[static_cast<size_t>(e.index)];
    if (BaseType(found) != BaseType(outputs[i])) {
      return InvalidArgument(Cat("function '", f.name, "', result ", i, ": expected ", DTypeName(outputs[i]),
                                 ", found ", DTypeName(found)));
    }
    inlined.outputs.push_back(e);
  }
  for (const std::string& control : results.controls) {
    if (Node* node = graph->Find(std::string_view(control).substr(1))) inlined.control_outputs.push_back(node);
  }
  return inlined;
}

}  // namespace millrace
