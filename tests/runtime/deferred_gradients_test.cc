// A graph that holds deferred gradients computes what one does that was expanded
// when it was built, bit for bit.
#include <cmath>
#include <cstring>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using Feeds = std::vector<std::pair<std::string, Tensor>>;
using Outputs = std::vector<Output>;

Tensor Values(std::vector<int64_t> shape, double scale, double start = -1) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  std::vector<float> v;
  for (int64_t i = 0; i < n; ++i) v.push_back(static_cast<float>(start + scale * static_cast<double>((i * 7) % 13)));
  return Tensor::Of<float>(Shape(std::move(shape)), v);
}

std::vector<std::string> NamesOf(const Outputs& outputs) {
  std::vector<std::string> names;
  for (const Output& o : outputs) names.push_back(o.name());
  return names;
}

std::unique_ptr<Session> NewSession(const Scope& scope) {
  INFO(scope.status().ToString());
  REQUIRE(scope.ok());
  auto session = Session::New(scope.graph());
  MR_REQUIRE_OK(session);
  return std::move(*session);
}

// What a builder returns is computed twice, with Gradients() and with the deferred
// node; `build` gets the function that makes gradients.
using Differentiator = std::function<Outputs(const Scope&, const Outputs& ys, const Outputs& xs, const Outputs& grads)>;

Outputs Expanded(const Scope& scope, const Outputs& ys, const Outputs& xs, const Outputs& grads) {
  GradientOptions options;
  options.grad_ys = grads;
  options.unconnected = GradientOptions::Unconnected::kZero;
  Outputs dense;
  for (const Gradient& g : Gradients(scope, ys, xs, options)) dense.push_back(g.ToDense(scope));
  return dense;
}

Outputs Deferred(const Scope& scope, const Outputs& ys, const Outputs& xs, const Outputs& grads) {
  return DeferredGradients(scope, ys, xs, grads);
}

struct Built {
  Outputs fetches;
  std::vector<std::string> init;  // targets to run first
};

std::vector<Tensor> RunOne(const std::function<Built(const Scope&, const Differentiator&)>& build,
                           const Differentiator& gradients, const Feeds& feeds) {
  const Scope scope = Scope::NewRoot();
  const Built built = build(scope, gradients);
  auto session = NewSession(scope);
  if (!built.init.empty()) MR_REQUIRE_OK(session->Run({}, {}, built.init));
  auto out = session->Run(feeds, NamesOf(built.fetches));
  MR_REQUIRE_OK(out);
  return *out;
}

std::vector<Tensor> CheckSame(const std::function<Built(const Scope&, const Differentiator&)>& build,
                              const Feeds& feeds) {
  const std::vector<Tensor> expanded = RunOne(build, Expanded, feeds), deferred = RunOne(build, Deferred, feeds);
  REQUIRE(expanded.size() == deferred.size());
  for (size_t i = 0; i < expanded.size(); ++i) {
    INFO("gradient " << i);
    CHECK(expanded[i].shape() == deferred[i].shape());
    REQUIRE(expanded[i].bytes() == deferred[i].bytes());
    CHECK(std::memcmp(expanded[i].data(), deferred[i].data(), expanded[i].bytes()) == 0);
  }
  return deferred;
}

bool AnyNotZero(const Tensor& t) {
  for (float v : t.elements<float>()) {
    if (v != 0) return true;
  }
  return false;
}

Output Input(const Scope& scope, const char* name, Shape shape) {
  return ops::Placeholder(scope.WithOpName(name), DType::kFloat, {.shape = std::move(shape)});
}

TEST_CASE("deferred gradients of a network, with a batch that is open") {
  const auto build = [](const Scope& s, const Differentiator& gradients) {
    const Output x = Input(s, "x", {-1, 5}), w = Input(s, "w", {5, 4}), b = Input(s, "b", {4});
    const Output h = ops::Tanh(s, ops::MatMul(s, x, w) + b);
    const Output loss = ops::Mean(s, ops::Square(s, h * h - b), {0, 1});
    return Built{gradients(s, {loss}, {w, b, x}, {}), {}};
  };
  const auto out =
      CheckSame(build, {{"x", Values({7, 5}, 0.13)}, {"w", Values({5, 4}, 0.11)}, {"b", Values({4}, 0.3)}});
  for (const Tensor& t : out) CHECK(AnyNotZero(t));
  CHECK(out[2].shape().dim(0) == 7);
}

