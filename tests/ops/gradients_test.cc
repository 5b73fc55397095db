// The reverse-mode engine: what nodes it adds, what it refuses, and how it says so.
#include <algorithm>
#include <set>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

Output Input(const Scope& scope, const char* name, const Shape& shape = Shape({2, 3}), DType dtype = DType::kFloat) {
  return ops::Placeholder(scope.WithOpName(name), dtype, {.shape = shape});
}

// Ops of the nodes that `from` on were added.
std::vector<std::string> OpsSince(const Scope& scope, size_t from) {
  std::vector<std::string> ops;
  const auto& nodes = scope.graph()->nodes();
  for (size_t i = from; i < nodes.size(); ++i) ops.push_back(nodes[i]->op().name());
  return ops;
}

int64_t Count(const std::vector<std::string>& ops, const char* op) { return std::count(ops.begin(), ops.end(), op); }

std::string Message(const Scope& scope) { return scope.status().ToString(); }

// --- gradient functions of ops that are made for the tests

void Half(GradientContext& g) { g.set(0, ops::Mul(g, g.grad(), 0.5f)); }
void Double(GradientContext& g) { g.set(0, ops::Mul(g, g.grad(), 2.0f)); }
void Twice(GradientContext& g) {
  g.set(0, g.grad());
  g.set(0, g.grad());
}
void OutOfRange(GradientContext& g) { g.set(7, g.grad()); }
void WrongType(GradientContext& g) { g.set(0, ops::Cast(g, g.grad(), DType::kDouble)); }
void WrongShape(GradientContext& g) { g.set(0, ops::Sum(g, g.grad(), {0})); }
void Says(GradientContext& g) { g.Fail("the moon is full"); }
void CallsBadly(GradientContext& g) { g.set(0, ops::MatMul(g, g.grad(), g.grad())); }

std::unique_ptr<Registry> TestRegistry() {
  auto registry = Registry::Extending();
  auto define = [&](const char* name) -> OpBuilder {
    return registry->Define(name).Input("x: T").Output("y: T").Attr("T: {float, double}").Shape(shape_fns::Unchanged);
  };
  define("Bare");
  define("Silent").NoGradient("means to");
  define("Halves").Gradient(Half);
  define("SetsTwice").Gradient(Twice);
  define("SetsOutOfRange").Gradient(OutOfRange);
  define("SetsWrongType").Gradient(WrongType);
  define("SetsWrongShape").Gradient(WrongShape);
  define("Fails").Gradient(Says);
  define("CallsBadly").Gradient(CallsBadly);
  registry->DefineGradient("Doubling", Double);
  return registry;
}

Output One(const Scope& scope, const char* op, const Output& x) { return Call(scope, op, {x}).output(0); }

TEST_CASE("every op has a gradient function or a reason why it has none") {
  const GradientTable& table = GradientTable::BuiltIn();
  CHECK(table.problems().empty());
  std::set<std::string> names;
  for (const Op* op : Registry::BuiltIn().ops()) {
    names.insert(op->name());
    INFO(op->name());
    CHECK((table.Find(op->name()) != nullptr || op->gradient() != nullptr || !op->no_gradient_reason().empty()));
  }
  for (const std::string& name : table.names()) {
    INFO(name);
    CHECK(names.contains(name));
  }
}

TEST_CASE("a gradient defined twice is a problem of the table") {
  GradientTable table;
  table.Define("Tanh", Half);
  table.Define("Tanh", Double);
  CHECK(table.problems() == std::vector<std::string>{"Tanh"});
}

TEST_CASE("gradients have names under the forward nodes' and their devices") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const Output y = ops::Tanh(scope.NewSubScope("layer").WithOpName("act").WithDevice("/device:CPU:0"), x);
  const auto dx = Gradients(scope, {y}, {x});
  MR_REQUIRE_OK(scope.status());
  REQUIRE(!dx[0].none());
  CHECK(dx[0].dense().name() == "gradients/layer/act_grad/TanhGrad:0");
  CHECK(dx[0].dense().node().device() == "/device:CPU:0");
  CHECK(dx[0].dense().shape() == x.shape());
  CHECK(!dx[0].dense().node().attrs().contains("_class"));
  const auto again = Gradients(scope.NewSubScope("outer"), {y}, {x});
  CHECK(again[0].dense().name() == "outer/gradients/layer/act_grad/TanhGrad:0");
}

