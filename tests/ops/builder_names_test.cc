// Names, devices, control edges and attributes that scopes give. Names are those
// that the reference gives in the same program.
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Output X(const Scope& s) { return ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({2, 3})}); }

std::vector<std::string> Names(const Scope& s) {
  std::vector<std::string> names;
  for (const auto& node : s.graph()->nodes()) names.push_back(node->name());
  return names;
}

std::vector<std::string> ControlInputs(const Output& output) {
  std::vector<std::string> names;
  for (const Node* node : output.node().control_inputs()) names.push_back(node->name());
  return names;
}

std::vector<std::string> Group(const Output& output) {
  const auto it = output.node().attrs().find("_class");
  return it == output.node().attrs().end() ? std::vector<std::string>{} : it->second.get<ListValue>()->s;
}

using List = std::vector<std::string>;

TEST_CASE("names in scopes are those of the reference") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Scope a = s.NewSubScope("a");
  CHECK(ops::Relu(a, x).name() == "a/Relu:0");
  CHECK(ops::Relu(a, x).name() == "a/Relu_1:0");
  CHECK(ops::Neg(a.NewSubScope("b"), x).name() == "a/b/Neg:0");
  CHECK(ops::Neg(a.NewSubScope("b"), x).name() == "a/b_1/Neg:0");
  CHECK(ops::Relu(s.NewSubScope("a"), x).name() == "a_1/Relu:0");
  CHECK(ops::Neg(s.WithOpName("a"), x).name() == "a_2:0");
  CHECK(ops::Neg(s.WithOpName("X"), x).name() == "X_1:0");
  CHECK(ops::Neg(s.WithOpName("x"), x).name() == "x_2:0");
  CHECK(ops::Neg(s.WithOpName("x_1"), x).name() == "x_1_1:0");
  CHECK(ops::Neg(s.WithOpName("c/d"), x).name() == "c/d:0");
  CHECK(a.name_scope() == "a/");
  CHECK(s.name_scope().empty());
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("literals become constants named after the node and the argument") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  ops::Mul(s, x, 2.0);
  ops::ConcatV2(s, {x, {{1.0, 2.0, 3.0}}}, 0);
  ops::Pack(s, {1, 2.5});
  ops::Range(s.NewSubScope("r"), 0, 10, 1);
  ops::Mul(s, 2, x);
  MR_REQUIRE_OK(s.status());
  CHECK(Names(s) == List{"x", "Mul/y", "Mul", "ConcatV2/values_1", "ConcatV2/axis", "ConcatV2", "Pack/values_0",
                         "Pack/values_1", "Pack", "r/Range/start", "r/Range/limit", "r/Range/delta", "r/Range",
                         "Mul_1/x", "Mul_1"});
}

TEST_CASE("WithOpName names one call, and the scope of calls that add several nodes") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Scope named = s.WithOpName("y");
  CHECK(ops::Add(named, x, 1).name() == "y:0");
  CHECK(Names(s) == List{"x", "y/y", "y"});
  // What is made of the result has a name of its own.
  CHECK((x + x).name() == "AddV2:0");
  CHECK((ops::Neg(s.WithOpName("z"), x) * x).name() == "Mul:0");
  CHECK(named.NewSubScope("sub").UniqueName("Op") == "sub/Op");
  CHECK(named.ForCall("Dense").name_scope() == "y_1/");
  CHECK(s.ForCall("Dense").name_scope() == "Dense/");
}

TEST_CASE("devices merge, the inner part wins") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Scope outer = s.WithDevice("/job:w/device:CPU:0");
  CHECK(x.node().device().empty());
  CHECK(ops::Neg(outer, x).node().device() == "/job:w/device:CPU:0");
  CHECK(ops::Neg(outer.WithDevice("/task:1"), x).node().device() == "/job:w/task:1/device:CPU:0");
  CHECK(ops::Neg(outer.WithDevice("/job:v/cpu:1"), x).node().device() == "/job:v/cpu:1");
  const Output y = ops::Mul(outer, x, 2);
  CHECK(s.graph()->Find("Mul/y")->device() == "/job:w/device:CPU:0");
  CHECK((y + 1).node().device() == "/job:w/device:CPU:0");
}