TEST_CASE("a deferred gradient of a deferred gradient") {
  const auto build = [](const Scope& s, const Differentiator& gradients) {
    const Output x = Input(s, "x", {-1, 3}), w = Input(s, "w", {3, 3});
    const Output y = ops::Sigmoid(s, ops::MatMul(s, x, w)) * x;
    const Output dx = gradients(s, {y}, {x}, {})[0];
    const Outputs second = gradients(s, {ops::Square(s, dx)}, {x, w}, {});
    const Outputs third = gradients(s, {second[0]}, {w}, {});
    return Built{{dx, second[0], second[1], third[0]}, {}};
  };
  const auto out = CheckSame(build, {{"x", Values({4, 3}, 0.13)}, {"w", Values({3, 3}, 0.21)}});
  for (const Tensor& t : out) CHECK(AnyNotZero(t));
}

TEST_CASE("gradients that flow in, several ys, and xs on the path of one another") {
  const auto build = [](const Scope& s, const Differentiator& gradients) {
    const Output x = Input(s, "x", {4}), dy = Input(s, "dy", {4});
    const Output h = ops::Exp(s, x), y = h * x, z = ops::Sum(s, h, {0});
    return Built{gradients(s, {y, z}, {x, h}, {dy, ops::Const(s, 3.0f)}), {}};
  };
  CheckSame(build, {{"x", Values({4}, 0.2)}, {"dy", Values({4}, 0.5)}});
}

TEST_CASE("deferred gradients of reference variables") {
  const auto build = [](const Scope& s, const Differentiator& gradients) {
    const Output x = Input(s, "x", {-1, 3});
    const Output w = ops::VariableV2(s.WithOpName("w"), Shape({3, 2}), DType::kFloat);
    const Output init = ops::Assign(s.WithOpName("init"), w, Values({3, 2}, 0.3));
    // Read where it is used, and through an Identity.
    const Output y = ops::MatMul(s, x, w) * ops::MatMul(s, x, ops::Identity(s, w));
    return Built{gradients(s, {y}, {w, x}, {}), {init.node().name()}};
  };
  const auto out = CheckSame(build, {{"x", Values({5, 3}, 0.2)}});
  CHECK(AnyNotZero(out[0]));
}

TEST_CASE("deferred gradients of resource variables, gathered rows included") {
  const auto build = [](const Scope& s, const Differentiator& gradients) {
    const Output handle = ops::VarHandleOp(s.WithOpName("w"), DType::kFloat, Shape({6, 2}), {.shared_name = "w"});
    const Operation init = ops::AssignVariableOp(s.WithOpName("init"), handle, Values({6, 2}, 0.3));
    const Output w = ops::ReadVariableOp(s, handle, DType::kFloat);
    const Output rows = ops::GatherV2(s, w, {1, 4, 1}, 0);
    const Output other = ops::VarHandleOp(s.WithOpName("v"), DType::kFloat, Shape({2}), {.shared_name = "v"});
    const Operation init_other = ops::AssignVariableOp(s.WithOpName("init_v"), other, Values({2}, 0.3));
    const Outputs g = gradients(s, {ops::Square(s, rows)}, {handle, w, other}, {});
    return Built{g, {init.name(), init_other.name()}};
  };
  const auto out = CheckSame(build, {});
  CHECK(AnyNotZero(out[0]));
  CHECK(out[0].shape() == Shape({6, 2}));
  // No y depends on it.
  CHECK(out[2].shape() == Shape({2}));
  CHECK_FALSE(AnyNotZero(out[2]));
}

