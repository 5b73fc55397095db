#include "millrace/runtime/session/session.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "absl/container/inlined_vector.h"
#include "millrace/compiler/api/compile.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/cluster/code.h"
#include "millrace/ops/graph/placeholder.h"
#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/device_name.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/runtime/executor/run_limit.h"
#include "millrace/runtime/session/part_source.h"
#include "millrace/runtime/session/parts.h"
#include "millrace/runtime/session/permuted_callable.h"
#include "millrace/runtime/session/ranked_callable.h"

namespace millrace {
namespace {

Status ClosedError() { return FailedPrecondition("the session is closed"); }

// What identifies a compiled plan: names in order, each kind apart.
std::string KeyOf(const SignatureSpec& spec) {
  std::string key;
  for (const auto* list : {&spec.feeds, &spec.fetches, &spec.targets, &spec.ran}) {
    for (const std::string& name : *list) key.append(name).push_back('\n');
    key.push_back('\f');
  }
  return key;
}

}  // namespace

struct Session::Impl final : public PartSource {
  // One compiled plan. Whoever finds it without a callable compiles, while
  // others who want the same wait.
  struct Entry {
    std::timed_mutex mutex;
    std::shared_ptr<SinkCallable> callable;
    // As compiled; another order is a permutation of this one.
    SignatureSpec spec;
  };

  std::shared_ptr<const Graph> graph;
  SessionOptions options;
  CodeOptions code;  // of what is compiled before it runs
  std::shared_ptr<Environment> environment;
  std::mutex mutex;
  bool closed = false;                                            // guarded by mutex
  std::map<std::string, std::shared_ptr<Entry>> by_names;         // exact order, guarded by mutex
  std::map<std::string, std::shared_ptr<Entry>> by_sets;          // sorted, guarded by mutex
  std::map<std::string, std::shared_ptr<SinkCallable>> permuted;  // exact order, guarded by mutex
  std::atomic<int64_t> compile_count{0};

  Status CheckNames(const SignatureSpec& spec) const;
  Status CheckFed(const SignatureSpec& spec) const;
  Result<std::shared_ptr<SinkCallable>> Compile(const SignatureSpec& spec, const RunLimit& limit);
  Result<std::shared_ptr<SinkCallable>> CompilePlan(const SignatureSpec& spec, const RunLimit& limit);
  Result<std::shared_ptr<SinkCallable>> Find(SignatureSpec spec, const RunLimit& limit);
  // Nobody changes the graph while the lock is held.
  Result<std::unique_lock<std::timed_mutex>> LockGraph(const RunLimit& limit) const;

