#include "millrace/ops/graph/frames.h"

#include <algorithm>
#include <map>

#include "millrace/ops/graph/node_maker.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// "Enter" and "RefEnter".
bool Is(const Node& node, std::string_view op) {
  std::string_view name = node.op().name();
  if (name.starts_with("Ref")) name.remove_prefix(3);
  return name == op;
}

template <typename T>
const T* Attr(const Node& node, std::string_view name) {
  const auto it = node.attrs().find(name);
  return it == node.attrs().end() ? nullptr : it->second.get<T>();
}

constexpr int kUnknown = -2;

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph) { result_.of.assign(graph.nodes().size(), kUnknown); }

  Result<Frames> Run() {
    for (const auto& root : graph_.nodes()) {
      if (Of(root.get()) == kUnknown) MR_RETURN_IF_ERROR(Walk(root.get()));
    }
    for (const auto& node : graph_.nodes()) MR_RETURN_IF_ERROR(CheckBackEdges(node.get()));
    for (const Frame& frame : result_.frames) {
      if (frame.merges.empty() || frame.condition != nullptr) continue;
      return Invalid(*frame.enters[0], Cat("frame '", frame.name, "': expected a LoopCond, found none"));
    }
    return std::move(result_);
  }

 private:
  static Status Invalid(const Node& node, std::string message) {
    return Status(Code::kInvalidArgument, std::move(message), node.name(), node.op().name());
  }
  int& Of(const Node* node) { return result_.of[static_cast<size_t>(node->id())]; }
  std::string NameOf(int frame) const {
    return frame < 0 ? "outside of all loops" : Cat("in frame '", result_.frames[static_cast<size_t>(frame)].name, "'");
  }

  template <typename F>
  static void ForEachSource(const Node* node, F&& visit) {
    for (const Endpoint& e : node->inputs()) {
      if (!IsBackEdge(e.node->op(), node->op())) visit(e.node);
    }
    for (Node* c : node->control_inputs()) visit(c);
  }

  // Inputs before their users; Import and the changes of a graph leave no cycles
  // but through back edges.
  Status Walk(Node* root) {
    std::vector<Node*> stack = {root};
    while (!stack.empty()) {
      Node* node = stack.back();
      if (Of(node) != kUnknown) {
        stack.pop_back();
        continue;
      }
      const size_t before = stack.size();
      ForEachSource(node, [&](Node* from) {
        if (Of(from) == kUnknown) stack.push_back(from);
      });
      if (stack.size() > before) continue;
      MR_RETURN_IF_ERROR(Place(node));
      stack.pop_back();
    }
    return OkStatus();
  }

  // All inputs of a node run in one frame; a node without any runs outside of all.
  Status Place(Node* node) {
    int frame = -1;
    const Node* first = nullptr;
    Status mixed;
    ForEachSource(node, [&](Node* from) {
      if (first == nullptr) {
        first = from;
        frame = Of(from);
      } else if (Of(from) != frame && mixed.ok()) {
        mixed = Invalid(*node, Cat("expected inputs from one frame, found '", first->name(), "' ", NameOf(frame),
                                   " and '", from->name(), "' ", NameOf(Of(from))));
      }
    });
    MR_RETURN_IF_ERROR(mixed);
    if (Is(*node, "Enter")) {
      MR_ASSIGN_OR_RETURN(Of(node), Enter(node, frame));
      return OkStatus();
    }
    if (Is(*node, "Exit")) {
      if (frame < 0) return Invalid(*node, "expected an input from a loop, found one from outside of all");
      Frame& left = result_.frames[static_cast<size_t>(frame)];
      left.exits.push_back(node);
      Of(node) = left.parent;
      return OkStatus();
    }
    Of(node) = frame;
    if (IsNextIteration(node->op())) {
      if (frame < 0) return Invalid(*node, "expected an input from a loop, found one from outside of all");
      result_.frames[static_cast<size_t>(frame)].next_iterations.push_back(node);
    } else if (frame >= 0 && Is(*node, "LoopCond")) {
      Frame& f = result_.frames[static_cast<size_t>(frame)];
      if (f.condition != nullptr) {
        return Invalid(*node,
                       Cat("frame '", f.name, "': expected one LoopCond, found '", f.condition->name(), "' too"));
      }
      f.condition = node;
    }
    return OkStatus();
  }

  Result<int> Enter(Node* node, int parent) {
    const std::string* name = Attr<std::string>(*node, "frame_name");
    if (name == nullptr) return Invalid(*node, "attribute 'frame_name': expected a string, found none");
    const int64_t* parallel = Attr<int64_t>(*node, "parallel_iterations");
    const int64_t turns = parallel == nullptr ? 0 : *parallel;
    const auto next = static_cast<int>(result_.frames.size());
    const auto [it, fresh] = by_name_.try_emplace({parent, *name}, next);
    if (fresh) {
      Frame& frame = result_.frames.emplace_back();
      frame.name = *name;
      frame.parent = parent;
      frame.parallel_iterations = turns;
    }
    Frame& frame = result_.frames[static_cast<size_t>(it->second)];
    if (frame.parallel_iterations != turns) {
      return Invalid(*node, Cat("attribute 'parallel_iterations': expected ", frame.parallel_iterations, " as at '",
                                frame.enters[0]->name(), "' of the same frame, found ", turns));
    }
    frame.enters.push_back(node);
    return it->second;
  }

  Status CheckBackEdges(Node* node) {
    if (!IsMerge(node->op())) return OkStatus();
    bool closes = false;
    for (const Endpoint& e : node->inputs()) {
      if (!IsBackEdge(e.node->op(), node->op())) continue;
      closes = true;
      if (Of(e.node) != Of(node)) {
        return Invalid(*node, Cat("expected a back edge from its own frame, found '", e.node->name(), "' ",
                                  NameOf(Of(e.node)), ", and the node ", NameOf(Of(node))));
      }
    }
    if (!closes) return OkStatus();
    if (Of(node) < 0)
      return Invalid(*node, "expected an Enter before a back edge, found the node outside of all loops");
    result_.frames[static_cast<size_t>(Of(node))].merges.push_back(node);
    return OkStatus();
  }

  const Graph& graph_;
  Frames result_;
  std::map<std::pair<int, std::string>, int> by_name_;  // by parent and name
};

}  // namespace

Result<Frames> FindFrames(const Graph& graph) { return Finder(graph).Run(); }

}  // namespace millrace
