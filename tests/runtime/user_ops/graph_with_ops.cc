// graph_with_ops OPS PLAN GRAPH: an op from a shared object inside a larger graph,
// with its gradient, second order and deferred too: through Session; then as a plan and as a
// GraphDef for other programs.
#include <cstdio>
#include <fstream>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/user/load_ops.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/runtime/session/session.h"

using namespace millrace;

namespace {

Status Run(const char* library, const char* plan_file, const char* graph_file) {
  const std::unique_ptr<Registry> registry = Registry::Extending();
  MR_RETURN_IF_ERROR(LoadOps(library, registry.get()));
  Scope s = Scope::NewRoot(*registry);
  Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
  Output cube = Call(s.WithOpName("cube"), "Cube", {2 * x}).output();
  Output loss = ops::Sum(s.WithOpName("loss"), ops::Tanh(s, cube) + cube, {0});
  Output first = Gradients(s, {loss}, {x})[0].dense();
  Output second = Gradients(s, {first}, {x})[0].dense();
  Output deferred = DeferredGradients(s, {loss}, {x})[0];
  ops::Identity(s.WithOpName("first"), first);
  ops::Identity(s.WithOpName("second"), second);
  ops::Identity(s.WithOpName("deferred"), deferred);
  MR_RETURN_IF_ERROR(s.status());

  const std::vector<std::string> fetches = {"cube:0", "loss:0", "first:0", "second:0", "deferred:0"};
  MR_ASSIGN_OR_RETURN(auto session, Session::New(s.graph()));
  const Tensor feed = Tensor::Of<float>(Shape({3}), {0.25f, -0.5f, 1.0f});
  MR_ASSIGN_OR_RETURN(const auto results, session->Run({{"x:0", feed}}, fetches));
  for (size_t i = 0; i < fetches.size(); ++i) {
    std::printf("%s", fetches[i].c_str());
    for (float v : results[i].elements<float>()) std::printf(" %a", static_cast<double>(v));
    std::printf("\n");
  }
  MR_ASSIGN_OR_RETURN(const plan::Plan plan, Compile(*s.graph(), {{"run", {"x:0"}, fetches, {}}}));
  MR_RETURN_IF_ERROR(plan::WriteFile(plan, plan_file));
  std::ofstream(graph_file, std::ios::binary) << SerializeGraphDef(s.graph()->ToGraphDef());
  return OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const Status status = Run(argv[1], argv[2], argv[3]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
