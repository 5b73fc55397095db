// oracle_test PATH...: replays recorded cases of single ops, random graphs and
// control flow through the ordinary Session and compares with the recorded
// answers: values, and gradients where the case has them.
#include <algorithm>
#include <filesystem>

#include "millrace/ops/io/record.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/case.h"
#include "millrace/tests/end_to_end/check.h"
#include "millrace/tests/end_to_end/compare.h"
#include "millrace/tests/end_to_end/gradient_case.h"

using namespace millrace;
using namespace millrace::end_to_end;

namespace {

// Cases whose answer we do not give, for a reason.
struct Exception {
  const char* name;
  Part part;
  const char* reason;
};
constexpr Exception kExceptions[] = {
    {"Sign/complex64-3x5", Part::kValues,
     "exception: the reference rounds x / |x| in one way in whole vectors and in another in what is left over"},
    {"SoftmaxCrossEntropyWithLogits/float32-2x1_2x3", Part::kGradients,
     "exception: the reference does not sum the gradient of broadcast features to their shape"},
    {"SoftmaxCrossEntropyWithLogits/float16-2x1_2x3", Part::kGradients,
     "exception: the reference does not sum the gradient of broadcast features to their shape"},
};

Outcome Excepted(const Case& c, Part part, Outcome outcome) {
  for (const Exception& e : kExceptions) {
    if (c.name == e.name && part == e.part && outcome.kind == Outcome::Kind::kFailed) return Outcome::Skipped(e.reason);
  }
  return outcome;
}

// What a failed import or run means: the expected error, something that is not
// there yet, or a failure.
Outcome Judge(const Case& c, const Status& status, bool importing) {
  const int code = static_cast<int>(status.code());
  if (c.expect_error != 0 && code == c.expect_error) return Outcome::Passed();
  if (const auto missing = MissingOps(c.graph); !missing.empty()) return Outcome::Skipped("op " + missing[0]);
  if (status.code() == Code::kUnimplemented) {
    if (const auto bare = OpsWithoutKernel(c.graph); !bare.empty()) {
      const bool named = std::find(bare.begin(), bare.end(), status.op()) != bare.end();
      return Outcome::Skipped(Cat("a kernel of ", named ? std::string(status.op()) : bare[0]));
    }
    if (!c.graph.library.functions.empty()) return Outcome::Skipped("functions");
  }
  if (c.expect_error != 0) {
    return Outcome::Failed(Cat("error code ", code, ", expected ", c.expect_error, ": ", status.ToString()));
  }
  return Outcome::Failed(Cat(importing ? "import: " : "", status.ToString()));
}

std::vector<Request> Requests(const Case& c) {
  Request base;
  for (const NamedTensor& feed : c.feeds) base.feeds.emplace_back(feed.name, feed.value);
  std::vector<Request> requests;
  for (const std::string& target : c.targets) {
    requests.push_back(base);
    requests.back().targets.push_back(target);
  }
  requests.push_back(base);
  requests.back().fetches = c.fetches;
  if (!c.expected_second_run.empty()) requests.push_back(requests.back());
  return requests;
}

std::string Compare(const std::vector<Tensor>& found, const std::vector<NamedTensor>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string d = Difference(found[i], expected[i].value, expected[i].rtol, expected[i].atol);
    if (!d.empty()) return Cat(expected[i].name, ": ", d);
  }
  return "";
}

std::vector<std::pair<double, double>> Tolerances(const std::vector<NamedTensor>& expected) {
  std::vector<std::pair<double, double>> tolerances;
  for (const NamedTensor& t : expected) tolerances.emplace_back(t.rtol, t.atol);
  return tolerances;
}

