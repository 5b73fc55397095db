#include "millrace/ops/builder/scope.h"

#include <algorithm>
#include <set>
#include <utility>

#include "millrace/ops/builder/scope_state.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr char kColocation[] = "_class";
constexpr std::string_view kColocationPrefix = "loc:@";
constexpr char kGradientOverride[] = "_gradient_op_type";

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Letters, digits and some signs; the first of a name at the root is no sign but
// a dot.
bool IsName(std::string_view name, bool inside) {
  if (name.empty()) return false;
  const auto rest = [](char c) {
    return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '\\' || c == '-' || c == '/' || c == '>';
  };
  if (!std::all_of(name.begin(), name.end(), rest)) return false;
  return inside || IsLetterOrDigit(name[0]) || name[0] == '.';
}

// "model.cc:12" of the line.
std::string Place(std::source_location where) {
  std::string_view file = where.file_name();
  if (const size_t slash = file.find_last_of("/\\"); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return Cat(file, ":", where.line());
}

GraphScopes& ScopesOf(const std::shared_ptr<Graph>& graph) {
  std::shared_ptr<void>& attachment = graph->attachment();
  if (attachment == nullptr) {
    auto scopes = std::make_shared<GraphScopes>();
    scopes->graph = graph;
    scopes->states.emplace_back().shared = scopes.get();
    attachment = std::move(scopes);
  }
  return *static_cast<GraphScopes*>(attachment.get());
}

// The parts of "/job:a/task:0/device:CPU:0" by their kind; the old spelling
// "/cpu:0" is a device.
std::map<std::string, std::string> DeviceParts(std::string_view device) {
  std::map<std::string, std::string> parts;
  while (!device.empty()) {
    device.remove_prefix(device[0] == '/' ? 1 : 0);
    const std::string_view part = device.substr(0, device.find('/'));
    device.remove_prefix(part.size());
    if (part.empty()) continue;
    std::string kind(part.substr(0, part.find(':')));
    const bool plain = kind == "job" || kind == "replica" || kind == "task" || kind == "device";
    parts[plain ? kind : "device"] = part;
  }
  return parts;
}

// `device`, with what it leaves open from `outer`.
std::string MergeDevices(const std::string& outer, std::string_view device) {
  std::map<std::string, std::string> parts = DeviceParts(outer);
  for (auto& [kind, part] : DeviceParts(device)) parts[kind] = part;
  std::string merged;
  for (const char* kind : {"job", "replica", "task", "device"}) {
    if (const auto it = parts.find(kind); it != parts.end()) merged += "/" + it->second;
  }
  return merged;
}

// The nodes that `node` is placed with: those of its own group, or itself.
std::vector<std::string> GroupOf(const Node& node) {
  std::vector<std::string> group;
  if (const auto it = node.attrs().find(kColocation); it != node.attrs().end()) {
    if (const auto* list = it->second.get<ListValue>()) {
      for (const std::string& entry : list->s) {
        if (entry.starts_with(kColocationPrefix)) group.push_back(entry.substr(kColocationPrefix.size()));
      }
    }
  }
  if (group.empty()) group.push_back(node.name());
  return group;
}

void AddOnce(std::vector<Node*>* nodes, Node* node) {
  if (std::find(nodes->begin(), nodes->end(), node) == nodes->end()) nodes->push_back(node);
}

}  // namespace

Scope Scope::NewRoot(const Registry& registry) { return Scope(std::make_shared<Graph>(registry)); }

Scope::Scope(std::shared_ptr<Graph> graph) : graph_(std::move(graph)), state_(&ScopesOf(graph_).states.front()) {}

Scope::Scope(std::shared_ptr<Graph> graph, const ScopeState* state) : graph_(std::move(graph)), state_(state) {}

Scope::Scope(const ScopeState* state) : graph_(state->shared->graph.lock()), state_(state) {}

Scope Scope::Of(const Output& output) { return Scope(output.state()); }

template <typename Change>
Scope Scope::With(const Change& change) const {
  ScopeState state = *state_;
  change(state);
  std::deque<ScopeState>& states = state_->shared->states;
  Scope scope(graph_, &states.emplace_back(std::move(state)));
  scope.op_name_ = op_name_;
  return scope;
}

Scope Scope::NewSubScope(std::string_view name) const {
  if (name.empty()) return *this;
  if (!IsName(name, !name_scope().empty())) {
    Fail(InvalidArgument(Cat("in scope '", name_scope(),
                             "': expected a name of letters, digits and any of '_.\\/>-' for a scope, found '", name,
                             "'")));
    return *this;
  }
  const std::string unique = graph_->UniqueName(Cat(name_scope(), name));
  Scope scope = With([&](ScopeState& state) { state.name_scope = unique + "/"; });
  scope.op_name_.clear();
  return scope;
}

