// Runs in parts: what each part runs, what it keeps, what it says of bad calls.
#include "millrace/runtime/session/partial_run.h"

#include <atomic>
#include <cmath>
#include <random>
#include <thread>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrMap kFloat = {{"T", DType::kFloat}};

std::unique_ptr<Session> Open(std::vector<NodeDef> nodes, int threads = 1) {
  auto graph = std::make_shared<Graph>();
  MR_REQUIRE_OK(graph->Import(MakeGraph(std::move(nodes))));
  SessionOptions options;
  options.threads = threads;
  auto session = Session::New(graph, options);
  MR_REQUIRE_OK(session);
  return std::move(*session);
}
NodeDef Scalar(const std::string& name) { return MakePlaceholder(name, DType::kFloat, Shape()); }
NodeDef Binary(const std::string& name, const std::string& op, std::vector<std::string> inputs) {
  return MakeNode(name, op, std::move(inputs), kFloat);
}
NodeDef Variable(const std::string& name) {
  return MakeNode(name, "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape()}});
}
Tensor F(float value) { return Tensor::Scalar(value); }
std::unique_ptr<PartialRun> Start(Session& session, const std::vector<std::string>& feeds,
                                  const std::vector<std::string>& fetches,
                                  const std::vector<std::string>& targets = {}) {
  auto run = session.StartPartialRun(feeds, fetches, targets);
  MR_REQUIRE_OK(run);
  return std::move(*run);
}
float One(Result<std::vector<Tensor>> results) {
  MR_REQUIRE_OK(results);
  REQUIRE(results->size() == 1);
  return (*results)[0].elements<float>()[0];
}
float Value(Session& session, const std::string& fetch) { return One(session.Run({}, {fetch})); }
bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// sum = a + b; product = sum * c.
std::vector<NodeDef> SumAndProduct() {
  return {Scalar("a"), Scalar("b"), Scalar("c"), Binary("sum", "AddV2", {"a", "b"}),
          Binary("product", "Mul", {"sum", "c"})};
}

}  // namespace

TEST_CASE("feeds come and fetches go in parts; a second run like the first compiles nothing") {
  auto session = Open(SumAndProduct());
  int64_t compiled = 0;
  for (int time = 0; time < 3; ++time) {
    auto run = Start(*session, {"a", "b", "c"}, {"sum", "product"});
    CHECK(One(run->Run({{"a", F(1)}, {"b:0", F(2)}}, {"sum"})) == 3);
    CHECK(!run->over());
    MR_REQUIRE_OK(run->Run({}, {}));
    CHECK(One(run->Run({{"c", F(5)}}, {"product:0"})) == 15);
    CHECK(run->over());
    if (time == 0) compiled = session->compile_count();
  }
  CHECK(compiled == 2);
  CHECK(session->compile_count() == compiled);
}

TEST_CASE("fetches may come later than what they need, together, and more than once in a call") {
  auto session = Open(SumAndProduct());
  auto run = Start(*session, {"a", "b", "c"}, {"product", "sum", "a"});
  MR_REQUIRE_OK(run->Run({{"a", F(1)}}, {}));
  MR_REQUIRE_OK(run->Run({{"b", F(2)}, {"c", F(4)}}, {}));
  const int64_t compiled = session->compile_count();
  auto all = run->Run({}, {"a", "sum", "product", "sum"});
  MR_REQUIRE_OK(all);
  CHECK(session->compile_count() == compiled);  // everything was there
  const std::vector<float> expected = {1, 3, 12, 3};
  for (size_t i = 0; i < 4; ++i) CHECK((*all)[i].elements<float>()[0] == expected[i]);
  // Each is memory of its own.
  (*all)[1].elements<float>()[0] = 7;
  CHECK((*all)[3].elements<float>()[0] == 3);
}

