#include "millrace/tests/end_to_end/check.h"

#include <algorithm>
#include <random>
#include <set>

#include "millrace/ops/graph/function.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/compare.h"

namespace millrace::end_to_end {
namespace {

std::string SameBits(const std::vector<Reply>& found, const std::vector<Reply>& expected) {
  for (size_t r = 0; r < std::min(found.size(), expected.size()); ++r) {
    if (found[r].status.ok() != expected[r].status.ok()) {
      return Cat("run ", r, ": ", found[r].status.ToString(), ", expected ", expected[r].status.ToString());
    }
    for (size_t o = 0; o < expected[r].outputs.size(); ++o) {
      if (o >= found[r].outputs.size()) return Cat("run ", r, ": output ", o, " is missing");
      const std::string d = BitDifference(found[r].outputs[o], expected[r].outputs[o]);
      if (!d.empty()) return Cat("run ", r, ", output ", o, ": ", d);
    }
  }
  return found.size() == expected.size() ? "" : Cat(found.size(), " runs, expected ", expected.size());
}

std::vector<Request> Renamed(const std::vector<Request>& requests, const Perturbation& names) {
  std::vector<Request> out = requests;
  for (Request& request : out) {
    for (auto& [name, tensor] : request.feeds) name = names.Renamed(name);
    for (std::string& fetch : request.fetches) fetch = names.Renamed(fetch);
    for (std::string& target : request.targets) target = names.Renamed(target);
  }
  return out;
}

// The first nodes on the first CPU, the last ones on the last.
GraphDef Dealt(const GraphDef& def, int devices) {
  GraphDef out = def;
  for (size_t i = 0; i < out.nodes.size(); ++i) {
    out.nodes[i].device = Cat("/device:CPU:", i * static_cast<size_t>(devices) / out.nodes.size());
  }
  return out;
}

// Outputs of plain types that the fetches are computed from, but for the feeds
// and fetches themselves.
std::vector<std::string> InteriorTensors(const Graph& graph, const Request& request) {
  std::set<const Node*> seen;
  std::vector<const Node*> open;
  std::set<std::string> outside;
  for (const auto& [name, tensor] : request.feeds) outside.insert(name);
  for (const std::string& fetch : request.fetches) {
    outside.insert(fetch);
    const Result<Endpoint> endpoint = graph.FindEndpoint(fetch);
    if (endpoint.ok() && seen.insert(endpoint->node).second) open.push_back(endpoint->node);
  }
  std::vector<std::string> interior;
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node->op().has_effects()) return {};  // state: a second run may differ
    for (int i = 0; i < node->num_outputs(); ++i) {
      const DType dtype = node->output_types()[static_cast<size_t>(i)];
      std::string name = Cat(node->name(), ":", i);
      if (!IsRef(dtype) && ElementSize(dtype) > 0 && !outside.contains(name)) interior.push_back(std::move(name));
    }
    for (const Endpoint& input : node->inputs()) {
      if (!outside.contains(Cat(input.node->name(), ":", input.index)) && seen.insert(input.node).second) {
        open.push_back(input.node);
      }
    }
  }
  std::sort(interior.begin(), interior.end());
  return interior;
}

}  // namespace

Checker::Checker(const RunnerArguments& arguments, const std::string& program_folder)
    : arguments_(arguments),
      session_(NewSessionReplayer(arguments.threads, arguments.disabled_passes, arguments.devices)),
      plan_(NewPlanReplayer(program_folder + "/plan_replay", arguments.threads)) {}

std::vector<Reply> Checker::Run(const GraphDef& def, const std::vector<Request>& requests) const {
  Result<std::shared_ptr<const Graph>> graph =
      ImportGraph(arguments_.devices > 1 ? Dealt(def, arguments_.devices) : def);
  if (!graph.ok()) return {Reply{graph.status(), {}}};
  std::vector<Reply> replies = session_->Run(*graph, requests);
  for (const Reply& reply : replies) {
    for (const Tensor& output : reply.outputs) digest_ = Digest(output, digest_);
  }
  return replies;
}