TEST_CASE("several paths are added up in one node") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const size_t before = scope.graph()->nodes().size();
  const Output y = ops::Neg(scope, x) + ops::Neg(scope, x) + ops::Neg(scope, x);
  const auto dx = Gradients(scope, {y}, {x});
  MR_REQUIRE_OK(scope.status());
  CHECK(dx[0].dense().node().op().name() == "AddN");
  CHECK(dx[0].dense().node().inputs().size() == 3);
  CHECK(Count(OpsSince(scope, before), "AddN") == 1);
}

TEST_CASE("a tensor that is used twice by one node gets both gradients") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const auto dx = Gradients(scope, {ops::Mul(scope, x, x)}, {x});
  MR_REQUIRE_OK(scope.status());
  CHECK(dx[0].dense().node().inputs().size() == 2);
}

TEST_CASE("nothing flows through what stops gradients, nor to what is not asked for") {
  const Scope scope = Scope::NewRoot();
  const Output a = Input(scope, "a");
  const Output b = ops::Tanh(scope, a);
  const Output y = ops::Mul(scope, a, b);
  GradientOptions options;
  options.stop_gradients = {b};
  size_t before = scope.graph()->nodes().size();
  auto grads = Gradients(scope, {y}, {a}, options);
  CHECK(Count(OpsSince(scope, before), "TanhGrad") == 0);
  CHECK(!grads[0].none());

  // A stopped tensor is itself an x like others.
  grads = Gradients(scope, {y}, {a, b}, options);
  CHECK(!grads[1].none());

  // Nothing is differentiated above the xs.
  before = scope.graph()->nodes().size();
  grads = Gradients(scope, {y}, {b});
  CHECK(Count(OpsSince(scope, before), "TanhGrad") == 0);
  MR_REQUIRE_OK(scope.status());

  // StopGradient is a constant to all that is above.
  grads = Gradients(scope, {ops::StopGradient(scope, a)}, {a});
  CHECK(grads[0].none());
  MR_REQUIRE_OK(scope.status());
}

TEST_CASE("an x that no y depends on has no gradient, or zeros") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x"), other = Input(scope, "other");
  const Output handle = ops::VarHandleOp(scope, DType::kFloat, Shape({4}));
  auto grads = Gradients(scope, {ops::Neg(scope, x)}, {other, x, handle});
  CHECK(grads[0].none());
  CHECK(!grads[1].none());
  CHECK(grads[2].none());
  GradientOptions options;
  options.unconnected = GradientOptions::Unconnected::kZero;
  grads = Gradients(scope, {ops::Neg(scope, x)}, {other, handle}, options);
  MR_REQUIRE_OK(scope.status());
  CHECK(grads[0].dense().node().op().name() == "ZerosLike");
  CHECK(grads[0].dense().shape() == other.shape());
  CHECK(grads[1].dense().dtype() == DType::kFloat);
  CHECK(grads[1].dense().shape() == SymShape(Shape({4})));
}

TEST_CASE("xs may repeat, and may be ys") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const Output y = ops::Neg(scope, x);
  const auto grads = Gradients(scope, {y, x}, {x, y, x});
  MR_REQUIRE_OK(scope.status());
  CHECK(grads[0].dense() == grads[2].dense());
  CHECK(grads[0].dense().node().op().name() == "AddN");
  CHECK(grads[1].dense().node().op().name() == "Fill");
}

TEST_CASE("whole numbers, booleans and text pass nothing on") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const Output rounded = ops::Cast(scope, x, DType::kInt32);
  const Output y = ops::Cast(scope, rounded + 1, DType::kFloat);
  CHECK(Gradients(scope, {y}, {x})[0].none());
  CHECK(Gradients(scope, {rounded}, {x})[0].none());
  CHECK(Gradients(scope, {y}, {rounded})[0].none());
  MR_REQUIRE_OK(scope.status());
}

TEST_CASE("the gradient of a variable's handle is that of its value") {
  const Scope scope = Scope::NewRoot();
  const Output handle = ops::VarHandleOp(scope, DType::kDouble, Shape({4}));
  const Output value = ops::ReadVariableOp(scope, handle, DType::kDouble);
  const auto grads = Gradients(scope, {ops::Square(scope, value)}, {handle, value});
  MR_REQUIRE_OK(scope.status());
  CHECK(grads[0].dense().dtype() == DType::kDouble);
  CHECK(grads[0].dense() == grads[1].dense());

  const Output ref = ops::VariableV2(scope, Shape({4}), DType::kDouble);
  const auto of_ref = Gradients(scope, {ops::Square(scope, ops::Identity(scope, ref))}, {ref});
  MR_REQUIRE_OK(scope.status());
  CHECK(of_ref[0].dense().dtype() == DType::kDouble);
}

