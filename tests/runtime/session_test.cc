// Session: what it says of bad calls, and one compile for concurrent callers.
#include "millrace/runtime/session/session.h"

#include <atomic>
#include <thread>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// c = a + b over float vectors of any length.
std::unique_ptr<Session> Adder(int threads = 1) {
  auto graph = std::make_shared<Graph>();
  GraphDef def;
  for (const char* name : {"a", "b"}) {
    def.nodes.push_back(MakeNode(name, "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", Shape({-1})}}));
  }
  def.nodes.push_back(MakeNode("c", "AddV2", {"a", "b"}, {{"T", DType::kFloat}}));
  MR_REQUIRE_OK(graph->Import(def));
  SessionOptions options;
  options.threads = threads;
  auto session = Session::New(graph, options);
  MR_REQUIRE_OK(session);
  return std::move(*session);
}
Tensor Vec(std::vector<float> v) { return Tensor::Of<float>({static_cast<int64_t>(v.size())}, v); }
bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("a session adds, in any order of its feeds, after one compile") {
  auto session = Adder();
  auto out = session->Run({{"a", Vec({1, 2})}, {"b:0", Vec({3, 4})}}, {"c"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[1] == 6);
  out = session->Run({{"b", Vec({1})}, {"a", Vec({5, 6, 7})}}, {"c:0"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[2] == 8);
  CHECK(session->compile_count() == 1);
  auto many = session->Run({{"b", Vec({1})}, {"a", Vec({5})}}, {"a", "c", "c", "b"});
  MR_REQUIRE_OK(many);
  CHECK((*many)[0].elements<float>()[0] == 5);
  CHECK((*many)[1].elements<float>()[0] == 6);
  CHECK((*many)[2].elements<float>()[0] == 6);
  CHECK((*many)[3].elements<float>()[0] == 1);
}

TEST_CASE("a graph grows between runs: what was compiled stays, new nodes run") {
  auto graph = std::make_shared<Graph>();
  const auto add = [&](std::string name, std::string op, std::vector<Endpoint> inputs, AttrMap attrs) {
    Result<Node*> node = graph->AddNode({std::move(name), std::move(op), std::move(inputs), {}, std::move(attrs), ""});
    MR_REQUIRE_OK(node);
    return *node;
  };
  const AttrMap type = {{"T", DType::kFloat}};
  Node* const x = add("x", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", Shape({-1})}});
  Node* const w = add("w", "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape({2})}});
  Node* const y = add("y", "AddV2", {{x, 0}, {w, 0}}, type);
  add("set", "Assign", {{w, 0}, {x, 0}}, type);
  auto made = Session::New(graph);
  MR_REQUIRE_OK(made);
  auto session = std::move(*made);
  MR_REQUIRE_OK(session->Run({{"x", Vec({1, 2})}}, {}, {"set"}));
  auto out = session->Run({{"x", Vec({10, 20})}}, {"y"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[1] == 22);
  CHECK(session->compile_count() == 2);
  const auto later = session->Run({{"x", Vec({10, 20})}}, {"z"});
  CHECK(later.status().code() == Code::kNotFound);

  add("z", "Neg", {{y, 0}}, type);
  add("more", "AssignAdd", {{w, 0}, {x, 0}}, type);
  MR_REQUIRE_OK(session->Run({{"x", Vec({5, 5})}}, {}, {"more"}));
  out = session->Run({{"x", Vec({0, 0})}}, {"z"});
  MR_REQUIRE_OK(out);
  // The variable has kept its value, and the new node's change to it.
  CHECK((*out)[0].elements<float>()[0] == -6);
  CHECK((*out)[0].elements<float>()[1] == -7);
  const int64_t compiled = session->compile_count();
  out = session->Run({{"x", Vec({0, 0})}}, {"y"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == 6);
  CHECK(session->compile_count() == compiled);
}

TEST_CASE("outputs that nobody wants may have sizes that only their kernel knows") {
  auto graph = std::make_shared<Graph>();
  GraphDef def;
  def.nodes.push_back(MakeNode("x", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", Shape({-1})}}));
  def.nodes.push_back(MakeNode("to", "Placeholder", {}, {{"dtype", DType::kInt32}, {"shape", Shape({-1})}}));
  def.nodes.push_back(
      MakeNode("parts", "DynamicPartition", {"x", "to"}, {{"T", DType::kFloat}, {"num_partitions", int64_t{2}}}));
  MR_REQUIRE_OK(graph->Import(def));
  auto session = Session::New(graph, {});
  MR_REQUIRE_OK(session);
  const Tensor to = Tensor::Of<int32_t>({3}, {1, 0, 1});
  auto out = (*session)->Run({{"x", Vec({1, 2, 3})}, {"to", to}}, {"parts:1"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].num_elements() == 2);
  CHECK((*out)[0].elements<float>()[1] == 3);
}

TEST_CASE("the best of a scalar may stand in a graph: running it is the error") {
  auto graph = std::make_shared<Graph>();
  GraphDef def;
  def.nodes.push_back(MakePlaceholder("x", DType::kFloat, Shape()));
  def.nodes.push_back(MakeNode("square", "Square", {"x"}, {{"T", DType::kFloat}}));
  def.nodes.push_back(MakeConst<int32_t>("axis", {}, {0}));
  for (const char* op : {"ArgMax", "ArgMin"}) {
    def.nodes.push_back(MakeNode(op, op, {"square", "axis"}, {{"T", DType::kFloat}, {"Tidx", DType::kInt32}}));
  }
  MR_REQUIRE_OK(graph->Import(def));
  auto session = Session::New(graph, {});
  MR_REQUIRE_OK(session);
  for (const char* op : {"ArgMax", "ArgMin"}) {
    const auto out = (*session)->Run({{"x", Tensor::Scalar(3.f)}}, {op});
    CHECK(out.status().code() == Code::kInvalidArgument);
    CHECK(out.status().node() == op);
    CHECK(out.status().message() == "dimension must be in [0, 0), found 0");
  }
}

TEST_CASE("bad calls are told by name before anything runs") {
  auto session = Adder();
  const auto error = [&](std::vector<std::pair<std::string, Tensor>> feeds, std::vector<std::string> fetches,
                         std::vector<std::string> targets = {}) {
    auto out = session->Run(feeds, fetches, targets);
    REQUIRE(!out.ok());
    return out.status();
  };
  Status s = error({{"a", Vec({1})}}, {"c"});
  CHECK(s.code() == Code::kInvalidArgument);
  CHECK(Contains(s.message(), "'b:0' (float of shape [?])"));
  s = error({{"a", Vec({1})}, {"a:0", Vec({1})}}, {"a"});
  CHECK(Contains(s.message(), "feed 'a:0' is given twice"));
  s = error({{"nowhere", Vec({1})}}, {"a"});
  CHECK(s.code() == Code::kNotFound);
  CHECK(Contains(s.message(), "nowhere"));
  s = error({{"a", Vec({1})}, {"b", Vec({1})}}, {"lost"});
  CHECK(s.code() == Code::kNotFound);
  CHECK(Contains(s.message(), "lost"));
  s = error({{"a", Vec({1})}, {"b", Vec({1})}}, {"c:1"});
  CHECK(Contains(s.ToString(), "c"));
  s = error({}, {}, {"lost"});
  CHECK(s.code() == Code::kNotFound);
  s = error({}, {});
  CHECK(s.code() == Code::kInvalidArgument);
  s = error({{"a", Vec({1})}, {"b", Tensor::Scalar(int32_t{1})}}, {"c"});
  CHECK(Contains(s.message(), "feed 'b:0': expected float, found int32"));
  s = error({{"a", Vec({1})}, {"b", Tensor::Scalar(1.f)}}, {"c"});
  CHECK(Contains(s.message(), "feed 'b:0': expected shape [?], found []"));
  s = error({{"a", Vec({1, 2, 3, 4, 5})}, {"b", Vec({1, 2, 3})}}, {"c"});
  CHECK(s.node() == "c");
}

TEST_CASE("a closed session refuses, and so do its callables") {
  auto session = Adder();
  auto callable = session->Prepare({"a", "b"}, {"c"});
  MR_REQUIRE_OK(callable);
  MR_REQUIRE_OK(session->Close());
  MR_REQUIRE_OK(session->Close());
  CHECK(session->Run({}, {"c"}).status().code() == Code::kFailedPrecondition);
  CHECK(session->Prepare({"a", "b"}, {"c"}).status().code() == Code::kFailedPrecondition);
  std::vector<Tensor> out;
  CHECK((*callable)->Run({Vec({1}), Vec({1})}, &out).code() == Code::kFailedPrecondition);
  session = nullptr;
  CHECK((*callable)->Run({Vec({1}), Vec({1})}, &out).code() == Code::kFailedPrecondition);
}

TEST_CASE("concurrent callers of one signature cause one compile") {
  auto session = Adder(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c) {
    callers.emplace_back([&] {
      for (int i = 1; i < 20; ++i) {
        const size_t n = static_cast<size_t>(i % 4 + 1);
        auto out = session->Run({{"a", Vec(std::vector<float>(n, 1))}, {"b", Vec({2})}}, {"c"});
        if (!out.ok() || (*out)[0].num_elements() != static_cast<int64_t>(n) || (*out)[0].elements<float>()[0] != 3) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
  CHECK(session->compile_count() == 1);
}

}  // namespace millrace