TEST_CASE("a tensor that is fed ends the path") {
  const Scope s = Scope::NewRoot();
  const Output x = Input(s, "x", {3}), h = ops::Exp(s.WithOpName("h"), x), y = ops::Square(s, h);
  const Outputs g = DeferredGradients(s, {y}, {x, h});
  auto session = NewSession(s);
  auto out = session->Run({{"x", Values({3}, 0.5)}, {"h", Values({3}, 0.5, 2)}}, NamesOf(g));
  MR_REQUIRE_OK(out);
  CHECK_FALSE(AnyNotZero((*out)[0]));
  CHECK((*out)[1].elements<float>()[0] == 4);
}

TEST_CASE("a deferred node waits, and is waited for") {
  const Scope s = Scope::NewRoot();
  const Output w = ops::VariableV2(s.WithOpName("w"), Shape({}), DType::kFloat);
  ops::Assign(s.WithOpName("init"), w, 3.0f);
  const Output add = ops::AssignAdd(s.WithOpName("add"), w, 4.0f);
  const Scope after = s.WithControlDependencies(add);
  const Output y = ops::Square(after, w);
  const Output dw = DeferredGradients(after, {y}, {w})[0];
  const Output late = ops::AssignAdd(s.WithControlDependencies(dw).WithOpName("late"), w, 100.0f);
  auto session = NewSession(s);
  MR_REQUIRE_OK(session->Run({}, {}, {"init"}));
  auto out = session->Run({}, {dw.name(), late.name()});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == 14);
  CHECK((*out)[1].elements<float>()[0] == 107);
  // Alone as a target.
  MR_REQUIRE_OK(session->Run({}, {}, {dw.node().name()}));
}

Status ErrorOf(const Scope& s, const Outputs& fetches, const Feeds& feeds) {
  auto session = NewSession(s);
  const Status status = session->Run(feeds, NamesOf(fetches)).status();
  INFO(status.ToString());
  CHECK_FALSE(status.ok());
  return status;
}

TEST_CASE("an op without a gradient is named, with the path to it") {
  auto registry = Registry::Extending();
  registry->Define("Opaque").Input("x: float").Output("y: float").Shape(shape_fns::Unchanged);
  const Scope s = Scope::NewRoot(*registry);
  const Output x = Input(s, "x", {3}), h = ops::Exp(s.WithOpName("h"), x);
  const Output y = Call(s.WithOpName("middle"), "Opaque", {h}).output(0);
  const Status status =
      ErrorOf(s, DeferredGradients(s, {ops::Square(s.WithOpName("y"), y)}, {x}), {{"x", Values({3}, 1)}});
  CHECK(status.node() == "middle");
  CHECK(status.op() == "Opaque");
  CHECK_THAT(status.ToString(), Catch::Matchers::Contains("x -> h -> middle -> y"));
}

TEST_CASE("a gradient at build time of a deferred one is refused") {
  const Scope s = Scope::NewRoot();
  const Output x = Input(s, "x", {3});
  const Output dx = DeferredGradients(s, {ops::Exp(s, x)}, {x})[0];
  (void)Gradients(s, {dx}, {x});
  INFO(s.status().ToString());
  CHECK_FALSE(s.ok());
  CHECK_THAT(s.status().ToString(), Catch::Matchers::Contains("DeferredGradients"));
}

void Tenfold(GradientContext& g) { g.set(0, ops::Mul(g, g.grad(), 10)); }

TEST_CASE("a gradient override reaches the compiler") {
  auto registry = Registry::Extending();
  registry->DefineGradient("Tenfold", Tenfold);
  const Scope s = Scope::NewRoot(*registry);
  const Output x = Input(s, "x", {3});
  const Output y = ops::Exp(s.WithGradientOverride("Exp", "Tenfold"), x);
  auto session = NewSession(s);
  auto out = session->Run({{"x", Values({3}, 1)}}, NamesOf(DeferredGradients(s, {y}, {x})));
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == 10);
}