TEST_CASE("bad calls of a part are told by name, and leave the run as it was") {
  auto session = Open(SumAndProduct());
  auto run = Start(*session, {"a", "b", "c"}, {"sum", "product"});
  const auto error = [&](std::vector<std::pair<std::string, Tensor>> feeds, std::vector<std::string> fetches) {
    const auto out = run->Run(feeds, fetches);
    REQUIRE(!out.ok());
    CHECK(out.status().code() == Code::kInvalidArgument);
    return std::string(out.status().message());
  };
  CHECK(One(run->Run({{"a", F(1)}, {"b", F(2)}}, {"sum"})) == 3);
  CHECK(error({{"a", F(1)}}, {}) == "feed 'a:0' is given twice");
  CHECK(error({{"c", F(1)}, {"c:0", F(1)}}, {}) == "feed 'c:0' is given twice");
  CHECK(error({{"sum", F(1)}}, {}) == "feed 'sum:0': the run was not set up with it");
  CHECK(error({{"c", Tensor::Scalar(int32_t{1})}}, {}) == "feed 'c:0': expected float, found int32");
  CHECK(error({}, {"sum"}) == "fetch 'sum:0' was asked for before");
  CHECK(error({}, {"b"}) == "fetch 'b:0': the run was not set up with it");
  CHECK(error({}, {"product"}) == "fetch 'product:0': expected feeds that are not given yet: 'c:0'");
  CHECK(!run->over());
  CHECK(One(run->Run({{"c", F(5)}}, {"product"})) == 15);
  CHECK(error({}, {}) == "the partial run is over");
}

TEST_CASE("bad set-ups are told by name") {
  auto nodes = SumAndProduct();
  nodes.push_back(MakeNode("yes", "Placeholder", {}, {{"dtype", DType::kBool}, {"shape", Shape()}}));
  nodes.push_back(Binary("either", "Switch", {"sum", "yes"}));
  nodes.push_back(Binary("both", "AddV2", {"either", "c"}));
  auto session = Open(nodes);
  const auto error = [&](std::vector<std::string> feeds, std::vector<std::string> fetches,
                         std::vector<std::string> targets = {}) {
    const auto run = session->StartPartialRun(feeds, fetches, targets);
    REQUIRE(!run.ok());
    return run.status();
  };
  CHECK(error({"a"}, {}).code() == Code::kInvalidArgument);
  CHECK(error({"a", "a:0", "b"}, {"sum"}).message() == "feed 'a:0' is given twice");
  CHECK(Contains(error({"a"}, {"sum"}).message(), "'b:0'"));
  CHECK(error({"a", "d"}, {"sum"}).code() == Code::kNotFound);
  CHECK(error({"a"}, {"d"}).code() == Code::kNotFound);
  CHECK(error({"a"}, {}, {"d"}).code() == Code::kNotFound);
  const Status conditional = error({"a", "b", "c", "yes"}, {"both"});
  CHECK(conditional.code() == Code::kUnimplemented);
  CHECK(conditional.node() == "either");
}

TEST_CASE("gradients that are left to the compiler are refused, those in the graph run") {
  for (const bool deferred : {true, false}) {
    Scope root = Scope::NewRoot();
    Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape()});
    Output k = ops::Placeholder(root.WithOpName("k"), DType::kFloat, {.shape = Shape()});
    Output y = ops::Identity(root.WithOpName("y"), ops::Square(root, x));
    Output loss = ops::Mul(root, y, k);
    if (deferred) {
      ops::Identity(root.WithOpName("dx"), DeferredGradients(root, {loss}, {x})[0]);
    } else {
      ops::Identity(root.WithOpName("dx"), Gradients(root, {loss}, {x})[0].ToDense(root));
    }
    MR_REQUIRE_OK(root.status());
    auto session = Session::New(root.graph());
    MR_REQUIRE_OK(session);
    auto run = (*session)->StartPartialRun({"x", "k"}, {"y", "dx"});
    if (deferred) {
      CHECK(run.status().code() == Code::kUnimplemented);
      CHECK(Contains(run.status().ToString(), "(Gradients)"));
      continue;
    }
    MR_REQUIRE_OK(run);
    CHECK(One((*run)->Run({{"x", F(3)}}, {"y"})) == 9);
    CHECK(One((*run)->Run({{"k", F(10)}}, {"dx"})) == 60);
  }
}

