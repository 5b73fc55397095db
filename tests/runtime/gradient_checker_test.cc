// CheckGradient tells right gradients from wrong ones, and says where.
#include "millrace/runtime/session/gradient_checker.h"

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/user/expression_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

struct Cube {
  template <class S>
  static S Of(S x) {
    return x * x * x;
  }
};

void RightGradient(GradientContext& g) { g.set(0, 3.0 * ops::Square(g, g.input()) * g.grad()); }
void WrongFactor(GradientContext& g) { g.set(0, 2.0 * ops::Square(g, g.input()) * g.grad()); }
void WrongSign(GradientContext& g) { g.set(0, ops::Neg(g, 3.0 * ops::Square(g, g.input()) * g.grad())); }
// Off by a thousandth where x is above 0.
void NearlyRight(GradientContext& g) {
  const Output right = 3.0 * ops::Square(g, g.input()) * g.grad();
  g.set(0, ops::Select(g, g.input() > 0, right * 1.001, right));
}

std::unique_ptr<Registry> Cubes() {
  auto registry = Registry::Extending();
  auto define = [&](const char* name, const char* types) -> OpBuilder {
    return registry->Define(name)
        .Input("x: T")
        .Output("y: T")
        .Attr(std::string("T: ") + types)
        .Shape(shape_fns::Unchanged)
        .Elementwise(ExpressionOf<Cube, float, double>());
  };
  define("RightCube", "{float, double}").Gradient(RightGradient);
  define("FloatCube", "{float}").Gradient(RightGradient);
  define("WrongFactor", "{float, double}").Gradient(WrongFactor);
  define("WrongSign", "{float, double}").Gradient(WrongSign);
  define("NearlyRight", "{float, double}").Gradient(NearlyRight);
  define("Silent", "{float, double}").NoGradient("a lie");
  return registry;
}

Output Input(const Scope& scope, const char* name, const Shape& shape, DType dtype = DType::kFloat) {
  return ops::Placeholder(scope.WithOpName(name), dtype, {.shape = shape});
}

GradientCheck Check(const Output& y, const std::vector<Output>& xs, const GradientCheckOptions& options = {}) {
  const Result<GradientCheck> check = CheckGradient({y}, xs, options);
  MR_REQUIRE_OK(check);
  INFO(check->ToString());
  CHECK(check->checked > 0);
  return *check;
}

std::string Error(const std::vector<Output>& ys, const std::vector<Output>& xs,
                  const GradientCheckOptions& options = {}) {
  const Result<GradientCheck> check = CheckGradient(ys, xs, options);
  REQUIRE(!check.ok());
  return check.status().ToString();
}

TEST_CASE("right gradients pass, in double also where the graph is in float") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({4, 3})), w = Input(scope, "w", Shape({3, 2})), b = Input(scope, "b", {2});
  const Output y = ops::Tanh(scope, ops::MatMul(scope, x, w) + b) * 0.5;
  const size_t nodes = scope.graph()->nodes().size();
  const GradientCheck check = Check(y, {x, w, b});
  CHECK(check.worst_error < 1e-7);
  CHECK(check.precision == DType::kDouble);
  CHECK(check.checked == 12 + 6 + 2);
  CHECK(scope.graph()->nodes().size() == nodes);  // works on a copy
}

TEST_CASE("a gradient that lies is rejected, and where it lies is said") {
  const auto registry = Cubes();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x", Shape({5}));
  auto cube = [&](const char* op) { return Call(scope, op, {ops::Tanh(scope, x)}).output(); };
  CHECK(Check(cube("RightCube"), {x}).worst_error < 1e-7);
  CHECK(Check(cube("WrongFactor"), {x}).worst_error > 0.1);
  CHECK(Check(cube("WrongSign"), {x}).worst_error > 1);
  CHECK(Check(cube("Silent"), {x}).worst_error > 0.5);

  GradientCheckOptions options;
  options.feeds = {{"x:0", Tensor::Of<float>(Shape({5}), {-0.5f, -0.7f, 0.9f, -0.4f, -0.6f})}};
  const GradientCheck nearly = Check(cube("NearlyRight"), {x}, options);
  CHECK(nearly.worst_error == Approx(1e-3).epsilon(0.01));
  CHECK(nearly.x == "x:0");
  CHECK(nearly.element == 2);
  CHECK(nearly.gradient == Approx(nearly.difference * 1.001).epsilon(1e-6));
  CHECK_THAT(nearly.ToString(), Contains("element 2 of 'x:0'"));
}

TEST_CASE("what has no double is checked in float") {
  const auto registry = Cubes();
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Input(scope, "x", Shape({5}));
  GradientCheck check = Check(Call(scope, "FloatCube", {x}).output(), {x});
  CHECK(check.precision == DType::kFloat);
  CHECK(check.worst_error < 1e-2);
  GradientCheckOptions options;
  options.in_double = false;
  check = Check(Call(scope, "WrongFactor", {x}).output(), {x}, options);
  CHECK(check.precision == DType::kFloat);
  CHECK(check.worst_error > 0.1);
}