Outcome RunCase(const Case& c, const Checker& checker) {
  const Result<std::shared_ptr<const Graph>> graph = ImportGraph(c.graph);
  if (!graph.ok()) return Judge(c, graph.status(), true);
  if (c.expect_error != 0 && c.expect_error_phase == "build") {
    return Outcome::Failed(Cat("imported, but error ", c.expect_error, " was expected"));
  }
  const std::vector<Request> requests = Requests(c);
  const std::vector<Reply> replies = checker.Run(c.graph, requests);
  if (!replies.back().status.ok()) return Judge(c, replies.back().status, false);
  if (c.expect_error != 0) return Outcome::Failed(Cat("ran, but error ", c.expect_error, " was expected"));

  const bool twice = !c.expected_second_run.empty();
  std::string d = Compare(replies[replies.size() - (twice ? 2 : 1)].outputs, c.expected);
  if (!d.empty()) return Outcome::Failed(d);
  if (twice) d = Compare(replies.back().outputs, c.expected_second_run);
  if (!d.empty()) return Outcome::Failed("second run: " + d);

  const std::vector<std::pair<double, double>> tolerance = Tolerances(c.expected);
  d = checker.CheckOtherWays(c.graph, requests, replies, &tolerance);
  return d.empty() ? Outcome::Passed() : Outcome::Failed(d);
}

// The gradients of a case in a session of their own, after its targets.
Outcome RunGradients(const Case& c, const Checker& checker, bool deferred) {
  const Result<GradientCase> built = BuildGradientCase(c, deferred);
  if (!built.ok()) {
    const Status& status = built.status();
    if (const auto missing = MissingOps(c.graph); !missing.empty()) return Outcome::Skipped("op " + missing[0]);
    if (status.code() == Code::kNotFound && !status.op().empty()) {
      return Outcome::Skipped(Cat("a gradient of op ", status.op()));
    }
    // Of what cannot run there is none either.
    const auto bare = OpsWithoutKernel(c.graph);
    if (status.code() == Code::kUnimplemented && std::find(bare.begin(), bare.end(), status.op()) != bare.end()) {
      return Outcome::Skipped(Cat("a kernel of ", status.op()));
    }
    return Outcome::Failed(status.ToString());
  }
  if (built->fetches.empty()) return Outcome::Passed();
  std::vector<Request> requests;
  for (const std::string& target : c.targets) requests.push_back({built->feeds, {}, {target}});
  requests.push_back({built->feeds, built->fetches, {}});
  const std::vector<Reply> replies = checker.Run(built->graph, requests);
  if (const Status& status = replies.back().status; !status.ok()) {
    if (deferred && status.code() == Code::kNotFound && !status.op().empty()) {
      return Outcome::Skipped(Cat("a gradient of op ", status.op()));
    }
    return Judge(c, status, false);
  }
  std::string d = Compare(replies.back().outputs, built->expected);
  if (!d.empty()) return Outcome::Failed(d);
  const std::vector<std::pair<double, double>> tolerance = Tolerances(built->expected);
  d = checker.CheckOtherWays(built->graph, requests, replies, &tolerance);
  return d.empty() ? Outcome::Passed() : Outcome::Failed(d);
}

std::vector<std::string> RecordFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.path().extension() == ".rec") files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Replays recorded cases and compares with the recorded answers.");
  RunnerArguments arguments;
  arguments.AddTo(&app, "record files (.rec), or folders of them");
  bool deferred = false;
  app.add_flag("--deferred", deferred, "gradients as the deferred node, which the compiler expands");
  CLI11_PARSE(app, argc, argv);

  const Checker checker(arguments, std::filesystem::path(argv[0]).parent_path().string());
  Report report;
  for (const std::string& file : RecordFiles(arguments.paths)) {
    Result<RecordReader> reader = RecordReader::Open(file);
    while (reader.ok() && !reader->done()) {
      const Result<std::string_view> record = reader->Next();
      const Result<Case> c = record.ok() ? ParseCase(*record) : Result<Case>(record.status());
      if (!c.ok()) {
        report.Add(file, file, Outcome::Failed(c.status().ToString()));
        break;
      }
      if (c->name.find(arguments.filter) == std::string::npos) continue;
      if (arguments.list) {
        std::printf("%s\n", c->name.c_str());
        continue;
      }
      report.Add(c->op, c->name, Excepted(*c, Part::kValues, RunCase(*c, checker)));
      if (c->grad_xs.empty()) continue;
      report.Add(c->op, c->name, Excepted(*c, Part::kGradients, RunGradients(*c, checker, deferred)), Part::kGradients);
    }
  }
  if (arguments.digest) std::printf("digest %016llx\n", static_cast<unsigned long long>(checker.digest()));
  return arguments.list ? 0 : report.Print(arguments.all);
}
