// Changes to nodes that are there, and to the library.
#include <algorithm>
#include <unordered_set>

#include "millrace/ops/graph/node_maker.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// A loop whose shapes have not settled after so many rounds is taken to carry
// anything. Every round loses a dimension or the rank, so few loops need it.
constexpr int kMostRounds = 12;

bool Same(const std::vector<InferenceContext::Output>& a, const std::vector<InferenceContext::Output>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.shape == y.shape && x.has_elements == y.has_elements && (!x.has_elements || x.elements == y.elements) &&
           x.handle_dtype == y.handle_dtype && (x.handle_dtype == DType::kInvalid || x.handle_shape == y.handle_shape);
  });
}

}  // namespace

// Infers a node and what follows from it again, as far as something changes.
class Graph::Reinference {
 public:
  explicit Reinference(Graph* graph) : graph_(*graph) {}

  Status Run(Node* start) {
    std::vector<Node*> starts = {start};
    for (int round = 0; !starts.empty(); ++round) {
      SortWhatFollows(starts);
      std::unordered_set<const Node*> changed_inputs(starts.begin(), starts.end());
      starts.clear();
      for (auto it = sorted_.rbegin(); it != sorted_.rend(); ++it) {
        Node* node = *it;
        if (changed_inputs.count(node) == 0) continue;
        MR_ASSIGN_OR_RETURN(const bool changed, InferAgain(node, round < kMostRounds));
        if (!changed) continue;
        for (Node* user : node->users_) {
          if (IsBackEdge(node->op(), user->op())) starts.push_back(user);
          else changed_inputs.insert(user);
        }
      }
    }
    return OkStatus();
  }

  void Undo() {
    for (auto& [node, before] : before_) {
      node->outputs_ = std::move(before.outputs);
      node->constant_ = std::move(before.constant);
    }
  }

 private:
  struct Before {
    std::vector<InferenceContext::Output> outputs;
    Tensor constant;
  };

  // Depth first along the users: sorted_ has the last user first.
  void SortWhatFollows(const std::vector<Node*>& starts) {
    sorted_.clear();
    std::unordered_set<const Node*> seen;
    std::vector<std::pair<Node*, size_t>> stack;
    for (Node* start : starts) {
      if (!seen.insert(start).second) continue;
      stack.push_back({start, 0});
      while (!stack.empty()) {
        auto& [node, next] = stack.back();
        if (next == node->users_.size()) {
          sorted_.push_back(node);
          stack.pop_back();
          continue;
        }
        Node* user = node->users_[next++];
        if (!IsBackEdge(node->op(), user->op()) && seen.insert(user).second) stack.push_back({user, 0});
      }
    }
  }

  Result<bool> InferAgain(Node* node, bool know_back_edges) {
    Before now = {node->outputs_, node->constant_};
    const Status s = graph_.Infer(node, know_back_edges);
    const bool changed = !Same(node->outputs_, now.outputs) || node->constant_.valid() != now.constant.valid() ||
                         (node->constant_.valid() && node->constant_.data() != now.constant.data());
    before_.try_emplace(node, std::move(now));
    if (!s.ok()) return s;
    return changed;
  }

  Graph& graph_;
  std::vector<Node*> sorted_;
  std::unordered_map<Node*, Before> before_;
};

bool Graph::DependsOn(const Node* node, const Node* on) const {
  // What arrived earlier is made of earlier nodes only.
  const auto too_early = [&](const Node* n) { return ordered_ && n->id_ < on->id_; };
  if (node == on) return true;
  if (too_early(node)) return false;
  std::unordered_set<const Node*> seen = {node};
  std::vector<const Node*> stack = {node};
  bool found = false;
  const auto visit = [&](const Node* n) {
    found = found || n == on;
    if (!too_early(n) && seen.insert(n).second) stack.push_back(n);
  };
  while (!stack.empty() && !found) {
    const Node* top = stack.back();
    stack.pop_back();
    for (const Endpoint& e : top->inputs_) {
      if (!IsBackEdge(e.node->op(), top->op())) visit(e.node);
    }
    for (const Node* n : top->control_inputs_) visit(n);
  }
  return found;
}