TEST_CASE("random numbers are the same to all parts, and others in the next run") {
  const AttrMap uniform = {{"T", DType::kInt32}, {"dtype", DType::kFloat}, {"seed", int64_t{5}}, {"seed2", int64_t{8}}};
  auto session = Open({Scalar("a"), Scalar("b"), MakeConst<int32_t>("shape", {0}, {}),
                       MakeNode("free", "RandomUniform", {"shape"}, uniform),
                       MakeNode("bound", "RandomUniform", {"shape", "^a"}, uniform),
                       Binary("free_a", "AddV2", {"free", "a"}), Binary("free_b", "Mul", {"free", "b"}),
                       Binary("bound_a", "AddV2", {"bound", "a"}), Binary("bound_b", "Mul", {"bound", "b"})});
  float last = -1;
  for (int time = 0; time < 2; ++time) {
    auto run = Start(*session, {"a", "b"}, {"free_a", "free_b", "bound_a", "bound_b"});
    auto first = run->Run({{"a", F(0)}}, {"free_a", "bound_a"});
    MR_REQUIRE_OK(first);
    auto second = run->Run({{"b", F(1)}}, {"free_b", "bound_b"});
    MR_REQUIRE_OK(second);
    for (size_t i = 0; i < 2; ++i) CHECK((*first)[i].elements<float>()[0] == (*second)[i].elements<float>()[0]);
    CHECK((*first)[0].elements<float>()[0] != last);
    last = (*first)[0].elements<float>()[0];
  }
}

TEST_CASE("each write is done once, as soon as what it needs is there") {
  auto session =
      Open({Scalar("a"), Scalar("b"), MakeConst<float>("one", {}, {1}), Variable("v"),
            Binary("init", "Assign", {"v", "one"}), Binary("plus_one", "AssignAdd", {"v", "one"}),
            Binary("plus_a", "AssignAdd", {"v", "a"}),
            // After plus_a, on the reference that it hands on.
            Binary("times_b", "AssignAdd", {"plus_a", "b"}), MakeNode("last", "NoOp", {"^times_b"}),
            Binary("read_late", "AddV2", {"plus_a", "b"}), MakeNode("read_soon", "Identity", {"plus_a"}, kFloat)});
  const auto reset = [&] { MR_REQUIRE_OK(session->Run({}, {}, {"init"})); };
  SECTION("what needs no feed is done when the run starts") {
    reset();
    auto run = Start(*session, {"a"}, {"a"}, {"plus_one"});
    CHECK(Value(*session, "v") == 2);
    CHECK(One(run->Run({{"a", F(3)}}, {"a"})) == 3);
    CHECK(Value(*session, "v") == 2);
  }
  SECTION("targets run with the last feed that they need") {
    reset();
    auto run = Start(*session, {"a", "b"}, {}, {"last"});
    CHECK(Value(*session, "v") == 1);
    MR_REQUIRE_OK(run->Run({{"a", F(10)}}, {}));
    CHECK(Value(*session, "v") == 11);
    MR_REQUIRE_OK(run->Run({{"b", F(100)}}, {}));
    CHECK(run->over());
    CHECK(Value(*session, "v") == 111);
  }
  SECTION("a reference is read when its reader runs, a value that was read is kept") {
    reset();
    auto run = Start(*session, {"a", "b"}, {"read_soon", "read_late", "plus_a"});
    MR_REQUIRE_OK(run->Run({{"a", F(10)}}, {}));
    MR_REQUIRE_OK(session->Run({}, {}, {"plus_one"}));
    CHECK(One(run->Run({{"b", F(100)}}, {"read_late"})) == 112);
    CHECK(One(run->Run({}, {"read_soon"})) == 11);
    CHECK(One(run->Run({}, {"plus_a"})) == 12);
    CHECK(run->over());
    CHECK(Value(*session, "v") == 12);
  }
}

