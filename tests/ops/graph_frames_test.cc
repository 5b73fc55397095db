// Frames of v1 control flow.
#include <algorithm>

#include "millrace/ops/graph/frames.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrMap kT = {{"T", DType::kFloat}};
const AttrMap kTwo = {{"T", DType::kFloat}, {"N", 2}};

AttrMap InFrame(std::string frame) { return {{"T", DType::kFloat}, {"frame_name", std::move(frame)}}; }

// while less(v, 10): v = body(v), from `start`, under `scope`; the result is
// scope/exit, the loop variable in the body scope/body, what closes it `last`.
void AddLoop(std::vector<NodeDef>* nodes, const std::string& scope, const std::string& start, const std::string& last) {
  const auto in = [&](const char* name) { return scope + "/" + name; };
  nodes->push_back(MakeNode(in("enter"), "Enter", {start}, InFrame(scope)));
  nodes->push_back(MakeNode(in("merge"), "Merge", {in("enter"), in("next")}, kTwo));
  nodes->push_back(MakeConst<float>(in("limit"), {}, {10}));
  nodes->back().inputs = {"^" + in("merge")};
  nodes->push_back(MakeNode(in("less"), "Less", {in("merge"), in("limit")}, kT));
  nodes->push_back(MakeNode(in("cond"), "LoopCond", {in("less")}));
  nodes->push_back(MakeNode(in("switch"), "Switch", {in("merge"), in("cond")}, kT));
  nodes->push_back(MakeNode(in("exit"), "Exit", {in("switch")}, kT));
  nodes->push_back(MakeNode(in("body"), "Identity", {in("switch") + ":1"}, kT));
  nodes->push_back(MakeNode(in("next"), "NextIteration", {last}, kT));
}

// outer: v = inner loop from v, plus a constant that enters; then Neg.
std::vector<NodeDef> Nested() {
  std::vector<NodeDef> nodes = {MakePlaceholder("x", DType::kFloat, {})};
  AddLoop(&nodes, "outer", "x", "outer/sum");
  AttrMap constant = InFrame("outer");
  constant["is_constant"] = true;
  nodes.push_back(MakeNode("outer/c", "Enter", {"x"}, constant));
  AddLoop(&nodes, "inner", "outer/body", "inner/double");
  nodes.push_back(MakeNode("inner/double", "AddV2", {"inner/body", "inner/body"}, kT));
  nodes.push_back(MakeNode("outer/sum", "AddV2", {"inner/exit", "outer/c"}, kT));
  nodes.push_back(MakeNode("y", "Neg", {"outer/exit"}, kT));
  return nodes;
}

TEST_CASE("loops in loops: each node has its frame") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph(Nested())));
  const Result<Frames> frames = FindFrames(graph);
  MR_REQUIRE_OK(frames);
  REQUIRE(frames->frames.size() == 2);
  const Frame &outer = frames->frames[0], &inner = frames->frames[1];
  CHECK(outer.name == "outer");
  CHECK(outer.parent == -1);
  CHECK(outer.parallel_iterations == 10);
  CHECK(inner.name == "inner");
  CHECK(inner.parent == 0);
  const auto of = [&](const char* name) { return frames->of[static_cast<size_t>(graph.Find(name)->id())]; };
  for (const char* name : {"x", "outer/exit", "y"}) CHECK(of(name) == -1);
  for (const char* name : {"outer/enter", "outer/merge", "outer/limit", "outer/cond", "outer/switch", "outer/body",
                           "outer/next", "outer/c", "outer/sum", "inner/exit"}) {
    INFO(name);
    CHECK(of(name) == 0);
  }
  for (const char* name : {"inner/enter", "inner/merge", "inner/limit", "inner/double", "inner/next"}) {
    INFO(name);
    CHECK(of(name) == 1);
  }
  CHECK(outer.condition == graph.Find("outer/cond"));
  CHECK(inner.exits == std::vector<Node*>{graph.Find("inner/exit")});
  CHECK(outer.merges == std::vector<Node*>{graph.Find("outer/merge")});
  CHECK(outer.next_iterations == std::vector<Node*>{graph.Find("outer/next")});
  CHECK(outer.enters.size() == 2);
}

TEST_CASE("a graph without loops has no frames") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {}), MakeNode("y", "Neg", {"x"}, kT)})));
  const Result<Frames> frames = FindFrames(graph);
  MR_REQUIRE_OK(frames);
  CHECK(frames->frames.empty());
  CHECK(frames->of == std::vector<int>{-1, -1});
}

void CheckIllFormed(std::vector<NodeDef> nodes, std::string_view node, std::string_view part) {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph(std::move(nodes))));
  const Status s = FindFrames(graph).status();
  INFO(s.ToString());
  CHECK(s.code() == Code::kInvalidArgument);
  CHECK(s.node() == node);
  CHECK_THAT(s.ToString(), Catch::Matchers::Contains(std::string(part)));
}

// The nested loops with one node changed.
std::vector<NodeDef> With(NodeDef changed) {
  std::vector<NodeDef> nodes = Nested();
  for (NodeDef& node : nodes) {
    if (node.name == changed.name) node = changed;
  }
  return nodes;
}

TEST_CASE("ill-formed frames are refused, and the node is named") {
  CheckIllFormed(With(MakeNode("outer/sum", "AddV2", {"inner/exit", "x"}, kT)), "outer/sum",
                 "'inner/exit' in frame 'outer' and 'x' outside of all loops");
  CheckIllFormed(With(MakeNode("outer/sum", "AddV2", {"inner/body", "outer/c"}, kT)), "outer/sum", "in frame 'inner'");
  CheckIllFormed({MakePlaceholder("x", DType::kFloat, {}), MakeNode("e", "Exit", {"x"}, kT)}, "e", "outside of all");
  CheckIllFormed({MakePlaceholder("x", DType::kFloat, {}), MakeNode("n", "NextIteration", {"x"}, kT)}, "n",
                 "outside of all");
  // The back edge of the inner loop comes from the outer one.
  CheckIllFormed(With(MakeNode("inner/next", "NextIteration", {"outer/body"}, kT)), "inner/merge", "back edge");
  // An Enter that disagrees with the others of its frame.
  AttrMap other = InFrame("outer");
  other["parallel_iterations"] = 3;
  CheckIllFormed(With(MakeNode("outer/c", "Enter", {"x"}, other)), "outer/c", "expected 10");
  // A loop that nothing ends.
  CheckIllFormed({MakePlaceholder("x", DType::kFloat, {}), MakeNode("e", "Enter", {"x"}, InFrame("f")),
                  MakeNode("m", "Merge", {"e", "n"}, kTwo), MakeNode("n", "NextIteration", {"m"}, kT)},
                 "e", "LoopCond");
  std::vector<NodeDef> two = Nested();
  two.push_back(MakeNode("second", "LoopCond", {"outer/less"}));
  CheckIllFormed(two, "second", "'outer/cond'");
}

TEST_CASE("a chain of a hundred thousand nodes does not run out of stack") {
  std::vector<NodeDef> nodes = {MakePlaceholder("n0", DType::kFloat, {})};
  for (int i = 1; i < 100000; ++i) {
    nodes.push_back(MakeNode("n" + std::to_string(i), "Neg", {"n" + std::to_string(i - 1)}, kT));
  }
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph(nodes)));
  MR_REQUIRE_OK(FindFrames(graph));
}

}  // namespace
}  // namespace millrace
