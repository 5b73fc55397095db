// models_test PATH...: runs recorded whole networks (models.json) and training
// runs (training.json) through the ordinary Session and compares with the
// recorded results.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "millrace/ops/graph/load.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/arrays.h"
#include "millrace/tests/end_to_end/check.h"
#include "millrace/tests/end_to_end/compare.h"

using namespace millrace;
using namespace millrace::end_to_end;
using Json = nlohmann::json;

namespace {

// What a graph needs that is not there, or "".
std::string Wanting(const GraphDef& graph, const Status& status) {
  if (const auto missing = MissingOps(graph); !missing.empty()) return "ops " + Join(missing, " ");
  if (!status.ok() && status.code() == Code::kUnimplemented && !graph.library.functions.empty()) return "functions";
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

// The feeds of step `step`; whole arrays are read once and sliced.
Result<std::vector<std::pair<std::string, Tensor>>> StepFeeds(const Json& feeds,
                                                              const std::map<std::string, Tensor>& arrays,
                                                              int64_t step) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const auto& [name, feed] : feeds.items()) {
    Tensor value = arrays.at(name);
    if (feed.at("per_step").get<bool>()) {
      MR_ASSIGN_OR_RETURN(value, Slice(value, step));
    }
    out.emplace_back(name, std::move(value));
  }
  return out;
}

Outcome RunTraining(const std::string& folder, const Json& model, const Checker& checker) {
  const Result<GraphDef> graph = ReadGraphDef(folder + "/" + model.at("graph").get<std::string>());
  if (!graph.ok()) return Outcome::Failed(graph.status().ToString());
  if (const std::string wanting = Wanting(*graph, OkStatus()); !wanting.empty()) return Outcome::Skipped(wanting);
  std::map<std::string, Tensor> arrays;
  for (const auto& [name, feed] : model.at("feeds").items()) {
    Result<Tensor> array = ReadArray(folder + "/" + feed.at("npy").get<std::string>(), feed.at("dtype"));
    if (!array.ok()) return Outcome::Failed(array.status().ToString());
    arrays[name] = std::move(array).value();
  }

  std::vector<Request> requests;
  for (const auto& target : model.at("init")) requests.push_back({{}, {}, {target.get<std::string>()}});
  Request variables;
  for (const auto& variable : model.at("variables")) variables.fetches.push_back(variable.at("read"));
  requests.push_back(variables);
  const size_t initial_at = requests.size() - 1;
  const int64_t steps = model.at("steps");
  const Json& train = model.at("train");
  for (int64_t step = 0; step < steps; ++step) {
    Result<std::vector<std::pair<std::string, Tensor>>> feeds = StepFeeds(model.at("feeds"), arrays, step);
    if (!feeds.ok()) return Outcome::Failed(feeds.status().ToString());
    requests.push_back({std::move(feeds).value(),
                        {model.at("loss").get<std::string>()},
                        {train[static_cast<size_t>(step) % train.size()].get<std::string>()}});
  }
  requests.push_back(variables);

  const std::vector<Reply> replies = checker.Run(*graph, requests);
  if (!replies.back().status.ok()) {
    return Failure(*graph, Cat("request ", replies.size() - 1, " of ", requests.size()), replies.back().status);
  }
  const double rtol = model.at("rtol"), atol = model.at("atol");
  auto compare_variables = [&](size_t at, const char* file, double factor) -> std::string {
    const Result<std::map<std::string, Tensor>> recorded = ReadNpz(folder + "/" + model.at(file).get<std::string>());
    if (!recorded.ok()) return recorded.status().ToString();
    size_t i = 0;
    for (const auto& variable : model.at("variables")) {
      const Tensor& found = replies[at].outputs[i++];
      const Tensor& expected = recorded->at(variable.at("name").get<std::string>());
      const std::string d = Difference(found, WithType(expected, found.dtype()), factor * rtol, factor * atol);
      if (!d.empty()) return Cat(variable.at("name").get<std::string>(), " (", file, "): ", d);
    }
    return "";
  };
  if (std::string d = compare_variables(initial_at, "initial", 1); !d.empty()) return Outcome::Failed(d);
  const Json& losses = model.at("losses");
  for (size_t step = 0; step < losses.size(); ++step) {
    const Tensor& found = replies[initial_at + 1 + step].outputs[0];
    const double loss = found.elements<float>()[0], expected = losses[step];
    if (!(std::fabs(loss - expected) <= atol + rtol * std::fabs(expected))) {
      return Outcome::Failed(Cat("loss of step ", step, ": found ", loss, ", expected ", expected));
    }
  }
  if (std::string d = compare_variables(replies.size() - 1, "final", 10); !d.empty()) return Outcome::Failed(d);
  const std::string d = checker.CheckOtherWays(*graph, requests, replies, nullptr);
  return d.empty() ? Outcome::Passed() : Outcome::Failed(d);
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
        report.Add(name, name, training ? RunTraining(folder, model, checker) : RunNetwork(folder, model, checker));
      }
    }
  }
  if (arguments.digest) std::printf("digest %016llx\n", static_cast<unsigned long long>(checker.digest()));
  return arguments.list ? 0 : report.Print(arguments.all);
}