TEST_CASE("gradients of rows stay slices, are joined, and become dense beside dense ones") {
  const Scope scope = Scope::NewRoot();
  const Output table = Input(scope, "table", Shape({100, 3}));
  const Output rows = ops::Gather(scope, table, {1, 2, 1});
  auto grads = Gradients(scope, {rows}, {table});
  MR_REQUIRE_OK(scope.status());
  REQUIRE(grads[0].sparse());
  CHECK(grads[0].slices().values.shape() == SymShape(Shape({3, 3})));
  CHECK(grads[0].slices().indices.shape() == SymShape(Shape({3})));

  const Output more = ops::GatherV2(scope, table, Tensor::Of<int64_t>(Shape({2}), {5, 6}), 0);
  grads = Gradients(scope, {rows, more}, {table});
  MR_REQUIRE_OK(scope.status());
  REQUIRE(grads[0].sparse());
  CHECK(grads[0].slices().values.shape() == SymShape(Shape({5, 3})));
  CHECK(grads[0].slices().indices.dtype() == DType::kInt64);
  CHECK(grads[0].ToDense(scope).shape() == table.shape());

  grads = Gradients(scope, {rows, ops::Neg(scope, table)}, {table});
  MR_REQUIRE_OK(scope.status());
  REQUIRE(!grads[0].sparse());
  CHECK(grads[0].dense().shape() == table.shape());
  CHECK(Gradient().ToDense(scope).valid() == false);
}

TEST_CASE("a broadcast is summed away, without arithmetic on shapes where they are known") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({-1, 3}));
  const Output bias = Input(scope, "bias", Shape({3}));
  const Output column = Input(scope, "column", Shape({1, 3}));
  size_t before = scope.graph()->nodes().size();
  auto grads = Gradients(scope, {x * bias * column * 2}, {x, bias, column});
  MR_REQUIRE_OK(scope.status());
  CHECK(Count(OpsSince(scope, before), "BroadcastGradientArgs") == 0);
  CHECK(grads[0].dense().shape() == x.shape());
  CHECK(grads[1].dense().shape() == bias.shape());
  CHECK(grads[2].dense().shape() == column.shape());

  const Output open = Input(scope, "open", Shape({-1, 3}));
  before = scope.graph()->nodes().size();
  grads = Gradients(scope, {ops::Mul(scope, x, open)}, {x, open});
  MR_REQUIRE_OK(scope.status());
  CHECK(Count(OpsSince(scope, before), "BroadcastGradientArgs") == 1);  // for both
  CHECK(grads[0].dense().shape() == x.shape());

  // Again, through the sums.
  const auto second = Gradients(scope, {grads[0].dense()}, {open});
  MR_REQUIRE_OK(scope.status());
  CHECK(!second[0].none());
}

TEST_CASE("the gradient of a node can be overridden by name") {
  const auto registry = TestRegistry();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x");
  const Scope other = scope.WithGradientOverride("Tanh", "Doubling");
  size_t before = scope.graph()->nodes().size();
  Gradients(scope, {ops::Tanh(other, x)}, {x});
  CHECK(Count(OpsSince(scope, before), "TanhGrad") == 0);
  CHECK(Count(OpsSince(scope, before), "Mul") == 1);
  // Other ops keep theirs; another op's gradient will do, too.
  before = scope.graph()->nodes().size();
  Gradients(scope, {ops::Sigmoid(other, x)}, {x});
  CHECK(Count(OpsSince(scope, before), "SigmoidGrad") == 1);
  before = scope.graph()->nodes().size();
  Gradients(scope, {ops::Sigmoid(scope.WithGradientOverride("Sigmoid", "Tanh"), x)}, {x});
  CHECK(Count(OpsSince(scope, before), "TanhGrad") == 1);
  MR_REQUIRE_OK(scope.status());

  const Output bad = ops::Tanh(scope.WithGradientOverride("Tanh", "Nowhere").WithOpName("bad"), x);
  Gradients(scope, {bad}, {x});
  CHECK(scope.status().code() == Code::kNotFound);
  CHECK(scope.status().node() == "bad");
  CHECK_THAT(Message(scope), Contains("'Nowhere'") && Contains("_gradient_op_type"));
}

