#include "millrace/tests/end_to_end/training_case.h"

#include <cmath>
#include <cstring>

#include "millrace/ops/graph/load.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/arrays.h"
#include "millrace/tests/end_to_end/compare.h"

namespace millrace::end_to_end {
namespace {

using Json = nlohmann::json;

// `rows` rows of a tensor, again and again from the first.
Result<Tensor> TakeRows(const Tensor& tensor, int64_t rows) {
  Shape shape = tensor.shape();
  if (shape.rank() == 0 || shape.dim(0) == 0 || ElementSize(tensor.dtype()) == 0) {
    return InvalidArgument("a feed without rows");
  }
  const int64_t found = shape.dim(0);
  shape.set_dim(0, rows);
  MR_ASSIGN_OR_RETURN(Tensor out, Tensor::New(tensor.dtype(), shape, HostAllocator()));
  const size_t bytes = tensor.bytes() / static_cast<size_t>(found);
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(static_cast<char*>(out.data()) + static_cast<size_t>(i) * bytes,
                static_cast<const char*>(tensor.data()) + static_cast<size_t>(i % found) * bytes, bytes);
  }
  return out;
}

}  // namespace

Result<TrainingGraph> RecordedTraining(const std::string& folder, const Json& model) {
  TrainingGraph graph;
  MR_ASSIGN_OR_RETURN(graph.def, ReadGraphDef(folder + "/" + model.at("graph").get<std::string>()));
  graph.init = model.at("init").get<std::vector<std::string>>();
  graph.train = model.at("train").get<std::vector<std::string>>();
  for (const Json& variable : model.at("variables")) graph.reads[variable.at("name")] = variable.at("read");
  return graph;
}

Result<TrainingCase> TrainingCase::Read(const std::string& folder, const Json& model) {
  TrainingCase result;
  result.folder_ = folder;
  result.model_ = model;
  for (const auto& [name, feed] : model.at("feeds").items()) {
    MR_ASSIGN_OR_RETURN(result.feeds_[name],
                        ReadArray(folder + "/" + feed.at("npy").get<std::string>(), feed.at("dtype")));
  }
  if (model.contains("fetches")) {
    for (const auto& [name, values] : model.at("fetches").items()) result.fetches_.push_back(name);
  }
  return result;
}

int64_t TrainingCase::rows() const {
  int64_t rows = -1;
  for (const auto& [name, feed] : model_.at("feeds").items()) {
    const Shape& shape = feeds_.at(name).shape();
    const int axis = feed.at("per_step").get<bool>() ? 1 : 0;
    const Json& declared = feed.at("shape");
    const bool open = declared.is_array() && !declared.empty() && declared[0] == -1;
    if (!open || shape.rank() <= axis || (rows >= 0 && rows != shape.dim(axis))) return 0;
    rows = shape.dim(axis);
  }
  return std::max<int64_t>(rows, 0);
}

// Whole arrays are read once and sliced.
Result<std::vector<std::pair<std::string, Tensor>>> TrainingCase::StepFeeds(int64_t step, Batch batch) const {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const auto& [name, feed] : model_.at("feeds").items()) {
    Tensor value = feeds_.at(name);
    if (feed.at("per_step").get<bool>()) {
      MR_ASSIGN_OR_RETURN(value, Slice(value, step));
    }
    if (batch.rows > 0) {
      MR_ASSIGN_OR_RETURN(value, TakeRows(value, batch.rows));
    }
    out.emplace_back(name, std::move(value));
  }
  return out;
}

Result<Request> TrainingCase::ReadVariables(const TrainingGraph& graph) const {
  Request request;
  for (const Json& variable : model_.at("variables")) {
    const std::string name = variable.at("name");
    const auto it = graph.reads.find(name);
    if (it == graph.reads.end()) return NotFound(Cat("there is no variable '", name, "'"));
    request.fetches.push_back(it->second);
  }
  return request;
}

Result<std::vector<Request>> TrainingCase::Requests(const TrainingGraph& graph, int64_t steps, Batch batch) const {
  std::vector<Request> requests;
  for (const std::string& target : graph.init) requests.push_back({{}, {}, {target}});
  MR_ASSIGN_OR_RETURN(const Request variables, ReadVariables(graph));
  requests.push_back(variables);
  for (int64_t step = 0; step < steps; ++step) {
    Request request;
    MR_ASSIGN_OR_RETURN(request.feeds, StepFeeds(step, batch));
    request.fetches = {model_.at("loss").get<std::string>()};
    request.fetches.insert(request.fetches.end(), fetches_.begin(), fetches_.end());
    request.targets = {graph.train[static_cast<size_t>(step) % graph.train.size()]};
    requests.push_back(std::move(request));
  }
  requests.push_back(variables);
  return requests;
}

std::string TrainingCase::Compare(const TrainingGraph& graph, const std::vector<Reply>& replies) const {
  const double rtol = model_.at("rtol"), atol = model_.at("atol");
  const auto compare_variables = [&](size_t at, const char* file, double factor) -> std::string {
    const Result<std::map<std::string, Tensor>> recorded = ReadNpz(folder_ + "/" + model_.at(file).get<std::string>());
    if (!recorded.ok()) return recorded.status().ToString();
    size_t i = 0;
    for (const Json& variable : model_.at("variables")) {
      const std::string name = variable.at("name");
      const Tensor& found = replies[at].outputs[i++];
      const std::string d =
          Difference(found, WithType(recorded->at(name), found.dtype()), factor * rtol, factor * atol);
      if (!d.empty()) return Cat(name, " (", file, "): ", d);
    }
    return "";
  };
  const size_t first = graph.init.size();
  if (std::string d = compare_variables(first, "initial", 1); !d.empty()) return d;
  const auto compare_scalars = [&](const Json& recorded, size_t output, const std::string& name) -> std::string {
    for (size_t step = 0; step < recorded.size(); ++step) {
      const double found = replies[first + 1 + step].outputs[output].elements<float>()[0], expected = recorded[step];
      if (!(std::fabs(found - expected) <= atol + rtol * std::fabs(expected))) {
        return Cat(name, " of step ", step, ": found ", found, ", expected ", expected);
      }
    }
    return "";
  };
  if (std::string d = compare_scalars(model_.at("losses"), 0, "loss"); !d.empty()) return d;
  for (size_t i = 0; i < fetches_.size(); ++i) {
    if (std::string d = compare_scalars(model_.at("fetches").at(fetches_[i]), i + 1, fetches_[i]); !d.empty()) return d;
  }
  return compare_variables(replies.size() - 1, "final", 10);
}

std::string TrainingCase::CompareWith(const std::vector<Reply>& found, const std::vector<Reply>& expected) const {
  const double rtol = model_.at("rtol"), atol = model_.at("atol");
  // The runs of initialisers answer nothing; there may be more of them in one graph.
  size_t f = 0, e = 0;
  while (f < found.size() && found[f].outputs.empty()) ++f;
  while (e < expected.size() && expected[e].outputs.empty()) ++e;
  if (found.size() - f != expected.size() - e) return Cat(found.size() - f, " runs, expected ", expected.size() - e);
  for (size_t run = 0; f < found.size(); ++f, ++e, ++run) {
    const double factor = f + 1 == found.size() ? 10 : 1;
    for (size_t i = 0; i < expected[e].outputs.size(); ++i) {
      const std::string d = Difference(found[f].outputs[i], expected[e].outputs[i], factor * rtol, factor * atol);
      if (!d.empty()) return Cat("run ", run, ", output ", i, ": ", d);
    }
  }
  return "";
}

}  // namespace millrace::end_to_end
