#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"
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

// "x=x.npy" or "x=all.npz[x]"
Result<std::vector<std::pair<std::string, Tensor>>> ReadFeeds(const std::vector<std::string>& feeds) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const std::string& feed : feeds) {
    MR_ASSIGN_OR_RETURN(const ValueSource source, ParseValueSource(feed, "--feed"));
    MR_ASSIGN_OR_RETURN(Tensor value, ReadValue(source));
    out.emplace_back(TensorName(source.name), std::move(value));
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

// What --out-dir writes: the file of each result.
Result<std::vector<std::string>> OutputFiles(const Arguments& a, const std::vector<std::string>& fetches) {
  std::vector<std::string> files;
  if (a.output.empty()) return files;
  std::error_code ignored;
  if (std::filesystem::exists(a.output, ignored) && !std::filesystem::is_directory(a.output, ignored)) {
    return InvalidArgument(Cat("--out-dir ", a.output, ": expected a folder, or the name of a new one"));
  }
  std::map<std::string, std::string> taken;
  for (const std::string& fetch : fetches) {
    files.push_back(Cat(a.output, "/", ArrayFileName(fetch)));
    const auto [other, first] = taken.emplace(files.back(), fetch);
    if (first || other->second == fetch) continue;
    return InvalidArgument(Cat("--out-dir ", a.output, ": '", other->second, "' and '", fetch, "' are both ",
                               files.back(), ": fetch one of them in a run of its own"));
  }
  return files;
}

Status RunRepeatedly(Callable& callable, const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& named) {
  MR_ASSIGN_OR_RETURN(const std::vector<Tensor> feeds, InFile(a.file, InFeedOrder(callable, named)));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> files, OutputFiles(a, callable.fetch_names()));
  std::vector<Tensor> fetches;
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < a.repeat; ++i) {
    if (i % 100 == 0) Stage(Cat("run ", i + 1, " of ", a.repeat));
    fetches.clear();
    MR_RETURN_IF_ERROR(InFile(a.file, callable.Run(feeds, &fetches)));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EndProgress();
  // Where it cannot be made, the files in it say why.
  std::error_code ignored;
  if (!files.empty()) std::filesystem::create_directories(a.output, ignored);
  for (size_t i = 0; i < fetches.size(); ++i) {
    std::printf("%s = %s\n", callable.fetch_names()[i].c_str(), Show(fetches[i]).c_str());
    if (!files.empty()) MR_RETURN_IF_ERROR(WriteNpy(files[i], fetches[i]));
  }
  if (a.repeat > 1) {
    std::printf("%lld runs, %.1f us each\n", static_cast<long long>(a.repeat),
                seconds * 1e6 / static_cast<double>(a.repeat));
  }
  return OkStatus();
}

Status RunPlan(const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& feeds) {
  if (!a.fetches.empty() || !a.targets.empty() || !a.disabled_passes.empty()) {
    return InvalidArgument(
        Cat(a.file,
            ": a plan, for which --fetch, --target and --disable-pass say nothing any more; its entry points are "
            "chosen with --signature"));
  }
  RunnerOptions options;
  options.threads = a.threads;
  MR_ASSIGN_OR_RETURN(options.registry, AllOps());
  MR_ASSIGN_OR_RETURN(const auto runner, Runner::FromFile(a.file, options));
  for (const std::string& name : a.init) {
    MR_ASSIGN_OR_RETURN(const auto init, InFile(a.file, runner->Prepare(name)));
    std::vector<Tensor> ignored;
    MR_RETURN_IF_ERROR(InFile(a.file, init->Run({}, &ignored)));
  }
  std::string signature = a.signature;
  if (signature.empty()) {
    if (runner->signatures().size() != 1) {
      return InvalidArgument(Cat(a.file, ": the plan has the signatures ", Join(runner->signatures(), ", "),
                                 ": choose one with --signature"));
    }
    signature = runner->signatures()[0];
  }
  MR_ASSIGN_OR_RETURN(const auto callable, InFile(a.file, runner->Prepare(signature)));
  return RunRepeatedly(*callable, a, feeds);
}

Status RunGraph(const Arguments& a, const std::vector<std::pair<std::string, Tensor>>& feeds) {
  if (a.fetches.empty() && a.targets.empty()) return InvalidArgument("nothing asked for: give --fetch or --target");
  if (!a.signature.empty()) {
    return InvalidArgument(Cat(a.file, ": a GraphDef has no signatures: --signature is for plans"));
  }
  Stage(Cat("import ", a.file));
  MR_ASSIGN_OR_RETURN(const auto graph, ReadGraph(a.file));
  SignatureSpec spec;
  for (const auto& [name, value] : feeds) spec.feeds.push_back(name);
  spec.fetches = TensorNames(a.fetches);
  spec.targets = a.targets;
  MR_RETURN_IF_ERROR(CheckNames(a.file, *graph, {spec}));
  MR_RETURN_IF_ERROR(CheckNames(a.file, *graph, "--init", a.init));
  SessionOptions options;
  options.threads = a.threads;
  options.disabled_passes = a.disabled_passes;
  MR_ASSIGN_OR_RETURN(const auto session, InFile(a.file, Session::New(graph, options)));
  for (const std::string& node : a.init) {
    Stage(Cat("compile and run ", node));
    const auto ignored = session->Run({}, {}, {node});
    MR_RETURN_IF_ERROR(InFile(a.file, ignored.status()));
  }
  Stage("compile");
  MR_ASSIGN_OR_RETURN(const auto callable, InFile(a.file, session->Prepare(spec.feeds, spec.fetches, spec.targets)));
  return RunRepeatedly(*callable, a, feeds);
}

Status Run(const Arguments& a) {
  MR_ASSIGN_OR_RETURN(const auto feeds, ReadFeeds(a.feeds));
  MR_ASSIGN_OR_RETURN(const bool plan, IsPlanFile(a.file));
  return plan ? RunPlan(a, feeds) : RunGraph(a, feeds);
}

}  // namespace

void AddRun(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "run a GraphDef or a plan: NPY files in and out");
  AddFile(command, "file", a->file, "GraphDef (bytes or text), or plan")->required();
  AddList(command, "--feed", a->feeds, "NAME=FILE.npy or NAME=FILE.npz[ARRAY]; repeat it for more");
  AddList(command, "--fetch", a->fetches, "tensor to compute (GraphDef)")->delimiter(',');
  AddList(command, "--target", a->targets, "node to run for its effects (GraphDef)")->delimiter(',');
  command->add_option("--signature", a->signature, "entry point (plan)");
  AddList(command, "--init", a->init, "node (GraphDef) or signature (plan) to run once before");
  Between(command->add_option("--repeat", a->repeat, "runs; the last one's results are shown"), int64_t{1},
          int64_t{1'000'000'000'000});
  AddThreads(command, &a->threads);
  AddPasses(command, &a->disabled_passes);
  AddFile(command, "--out-dir", a->output,
          "a folder, made where there is none: also write each result there as NAME.npy");
  command->footer(
      "Examples:\n"
      "  graphc run digits.pb --feed images=images.npy --fetch digit\n"
      "  graphc run digits.plan --feed 'images=all.npz[images]' --out-dir results\n"
      "  graphc run fit.plan --init init --signature train --feed x=x.npy --feed y=y.npy --repeat 1000\n");
  command->callback([a, outcome] { outcome->status = Run(*a); });
}

}  // namespace millrace::graphc
