// Small graphs for the tests of the compiler, written as node lists.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/ops/graph/graph.h"
#include "millrace/tests/test.h"

namespace millrace {

inline NodeDef N(std::string name, std::string op, std::vector<std::string> inputs = {}, AttrMap attrs = {}) {
  NodeDef n;
  n.name = std::move(name);
  n.op = std::move(op);
  n.inputs = std::move(inputs);
  n.attrs = std::move(attrs);
  return n;
}

inline NodeDef Floats(std::string name, const Shape& shape, std::vector<float> values) {
  TensorValue t;
  t.dtype = DType::kFloat;
  t.shape = shape;
  t.float_val = std::move(values);
  return N(std::move(name), "Const", {}, {{"dtype", DType::kFloat}, {"value", std::move(t)}});
}

inline NodeDef Ints(std::string name, const Shape& shape, std::vector<int32_t> values) {
  TensorValue t;
  t.dtype = DType::kInt32;
  t.shape = shape;
  t.int_val = std::move(values);
  return N(std::move(name), "Const", {}, {{"dtype", DType::kInt32}, {"value", std::move(t)}});
}

inline NodeDef Input(std::string name, const Shape& shape, DType dtype = DType::kFloat) {
  return N(std::move(name), "Placeholder", {}, {{"dtype", dtype}, {"shape", shape}});
}

inline NodeDef Var(std::string name, const Shape& shape, DType dtype = DType::kFloat) {
  return N(std::move(name), "VariableV2", {}, {{"dtype", dtype}, {"shape", shape}});
}

// An op whose only attribute is T = float.
inline NodeDef Op1(std::string name, std::string op, std::vector<std::string> inputs) {
  return N(std::move(name), std::move(op), std::move(inputs), {{"T", DType::kFloat}});
}

inline std::unique_ptr<Graph> MakeGraph(std::vector<NodeDef> nodes) {
  GraphDef def;
  def.nodes = std::move(nodes);
  def.has_versions = true;
  def.versions.producer = 1882;
  auto graph = std::make_unique<Graph>();
  const Status status = graph->Import(def);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return graph;
}

}  // namespace millrace