TEST_CASE("an op's own gradient function is used; none that is meant passes silently") {
  const auto registry = TestRegistry();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x");
  CHECK(!Gradients(scope, {One(scope, "Halves", x)}, {x})[0].none());
  CHECK(Gradients(scope, {One(scope, "Silent", x)}, {x})[0].none());
  // Where another path has one, that is the gradient.
  CHECK(!Gradients(scope, {One(scope, "Silent", x) + x}, {x})[0].none());
  MR_REQUIRE_OK(scope.status());
}

TEST_CASE("an op without a gradient is named with the path to it") {
  const auto registry = TestRegistry();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x");
  const Output a = ops::Neg(scope.WithOpName("a"), x);
  const Output bad = One(scope.WithOpName("bad"), "Bare", a);
  const Output y = ops::Neg(scope.WithOpName("y"), bad);
  SECTION("where it stands between") {
    Gradients(scope, {y}, {x});
    CHECK(scope.status().code() == Code::kNotFound);
    CHECK(scope.status().node() == "bad");
    CHECK(scope.status().op() == "Bare");
    CHECK_THAT(Message(scope), Contains("x -> a -> bad -> y"));
    CHECK_THAT(Message(scope), Contains("gradients_test.cc"));  // the line that asked
  }
  SECTION("not where nothing flows through it") {
    CHECK(!Gradients(scope, {y}, {bad})[0].none());
    CHECK(!Gradients(scope, {a}, {x})[0].none());
    MR_REQUIRE_OK(scope.status());
  }
  SECTION("a built-in op that refuses") {
    Gradients(scope, {ops::PreventGradient(scope.WithOpName("no"), x)}, {x});
    CHECK(scope.status().node() == "no");
    CHECK_THAT(Message(scope), Contains("refuses on purpose") && Contains("x -> no"));
  }
  SECTION("a function that fails") {
    Gradients(scope, {One(scope.WithOpName("f"), "Fails", x)}, {x});
    CHECK_THAT(Message(scope), Contains("the moon is full") && Contains("'f'"));
  }
  SECTION("a long path is shortened") {
    Output end = y;
    for (int i = 0; i < 100; ++i) end = ops::Neg(scope, end);
    Gradients(scope, {end}, {x});
    CHECK_THAT(Message(scope), Contains("x -> a -> bad") && Contains(" more) -> "));
    CHECK(Message(scope).size() < 1000);
  }
}

TEST_CASE("a loop of frames is refused by its name, a graph with one elsewhere is not") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape());
  const Output enter = Call(scope.WithOpName("enter"), "Enter", {x}, {{"frame_name", "around"}}).output();
  const Output merge = Call(scope.WithOpName("merge"), "Merge", {Operands{enter, enter}}).output();
  const Output limit = Const(scope.WithControlDependencies(merge), 10.0f);
  const Output go = Call(scope, "LoopCond", {ops::Less(scope, merge, limit)}).output();
  const Operation turn = Call(scope.WithOpName("switch"), "Switch", {merge, go});
  const Output body = ops::Square(scope.WithOpName("body"), turn.output(1));
  const Output next = Call(scope.WithOpName("next"), "NextIteration", {body}).output();
  const Output exit = Call(scope.WithOpName("exit"), "Exit", {turn.output(0)}).output();
  MR_REQUIRE_OK(scope.status());
  MR_REQUIRE_OK(scope.graph()->ReplaceInput(&merge.node(), 1, next.endpoint()));
  const Output y = exit + x;
  CHECK(!Gradients(scope, {ops::Neg(scope, x)}, {x})[0].none());
  CHECK(!Gradients(scope, {y}, {exit})[0].none());  // what lies behind the loop
  MR_REQUIRE_OK(scope.status());
  SECTION("through it") {
    Gradients(scope, {y}, {x});
    CHECK(scope.status().node() == "exit");
    CHECK_THAT(Message(scope), Contains("'around'") && Contains("x -> enter -> merge"));
  }
  SECTION("inside it") {
    Gradients(scope, {body}, {merge});
    CHECK_THAT(Message(scope), Contains("'around'"));
  }
}

