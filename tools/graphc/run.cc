#include <chrono>
#include <cstdio>

#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/show.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string file, signature, output;
  std::vector<std::string> feeds, fetches, targets, init;
  std::vector<std::string> disabled_passes;
  int threads = 0;
  int64_t repeat = 1;
};

// "x=x.npy"
Result<std::vector<std::pair<std::string, Tensor>>> ReadFeeds(const std::vector<std::string>& feeds) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const std::string& feed : feeds) {
    const size_t equals = feed.find('=');
    if (equals == std::string::npos) return InvalidArgument(Cat("--feed ", feed, ": expected NAME=FILE.npy"));
    MR_ASSIGN_OR_RETURN(Tensor value, ReadNpy(feed.substr(equals + 1)));
    out.emplace_back(TensorName(feed.substr(0, equals)), std::move(value));
  }
  return out;
}

Result<std::vector<Tensor>> InFeedOrder(const Callable& callable,
                                        const std::vector<std::pair<std::string, Tensor>>& feeds) {
  std::vector<Tensor> out;
  for (const std::string& name : callable.feed_names()) {
    const Tensor* found = nullptr;
    for (const auto& [feed, value] : feeds) {
      if (feed == name) found = &value;
    }
    if (found == nullptr) return InvalidArgument(Cat("feed '", name, "' is missing: give --feed ", name, "=FILE.npy"));
    out.push_back(*found);
  }
  if (out.size() != feeds.size()) {
    return InvalidArgument(Cat(feeds.size(), " feeds given, expected ", Join(callable.feed_names(), ", ")));
  }
  return out;
}

Status RunRepeatedly(Callable& callable, const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& named) {
  MR_ASSIGN_OR_RETURN(const std::vector<Tensor> feeds, InFeedOrder(callable, named));
  std::vector<Tensor> fetches;
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < a.repeat; ++i) {
    fetches.clear();
    MR_RETURN_IF_ERROR(callable.Run(feeds, &fetches));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (size_t i = 0; i < fetches.size(); ++i) {
    const std::string& name = callable.fetch_names()[i];
    std::printf("%s = %s\n", name.c_str(), Show(fetches[i]).c_str());
    if (!a.output.empty()) {
      std::string file = name;
      for (char& c : file) {
        if (c == '/' || c == ':') c = '_';
      }
      MR_RETURN_IF_ERROR(WriteNpy(Cat(a.output, "/", file, ".npy"), fetches[i]));
    }
  }
  if (a.repeat > 1) {
    std::printf("%lld runs, %.1f us each\n", static_cast<long long>(a.repeat),
                seconds * 1e6 / static_cast<double>(a.repeat));
  }
  return OkStatus();
}

Status RunPlan(const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& feeds) {
  RunnerOptions options;
  options.threads = a.threads;
  MR_ASSIGN_OR_RETURN(options.registry, AllOps());
  MR_ASSIGN_OR_RETURN(const auto runner, Runner::FromFile(a.file, options));
  for (const std::string& name : a.init) {
    MR_ASSIGN_OR_RETURN(const auto init, runner->Prepare(name));
    std::vector<Tensor> ignored;
    MR_RETURN_IF_ERROR(init->Run({}, &ignored));
  }
  std::string signature = a.signature;
  if (signature.empty()) {
    if (runner->signatures().size() != 1) {
      return InvalidArgument(
          Cat("the plan has the signatures ", Join(runner->signatures(), ", "), ": choose one with --signature"));
    }
    signature = runner->signatures()[0];
  }
  MR_ASSIGN_OR_RETURN(const auto callable, runner->Prepare(signature));
  return RunRepeatedly(*callable, a, feeds);
}

Status RunGraph(const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& feeds) {
  if (a.fetches.empty() && a.targets.empty()) return InvalidArgument("nothing asked for: give --fetch or --target");
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const auto graph, LoadGraph(a.file, {}, *ops));
  SessionOptions options;
  options.threads = a.threads;
  options.disabled_passes = a.disabled_passes;
  MR_ASSIGN_OR_RETURN(const auto session, Session::New(graph, options));
  for (const std::string& node : a.init) {
    const auto ignored = session->Run({}, {}, {node});
    MR_RETURN_IF_ERROR(ignored.status());
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : feeds) names.push_back(name);
  MR_ASSIGN_OR_RETURN(const auto callable, session->Prepare(names, TensorNames(a.fetches), a.targets));
  return RunRepeatedly(*callable, a, feeds);
}

Status Run(const Arguments& a) {
  MR_ASSIGN_OR_RETURN(const auto feeds, ReadFeeds(a.feeds));
  MR_ASSIGN_OR_RETURN(const bool plan, IsPlanFile(a.file));
  return plan ? RunPlan(a, feeds) : RunGraph(a, feeds);
}

}  // namespace

void AddRun(CLI::App& app, Status* status) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "run a GraphDef or a plan: NPY files in and out");
  command->add_option("file", a->file, "serialized GraphDef, or plan")->required();
  command->add_option("--feed", a->feeds, "NAME=FILE.npy; repeat it for more");
  command->add_option("--fetch", a->fetches, "tensor to compute (GraphDef)")->delimiter(',');
  command->add_option("--target", a->targets, "node to run for its effects (GraphDef)")->delimiter(',');
  command->add_option("--signature", a->signature, "entry point (plan)");
  command->add_option("--init", a->init, "node (GraphDef) or signature (plan) to run once before");
  command->add_option("--repeat", a->repeat, "runs; the last one's results are shown")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", a->threads, "threads a run may use; 0: one a core")->capture_default_str();
  command->add_option("--disable-pass", a->disabled_passes, "leave out a pass (GraphDef; see: graphc opt --list)");
  command->add_option("--out-dir", a->output, "also write each result there as NAME.npy");
  command->footer(
      "graphc run digits.pb --feed images=images.npy --fetch digit\n"
      "graphc run fit.plan --init init --signature train --feed x=x.npy --feed y=y.npy --repeat 1000");
  command->callback([a, status] { *status = Run(*a); });
}

}  // namespace millrace::graphc
