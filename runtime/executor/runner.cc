#include "millrace/runtime/executor/runner.h"

#include <map>
#include <mutex>

#include "millrace/devices/api/mapped_file.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/plan_callable.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace {
namespace {

class PlanRunner final : public Runner {
 public:
  explicit PlanRunner(std::shared_ptr<const exec::LoadedPlan> plan) : plan_(std::move(plan)) {}

  std::vector<std::string> signatures() const override {
    std::vector<std::string> names;
    for (const plan::Signature& signature : plan_->plan().signatures) names.push_back(signature.name);
    return names;
  }

  Result<std::shared_ptr<Callable>> Prepare(const std::string& signature) override {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Callable>& callable = callables_[signature];
    if (callable != nullptr) return callable;
    const std::vector<plan::Signature>& all = plan_->plan().signatures;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != signature) continue;
      callable = std::make_shared<exec::PlanCallable>(plan_, i);
      return callable;
    }
    callables_.erase(signature);
    return NotFound(Cat("signature '", signature, "': the plan has ", Join(signatures(), ", ")));
  }

 private:
  const std::shared_ptr<const exec::LoadedPlan> plan_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Callable>> callables_;
};

Result<std::unique_ptr<Runner>> FromMappedBytes(const Buffer& buffer, const RunnerOptions& options) {
  if (options.threads < 0) return InvalidArgument(Cat("threads: expected 0 or more, found ", options.threads));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment(options.limits));
  if (buffer.size() > static_cast<uint64_t>(limits.file_bytes)) {
    return PastLimit("plan", "file_bytes", limits.file_bytes, buffer.size());
  }
  const Bytes bytes(std::string_view(static_cast<const char*>(buffer.data()), buffer.size()), buffer.owner());
  MR_ASSIGN_OR_RETURN(plan::Plan plan, plan::Read(bytes, {.no_code = options.no_code}));
  EnvironmentOptions environment;
  environment.threads = options.threads;
  environment.memory_limit = static_cast<uint64_t>(limits.memory_bytes);
  environment.no_code = options.no_code;
  environment.registry = options.registry;
  return NewPlanRunner(std::move(plan), std::make_shared<Environment>(environment), buffer.owner());
}

}  // namespace

Result<std::unique_ptr<Runner>> NewPlanRunner(plan::Plan plan, std::shared_ptr<Environment> environment,
                                              std::shared_ptr<const void> keep_alive) {
  MR_ASSIGN_OR_RETURN(std::shared_ptr<const exec::LoadedPlan> loaded,
                      exec::LoadedPlan::Load(std::move(plan), std::move(environment), std::move(keep_alive)));
  return std::unique_ptr<Runner>(std::make_unique<PlanRunner>(std::move(loaded)));
}

Result<std::unique_ptr<Runner>> Runner::FromFile(const std::string& path, const RunnerOptions& options) {
  MR_ASSIGN_OR_RETURN(const Buffer bytes, Buffer::MapFile(path));
  Result<std::unique_ptr<Runner>> runner = FromMappedBytes(bytes, options);
  // Kernels have packed their weights. What runs read of the file comes back by itself.
  ReleasePages(bytes);
  if (runner.ok()) return runner;
  return Status(runner.status().code(), Cat(path, ": ", runner.status().message()), std::string(runner.status().node()),
                std::string(runner.status().op()));
}

Result<std::unique_ptr<Runner>> Runner::FromBytes(Buffer bytes, const RunnerOptions& options) {
  const Buffer held = std::move(bytes);
  return FromMappedBytes(held, options);
}

}  // namespace millrace
