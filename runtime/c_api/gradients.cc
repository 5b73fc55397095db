// TF_AddGradients: nodes that compute gradients, added to a graph.
#include <unordered_set>
#include <utility>

#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
namespace {

// Tensors of the caller's as the builder's; a null one is no tensor.
Result<std::vector<Output>> Outputs(const Graph& graph, const Scope& scope, const TF_Output* tensors, int count,
                                    std::string_view what) {
  std::vector<Output> out;
  for (int i = 0; i < count; ++i) {
    const Endpoint e = ToEndpoint(tensors[i]);
    if (e.node == nullptr) {
      return InvalidArgument(Cat(what, " ", i, ": expected a tensor, found null"));
    }
    if (graph.Find(e.node->name()) != e.node) {
      return InvalidArgument(Cat(what, " ", i, ": expected a node of this graph, found '", e.node->name(), "'"));
    }
    if (e.index < 0 || e.index >= e.node->num_outputs()) {
      return OutOfRange(Cat(what, " ", i, ": expected an output of '", e.node->name(), "', which has ",
                            e.node->num_outputs(), ", found number ", e.index));
    }
    out.push_back(Output(e, scope.state()));
  }
  return out;
}

Status CheckPrefix(const Graph& graph, std::string_view prefix) {
  const std::string scope = Cat(prefix, "/");
  for (const auto& node : graph.nodes()) {
    if (node->name() == prefix || node->name().starts_with(scope)) {
      return InvalidArgument(Cat("prefix '", prefix, "': expected one of its own, found node '", node->name(), "'"));
    }
  }
  return OkStatus();
}

// Whether any of `ys` is computed from `x`, be it through nodes that pass no gradient on.
bool DependOn(const std::vector<Output>& ys, const Output& x) {
  std::vector<const Node*> work;
  std::unordered_set<const Node*> seen;
  for (const Output& y : ys) {
    if (y.endpoint() == x.endpoint()) return true;
    if (seen.insert(y.endpoint().node).second) work.push_back(y.endpoint().node);
  }
  while (!work.empty()) {
    const Node* node = work.back();
    work.pop_back();
    for (const Endpoint& input : node->inputs()) {
      if (input == x.endpoint()) return true;
      if (seen.insert(input.node).second) work.push_back(input.node);
    }
  }
  return false;
}

Status AddGradients(const std::shared_ptr<Graph>& graph, const char* prefix, const TF_Output* y, int ny,
                    const TF_Output* x, int nx, const TF_Output* dx, TF_Output* dy) {
  if (prefix != nullptr) MR_RETURN_IF_ERROR(CheckPrefix(*graph, prefix));
  const Scope root(graph);
  MR_ASSIGN_OR_RETURN(const std::vector<Output> ys, Outputs(*graph, root, y, ny, "y"));
  MR_ASSIGN_OR_RETURN(const std::vector<Output> xs, Outputs(*graph, root, x, nx, "x"));
  GradientOptions options;
  if (dx != nullptr) {
    MR_ASSIGN_OR_RETURN(options.grad_ys, Outputs(*graph, root, dx, ny, "gradient of y"));
  }
  // The place in this library says nothing to the program that called.
  const At at(root.WithOpName(prefix != nullptr ? prefix : "gradients"), std::source_location());
  const std::vector<Gradient> gradients = Gradients(at, ys, xs, options);
  std::vector<Output> results;
  for (size_t i = 0; i < gradients.size() && root.ok(); ++i) {
    if (gradients[i].none() && !DependOn(ys, xs[i])) {
      return InvalidArgument(Cat("x ", i, ": expected a tensor that the ys depend on, found '", xs[i].name(), "'"));
    }
    results.push_back(gradients[i].none() ? Output() : gradients[i].ToDense(at));
  }
  MR_RETURN_IF_ERROR(root.status());
  for (size_t i = 0; i < results.size(); ++i) {
    dy[i] = results[i].valid() ? FromEndpoint(results[i].endpoint()) : TF_Output{nullptr, -1};
  }
  return OkStatus();
}

}  // namespace
}  // namespace millrace::c_api

using millrace::c_api::Set;

extern "C" {

void TF_AddGradientsWithPrefix(TF_Graph* g, const char* prefix, TF_Output* y, int ny, TF_Output* x, int nx,
                               TF_Output* dx, TF_Status* status, TF_Output* dy) {
  const GraphLock lock(*g->state);
  const std::shared_ptr<millrace::Graph>& graph = g->state->graph;
  // An error is that of this call alone, so each has scopes of its own.
  const std::shared_ptr<void> kept = std::exchange(graph->attachment(), nullptr);
  Set(status, millrace::c_api::AddGradients(graph, prefix, y, ny, x, nx, dx, dy));
  graph->attachment() = kept;
}
void TF_AddGradients(TF_Graph* g, TF_Output* y, int ny, TF_Output* x, int nx, TF_Output* dx, TF_Status* status,
                     TF_Output* dy) {
  TF_AddGradientsWithPrefix(g, nullptr, y, ny, x, nx, dx, status, dy);
}

}  // extern "C"