TEST_CASE("nodes are colocated with a node, or with its group") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Output n = ops::Neg(s.WithDevice("/device:CPU:0").WithOpName("dev"), x);
  const Output m = ops::Neg(s.ColocateWith(n), x);
  CHECK(Group(m) == List{"loc:@dev"});
  CHECK(m.node().device() == "/device:CPU:0");
  CHECK(Group(ops::Neg(s.ColocateWith(m), x)) == List{"loc:@dev"});
  CHECK(Group(ops::Neg(s.ColocateWith(x).ColocateWith(m), x)) == List{"loc:@dev", "loc:@x"});
  CHECK(Group(ops::Neg(s, x)).empty());
}

TEST_CASE("control inputs of scopes add up") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Output a = ops::Neg(s.WithOpName("a"), x), b = ops::Neg(s.WithOpName("b"), x);
  const Scope after = s.WithControlDependencies(a).WithControlDependencies({a, b});
  CHECK(ControlInputs(ops::Neg(after, x)) == List{"a", "b"});
  CHECK(ControlInputs(ops::Neg(after.WithControlDependencies(a), x)) == List{"a", "b"});
  CHECK(ControlInputs(ops::Neg(after.WithNoControlDependencies(), x)).empty());
  CHECK(ControlInputs(ops::Neg(s, x)).empty());
  const Output y = ops::Mul(after.WithOpName("y"), x, 2);
  CHECK(ControlInputs(y) == List{"a", "b"});
  CHECK(s.graph()->Find("y/y")->control_inputs().size() == 2);
  // What has no outputs can be waited for too.
  const Operation nothing = ops::NoOp(s);
  CHECK(ControlInputs(ops::Neg(s.WithControlDependencies(nothing), x)) == List{"NoOp"});
}

TEST_CASE("gradient overrides and attributes of a scope reach its nodes") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  const Scope o = s.WithGradientOverride("Relu", "GuidedRelu").WithAttr("_tag", int64_t{7});
  const Output r = ops::Relu(o, x), n = ops::Neg(o, x);
  CHECK(*r.node().attrs().at("_gradient_op_type").get<std::string>() == "GuidedRelu");
  CHECK(n.node().attrs().count("_gradient_op_type") == 0);
  CHECK(*n.node().attrs().at("_tag").get<int64_t>() == 7);
  CHECK(x.node().attrs().count("_tag") == 0);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("collections belong to the graph") {
  const Scope s = Scope::NewRoot();
  const Output x = X(s);
  s.NewSubScope("a").AddToCollection("losses", x);
  s.AddToCollection("losses", x + 1);
  const std::vector<Output> losses = Scope(s.graph()).Collection("losses");
  REQUIRE(losses.size() == 2);
  CHECK(losses[0] == x);
  CHECK(losses[1].name() == "AddV2:0");
  CHECK(s.Collection("others").empty());
  std::shared_ptr<void>& mine = s.Extension("mine");
  CHECK(mine == nullptr);
  mine = std::make_shared<int>(5);
  CHECK(*static_cast<int*>(s.NewSubScope("b").Extension("mine").get()) == 5);
}

TEST_CASE("scopes of one graph share it, also where the graph was there before") {
  const auto graph = std::make_shared<Graph>();
  Output y;
  {
    const Scope s(graph);
    y = X(s) * 2;
  }
  // The scopes are gone, the graph is not: its outputs still build.
  CHECK((y + 1).name() == "AddV2:0");
  CHECK(Scope::Of(y).graph() == graph);
  CHECK(Scope(graph).NewSubScope("x").name_scope() == "x_1/");
  CHECK(graph->nodes().size() == 5);
}

TEST_CASE("names that are none are refused") {
  for (const char* name : {"a b", "_a", "-x", "é", "a:0", "^a"}) {
    INFO(name);
    const Scope s = Scope::NewRoot();
    const Output x = X(s);
    CHECK(!ops::Neg(s.WithOpName(name), x).valid());
    CHECK(s.status().code() == Code::kInvalidArgument);
    const Scope t = Scope::NewRoot();
    t.NewSubScope(name);
    CHECK(t.status().code() == Code::kInvalidArgument);
    CHECK(t.status().message().find(name) != std::string_view::npos);
  }
  // Inside a scope a name may begin with a sign.
  const Scope s = Scope::NewRoot();
  CHECK(ops::Neg(s.NewSubScope("a").WithOpName("_x"), X(s)).name() == "a/_x:0");
}

}  // namespace
}  // namespace millrace
