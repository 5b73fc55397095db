// Running a graph several times over, through the ordinary Session or through
// the bytes of a plan in a fresh process that has the runtime alone.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace::end_to_end {

struct Request {
  std::vector<std::pair<std::string, Tensor>> feeds;
  std::vector<std::string> fetches;
  std::vector<std::string> targets;
};

struct Reply {
  Status status;
  std::vector<Tensor> outputs;
};

// A sequence of requests over one set of variables.
class Replayer {
 public:
  virtual ~Replayer() = default;
  // One reply a request, in order; stops behind the first that fails.
  virtual std::vector<Reply> Run(std::shared_ptr<const Graph> graph, const std::vector<Request>& requests) = 0;
};

std::unique_ptr<Replayer> NewSessionReplayer(int threads, std::vector<std::string> disabled_passes = {},
                                             int devices = 1);
// `program` is bin/plan_replay; plans and jobs are written to a folder of its
// own under the system's place for such, and removed.
std::unique_ptr<Replayer> NewPlanReplayer(std::string program, int threads);

// Imports `def`.
Result<std::shared_ptr<const Graph>> ImportGraph(const GraphDef& def);

// Renames every node and puts the nodes in another order, both at random.
// Tensor and node names translate with Renamed.
class Perturbation {
 public:
  Perturbation(const GraphDef& def, uint64_t seed);
  const GraphDef& graph() const { return graph_; }
  // "x:0" or "x" or "^x" under the new names; unknown names stay.
  std::string Renamed(const std::string& tensor) const;

 private:
  std::map<std::string, std::string, std::less<>> names_;
  GraphDef graph_;
};

}  // namespace millrace::end_to_end
