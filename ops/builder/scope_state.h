// ScopeState: what a scope says of the nodes that are added through it. Internal
// to the builder.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace {

struct ScopeState;

// What all scopes of a graph share. The graph owns it (Graph::attachment), so it
// lives as long as the outputs that point into it are good for something.
struct GraphScopes {
  std::weak_ptr<Graph> graph;
  Status status;
  std::function<void(const Status&)> on_error;
  std::map<std::string, std::vector<Endpoint>, std::less<>> collections;
  std::map<std::string, std::shared_ptr<void>, std::less<>> extensions;
  std::deque<ScopeState> states;  // front: the root's
};

// Never changed once it is in GraphScopes::states.
struct ScopeState {
  GraphScopes* shared = nullptr;
  std::string name_scope;  // "outer/inner/"
  std::string device;
  std::vector<Node*> control_inputs;        // each once
  std::vector<std::string> colocated_with;  // names of nodes, each once
  std::map<std::string, std::string, std::less<>> gradient_overrides;
  AttrMap attrs;
};

}  // namespace millrace