TEST_CASE("complex gradients are checked in both parts") {
  const Scope scope = Scope::NewRoot();
  const Output a = Input(scope, "a", Shape({3}), DType::kComplex64),
               b = Input(scope, "b", Shape({3}), DType::kComplex64);
  const GradientCheck check = Check(ops::Square(scope, a) * b + ops::Conj(scope, a), {a, b});
  CHECK(check.worst_error < 1e-7);
  CHECK(check.precision == DType::kDouble);
}

TEST_CASE("gradients can be differentiated again, also through broadcasts whose shapes are open") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({-1, 3})), w = Input(scope, "w", Shape({-1, 3}));
  const Output y = ops::Tanh(scope, ops::Mul(scope, x, w)) * x;
  const std::vector<Gradient> first = Gradients(scope, {y}, {x, w});
  MR_REQUIRE_OK(scope.status());
  GradientCheckOptions options;
  options.feeds = {{"x:0", Tensor::Of<float>(Shape({2, 3}), {.1f, .5f, -.3f, .7f, -.9f, .2f})},
                   {"w:0", Tensor::Of<float>(Shape({1, 3}), {.4f, -.6f, .8f})}};
  CHECK(Check(first[0].dense(), {x, w}, options).worst_error < 1e-6);
  CHECK(Check(first[1].dense(), {x, w}, options).worst_error < 1e-6);
}

TEST_CASE("rows of a table, used several times, add up") {
  const Scope scope = Scope::NewRoot();
  const Output table = Input(scope, "table", Shape({5, 2}));
  const Output rows = ops::Gather(scope, table, {1, 3, 1});
  const Output more = ops::GatherV2(scope, ops::Square(scope, table), {{1, 4}, {0, 3}}, 0);
  CHECK(Check(ops::Sum(scope, rows, {0, 1}) * ops::Sum(scope, more, {0, 1, 2}) + ops::Sum(scope, table * 3, {0, 1}),
              {table})
            .worst_error < 1e-7);
}

TEST_CASE("initialisers run first, and a variable is checked at its value, or at a read of it") {
  const Scope scope = Scope::NewRoot();
  const Output handle = ops::VarHandleOp(scope, DType::kFloat, Shape({2}));
  const Operation init = ops::AssignVariableOp(scope.WithOpName("init"), handle, {0.5f, 0.25f});
  const Output w = ops::ReadVariableOp(scope, handle, DType::kFloat);
  const Output x = Input(scope, "x", Shape({2}));
  GradientCheckOptions options;
  options.targets = {init.name()};
  CHECK(Check(ops::Square(scope, w) * x, {x}, options).worst_error < 1e-7);
  CHECK(Check(ops::Square(scope, w) * 3, {w}, options).worst_error < 1e-7);
  const GradientCheck check = Check(ops::Square(scope, w) * x, {handle, x}, options);
  CHECK(check.worst_error < 1e-7);
  CHECK(check.checked == 4);

  const Output ref = ops::VariableV2(scope, Shape({2}), DType::kFloat);
  options.targets = {ops::Assign(scope, ref, {0.5f, 0.25f}).node().name()};
  CHECK(Check(ops::Square(scope, ref) * 3, {ref}, options).worst_error < 1e-7);
}

TEST_CASE("large xs are sampled all over") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({1000}));
  GradientCheckOptions options;
  options.max_elements = 7;
  CHECK(Check(ops::Sum(scope, ops::Square(scope, x), {0}), {x}, options).checked == 7);
}

TEST_CASE("what cannot be checked is said") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({2})), n = Input(scope, "n", Shape({2}), DType::kInt32);
  const Output open = Input(scope, "open", Shape({-1}));
  CHECK_THAT(Error({ops::Neg(scope, x)}, {n}), Contains("'n:0'") && Contains("int32"));
  CHECK_THAT(Error({ops::Neg(scope, n)}, {x}), Contains("y 'Neg_1:0'"));
  CHECK_THAT(Error({ops::Neg(scope, open)}, {open}), Contains("'open:0'") && Contains("feed"));
  CHECK_THAT(Error({}, {x}), Contains("without ys"));
  CHECK_THAT(Error({ops::Neg(scope, x)}, {Output()}), Contains("an x"));
  const Output noise = ops::RandomUniform(scope, {2}, DType::kFloat);
  CHECK_THAT(Error({x + noise}, {x}), Contains("random"));
  const Output huge = Input(scope, "huge", Shape({1 << 20, 1 << 20}));
  CHECK_THAT(Error({ops::Neg(scope, huge)}, {huge}), Contains("'huge:0'"));
  CHECK_THAT(Error({ops::PreventGradient(scope.WithOpName("no"), x)}, {x}), Contains("'no'"));
}

}  // namespace
}  // namespace millrace
