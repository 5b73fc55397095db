#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/tools/graphc/feeds.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/measure.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/profile.h"
#include "millrace/tools/graphc/progress.h"

namespace millrace::graphc {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::string file, signature, trace;
  std::vector<std::string> init;
  SignatureArguments signatures;
  FeedArguments feeds;
  CompileOptions options;
  int threads = 1;
  MeasureOptions measure;
  bool profile = false, json = false;
  bool codegen_given = false;
};

constexpr std::array<std::pair<const char*, double>, 4> kPercentiles = {
    {{"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}}};

double MsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// What is measured, ready to run.
struct Subject {
  std::shared_ptr<const Graph> graph;  // plans of it share its constants
  plan::Plan plan;
  size_t signature = 0;
  std::vector<std::string> init;  // signatures
  double import_ms = 0, compile_ms = 0;
  size_t steps = 0;
};

Result<Subject> FromGraph(const Arguments& a) {
  Subject subject;
  MR_ASSIGN_OR_RETURN(std::vector<SignatureSpec> specs, a.signatures.Parse());
  if (specs.size() != 1) return InvalidArgument(Cat("expected one entry point, found ", specs.size()));
  Stage(Cat("import ", a.file));
  auto begin = Clock::now();
  MR_ASSIGN_OR_RETURN(subject.graph, ReadGraph(a.file));
  subject.import_ms = MsSince(begin);
  MR_RETURN_IF_ERROR(CheckNames(a.file, *subject.graph, specs));
  MR_RETURN_IF_ERROR(CheckNames(a.file, *subject.graph, "--init", a.init));
  for (size_t i = 0; i < a.init.size(); ++i) {
    specs.push_back({.name = Cat("init ", i), .targets = {a.init[i]}});
    subject.init.push_back(specs.back().name);
  }
  begin = Clock::now();
  CompileOptions options = a.options;
  MR_ASSIGN_OR_RETURN(options.limits, LimitsFromEnvironment());
  options.before_pass = [](std::string_view pass) { Stage(Cat("compile: ", pass)); };
  MR_ASSIGN_OR_RETURN(subject.plan, InFile(a.file, millrace::Compile(*subject.graph, specs, options)));
  subject.compile_ms = MsSince(begin);
  return subject;
}

Result<Subject> FromPlan(const Arguments& a) {
  Subject subject;
  const SignatureArguments& s = a.signatures;
  if (!s.feeds.empty() || !s.fetches.empty() || !s.targets.empty() || !a.options.disabled_passes.empty() ||
      a.codegen_given) {
    return InvalidArgument(Cat(
        a.file,
        ": a plan, for which --feed, --fetch, --target, --codegen and --disable-pass say nothing any more; its entry "
        "points are chosen with --signature"));
  }
  const auto begin = Clock::now();
  MR_ASSIGN_OR_RETURN(subject.plan, ReadPlan(a.file));
  subject.import_ms = MsSince(begin);
  subject.init = a.init;
  const std::string wanted = a.signatures.signatures.empty() ? "" : a.signatures.signatures[0];
  std::vector<std::string> names;
  bool found = false;
  for (size_t i = 0; i < subject.plan.signatures.size(); ++i) {
    names.push_back(subject.plan.signatures[i].name);
    if (wanted.empty() ? subject.plan.signatures.size() == 1 : names[i] == wanted) {
      subject.signature = i;
      found = true;
    }
  }
  if (!found)
    return NotFound(Cat(a.file, ": the plan has the signatures ", Join(names, ", "), ": choose one with --signature"));
  return subject;
}

// What does not depend on the machine's mood: how the sums of the results are
// told apart by a script.
Json SumsOf(const std::vector<Tensor>& results) {
  Json sums = Json::array();
  for (const Tensor& t : results) {
    if (t.dtype() != DType::kFloat) continue;
    double sum = 0;
    for (float f : t.elements<float>()) sum += static_cast<double>(f);
    sums.push_back(sum);
  }
  return sums;
}

Status Bench(const Arguments& a) {
  MR_ASSIGN_OR_RETURN(const bool is_plan, IsPlanFile(a.file));
  MR_ASSIGN_OR_RETURN(Subject subject, is_plan ? FromPlan(a) : FromGraph(a));
  const plan::Signature signature = subject.plan.signatures[subject.signature];
  MR_ASSIGN_OR_RETURN(const std::vector<Tensor> feeds, InFile(a.file, MakeFeeds(subject.plan, signature, a.feeds)));
  const size_t steps = subject.plan.blocks[signature.block].steps.size();

  EnvironmentOptions environment;
  environment.threads = a.threads;
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  environment.memory_limit = static_cast<uint64_t>(limits.memory_bytes);
  MR_ASSIGN_OR_RETURN(environment.registry, AllOps());
  auto begin = Clock::now();
  MR_ASSIGN_OR_RETURN(const auto runner,
                      InFile(a.file, NewPlanRunner(std::move(subject.plan), std::make_shared<Environment>(environment),
                                                   subject.graph)));
  MR_ASSIGN_OR_RETURN(const auto callable, runner->Prepare(signature.name));
  const double load_ms = MsSince(begin);
  std::vector<Tensor> results;
  for (const std::string& name : subject.init) {
    MR_ASSIGN_OR_RETURN(const auto init, InFile(a.file, runner->Prepare(name)));
    MR_RETURN_IF_ERROR(InFile(a.file, init->Run({}, &results)));
    results.clear();
  }

  begin = Clock::now();
  MR_RETURN_IF_ERROR(InFile(a.file, callable->Run(feeds, &results)));
  const double first_ms = MsSince(begin);
  const Json sums = SumsOf(results);

  Stage("measure");
  MR_ASSIGN_OR_RETURN(const Measurement measured, Measure(*callable, feeds, a.measure));
  const double median = measured.Percentile(50);

  std::vector<RunMetadata> profiled;
  if (a.profile || !a.trace.empty()) {
    const int64_t count = std::clamp<int64_t>(static_cast<int64_t>(0.5e6 / median), 3, 200);
    RunOptions options;
    options.collect_step_stats = true;
    for (int64_t i = 0; i < count; ++i) {
      results.clear();
      MR_RETURN_IF_ERROR(callable->Run(feeds, &results, options, &profiled.emplace_back()));
    }
  }
  if (!a.trace.empty()) MR_RETURN_IF_ERROR(WriteTrace(profiled.back(), a.trace));

  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const double rss = static_cast<double>(usage.ru_maxrss) / 1024;
  RunMetadata memory;
  MR_RETURN_IF_ERROR(callable->Run(feeds, &results, {}, &memory));
  EndProgress();
  if (a.json) {
    Json json = {{"import_ms", subject.import_ms},
                 {"compile_ms", subject.compile_ms},
                 {"load_ms", load_ms},
                 {"first_ms", first_ms},
                 {"median_us", median},
                 {"min_us", measured.us.front()},
                 {"mean_us", measured.Mean()}};
    for (const auto& [name, percent] : kPercentiles) json[Cat(name, "_us")] = measured.Percentile(percent);
    json.update({{"max_us", measured.us.back()},
                 {"runs", measured.us.size()},
                 {"runs_per_second", measured.RunsPerSecond()},
                 {"warm_up", a.measure.warm_up},
                 {"callers", a.measure.callers},
                 {"steps", steps},
                 {"threads", a.threads},
                 {"run_bytes", memory.peak_bytes},
                 {"peak_rss_mib", rss},
                 {"sums", sums}});
    if (a.profile) {
      for (const StepProfile& p : ProfileOf(profiled)) {
        json["profile"].push_back({{"step", p.step},
                                   {"op", p.op},
                                   {"node", p.node},
                                   {"us", p.us},
                                   {"share", p.share},
                                   {"bytes", p.bytes},
                                   {"flops", p.flops}});
      }
    }
    std::printf("%s\n", json.dump(a.profile ? 1 : -1, ' ', false, Json::error_handler_t::replace).c_str());
    return OkStatus();
  }
  std::printf("import %.1f ms, compile %.1f ms, load %.1f ms, first run %.2f ms\n", subject.import_ms,
              subject.compile_ms, load_ms, first_ms);
  std::printf("%zu steps, %d thread%s: median %.2f us, min %.2f", steps, a.threads, a.threads == 1 ? "" : "s", median,
              measured.us.front());
  for (const auto& [name, percent] : kPercentiles) std::printf(", %s %.2f", name, measured.Percentile(percent));
  std::printf(", of %zu runs\n", measured.us.size());
  std::printf("throughput %.1f runs a second, %d caller%s\n", measured.RunsPerSecond(), a.measure.callers,
              a.measure.callers == 1 ? "" : "s");
  std::printf("memory of a run %.1f KiB, peak of the process %.1f MiB\n", static_cast<double>(memory.peak_bytes) / 1024,
              rss);
  if (a.profile) PrintProfile(ProfileOf(profiled), 40);
  return OkStatus();
}

}  // namespace

void AddBench(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("bench", "measure a GraphDef or a plan with feeds made for it");
  AddFile(command, "file", a->file, "GraphDef (bytes or text), or plan")->required();
  a->signatures.AddTo(command);
  a->feeds.AddTo(command);
  AddList(command, "--init", a->init, "node (GraphDef) or signature (plan) to run once before");
  AddThreads(command, &a->threads);
  Between(command->add_option("--callers", a->measure.callers, "threads that call at the same time"), 1, 1024);
  Between(command->add_option("--warm-up", a->measure.warm_up, "runs of each caller before it is measured"),
          decltype(a->measure.warm_up){0}, decltype(a->measure.warm_up){1'000'000'000});
  Between(command->add_option("--runs", a->measure.runs, "runs to measure, of all callers; 0: for --seconds"),
          decltype(a->measure.runs){0}, decltype(a->measure.runs){1'000'000'000});
  Between(command->add_option("--seconds", a->measure.seconds, "how long to measure"), 0.0, 1e6);
  command->add_flag("--profile", a->profile, "also where the time goes, step by step");
  AddFile(command, "--trace", a->trace, "write one run for the trace viewer of Chrome or Perfetto");
  command->add_flag("--json", a->json, "as JSON, for scripts");
  AddPasses(command, &a->options.disabled_passes);
  AddCodegen(command, &a->options);
  command->footer(
      "Examples:\n"
      "  graphc bench digits.pb --feed images --fetch digit --dim images.0=64 --profile\n"
      "  graphc bench digits.plan --batch 8 --threads 1 --callers 4 --json\n"
      "  graphc bench fit.plan --init init --signature train --batch 100 --trace train.json\n");
  command->callback([a, outcome, command] {
    a->codegen_given = command->count("--codegen") > 0;
    outcome->status = Bench(*a);
  });
}

}  // namespace millrace::graphc