TEST_CASE("new operations are named after the deferred node and the forward one") {
  const Scope s = Scope::NewRoot();
  const Output x = Input(s, "x", {3}), y = ops::Tanh(s.WithOpName("act"), x);
  const Outputs g = DeferredGradients(s.WithOpName("train/grads"), {y}, {x});
  REQUIRE(s.ok());
  SignatureSpec spec{"run", {"x"}, NamesOf(g), {}};
  const auto text = CompileToText(*s.graph(), {spec}, "differentiate");
  MR_REQUIRE_OK(text);
  CHECK_THAT(*text, Catch::Matchers::Contains("\"train/grads/act_grad/TanhGrad\""));
  CHECK_THAT(*text, !Catch::Matchers::Contains("graph.Gradients"));
}

// ---- SymbolicGradient ----

ArgDef FloatArg(std::string name) {
  ArgDef arg;
  arg.name = std::move(name);
  arg.type = DType::kFloat;
  return arg;
}

// f(a, b) -> (p, n): p = a * exp(b), n = shape of a.
FunctionDef ProductOfExp() {
  FunctionDef f;
  f.signature.name = "ProductOfExp";
  f.signature.inputs = {FloatArg("a"), FloatArg("b")};
  ArgDef n = FloatArg("n");
  n.type = DType::kInt32;
  f.signature.outputs = {FloatArg("p"), n};
  const AttrMap t = {{"T", DType::kFloat}};
  f.nodes = {MakeNode("mul", "Mul", {"a", "exp:y:0"}, t), MakeNode("exp", "Exp", {"b"}, t),
             MakeNode("shape", "Shape", {"a"}, t)};
  f.ret = {{"p", "mul:z:0"}, {"n", "shape:output:0"}};
  return f;
}

TEST_CASE("a symbolic gradient is that of the function, its arguments apart") {
  const Scope s = Scope::NewRoot();
  MR_REQUIRE_OK(s.graph()->AddFunction(ProductOfExp()));
  const Output a = Input(s, "a", {3}), dp = Input(s, "dp", {3});
  const Output b = a * 2.0f;  // of a, but not for the function
  const Output dn = ops::Const(s, {0});
  const Outputs g = ops::SymbolicGradient(s, {a, b, dp, dn}, {DType::kFloat, DType::kFloat}, {"ProductOfExp", nullptr});
  const Output whole = DeferredGradients(s, {g[0]}, {a})[0];
  auto session = NewSession(s);
  auto out = session->Run({{"a", Values({3}, 0.25, 0.5)}, {"dp", Values({3}, 1, 1)}}, NamesOf({g[0], g[1], whole}));
  MR_REQUIRE_OK(out);
  const float a0 = 0.5f, e = std::exp(2 * a0);
  CHECK((*out)[0].elements<float>()[0] == Approx(e));
  CHECK((*out)[1].elements<float>()[0] == Approx(a0 * e));
  // d/da of exp(2a), through the argument b: a gradient of a symbolic gradient.
  CHECK((*out)[2].elements<float>()[0] == Approx(2 * e));
}

TEST_CASE("a function with a gradient function of its own has that") {
  const Scope s = Scope::NewRoot();
  FunctionDef f;
  f.signature.name = "Same";
  f.signature.inputs = {FloatArg("x")};
  f.signature.outputs = {FloatArg("y")};
  const AttrMap t = {{"T", DType::kFloat}};
  f.nodes = {MakeNode("id", "Identity", {"x"}, t)};
  f.ret = {{"y", "id:output:0"}};
  FunctionDef g;
  g.signature.name = "SameGrad";
  g.signature.inputs = {FloatArg("x"), FloatArg("dy")};
  g.signature.outputs = {FloatArg("dx")};
  g.nodes = {MakeNode("mul", "Mul", {"x", "dy"}, t)};
  g.ret = {{"dx", "mul:z:0"}};
  GraphDef def;
  def.has_library = true;
  def.library.functions = {f, g};
  def.library.gradients = {{"Same", "SameGrad"}};
  MR_REQUIRE_OK(s.graph()->Import(def));
  const Output x = Input(s, "x", {2}), dy = Input(s, "dy", {2});
  const Outputs dx = ops::SymbolicGradient(s, {x, dy}, {DType::kFloat}, {"Same", nullptr});
  auto session = NewSession(s);
  auto out = session->Run({{"x", Values({2}, 1, 5)}, {"dy", Values({2}, 1, 3)}}, NamesOf(dx));
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == 15);
}

