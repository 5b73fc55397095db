// Symbols through the shape arithmetic that exported graphs do.
#include "millrace/ops/graph/graph.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrMap kFloat = {{"T", DType::kFloat}};

std::string ShapeText(Graph& graph, const char* node) {
  return graph.dims().ToString(graph.Find(node)->output(0).shape);
}

// StridedSlice of element `k` of a vector, as exported graphs write it.
std::vector<NodeDef> Element(const std::string& name, const std::string& vector, int32_t k) {
  return {MakeConst<int32_t>(name + "/begin", {1}, {k}), MakeConst<int32_t>(name + "/end", {1}, {k + 1}),
          MakeConst<int32_t>(name + "/step", {1}, {1}),
          MakeNode(name, "StridedSlice", {vector, name + "/begin", name + "/end", name + "/step"},
                   {{"T", DType::kInt32}, {"Index", DType::kInt32}, {"shrink_axis_mask", 1}})};
}

TEST_CASE("a batch size goes through Shape, StridedSlice, Pack and Reshape") {
  if (Registry::BuiltIn().Find("StridedSlice") == nullptr || Registry::BuiltIn().Find("Pack") == nullptr) {
    MR_SKIP("no StridedSlice and Pack in this build");
  }
  GraphDef def =
      MakeGraph({MakePlaceholder("x", DType::kFloat, {-1, 7, 7, 64}), MakeNode("shape", "Shape", {"x"}, kFloat),
                 MakeConst<int32_t>("flat", {}, {3136}), MakeConst<int32_t>("rest", {}, {-1})});
  for (NodeDef& n : Element("batch", "shape", 0)) def.nodes.push_back(std::move(n));
  const AttrMap pack = {{"T", DType::kInt32}, {"N", 2}};
  def.nodes.push_back(MakeNode("packed", "Pack", {"batch", "flat"}, pack));
  def.nodes.push_back(MakeNode("y", "Reshape", {"x", "packed"}, kFloat));
  def.nodes.push_back(MakeNode("packed_rest", "Pack", {"batch", "rest"}, pack));
  def.nodes.push_back(MakeNode("z", "Reshape", {"x", "packed_rest"}, kFloat));
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  CHECK(graph.Find("batch")->output(0).has_elements);
  CHECK(ShapeText(graph, "y") == "[x.0, 3136]");
  CHECK(ShapeText(graph, "z") == "[x.0, 3136]");
}

TEST_CASE("a slice up to a size of the feeds has a size") {
  const AttrMap slice = {{"T", DType::kFloat}, {"Index", DType::kInt32}};
  GraphDef def =
      MakeGraph({MakePlaceholder("x", DType::kFloat, {-1}), MakePlaceholder("table", DType::kFloat, {512, 8}),
                 MakeNode("shape", "Shape", {"x"}, kFloat), MakeConst<int32_t>("zero", {1}, {0}),
                 MakeConst<int32_t>("one", {1}, {1}), MakeNode("less", "Sub", {"shape", "one"}, {{"T", DType::kInt32}}),
                 MakeNode("upto", "StridedSlice", {"table", "zero", "shape", "one"}, slice),
                 MakeNode("from", "StridedSlice", {"table", "shape", "one", "one"},
                          {{"T", DType::kFloat}, {"Index", DType::kInt32}, {"end_mask", 1}}),
                 // Below 0 where x is empty, and then it counts from the end.
                 MakeNode("open", "StridedSlice", {"table", "zero", "less", "one"}, slice)});
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  CHECK(ShapeText(graph, "upto") == "[min(x.0, 512), 8]");
  CHECK(ShapeText(graph, "from") == "[max(-min(x.0, 512) + 512, 0), 8]");
  CHECK(ShapeText(graph, "open") == "[?, 8]");
}