Scope Scope::WithOpName(std::string_view name) const {
  Scope scope = *this;
  scope.op_name_ = name;
  return scope;
}

Scope Scope::ForCall(std::string_view name) const { return NewSubScope(op_name_.empty() ? name : op_name_); }

Scope Scope::InNameScope(std::string_view name_scope) const {
  Scope scope = With([&](ScopeState& state) { state.name_scope = name_scope; });
  scope.op_name_.clear();
  return scope;
}

Scope Scope::WithControlDependencies(const std::vector<Operation>& operations) const {
  return With([&](ScopeState& state) {
    for (const Operation& operation : operations) {
      if (operation.valid()) AddOnce(&state.control_inputs, operation.node());
    }
  });
}

Scope Scope::WithControlDependencies(const Operation& operation) const {
  return WithControlDependencies(std::vector<Operation>{operation});
}

Scope Scope::WithControlDependencies(const Output& output) const { return WithControlDependencies(Operation(output)); }

Scope Scope::WithNoControlDependencies() const {
  return With([](ScopeState& state) { state.control_inputs.clear(); });
}

Scope Scope::WithDevice(std::string_view device) const {
  return With([&](ScopeState& state) { state.device = MergeDevices(state.device, device); });
}

Scope Scope::ColocateWith(const Operation& operation) const {
  if (!operation.valid()) return *this;
  return With([&](ScopeState& state) {
    for (std::string& name : GroupOf(*operation.node())) {
      auto& names = state.colocated_with;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    state.device = operation.node()->device();
  });
}

Scope Scope::ColocateWith(const Output& output) const { return ColocateWith(Operation(output)); }

Scope Scope::WithGradientOverride(std::string_view op, std::string_view gradient) const {
  return With([&](ScopeState& state) { state.gradient_overrides[std::string(op)] = gradient; });
}

Scope Scope::WithAttr(std::string_view name, AttrValue value) const {
  return With([&](ScopeState& state) { state.attrs[std::string(name)] = std::move(value); });
}

const std::shared_ptr<Graph>& Scope::graph() const { return graph_; }

const Status& Scope::status() const { return state_->shared->status; }

void Scope::Fail(Status status, std::source_location where) const {
  GraphScopes& shared = *state_->shared;
  if (status.ok() || !shared.status.ok()) return;
  const std::string place = where.line() == 0 ? "" : Cat(" (", Place(where), ")");
  shared.status =
      Status(status.code(), Cat(status.message(), place), std::string(status.node()), std::string(status.op()));
  if (shared.on_error) std::exchange(shared.on_error, nullptr)(shared.status);
}

void Scope::OnError(std::function<void(const Status&)> handler) const { state_->shared->on_error = std::move(handler); }

void Scope::AddToCollection(std::string_view collection, const Output& output) const {
  if (output.valid()) state_->shared->collections[std::string(collection)].push_back(output.endpoint());
}

std::vector<Output> Scope::Collection(std::string_view collection) const {
  std::vector<Output> outputs;
  const auto it = state_->shared->collections.find(collection);
  if (it == state_->shared->collections.end()) return outputs;
  for (const Endpoint& endpoint : it->second) outputs.emplace_back(endpoint, state_);
  return outputs;
}

const std::string& Scope::name_scope() const { return state_->name_scope; }

std::string Scope::UniqueName(std::string_view op) const {
  const std::string_view name = op_name_.empty() ? op : op_name_;
  const bool inside = !name_scope().empty();
  if (!IsName(name, inside)) {
    const std::string full = Cat(name_scope(), name);
    Fail(InvalidArgument("expected a name of letters, digits and any of '_.\\/>-'").At(full, op));
    return full;
  }
  return graph_->UniqueName(Cat(name_scope(), name));
}

void Scope::Complete(NodeSpec* spec) const {
  spec->device = state_->device;
  for (Node* node : state_->control_inputs) AddOnce(&spec->control_inputs, node);
  for (const auto& [name, value] : state_->attrs) spec->attrs.emplace(name, value);
  if (const auto it = state_->gradient_overrides.find(spec->op); it != state_->gradient_overrides.end()) {
    spec->attrs.emplace(kGradientOverride, it->second);
  }
  if (!state_->colocated_with.empty()) {
    std::set<std::string> entries;
    for (const std::string& name : state_->colocated_with) entries.insert(Cat(kColocationPrefix, name));
    if (const auto it = spec->attrs.find(kColocation); it != spec->attrs.end()) {
      if (const auto* list = it->second.get<ListValue>()) entries.insert(list->s.begin(), list->s.end());
    }
    ListValue list;
    list.s.assign(entries.begin(), entries.end());
    spec->attrs.insert_or_assign(kColocation, std::move(list));
  }
}

std::shared_ptr<void>& Scope::Extension(std::string_view type) const {
  return state_->shared->extensions[std::string(type)];
}

}  // namespace millrace
