// models_test PATH...: runs recorded whole networks (models.json) and training
// runs (training.json) through the ordinary Session and compares with the
// recorded results. A training run counts twice: the graph as it was recorded,
// and (as its gradients) the one without gradients and updates, to which Millrace
// adds its own.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "millrace/ops/graph/load.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/arrays.h"
#include "millrace/tests/end_to_end/check.h"
#include "millrace/tests/end_to_end/compare.h"
#include "millrace/tests/end_to_end/training_builder.h"
#include "millrace/tests/end_to_end/training_case.h"

using namespace millrace;
using namespace millrace::end_to_end;
using Json = nlohmann::json;

namespace {

// What a graph needs that is not there, or "".
std::string Wanting(const GraphDef& graph, const Status& status) {
  if (const auto missing = MissingOps(graph); !missing.empty()) return "ops " + Join(missing, " ");
  if (status.code() == Code::kUnimplemented) {
    const auto bare = OpsWithoutKernel(graph);
    if (std::find(bare.begin(), bare.end(), status.op()) != bare.end()) return Cat("a kernel of ", status.op());
    if (!graph.library.functions.empty()) return "functions";
  }
  return "";
}

Outcome Failure(const GraphDef& graph, const std::string& what, const Status& status) {
  const std::string wanting = Wanting(graph, status);
  if (!wanting.empty()) return Outcome::Skipped(wanting);
  return Outcome::Failed(Cat(what, ": ", status.ToString()));
}

Result<Request> InferenceRequest(const std::string& folder, const Json& run) {
  Request request;
  for (const auto& [name, input] : run.at("inputs").items()) {
    MR_ASSIGN_OR_RETURN(Tensor value, ReadArray(folder + "/" + input.at("npy").get<std::string>(), input.at("dtype")));
    request.feeds.emplace_back(name, std::move(value));
  }
  for (const auto& [name, output] : run.at("outputs").items()) request.fetches.push_back(name);
  return request;
}

Outcome RunNetwork(const std::string& folder, const Json& model, const Checker& checker) {
  const Result<GraphDef> graph = ReadGraphDef(folder + "/" + model.at("file").get<std::string>());
  if (!graph.ok()) return Outcome::Failed(graph.status().ToString());
  if (const std::string wanting = Wanting(*graph, OkStatus()); !wanting.empty()) return Outcome::Skipped(wanting);

  // The recorded run and the further ones with other sizes, in one session.
  std::vector<Json> runs = {model};
  if (model.contains("more")) runs.insert(runs.end(), model["more"].begin(), model["more"].end());
  std::vector<Request> requests;
  for (const Json& run : runs) {
    Result<Request> request = InferenceRequest(folder, run);
    if (!request.ok()) return Outcome::Failed(request.status().ToString());
    requests.push_back(std::move(request).value());
  }
  const std::vector<Reply> replies = checker.Run(*graph, requests);
  if (!replies.back().status.ok()) return Failure(*graph, Cat("run ", replies.size() - 1), replies.back().status);

  const double rtol = model.at("rtol");
  std::vector<std::pair<double, double>> tolerance;
  for (size_t r = 0; r < runs.size(); ++r) {
    size_t i = 0;
    for (const auto& [name, output] : runs[r].at("outputs").items()) {
      const Result<Tensor> expected = ReadArray(folder + "/" + output.at("npy").get<std::string>(), output.at("dtype"));
      if (!expected.ok()) return Outcome::Failed(expected.status().ToString());
      const double atol = output.at("atol");
      if (r == 0) tolerance.emplace_back(rtol, atol);
      const std::string d = Difference(replies[r].outputs[i++], *expected, rtol, atol);
      if (!d.empty()) return Outcome::Failed(Cat("run ", r, ", ", name, ": ", d));
    }
  }
  const std::string d = checker.CheckOtherWays(*graph, requests, replies, &tolerance);
  return d.empty() ? Outcome::Passed() : Outcome::Failed(d);
}

// One graph of a training case in every way that was asked for.
Outcome CheckTraining(const TrainingCase& training, const TrainingGraph& graph, const Checker& checker) {
  const Result<std::vector<Request>> requests = training.Requests(graph, training.steps());
  if (!requests.ok()) return Outcome::Failed(requests.status().ToString());
  const std::vector<Reply> replies = checker.Run(graph.def, *requests);
  if (!replies.back().status.ok()) {
    return Failure(graph.def, Cat("request ", replies.size() - 1, " of ", requests->size()), replies.back().status);
  }
  if (std::string d = training.Compare(graph, replies); !d.empty()) return Outcome::Failed(d);
  const std::string d = checker.CheckOtherWays(graph.def, *requests, replies, nullptr);
  return d.empty() ? Outcome::Passed() : Outcome::Failed(d);
}

// The graph without gradients, with those that Millrace builds: as recorded, and
// with other numbers of rows as the recorded graph answers to them.
Outcome CheckBuilt(const TrainingCase& training, const TrainingGraph& recorded, const std::string& folder,
                   const Json& model, const Checker& checker) {
  const Result<GraphDef> forward = ReadGraphDef(folder + "/" + model.at("forward_graph").get<std::string>());
  if (!forward.ok()) return Outcome::Failed(forward.status().ToString());
  if (const std::string wanting = Wanting(*forward, OkStatus()); !wanting.empty()) return Outcome::Skipped(wanting);
  Result<BuiltTraining> built = BuildTraining(*forward, model);
  if (!built.ok()) return Failure(*forward, "building", built.status());
  const TrainingGraph graph{std::move(built->graph), {built->init}, built->train, built->reads};
  if (Outcome outcome = CheckTraining(training, graph, checker); outcome.kind != Outcome::Kind::kPassed) return outcome;

  const int64_t rows = training.rows(), steps = std::min<int64_t>(training.steps(), 12);
  if (rows == 0 || !Wanting(recorded.def, OkStatus()).empty()) return Outcome::Passed();
  for (const int64_t other : {(rows + 1) / 2, rows + 3}) {
    std::vector<Reply> replies[2];
    for (const bool ours : {true, false}) {
      const TrainingGraph& one = ours ? graph : recorded;
      const Result<std::vector<Request>> requests = training.Requests(one, steps, {.rows = other});
      if (!requests.ok()) return Outcome::Failed(requests.status().ToString());
      replies[ours] = checker.Run(one.def, *requests);
      if (const Status& status = replies[ours].back().status; !status.ok()) {
        return Failure(one.def, Cat(ours ? "built" : "recorded", " with ", other, " rows"), status);
      }
    }
    const std::string d = training.CompareWith(replies[true], replies[false]);
    if (!d.empty()) return Outcome::Failed(Cat("with ", other, " rows: ", d));
  }
  return Outcome::Passed();
}

void RunTraining(const std::string& name, const std::string& folder, const Json& model, const Checker& checker,
                 Report* report) {
  const Result<TrainingGraph> recorded = RecordedTraining(folder, model);
  const Result<TrainingCase> training = TrainingCase::Read(folder, model);
  if (!recorded.ok() || !training.ok()) {
    report->Add(name, name, Outcome::Failed((recorded.ok() ? training.status() : recorded.status()).ToString()));
    return;
  }
  const std::string wanting = Wanting(recorded->def, OkStatus());
  report->Add(name, name, wanting.empty() ? CheckTraining(*training, *recorded, checker) : Outcome::Skipped(wanting));
  report->Add(name, name + " from forward_graph", CheckBuilt(*training, *recorded, folder, model, checker),
              Part::kGradients);
}

// The index files in `path`, which may be one, or a folder above some.
std::vector<std::filesystem::path> IndexFiles(const std::string& path) {
  std::vector<std::filesystem::path> files;
  auto consider = [&](const std::filesystem::path& file) {
    if (file.filename() == "models.json" || file.filename() == "training.json") files.push_back(file);
  };
  if (!std::filesystem::is_directory(path)) consider(path);
  else
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) consider(entry.path());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs recorded networks and training runs and compares with the recorded results.");
  RunnerArguments arguments;
  arguments.AddTo(&app, "models.json or training.json, or folders above them");
  CLI11_PARSE(app, argc, argv);
  arguments.all = true;  // a row a model is what one wants to see

  const Checker checker(arguments, std::filesystem::path(argv[0]).parent_path().string());
  Report report;
  for (const std::string& path : arguments.paths) {
    for (const std::filesystem::path& index : IndexFiles(path)) {
      const Json json = Json::parse(std::ifstream(index));
      const bool training = json.contains("cases");
      for (const Json& model : json.at(training ? "cases" : "models")) {
        const std::string name = model.at("name");
        if (name.find(arguments.filter) == std::string::npos) continue;
        if (arguments.list) {
          std::printf("%s\n", name.c_str());
          continue;
        }
        const std::string folder = index.parent_path().string();
        if (training) RunTraining(name, folder, model, checker, &report);
        else report.Add(name, name, RunNetwork(folder, model, checker));
      }
    }
  }
  if (arguments.digest) std::printf("digest %016llx\n", static_cast<unsigned long long>(checker.digest()));
  return arguments.list ? 0 : report.Print(arguments.all);
}