// slope(a, b) = d(a * exp(b))/da = exp(b), by a symbolic gradient in its body.
FunctionDef Slope(std::string name, const std::string& of) {
  const bool endless = of == "Other";
  FunctionDef f;
  f.signature.name = std::move(name);
  f.signature.inputs = {FloatArg("a"), FloatArg("b"), FloatArg("da"), FloatArg("n")};
  f.signature.outputs = {FloatArg("s"), FloatArg("t")};
  ListValue in, out;
  in.type = {DType::kFloat, DType::kFloat, DType::kFloat, endless ? DType::kFloat : DType::kInt32};
  out.type = {DType::kFloat, DType::kFloat};
  const FuncValue inner{of, nullptr};
  f.nodes = {MakeNode("n32", "Cast", {"n"}, {{"SrcT", DType::kFloat}, {"DstT", DType::kInt32}, {"Truncate", false}}),
             MakeNode("g", "SymbolicGradient", {"a", "b", "da", endless ? "n" : "n32:y:0"},
                      {{"Tin", in}, {"Tout", out}, {"f", inner}})};
  f.ret = {{"s", "g:output:0"}, {"t", "g:output:1"}};
  return f;
}

TEST_CASE("symbolic gradients in the body of a gradient function are expanded too, but not without end") {
  for (const bool endless : {false, true}) {
    const Scope s = Scope::NewRoot();
    GraphDef def;
    def.has_library = true;
    def.library.functions = {ProductOfExp(), Slope("Slope", endless ? "Other" : "ProductOfExp")};
    def.library.gradients = {{"Other", "Slope"}};
    MR_REQUIRE_OK(s.graph()->Import(def));
    const Output a = Input(s, "a", {3}), b = Input(s, "b", {3});
    const Output one = ops::OnesLike(s, a), zero = ops::Const(s, {0.0f});
    const Outputs g =
        ops::SymbolicGradient(s.WithOpName("g"), {a, b, one, zero}, {DType::kFloat, DType::kFloat}, {"Other", nullptr});
    const Feeds feeds = {{"a", Values({3}, 0.25, 0.5)}, {"b", Values({3}, 0.25, 0.5)}};
    if (endless) {
      const Status status = ErrorOf(s, g, feeds);
      CHECK_THAT(status.ToString(), Catch::Matchers::Contains("recursion is not supported"));
      continue;
    }
    // A gradient through what came out of the function.
    const Output second = DeferredGradients(s, {ops::Square(s, g[0])}, {b})[0];
    auto session = NewSession(s);
    auto out = session->Run(feeds, NamesOf({g[0], g[1], second}));
    MR_REQUIRE_OK(out);
    const float e = std::exp(0.5f);
    CHECK((*out)[0].elements<float>()[0] == Approx(e));
    CHECK((*out)[1].elements<float>()[0] == Approx(0.5f * e));
    CHECK((*out)[2].elements<float>()[0] == Approx(2 * e * e));
  }
}

TEST_CASE("symbolic gradients of functions that are not there or do not fit are refused") {
  const Scope s = Scope::NewRoot();
  MR_REQUIRE_OK(s.graph()->AddFunction(ProductOfExp()));
  const Output a = Input(s, "a", {3});
  const Outputs gone = ops::SymbolicGradient(s.WithOpName("gone"), {a, a}, {DType::kFloat}, {"Nonesuch", nullptr});
  const Outputs few =
      ops::SymbolicGradient(s.WithOpName("few"), {a, a, a}, {DType::kFloat, DType::kFloat}, {"ProductOfExp", nullptr});
  Status status = ErrorOf(s, gone, {{"a", Values({3}, 1)}});
  CHECK(status.code() == Code::kNotFound);
  CHECK(status.node() == "gone");
  status = ErrorOf(s, few, {{"a", Values({3}, 1)}});
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK_THAT(status.ToString(), Catch::Matchers::Contains("each of the 2 results"));
}

}  // namespace
}  // namespace millrace
