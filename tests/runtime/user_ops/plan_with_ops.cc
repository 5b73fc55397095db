// plan_with_ops PLAN [OPS]: runs a plan in a process that has the runtime alone.
#include <cstdio>

#include "millrace/ops/user/load_ops.h"
#include "millrace/runtime/executor/runner.h"

using namespace millrace;

namespace {

Status Run(const char* plan, const char* library) {
  const std::unique_ptr<Registry> registry = Registry::Extending();
  if (library != nullptr) MR_RETURN_IF_ERROR(LoadOps(library, registry.get()));
  RunnerOptions options;
  options.registry = registry.get();
  MR_ASSIGN_OR_RETURN(const auto runner, Runner::FromFile(plan, options));
  MR_ASSIGN_OR_RETURN(const auto callable, runner->Prepare("run"));
  std::vector<Tensor> results;
  MR_RETURN_IF_ERROR(callable->Run({Tensor::Of<float>(Shape({3}), {0.25f, -0.5f, 1.0f})}, &results));
  for (size_t i = 0; i < results.size(); ++i) {
    std::printf("%s", callable->fetch_names()[i].c_str());
    for (float v : results[i].elements<float>()) std::printf(" %a", static_cast<double>(v));
    std::printf("\n");
  }
  return OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  const Status status = Run(argv[1], argc == 3 ? argv[2] : nullptr);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
