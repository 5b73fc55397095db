#include "millrace/tests/end_to_end/gradient_case.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

Result<std::vector<Output>> Find(const Scope& scope, const std::vector<std::string>& names) {
  std::vector<Output> found;
  for (const std::string& name : names) {
    MR_ASSIGN_OR_RETURN(Endpoint endpoint, scope.graph()->FindEndpoint(name));
    found.emplace_back(endpoint, scope.state());
  }
  return found;
}

}  // namespace

Result<GradientCase> BuildGradientCase(const Case& c, bool deferred) {
  auto graph = std::make_shared<Graph>();
  MR_RETURN_IF_ERROR(graph->Import(c.graph));
  const Scope scope(graph);
  MR_ASSIGN_OR_RETURN(const std::vector<Output> ys, Find(scope, c.grad_ys_of));
  MR_ASSIGN_OR_RETURN(const std::vector<Output> xs, Find(scope, c.grad_xs));

  GradientCase out;
  for (const NamedTensor& feed : c.feeds) out.feeds.emplace_back(feed.name, feed.value);
  GradientOptions options;
  for (const NamedTensor& seed : c.grad_seed) {
    const Output placeholder =
        ops::Placeholder(scope.WithOpName("seed"), seed.value.dtype(), {.shape = seed.value.shape()});
    options.grad_ys.push_back(placeholder);
    out.feeds.emplace_back(placeholder.name(), seed.value);
  }
  std::vector<Gradient> gradients;
  if (deferred) {
    for (const Output& dx : DeferredGradients(scope, ys, xs, options.grad_ys)) gradients.emplace_back(dx);
  } else {
    gradients = Gradients(scope, ys, xs, options);
  }
  MR_RETURN_IF_ERROR(scope.status());
  if (gradients.size() != c.grad_expected.size()) {
    return Internal(Cat(gradients.size(), " gradients, ", c.grad_expected.size(), " recorded"));
  }
  for (size_t i = 0; i < gradients.size(); ++i) {
    const NamedTensor& expected = c.grad_expected[i];
    if (!deferred && gradients[i].none() != expected.none) {
      return Internal(
          Cat("the gradient of ", c.grad_xs[i], expected.none ? " is there, expected none" : " is none, expected one"));
    }
    if (expected.none) continue;
    out.fetches.push_back(gradients[i].ToDense(scope).name());
    out.expected.push_back(expected);
  }
  MR_RETURN_IF_ERROR(scope.status());
  out.graph = graph->ToGraphDef();
  return out;
}

}  // namespace millrace::end_to_end