Status Graph::ReplaceInput(Node* node, int index, Endpoint from) {
  MR_RETURN_IF_ERROR(CheckOwn(node, "the node"));
  const auto invalid = [&](std::string message) {
    return Status(Code::kInvalidArgument, std::move(message), node->name_, node->op_->name());
  };
  const auto k = static_cast<size_t>(index);
  if (index < 0 || k >= node->inputs_.size()) {
    return invalid(Cat("expected one of the node's ", node->inputs_.size(), " inputs, found number ", index));
  }
  if (const Status s = CheckOwn(from.node, Cat("input ", index)); !s.ok()) return s.At(node->name_, node->op_->name());
  const std::string text = Cat(from.node->name(), ":", from.index);
  MR_RETURN_IF_ERROR(NodeMaker::CheckInput(*node, k, from, text));
  const bool closes_loop = IsBackEdge(from.node->op(), node->op());
  if (!closes_loop && DependsOn(from.node, node)) {
    return invalid(Cat("input ", index, " ('", text, "'): expected no cycle but loops through NextIteration, but '",
                       from.node->name(), "' depends on '", node->name(), "'"));
  }

  const Endpoint before = node->inputs_[k];
  std::vector<Node*>& old_users = before.node->users_;
  std::vector<Node*>& new_users = from.node->users_;
  const auto by_id = [](const Node* a, const Node* b) { return a->id_ < b->id_; };
  const auto add = [&](std::vector<Node*>* users) {
    users->insert(std::upper_bound(users->begin(), users->end(), node, by_id), node);
  };
  old_users.erase(std::lower_bound(old_users.begin(), old_users.end(), node, by_id));
  add(&new_users);
  node->inputs_[k] = from;
  Reinference inference(this);
  if (const Status s = inference.Run(node); !s.ok()) {
    inference.Undo();
    node->inputs_[k] = before;
    new_users.erase(std::lower_bound(new_users.begin(), new_users.end(), node, by_id));
    add(&old_users);
    return s;
  }
  if (!closes_loop && from.node->id_ > node->id_) ordered_ = false;
  return OkStatus();
}

Status Graph::AddControlInput(Node* node, Node* before) {
  MR_RETURN_IF_ERROR(CheckOwn(node, "the node"));
  if (const Status s = CheckOwn(before, "control input"); !s.ok()) return s.At(node->name_, node->op_->name());
  if (std::find(node->control_inputs_.begin(), node->control_inputs_.end(), before) != node->control_inputs_.end()) {
    return OkStatus();
  }
  if (DependsOn(before, node)) {
    return Status(Code::kInvalidArgument,
                  Cat("control input '", before->name(), "': expected no cycle, but '", before->name(),
                      "' depends on '", node->name(), "'"),
                  node->name_, node->op_->name());
  }
  node->control_inputs_.push_back(before);
  before->control_users_.push_back(node);
  if (before->id_ > node->id_) ordered_ = false;
  return OkStatus();
}

Status Graph::SetDevice(Node* node, std::string device) {
  MR_RETURN_IF_ERROR(CheckOwn(node, "the node"));
  node->device_ = std::move(device);
  return OkStatus();
}

void Graph::AssumeShape(Endpoint output, const SymShape& shape) {
  SymShape& inferred = output.node->outputs_[static_cast<size_t>(output.index)].shape;
  if (!inferred.has_rank) inferred = shape;
  if (!shape.has_rank || shape.rank() != inferred.rank()) return;
  for (size_t d = 0; d < shape.dims.size(); ++d) {
    if (!inferred.dims[d].known() && !shape.dims[d].unknown()) inferred.dims[d] = shape.dims[d];
  }
}

Status Graph::AddFunction(FunctionDef function) {
  const std::string& name = function.signature.name;
  if (name.empty()) return InvalidArgument("function: expected a name, found none");
  if (const FunctionDef* known = FindFunction(name); known != nullptr) {
    if (*known == function) return OkStatus();
    return AlreadyExists(
        Cat("function '", name, "': expected a name of its own, found one of that name with another body"));
  }
  functions_.emplace(name, library_.functions.size());
  library_.functions.push_back(std::move(function));
  return OkStatus();
}

const FunctionDef* Graph::FindFunction(std::string_view name) const {
  const auto it = functions_.find(name);
  return it == functions_.end() ? nullptr : &library_.functions[it->second];
}

}  // namespace millrace