TEST_CASE("Reshape infers its open extent") {
  const auto reshaped = [](Shape from, std::vector<int32_t> to) {
    Graph graph;
    const auto n = static_cast<int64_t>(to.size());
    const Status s =
        graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, std::move(from)), MakeConst<int32_t>("s", {n}, to),
                                MakeNode("y", "Reshape", {"x", "s"}, kFloat)}));
    return s.ok() ? ShapeText(graph, "y") : std::string(CodeName(s.code()));
  };
  CHECK(reshaped({2, 6}, {3, -1}) == "[3, 4]");
  CHECK(reshaped({-1, 4}, {-1, 2}) == "[2*x.0, 2]");
  CHECK(reshaped({-1, 4}, {2, -1}) == "[2, 2*x.0]");
  CHECK(reshaped({-1, 4}, {-1, 3}) == "[x.0 + floor(x.0/3), 3]");
  CHECK(reshaped({2, 6}, {}) == "INVALID_ARGUMENT");
  CHECK(reshaped({1, 1}, {}) == "[]");
  CHECK(reshaped({2, 6}, {5, -1}) == "INVALID_ARGUMENT");
  CHECK(reshaped({2, 6}, {-1, -1}) == "INVALID_ARGUMENT");
  CHECK(reshaped({2, 6}, {-2, 6}) == "INVALID_ARGUMENT");
  CHECK(reshaped({0, 6}, {0, -1}) == "[0, 6]");
  CHECK(reshaped({0, 4}, {0, 2, -1}) == "[0, 2, 2]");
  CHECK(reshaped({2, 6}, {0, -1}) == "INVALID_ARGUMENT");
  CHECK(reshaped({0, 6}, {4, -1}) == "[4, 0]");
  CHECK(reshaped({0, 6}, {-1, 6}) == "[0, 6]");
  CHECK(reshaped(Shape::UnknownRank(), {4, -1}) == "[4, ?]");
}

TEST_CASE("Squeeze and ExpandDims") {
  Graph graph;
  ListValue axis;
  axis.i = {-2};
  MR_REQUIRE_OK(graph.Import(MakeGraph({
      MakePlaceholder("x", DType::kFloat, {-1, 1, 3}),
      MakeNode("shape", "Shape", {"x"}, kFloat),
      MakeNode("one", "Squeeze", {"x"}, {{"T", DType::kFloat}, {"squeeze_dims", axis}}),
      MakeNode("all", "Squeeze", {"x"}, kFloat),
      MakeConst<int32_t>("last", {}, {-1}),
      MakeNode("more", "ExpandDims", {"x", "last"}, kFloat),
      MakePlaceholder("open", DType::kInt32, {}),
      MakeNode("some", "ExpandDims", {"x", "open"}, kFloat),
      MakeNode("size", "Size", {"x"}, kFloat),
      MakeNode("row", "ExpandDims", {"size", "last"}, {{"T", DType::kInt32}}),
      MakeNode("y", "Reshape", {"x", "row"}, kFloat),
      MakeNode("rank", "Rank", {"x"}, kFloat),
  })));
  CHECK(ShapeText(graph, "one") == "[x.0, 3]");
  CHECK(ShapeText(graph, "all") == "<unknown>");
  CHECK(ShapeText(graph, "more") == "[x.0, 1, 3, 1]");
  CHECK(ShapeText(graph, "some") == "[?, ?, ?, ?]");
  CHECK(ShapeText(graph, "y") == "[3*x.0]");
  CHECK(graph.Find("rank")->output(0).elements == SymTensor{true, {SymElement::Number(3)}});
  axis.i = {2};
  CHECK(graph.AddNode(MakeNode("bad", "Squeeze", {"x"}, {{"T", DType::kFloat}, {"squeeze_dims", axis}}))
            .status()
            .code() == Code::kInvalidArgument);
}

TEST_CASE("constants are there for shape functions, through Identity too") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({
      MakePlaceholder("x", DType::kFloat, {4}),
      MakeConst<int64_t>("s", {2}, {2, 2}),
      MakeNode("i", "Identity", {"s"}, {{"T", DType::kInt64}}),
      MakeNode("y", "Reshape", {"x", "i"}, {{"T", DType::kFloat}, {"Tshape", DType::kInt64}}),
  })));
  CHECK(ShapeText(graph, "y") == "[2, 2]");
  REQUIRE(graph.Find("i")->constant() != nullptr);
  CHECK(graph.Find("i")->constant()->elements<int64_t>()[1] == 2);
  CHECK(graph.Find("x")->constant() == nullptr);
}

}  // namespace
}  // namespace millrace