TEST_CASE("a gradient function that lies is caught") {
  const auto registry = TestRegistry();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x");
  auto message = [&](const char* op) {
    Gradients(scope, {One(scope.WithOpName("node"), op, x)}, {x});
    CHECK(scope.status().node() == "node");
    return Message(scope);
  };
  SECTION("two gradients") { CHECK_THAT(message("SetsTwice"), Contains("two gradients for input 0")); }
  SECTION("no such input") { CHECK_THAT(message("SetsOutOfRange"), Contains("input 7")); }
  SECTION("dtype") { CHECK_THAT(message("SetsWrongType"), Contains("double") && Contains("expected float")); }
  SECTION("shape") { CHECK_THAT(message("SetsWrongShape"), Contains("[3]") && Contains("expected [2, 3]")); }
  SECTION("calls that do not fit") {
    Gradients(scope, {One(scope.WithOpName("node"), "CallsBadly", x)}, {x});
    CHECK(!scope.ok());
    CHECK_THAT(Message(scope), Contains("gradients/node_grad/MatMul") && Contains("gradients_test.cc"));
  }
}

TEST_CASE("what is asked for is checked") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x");
  const Output y = ops::Neg(scope.WithOpName("y"), x);
  GradientOptions options;
  SECTION("dtype of grad_ys") {
    options.grad_ys = {Input(scope, "seed", Shape({2, 3}), DType::kDouble)};
    CHECK(Gradients(scope, {y}, {x}, options)[0].none());
    CHECK_THAT(Message(scope), Contains("grad_ys[0]") && Contains("double") && Contains("expected float"));
  }
  SECTION("shape of grad_ys") {
    options.grad_ys = {Input(scope, "seed", Shape({3, 2}))};
    Gradients(scope, {y}, {x}, options);
    CHECK_THAT(Message(scope), Contains("[3, 2]") && Contains("[2, 3]") && Contains("'y:0'"));
  }
  SECTION("number of grad_ys") {
    options.grad_ys = {x, x};
    Gradients(scope, {y}, {x}, options);
    CHECK_THAT(Message(scope), Contains("2 entries") && Contains("1 ys"));
  }
  SECTION("an entry that is no tensor means ones") {
    options.grad_ys = {Output()};
    CHECK(!Gradients(scope, {y}, {x}, options)[0].none());
    MR_REQUIRE_OK(scope.status());
  }
  SECTION("complex ys") {
    const Output z = Input(scope, "z", Shape({2}), DType::kComplex64);
    Gradients(scope, {ops::Neg(scope, z)}, {z});
    CHECK_THAT(Message(scope), Contains("complex64") && Contains("grad_ys"));
  }
  SECTION("truth values") {
    Gradients(scope, {ops::Less(scope, x, 1)}, {x});
    CHECK_THAT(Message(scope), Contains("ys[0]") && Contains("bool"));
  }
  SECTION("no tensor") {
    Gradients(scope, {y}, {x, Output()});
    CHECK_THAT(Message(scope), Contains("xs[1]"));
  }
  SECTION("another graph") {
    const Scope other = Scope::NewRoot();
    Gradients(scope, {y}, {Input(other, "elsewhere")});
    CHECK_THAT(Message(scope), Contains("'elsewhere:0'") && Contains("another graph"));
  }
}

TEST_CASE("a chain of many nodes takes no stack, and few steps each") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({1}));
  Output y = x;
  constexpr int kNodes = 100000;
  for (int i = 0; i < kNodes; ++i) y = ops::Neg(scope, y);
  const size_t before = scope.graph()->nodes().size();
  const auto grads = Gradients(scope, {y}, {x});
  MR_REQUIRE_OK(scope.status());
  CHECK(!grads[0].none());
  CHECK(Count(OpsSince(scope, before), "Neg") == kNodes);
}

TEST_CASE("a graph with many paths costs what it has nodes") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({1}));
  Output y = x;
  for (int i = 0; i < 200; ++i) y = ops::Add(scope, y, y);  // 2^200 paths
  const size_t before = scope.graph()->nodes().size();
  CHECK(!Gradients(scope, {y}, {x})[0].none());
  MR_REQUIRE_OK(scope.status());
  CHECK(scope.graph()->nodes().size() < before + 2000);
}

}  // namespace
}  // namespace millrace
