// GraphDefs for tests, node by node.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "millrace/proto/value/graph_def.h"

namespace millrace {

inline NodeDef MakeNode(std::string name, std::string op, std::vector<std::string> inputs, AttrMap attrs = {}) {
  NodeDef node;
  node.name = std::move(name);
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.attrs = std::move(attrs);
  return node;
}

inline NodeDef MakePlaceholder(std::string name, DType dtype, Shape shape) {
  return MakeNode(std::move(name), "Placeholder", {}, {{"dtype", dtype}, {"shape", std::move(shape)}});
}

template <typename T>
TensorValue TensorOf(Shape shape, const std::vector<T>& values) {
  TensorValue t;
  t.dtype = kDTypeOf<T>;
  t.shape = std::move(shape);
  t.content = Bytes(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  return t;
}

template <typename T>
NodeDef MakeConst(std::string name, Shape shape, const std::vector<T>& values) {
  return MakeNode(std::move(name), "Const", {},
                  {{"dtype", kDTypeOf<T>}, {"value", TensorOf(std::move(shape), values)}});
}

inline GraphDef MakeGraph(std::vector<NodeDef> nodes) {
  GraphDef def;
  def.nodes = std::move(nodes);
  def.has_versions = true;
  def.versions.producer = 1000;
  return def;
}

}  // namespace millrace
