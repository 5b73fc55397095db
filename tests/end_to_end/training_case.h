// A recorded training run: what is fed at each step, and what must come out.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "millrace/tests/end_to_end/check.h"

namespace millrace::end_to_end {

// How one graph does it: the recorded one, or the one that Millrace built.
struct TrainingGraph {
  GraphDef def;
  std::vector<std::string> init, train;
  std::map<std::string, std::string> reads;  // the tensor of each variable, by its name
};

// Rows of a step's feeds: all as recorded, or the first `rows` of them, taken
// again from the beginning where there are fewer.
struct Batch {
  int64_t rows = 0;  // 0: as recorded
};

class TrainingCase {
 public:
  // `model` is an entry of training.json, which is in `folder`.
  static Result<TrainingCase> Read(const std::string& folder, const nlohmann::json& model);

  // The initialisers, the variables, each step, the variables again.
  Result<std::vector<Request>> Requests(const TrainingGraph& graph, int64_t steps, Batch batch = {}) const;
  // "" where the replies are what was recorded.
  std::string Compare(const TrainingGraph& graph, const std::vector<Reply>& replies) const;
  // "" where the replies of two graphs to the same requests agree within the
  // case's tolerances.
  std::string CompareWith(const std::vector<Reply>& found, const std::vector<Reply>& expected) const;

  int64_t steps() const { return model_.at("steps"); }
  // Rows that a step feeds; 0 where the feeds have no rows in common.
  int64_t rows() const;

 private:
  Result<std::vector<std::pair<std::string, Tensor>>> StepFeeds(int64_t step, Batch batch) const;
  Result<Request> ReadVariables(const TrainingGraph& graph) const;

  std::string folder_;
  nlohmann::json model_;
  std::map<std::string, Tensor> feeds_;
  std::vector<std::string> fetches_;  // what is fetched beside the loss
};

// The graph with gradients and updates as it was recorded.
Result<TrainingGraph> RecordedTraining(const std::string& folder, const nlohmann::json& model);

}  // namespace millrace::end_to_end