TEST_CASE("a variable behind a handle is read once, when its reader can run") {
  const AttrMap variable = {{"dtype", DType::kFloat}, {"shape", Shape({2})}, {"shared_name", std::string("w")}};
  const AttrMap dtype = {{"dtype", DType::kFloat}};
  auto session =
      Open({MakePlaceholder("a", DType::kFloat, Shape({2})), MakePlaceholder("new", DType::kFloat, Shape({2})),
            MakeNode("w", "VarHandleOp", {}, variable), MakeNode("set", "AssignVariableOp", {"w", "new"}, dtype),
            MakeNode("free", "ReadVariableOp", {"w"}, dtype), MakeNode("bound", "ReadVariableOp", {"w", "^a"}, dtype),
            MakeNode("handle", "Identity", {"w", "^a"}, {{"T", DType::kResource}}),
            MakeNode("add_a", "AssignAddVariableOp", {"handle", "a"}, dtype),
            MakeNode("after", "ReadVariableOp", {"handle", "^add_a", "^new"}, dtype),
            Binary("free_a", "AddV2", {"free", "a"}), Binary("free_twice", "AddV2", {"free_a", "free"})});
  const auto vec = [](float x, float y) { return Tensor::Of<float>({2}, {x, y}); };
  const auto set = [&](float x, float y) { MR_REQUIRE_OK(session->Run({{"new", vec(x, y)}}, {}, {"set"})); };
  set(1, 2);
  auto run = Start(*session, {"a", "new"}, {"free", "bound", "free_twice", "after"}, {"set"});
  set(10, 20);  // the run holds what it has read
  auto out = run->Run({{"a", vec(100, 200)}}, {"bound", "free", "free_twice"});
  MR_REQUIRE_OK(out);
  CHECK(
      ((*out)[0].elements<float>()[0] == 10 || (*out)[0].elements<float>()[0] == 110));  // nothing orders it and add_a
  CHECK((*out)[1].elements<float>()[1] == 2);
  CHECK((*out)[2].elements<float>()[1] == 204);
  out = session->Run({}, {"free"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == 110);
  out = run->Run({{"new", vec(7, 8)}}, {"after"});
  MR_REQUIRE_OK(out);
  CHECK(run->over());
  CHECK(((*out)[0].elements<float>()[0] == 110 || (*out)[0].elements<float>()[0] == 7));  // nor that and set
  out = session->Run({}, {"free"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[1] == 8);
}

TEST_CASE("who waits for a placeholder that is fed waits for the feed") {
  auto session = Open({Scalar("a"), MakeConst<float>("one", {}, {1}), Variable("v"),
                       Binary("init", "Assign", {"v", "one"}), Binary("more", "AssignAdd", {"v", "one", "^a"})});
  MR_REQUIRE_OK(session->Run({}, {}, {"init"}));
  auto run = Start(*session, {"a"}, {}, {"more"});
  CHECK(Value(*session, "v") == 1);
  MR_REQUIRE_OK(run->Run({{"a", F(0)}}, {}));
  CHECK(Value(*session, "v") == 2);
}

TEST_CASE("any tensor may be fed, strings too, and the host may have its memory back") {
  auto session = Open({MakePlaceholder("s", DType::kString, Shape()), Scalar("a"),
                       MakeNode("t", "Identity", {"s"}, {{"T", DType::kString}}),
                       MakeNode("u", "StringJoin", {"s", "t"}, {{"N", int64_t{2}}, {"separator", std::string("-")}}),
                       Binary("sum", "AddV2", {"a", "a"}), Binary("square", "Square", {"sum"}),
                       Binary("more", "AddV2", {"square", "sum"}),
                       MakeNode("wait", "Identity", {"u", "^more"}, {{"T", DType::kString}}),
                       Binary("keep", "AddV2", {"a", "more"})});
  auto run = Start(*session, {"s", "sum", "a"}, {"t", "wait", "keep"});
  {
    std::string text(100, 'x');
    const TensorView view{&text, DType::kString, 0, nullptr, 1};
    float a = 1000;
    const TensorView number{&a, DType::kFloat, 0, nullptr, 1};
    const std::vector<std::pair<std::string, TensorView>> feeds = {{"s", view}, {"a", number}};
    MR_REQUIRE_OK(run->RunViews(feeds, {}));
    text = "gone";
    a = 0;
  }
  auto out = run->Run({}, {"t"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<std::string>()[0] == std::string(100, 'x'));
  out = run->Run({{"sum", F(3)}}, {"wait", "keep"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<std::string>()[0] == Cat(std::string(100, 'x'), "-", std::string(100, 'x')));
  CHECK((*out)[1].elements<float>()[0] == 1012);
}

TEST_CASE("an error in a part ends the run, one before it runs does not") {
  auto nodes = SumAndProduct();
  nodes.push_back(
      MakeNode("check", "CheckNumerics", {"product"}, {{"T", DType::kFloat}, {"message", std::string("no")}}));
  auto session = Open(nodes);
  auto run = Start(*session, {"a", "b", "c"}, {"check", "sum"});
  MR_REQUIRE_OK(run->Run({{"a", F(1)}, {"b", F(1)}}, {}));
  CancelToken cancelled;
  cancelled.Cancel();
  RunOptions options;
  options.cancel = &cancelled;
  CHECK(run->Run({{"c", F(1)}}, {"check"}, options).status().code() == Code::kCancelled);
  CHECK(!run->over());
  const auto bad = run->Run({{"c", F(INFINITY)}}, {"check"});
  CHECK(bad.status().code() == Code::kInvalidArgument);
  CHECK(bad.status().node() == "check");
  CHECK(run->over());
  CHECK(run->Run({}, {"sum"}).status().message() == "the partial run is over");
  // Other runs of the session go on.
  run = Start(*session, {"a", "b", "c"}, {"check"});
  CHECK(One(run->Run({{"a", F(1)}, {"b", F(1)}, {"c", F(3)}}, {"check"})) == 6);
}

TEST_CASE("a closed session ends its partial runs, which may outlive it") {
  auto session = Open(SumAndProduct());
  auto run = Start(*session, {"a", "b", "c"}, {"sum", "product"});
  auto idle = Start(*session, {"a", "b", "c"}, {"sum", "product"});
  CHECK(One(run->Run({{"a", F(1)}, {"b", F(2)}}, {"sum"})) == 3);
  MR_REQUIRE_OK(session->Close());
  CHECK(run->Run({{"c", F(1)}}, {"product"}).status().code() == Code::kFailedPrecondition);
  CHECK(idle->Run({}, {}).status().code() == Code::kFailedPrecondition);
  CHECK(session->StartPartialRun({"a", "b"}, {"sum"}).status().code() == Code::kFailedPrecondition);
  session = nullptr;
  CHECK(run->Run({{"c", F(1)}}, {"product"}).status().code() == Code::kFailedPrecondition);
}

TEST_CASE("partial runs of one session go on beside each other and beside others") {
  auto session = Open(SumAndProduct(), 2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&, c] {
      for (int i = 0; i < 10; ++i) {
        const float a = static_cast<float>(c), b = static_cast<float>(i);
        auto run = session->StartPartialRun({"a", "b", "c"}, {"sum", "product"});
        auto sum = (*run)->Run({{"a", F(a)}, {"b", F(b)}}, {"sum"});
        auto other = session->Run({{"a", F(b)}, {"b", F(1)}}, {"sum"});
        auto product = (*run)->Run({{"c", F(2)}}, {"product"});
        if (!sum.ok() || !product.ok() || !other.ok() || (*sum)[0].elements<float>()[0] != a + b ||
            (*product)[0].elements<float>()[0] != (a + b) * 2 || (*other)[0].elements<float>()[0] != b + 1) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("one partial run may be called from several threads") {
  auto session = Open(SumAndProduct(), 2);
  auto run = Start(*session, {"a", "b", "c"}, {"product"});
  std::vector<std::thread> callers;
  std::atomic<int> fed{0};
  for (const char* name : {"a", "b", "c", "a", "b", "c"}) {
    callers.emplace_back([&, name] { fed += run->Run({{name, F(3)}}, {}).ok(); });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(fed == 3);
  CHECK(One(run->Run({}, {"product"})) == 18);
}

TEST_CASE("what a part must be fed is told by name") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph(SumAndProduct())));
  const auto compile = [&](std::vector<std::string> feeds, std::vector<std::string> ran) {
    SignatureSpec part;
    part.feeds = std::move(feeds);
    part.fetches = {"product:0"};
    part.ran = std::move(ran);
    return Compile(graph, {part});
  };
  MR_REQUIRE_OK(compile({"sum:0", "c:0"}, {"sum"}));
  const Status unfed = compile({"a:0", "b:0", "c:0"}, {"sum"}).status();
  CHECK(unfed.code() == Code::kInvalidArgument);
  CHECK(unfed.node() == "sum");
  CHECK(compile({"sum:0", "c:0"}, {"some"}).status().code() == Code::kNotFound);
}

TEST_CASE("random graphs give in random parts what they give in one run") {
  std::mt19937 random(20240817);
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  for (int round = 0; round < 12; ++round) {
    // Feeds x0.., variables v0.. whose reads and writes are in a fixed order, and sums
    // and products of all that stands before.
    constexpr size_t kFeeds = 4, kVariables = 2;
    std::vector<NodeDef> nodes;
    std::vector<std::string> values, inits, last(kVariables), written(kVariables), feeds;
    for (size_t i = 0; i < kFeeds; ++i) {
      feeds.push_back(Cat("x", i));
      nodes.push_back(Scalar(feeds.back()));
      values.push_back(feeds.back());
    }
    nodes.push_back(MakeConst<float>("half", {}, {0.5F}));
    values.push_back("half");
    for (size_t i = 0; i < kVariables; ++i) {
      nodes.push_back(Variable(Cat("v", i)));
      nodes.push_back(Binary(Cat("init", i), "Assign", {Cat("v", i), "half"}));
      inits.push_back(Cat("init", i));
    }
    std::vector<std::string> writes;
    for (size_t i = 0; i < 24; ++i) {
      const std::string name = Cat("n", i), &a = values[below(values.size())], &b = values[below(values.size())];
      const size_t v = below(kVariables);
      switch (below(4)) {
        case 0:
          nodes.push_back(Binary(name, "AddV2", {a, b}));
          values.push_back(name);
          break;
        case 1:
          nodes.push_back(Binary(name, "Maximum", {a, b}));
          values.push_back(name);
          break;
        case 2:  // on the variable, or on what the write before hands on
          nodes.push_back(
              Binary(name, "AssignAdd", {written[v].empty() || below(2) == 0 ? Cat("v", v) : written[v], a}));
          if (!last[v].empty()) nodes.back().inputs.push_back("^" + last[v]);
          last[v] = written[v] = name;
          writes.push_back(name);
          break;
        default:
          nodes.push_back(MakeNode(name, "Identity", {Cat("v", v)}, kFloat));
          if (!last[v].empty()) nodes.back().inputs.push_back("^" + last[v]);
          last[v] = name;
          values.push_back(name);
          break;
      }
    }
    std::vector<std::string> fetches;
    for (const std::string& value : values) {
      if (value[0] == 'n') fetches.push_back(value);
    }
    if (fetches.empty()) continue;
    std::vector<std::pair<std::string, Tensor>> all;
    for (const std::string& feed : feeds) all.emplace_back(feed, F(static_cast<float>(below(64)) / 8));

    auto session = Open(nodes);
    MR_REQUIRE_OK(session->Run({}, {}, inits));
    auto expected = session->Run(all, fetches, writes);
    MR_REQUIRE_OK(expected);
    const float v0 = Value(*session, "v0"), v1 = Value(*session, "v1");

    for (int time = 0; time < 3; ++time) {
      MR_REQUIRE_OK(session->Run({}, {}, inits));
      auto run = Start(*session, feeds, fetches, writes);
      std::vector<std::pair<std::string, Tensor>> rest = all;
      std::vector<size_t> unasked;
      for (size_t i = 0; i < fetches.size(); ++i) unasked.push_back(i);
      std::shuffle(rest.begin(), rest.end(), random);
      while (!run->over()) {
        std::vector<std::pair<std::string, Tensor>> some;
        while (!rest.empty() && (some.empty() || below(2) == 0)) {
          some.push_back(rest.back());
          rest.pop_back();
        }
        MR_REQUIRE_OK(run->Run(some, {}));
        // Ask for some of those that are there.
        for (size_t k = 0; k < unasked.size();) {
          if (!rest.empty() && below(3) != 0) {
            ++k;
            continue;
          }
          auto got = run->Run({}, {fetches[unasked[k]]});
          if (!got.ok()) {
            INFO(got.status().ToString());
            REQUIRE(!rest.empty());
            CHECK(Contains(got.status().message(), "not given yet"));
            ++k;
            continue;
          }
          INFO(Cat("round ", round, ": ", fetches[unasked[k]]));
          CHECK((*got)[0].elements<float>()[0] == (*expected)[unasked[k]].elements<float>()[0]);
          unasked.erase(unasked.begin() + static_cast<std::ptrdiff_t>(k));
        }
      }
      CHECK(Value(*session, "v0") == v0);
      CHECK(Value(*session, "v1") == v1);
    }
  }
}

}  // namespace millrace