  Result<std::shared_ptr<SinkCallable>> FindPart(const SignatureSpec& part, const RunLimit& limit) override;
  Allocator& allocator() override { return environment->allocator(); }
};

Result<std::unique_lock<std::timed_mutex>> Session::Impl::LockGraph(const RunLimit& limit) const {
  if (options.graph_mutex == nullptr) return std::unique_lock<std::timed_mutex>();
  std::unique_lock lock(*options.graph_mutex, std::defer_lock);
  MR_RETURN_IF_ERROR(limit.Acquire(lock));
  return lock;
}

// Every name is there, and no feed is given twice.
Status Session::Impl::CheckNames(const SignatureSpec& spec) const {
  if (spec.fetches.empty() && spec.targets.empty()) {
    return InvalidArgument("expected something to fetch or a target to run, found neither");
  }
  std::set<std::string_view> seen;
  for (const std::string& feed : spec.feeds) {
    if (!seen.insert(feed).second) return InvalidArgument(Cat("feed '", feed, "' is given twice"));
    Result<Endpoint> found = graph->FindEndpoint(feed);
    if (!found.ok()) return Status(found.status().code(), Cat("feed: ", found.status().message()));
    if (found->index < 0) return InvalidArgument(Cat("feed '", feed, "': expected a tensor, found a control edge"));
  }
  for (const std::string& fetch : spec.fetches) {
    Result<Endpoint> found = graph->FindEndpoint(fetch);
    if (!found.ok()) return Status(found.status().code(), Cat("fetch: ", found.status().message()));
    if (found->index < 0) return InvalidArgument(Cat("fetch '", fetch, "': expected a tensor, found a control edge"));
  }
  for (const std::string& target : spec.targets) {
    if (graph->Find(target) == nullptr) return NotFound(Cat("target: the graph has no node '", target, "'"));
  }
  return CheckFed(spec);
}

// Placeholders that the run reaches are fed.
Status Session::Impl::CheckFed(const SignatureSpec& spec) const {
  std::set<std::pair<const Node*, int>> fed;
  for (const std::string& feed : spec.feeds) {
    const Result<Endpoint> found = graph->FindEndpoint(feed);
    fed.emplace(found->node, found->index);
  }
  std::set<const Node*> ran;
  for (const std::string& name : spec.ran) ran.insert(graph->Find(name));
  std::vector<bool> reached(graph->nodes().size(), false);
  std::vector<const Node*> work;
  const auto reach = [&](const Node* node) {
    const size_t id = static_cast<size_t>(node->id());
    if (reached[id]) return;
    reached[id] = true;
    work.push_back(node);
  };
  for (const std::string& fetch : spec.fetches) {
    const Result<Endpoint> found = graph->FindEndpoint(fetch);
    if (!fed.contains({found->node, found->index})) reach(found->node);
  }
  for (const std::string& target : spec.targets) reach(graph->Find(target));
  std::vector<std::string> missing;
  while (!work.empty()) {
    const Node* node = work.back();
    work.pop_back();
    if (IsPlaceholder(*node)) {
      if (!fed.contains({node, 0})) {
        missing.push_back(Cat("'", node->name(), ":0' (", DTypeName(node->output_types()[0]), " of shape ",
                              node->output(0).shape.ToShape().ToString(), ")"));
      }
      continue;
    }
    for (const Endpoint& input : node->inputs()) {
      if (!fed.contains({input.node, input.index})) reach(input.node);
      if (ran.contains(node)) break;  // only the reference that it handed on counts
    }
    if (ran.contains(node)) continue;
    for (const Node* input : node->control_inputs()) {
      if (!ran.contains(input) && !fed.contains({input, 0})) reach(input);
    }
  }
  if (missing.empty()) return OkStatus();
  std::sort(missing.begin(), missing.end());
  return InvalidArgument(Cat("expected feeds that are missing: ", Join(missing, ", ")));
}

Result<std::shared_ptr<SinkCallable>> Session::Impl::Compile(const SignatureSpec& spec, const RunLimit& limit) {
  std::vector<size_t> open;
  {
    MR_ASSIGN_OR_RETURN(const auto lock, LockGraph(limit));
    MR_RETURN_IF_ERROR(CheckNames(spec));
    for (size_t i = 0; i < spec.feeds.size(); ++i) {
      const Result<Endpoint> feed = graph->FindEndpoint(spec.feeds[i]);
      if (!feed->node->output(feed->index).shape.has_rank) open.push_back(i);
    }
  }
  if (open.empty()) return CompilePlan(spec, limit);
  auto compile = [this, spec](const std::vector<int>& ranks, const RunLimit& of_run) {
    SignatureSpec ranked = spec;
    ranked.feed_ranks = ranks;
    return CompilePlan(ranked, of_run);
  };
  return std::shared_ptr<SinkCallable>(
      std::make_shared<RankedCallable>(spec.feeds, spec.fetches, std::move(open), std::move(compile)));
}

Result<std::shared_ptr<SinkCallable>> Session::Impl::CompilePlan(const SignatureSpec& spec, const RunLimit& limit) {
  const DefaultFloatState floats;  // what is folded does not depend on the host's
  CompileOptions compile_options;
  compile_options.disabled_passes = options.disabled_passes;
  compile_options.limits = options.limits;
  compile_options.code = code;
  for (const auto& device : environment->devices()) {
    compile_options.devices.push_back({std::string(device->kind()), static_cast<uint32_t>(device->ordinal())});
  }
  compile_options.soft_placement = options.allow_soft_placement;
  compile_count.fetch_add(1, std::memory_order_relaxed);
  if (limit.any()) compile_options.cancelled = [&limit] { return limit.Reached(); };
  MR_ASSIGN_OR_RETURN(auto lock, LockGraph(limit));
  Result<plan::Plan> plan = millrace::Compile(*graph, {spec}, compile_options);
  if (lock) lock.unlock();
  if (!plan.ok()) return plan.status().code() == Code::kCancelled && limit.any() ? limit.Error() : plan.status();
  MR_ASSIGN_OR_RETURN(std::unique_ptr<Runner> runner, NewPlanRunner(*std::move(plan), environment, graph));
  MR_ASSIGN_OR_RETURN(std::shared_ptr<Callable> callable, runner->Prepare(spec.name));
  return std::static_pointer_cast<SinkCallable>(callable);
}

Result<std::shared_ptr<SinkCallable>> Session::Impl::Find(SignatureSpec spec, const RunLimit& limit) {
  for (std::string& feed : spec.feeds) feed = FullTensorName(feed);
  for (std::string& fetch : spec.fetches) fetch = FullTensorName(fetch);
  const std::string key = KeyOf(spec);
  std::string set_key;
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex);
    if (closed) return ClosedError();
    if (const auto it = permuted.find(key); it != permuted.end()) return it->second;
    if (const auto it = by_names.find(key); it != by_names.end()) {
      entry = it->second;
    } else {
      SignatureSpec sorted = spec;
      std::sort(sorted.feeds.begin(), sorted.feeds.end());
      std::sort(sorted.fetches.begin(), sorted.fetches.end());
      std::sort(sorted.targets.begin(), sorted.targets.end());
      sorted.targets.erase(std::unique(sorted.targets.begin(), sorted.targets.end()), sorted.targets.end());
      set_key = KeyOf(sorted);
      std::shared_ptr<Entry>& found = by_sets[set_key];
      if (found == nullptr) {
        found = std::make_shared<Entry>();
        found->spec = spec;
      }
      entry = found;
      if (entry->spec.feeds == spec.feeds && entry->spec.fetches == spec.fetches) by_names[key] = entry;
    }
  }
  std::shared_ptr<SinkCallable> callable;
  {
    std::unique_lock lock(entry->mutex, std::defer_lock);
    MR_RETURN_IF_ERROR(limit.Acquire(lock));
    if (entry->callable == nullptr) {
      Result<std::shared_ptr<SinkCallable>> compiled = Compile(entry->spec, limit);
      if (!compiled.ok()) {
        // Who waits for it, or calls next, may have more time.
        if (limit.any() && limit.Reached()) return compiled.status();
        // The graph may grow: the next call tries again.
        const std::lock_guard all(mutex);
        std::erase_if(by_names, [&](const auto& item) { return item.second == entry; });
        std::erase_if(by_sets, [&](const auto& item) { return item.second == entry; });
        return compiled.status();
      }
      entry->callable = std::move(*compiled);
    }
    callable = entry->callable;
  }
  if (entry->spec.feeds == spec.feeds && entry->spec.fetches == spec.fetches) {
    const std::lock_guard lock(mutex);
    if (closed) return ClosedError();
    return callable;
  }
  auto other = std::make_shared<PermutedCallable>(callable, spec.feeds, spec.fetches);
  const std::lock_guard lock(mutex);
  if (closed) return ClosedError();
  return permuted.emplace(key, std::move(other)).first->second;
}

