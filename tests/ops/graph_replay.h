// GraphReplay: a graph node by node on host tensors, with variables and random
// states: enough of a session to test kernels without a compiler or a plan.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/devices/api/thread_pool.h"
#include "millrace/ops/kernel/resource.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/graph_def.h"

namespace millrace {

// Resources by kind and name, in memory.
class TestResources final : public ResourceStore {
 public:
  Result<std::shared_ptr<Resource>> LookupOrCreate(std::string_view kind, std::string_view container,
                                                   std::string_view name,
                                                   const std::function<std::shared_ptr<Resource>()>& create) override;

 private:
  std::map<std::string, std::shared_ptr<Resource>> resources_;
};

class GraphReplay {
 public:
  // `graph` outlives this.
  GraphReplay(const GraphDef& graph, int threads);
  ~GraphReplay();

  // What the fetches ("name:0") and targets ("name") need, nodes in an order
  // that respects inputs and control inputs, reads before writes. Variables
  // live from run to run.
  Status Run(const std::map<std::string, Tensor>& feeds, const std::vector<std::string>& fetches,
             const std::vector<std::string>& targets, std::vector<Tensor>* results);

 private:
  struct NodeState;
  ThreadPool pool_;
  TestResources resources_;
  std::map<std::string, int, std::less<>> numbers_;
  std::vector<std::unique_ptr<NodeState>> nodes_;
};

// Runs every case of oracle/ops/<op>.rec that GraphReplay can run; answers what
// went wrong, a line a case, and counts.
struct OracleCounts {
  int passed = 0, failed = 0, skipped = 0;
  std::string problems;
};
OracleCounts ReplayOracle(const std::string& op, int threads = 1);

}  // namespace millrace