std::string Checker::CheckOtherWays(const GraphDef& def, const std::vector<Request>& requests,
                                    const std::vector<Reply>& replies,
                                    const std::vector<std::pair<double, double>>* tolerance) const {
  if (arguments_.plan) {
    Result<std::shared_ptr<const Graph>> graph = ImportGraph(def);
    if (!graph.ok()) return graph.status().ToString();
    const std::string d = SameBits(plan_->Run(*graph, requests), replies);
    if (!d.empty()) return "through a plan: " + d;
  }
  if (arguments_.perturb != 0) {
    const Perturbation perturbed(def, arguments_.perturb);
    const std::vector<Request> renamed = Renamed(requests, perturbed);
    const std::string d = SameBits(Run(perturbed.graph(), renamed), replies);
    if (!d.empty()) return "renamed and reordered: " + d;
    if (tolerance != nullptr) return CheckInterior(perturbed.graph(), renamed, replies, *tolerance);
  }
  return "";
}

std::string Checker::CheckInterior(const GraphDef& def, const std::vector<Request>& requests,
                                   const std::vector<Reply>& replies,
                                   const std::vector<std::pair<double, double>>& tolerance) const {
  Result<std::shared_ptr<const Graph>> graph = ImportGraph(def);
  if (!graph.ok()) return graph.status().ToString();
  const std::vector<std::string> interior = InteriorTensors(**graph, requests.back());
  if (interior.empty() || requests.size() > 1) return "";
  std::mt19937_64 random(arguments_.perturb);
  const std::string& chosen = interior[random() % interior.size()];
  const std::vector<Tensor>& expected = replies.back().outputs;
  auto close = [&](const std::vector<Tensor>& found) -> std::string {
    for (size_t i = 0; i < expected.size(); ++i) {
      const auto [rtol, atol] = i < tolerance.size() ? tolerance[i] : std::pair<double, double>{0, 0};
      const std::string d = Difference(found[i], expected[i], 2 * rtol, 2 * atol);
      if (!d.empty()) return Cat("output ", i, ": ", d);
    }
    return "";
  };

  Request request = requests.back();
  request.fetches.push_back(chosen);
  std::vector<Reply> found = session_->Run(*graph, {request});
  if (!found[0].status.ok()) return Cat("with ", chosen, " fetched: ", found[0].status.ToString());
  if (std::string d = close(found[0].outputs); !d.empty()) return Cat("with ", chosen, " fetched: ", d);

  request.fetches.pop_back();
  request.feeds.emplace_back(chosen, found[0].outputs.back());
  found = session_->Run(*graph, {request});
  if (!found[0].status.ok()) return Cat("with ", chosen, " fed: ", found[0].status.ToString());
  if (std::string d = close(found[0].outputs); !d.empty()) return Cat("with ", chosen, " fed: ", d);
  return "";
}

namespace {
template <typename Test>
std::vector<std::string> OpsWhere(const GraphDef& def, Test test) {
  std::set<std::string> functions, found;
  for (const FunctionDef& function : def.library.functions) functions.insert(function.signature.name);
  auto visit = [&](const std::vector<NodeDef>& nodes) {
    for (const NodeDef& node : nodes) {
      if (!functions.contains(node.op) && !IsCallOp(node.op) && test(Registry::BuiltIn().Find(node.op)))
        found.insert(node.op);
    }
  };
  visit(def.nodes);
  for (const FunctionDef& function : def.library.functions) visit(function.nodes);
  return {found.begin(), found.end()};
}
}  // namespace

std::vector<std::string> MissingOps(const GraphDef& def) {
  return OpsWhere(def, [](const Op* op) { return op == nullptr; });
}
std::vector<std::string> OpsWithoutKernel(const GraphDef& def) {
  return OpsWhere(def, [](const Op* op) { return op != nullptr && op->kernels().empty(); });
}

}  // namespace millrace::end_to_end