Result<std::shared_ptr<SinkCallable>> Session::Impl::FindPart(const SignatureSpec& part, const RunLimit& limit) {
  if (!part.fetches.empty() || !part.targets.empty()) return Find(part, limit);
  const std::lock_guard lock(mutex);
  if (closed) return ClosedError();
  return std::shared_ptr<SinkCallable>();
}

Session::Session(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() { static_cast<void>(Close()); }

Result<std::unique_ptr<Session>> Session::New(std::shared_ptr<const Graph> graph, const SessionOptions& options) {
  if (graph == nullptr) return InvalidArgument("expected a graph, found none");
  if (options.threads < 0) return InvalidArgument(Cat("threads: expected 0 or more, found ", options.threads));
  for (const auto& [kind, count] : options.device_count) {
    if (count < 0 || count > kMaxDevices) {
      return InvalidArgument(
          Cat("device_count of '", kind, "': expected a number from 0 to ", kMaxDevices, ", found ", count));
    }
  }
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment(options.limits));
  // The built-in definitions are tested; a program's own are looked at here.
  if (&graph->registry() != &Registry::BuiltIn()) {
    const std::vector<std::string> problems = graph->registry().Check();
    if (!problems.empty()) return InvalidArgument(Cat("the graph's registry: ", Join(problems, "; ")));
  }
  auto impl = std::make_shared<Impl>();
  EnvironmentOptions environment;
  environment.threads = options.threads;
  environment.memory_limit = static_cast<uint64_t>(limits.memory_bytes);
  environment.device_count = options.device_count;
  environment.registry = &graph->registry();
  impl->code = FromEnvironment(options.code);
  if (impl->code.codegen == Codegen::kAuto) {
    environment.code_maker = NewCodeMaker(impl->code);
    impl->code.codegen = Codegen::kOff;
  }
  impl->graph = std::move(graph);
  impl->options = options;
  impl->options.limits = limits;
  impl->environment = std::make_shared<Environment>(environment);
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Result<std::vector<Tensor>> Session::Run(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                         const std::vector<std::string>& fetches,
                                         const std::vector<std::string>& targets, const RunOptions& options,
                                         RunMetadata* metadata) {
  SignatureSpec spec;
  spec.fetches = fetches;
  spec.targets = targets;
  std::vector<Tensor> values;
  for (const auto& [name, value] : feeds) {
    spec.feeds.push_back(name);
    values.push_back(value);
  }
  const RunOptions timed = FromNow(options);
  MR_ASSIGN_OR_RETURN(std::shared_ptr<SinkCallable> callable, impl_->Find(std::move(spec), RunLimit(timed)));
  std::vector<Tensor> results;
  MR_RETURN_IF_ERROR(callable->Run(values, &results, timed, metadata));
  return results;
}

Result<std::shared_ptr<Callable>> Session::Prepare(const std::vector<std::string>& feeds,
                                                   const std::vector<std::string>& fetches,
                                                   const std::vector<std::string>& targets, const RunOptions& options) {
  SignatureSpec spec;
  spec.feeds = feeds;
  spec.fetches = fetches;
  spec.targets = targets;
  MR_ASSIGN_OR_RETURN(std::shared_ptr<SinkCallable> callable, impl_->Find(std::move(spec), RunLimit(options)));
  return std::shared_ptr<Callable>(std::move(callable));
}

Result<std::unique_ptr<PartialRun>> Session::StartPartialRun(const std::vector<std::string>& feeds,
                                                             const std::vector<std::string>& fetches,
                                                             const std::vector<std::string>& targets,
                                                             const RunOptions& options) {
  SignatureSpec declared;
  for (const std::string& feed : feeds) declared.feeds.push_back(FullTensorName(feed));
  for (const std::string& fetch : fetches) {
    std::string name = FullTensorName(fetch);
    if (std::ranges::find(declared.fetches, name) == declared.fetches.end())
      declared.fetches.push_back(std::move(name));
  }
  declared.targets = targets;
  const RunOptions timed = FromNow(options);
  std::unique_ptr<PartialRun> run;
  {
    MR_ASSIGN_OR_RETURN(const auto lock, impl_->LockGraph(RunLimit(timed)));
    MR_RETURN_IF_ERROR(impl_->CheckNames(declared));
    std::vector<DType> types;
    for (const std::string& feed : declared.feeds) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, impl_->graph->FindEndpoint(feed));
      types.push_back(BaseType(e.node->output_types()[static_cast<size_t>(e.index)]));
    }
    MR_ASSIGN_OR_RETURN(Parts parts, Parts::Make(*impl_->graph, declared));
    run.reset(new PartialRun(declared, std::move(types), std::move(parts), impl_));
  }
  MR_RETURN_IF_ERROR(run->Run({}, {}, timed).status());
  return run;
}

Status Session::Close() {
  std::map<std::string, std::shared_ptr<Impl::Entry>> entries;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed) return OkStatus();
    impl_->closed = true;
    entries.swap(impl_->by_sets);
    impl_->by_names.clear();
    impl_->permuted.clear();
  }
  if (const auto& maker = impl_->environment->code_maker(); maker != nullptr) maker->Close();
  for (const auto& [key, entry] : entries) {
    // Waits for a compile in progress, then for runs.
    const std::lock_guard lock(entry->mutex);
    if (entry->callable != nullptr) entry->callable->Close();
  }
  impl_->environment->resources().Clear();
  return OkStatus();
}

std::vector<std::string> Session::device_names() const {
  std::vector<std::string> names;
  for (const auto& device : impl_->environment->devices()) {
    names.push_back(FullDeviceName(device->kind(), device->ordinal()));
  }
  return names;
}

int64_t Session::compile_count() const { return impl_->compile_count.load(std::memory_order_relaxed); }

}  // namespace millrace
