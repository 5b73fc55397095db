// The examples of READMEs and headers as they stand there, each in a program that runs.
// tools/check/examples.py looks for their lines here.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/call_like.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/ops/training/training.h"
#include "millrace/ops/user/expression_op.h"
#include "millrace/runtime/session/gradient_checker.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

using namespace millrace;

namespace {

// --- README.md ---

Status Fit(const Tensor& points, const Tensor& values) {
  Scope root = Scope::NewRoot();
  Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape({-1, 1})});
  Output y = ops::Placeholder(root.WithOpName("y"), DType::kFloat, {.shape = Shape({-1, 1})});
  Variable w(root.WithOpName("w"), Shape({3, 1}), DType::kFloat, ZerosInitializer());
  Output features = ops::ConcatV2(root, {ops::Square(root, x), x, ops::OnesLike(root, x)}, 1);
  Output loss = ops::Mean(root, ops::Square(root, ops::MatMul(root, features, w) - y), {0, 1});
  Operation train = AdamOptimizer(0.1).Minimize(root, loss);
  Operation init = InitializeVariables(root);
  MR_RETURN_IF_ERROR(root.status());  // what did not fit, and the line that asked for it

  MR_ASSIGN_OR_RETURN(auto session, Session::New(root.graph()));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {init}).status());
  for (int step = 0; step < 1000; ++step) {
    MR_RETURN_IF_ERROR(session->Run({{x, points}, {y, values}}, {loss}, {train}).status());
  }
  // Not in the README: that it did fit.
  MR_ASSIGN_OR_RETURN(const auto weights, session->Run({}, {w.value()}));
  const auto found = weights[0].elements<float>();
  CHECK(std::abs(found[0] - 5) < 0.1f);
  CHECK(std::abs(found[1]) < 0.1f);
  CHECK(std::abs(found[2] - 3) < 0.1f);
  return OkStatus();
}

Status Classify(const Tensor& images) {
  MR_ASSIGN_OR_RETURN(auto graph, LoadGraph("digits_cnn.pb"));
  MR_ASSIGN_OR_RETURN(auto session, Session::New(graph));
  MR_ASSIGN_OR_RETURN(auto results, session->Run({{"images:0", images}}, {"digit:0"}));
  for (int64_t digit : results[0].elements<int64_t>()) std::printf("%lld\n", static_cast<long long>(digit));
  // Not in the README: which they are.
  CHECK(results[0].num_elements() == 200);
  CHECK(results[0].elements<int64_t>()[0] == 1);
  CHECK(results[0].elements<int64_t>()[1] == 3);
  return OkStatus();
}

// --- ops/user ---

struct Cube {
  template <class S>
  static S Of(S x) {
    return x * x * x;
  }
};
void CubeGradient(GradientContext& g) { g.set(0, g.grad() * ops::Square(g, g.input()) * 3.0f); }

struct Swish {
  template <class S>
  static S Of(S x) {
    return x * Sigmoid(x);
  }
};
void SwishGradient(GradientContext& g) {
  const Output s = ops::Sigmoid(g, g.input());
  g.set(0, g.grad() * (s + g.input() * s * (ops::OnesLike(g, s) - s)));
}

// --- ops/gradients ---

void TanhGradient(GradientContext& g) { g.set(0, ops::TanhGrad(g, g.output(), g.grad())); }

void LrnGradient(GradientContext& g) { g.set(0, CallLike(g, "LRNGrad", {g.grad(), g.input(), g.output()})); }

// --- ops/training/variable_scope.h ---

Output Layer(const Scope& parent, const Output& x) {
  Scope scope = VariableScope(parent, "layer", Reuse::kAuto);
  return ops::MatMul(scope, x, GetVariable(scope, "w", Shape({64, 64}), DType::kFloat));
}

Output Placeholder(const Scope& scope, const char* name, Shape shape) {
  return ops::Placeholder(scope.WithOpName(name), DType::kFloat, {.shape = std::move(shape)});
}

// A loss with a variable to train.
Output SomeLoss(const Scope& root) {
  const Variable w(root.WithOpName("w"), {3.0f, 4.0f});
  return ops::Sum(root, ops::Square(root, w), {0});
}

// What `fetch` is once everything is initialised, and `steps` were taken.
float ValueOf(const Scope& root, const Operation& init, const std::string& fetch, const std::string& step = {},
              int steps = 0) {
  MR_REQUIRE_OK(root.status());
  const auto session = Session::New(root.graph(), {.threads = 1});
  MR_REQUIRE_OK(session);
  MR_REQUIRE_OK((*session)->Run({}, {}, {init}));
  for (int i = 0; i < steps; ++i) MR_REQUIRE_OK((*session)->Run({}, {}, {step}));
  const auto results = (*session)->Run({}, {fetch});
  MR_REQUIRE_OK(results);
  return (*results)[0].elements<float>()[0];
}

}  // namespace

TEST_CASE("README: a model is built, differentiated and trained") {
  std::vector<float> x(100), y(100);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i) / 50 - 1;
    y[i] = 5 * x[i] * x[i] + 3;
  }
  MR_REQUIRE_OK(Fit(Tensor::Of(Shape({100, 1}), x), Tensor::Of(Shape({100, 1}), y)));
}

TEST_CASE("README: what TensorFlow exported is run") {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(MILLRACE_SAMPLES);
  const auto images = ReadNpy("digits_images.npy");
  MR_REQUIRE_OK(images);
  const Status status = Classify(*images);
  std::filesystem::current_path(before);
  MR_REQUIRE_OK(status);
}

TEST_CASE("ops/builder: layers in scopes") {
  {
    Scope root = Scope::NewRoot();
    Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape({-1, 784})});
    Scope layer = root.NewSubScope("layer1");
    Output w = ops::VariableV2(layer.WithOpName("w"), Shape({784, 100}), DType::kFloat);
    Output h = ops::Relu(layer, ops::MatMul(layer, x, w) + 0.5);
    if (!root.ok()) std::cerr << root.status();
    MR_REQUIRE_OK(root.status());
    CHECK(h.name() == "layer1/Relu:0");
  }
  Scope root = Scope::NewRoot();
  const Output w = Placeholder(root, "w", Shape({784, 10})), b = Placeholder(root, "b", Shape({10}));
  Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape({-1, 784})});
  Scope layer = root.NewSubScope("layer1");
  Output h = ops::Relu(layer, ops::MatMul(layer, x, w) + b);
  MR_REQUIRE_OK(root.status());
  CHECK(h.name() == "layer1/Relu:0");
}

TEST_CASE("ops/builder: an op of a program's own is called by name") {
  const auto registry = Registry::Extending();
  registry->Define("MyCube")
      .Input("x: float")
      .Output("y: float")
      .Attr("scale: float = 1.0")
      .Shape(shape_fns::Unchanged)
      .NoGradient("not asked for")
      .Elementwise(ExpressionOf<Cube, float>());
  const Scope scope = Scope::NewRoot(*registry);
  const Output x = Placeholder(scope, "x", Shape({-1}));
  Operation cube = Call(scope, "MyCube", {x}, {{"scale", 2.0f}});
  Output y = cube.output(0);
  MR_REQUIRE_OK(scope.status());
  CHECK(*y.node().attrs().at("scale").get<float>() == 2.0f);
}

TEST_CASE("ops/user: an op of one expression, and another") {
  std::unique_ptr<Registry> registry = Registry::Extending();  // the built-in ops, and more
  registry->Define("Cube")
      .Input("x: float")
      .Output("y: float")
      .Shape(shape_fns::Unchanged)
      .Gradient(CubeGradient)  // void CubeGradient(GradientContext& g)
      .Elementwise(ExpressionOf<Cube, float>());
  registry->Define("Swish")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: {float, double}")
      .Shape(shape_fns::Unchanged)
      .Gradient(SwishGradient)
      .Elementwise(ExpressionOf<Swish, float, double>());
  Scope root = Scope::NewRoot(*registry);
  const Output x = Placeholder(root, "x", Shape({-1}));
  Output y = Call(root, "Cube", {x}).output();
  const Output z = Call(root, "Swish", {x}).output();
  const auto gradients = Gradients(root, {y}, {x}), others = Gradients(root, {z}, {x});
  MR_REQUIRE_OK(root.status());
  const auto session = Session::New(root.graph());
  MR_REQUIRE_OK(session);
  const auto results =
      (*session)->Run({{x, Tensor::Of<float>(Shape({2}), {2, 0})}}, {y, gradients[0].dense(), z, others[0].dense()});
  MR_REQUIRE_OK(results);
  CHECK((*results)[0].elements<float>()[0] == 8);
  CHECK((*results)[1].elements<float>()[0] == 12);
  CHECK(std::abs((*results)[2].elements<float>()[0] - 1.7615942f) < 1e-6f);
  CHECK((*results)[3].elements<float>()[1] == 0.5f);
}

TEST_CASE("ops/gradients: gradients of a loss, dense and of rows") {
  const Scope scope = Scope::NewRoot();
  const Output weights = Placeholder(scope, "weights", Shape({2})), table = Placeholder(scope, "table", Shape({5, 2}));
  const Output rows = ops::GatherV2(scope, table, Const(scope, {1, 1}), 0);
  const Output loss = ops::Sum(scope, rows * weights, {0, 1});
  std::vector<Gradient> grads = Gradients(scope, {loss}, {weights, table});  // adds the nodes
  CHECK(grads[1].sparse());
  Output dense = grads[1].ToDense(scope);  // a gather's is IndexedSlices
  MR_REQUIRE_OK(scope.status());
  const auto session = Session::New(scope.graph());
  MR_REQUIRE_OK(session);
  const auto results = (*session)->Run({{weights, Tensor::Of<float>(Shape({2}), {3, 4})},
                                        {table, Tensor::Of<float>(Shape({5, 2}), std::vector<float>(10, 1))}},
                                       {grads[0].dense(), dense});
  MR_REQUIRE_OK(results);
  CHECK((*results)[0].elements<float>()[0] == 2);
  CHECK((*results)[1].elements<float>()[3] == 8);
}

TEST_CASE("ops/gradients: gradient functions of a program's own") {
  const auto registry = Registry::Extending();
  registry->DefineGradient("Ours", TanhGradient);
  registry->DefineGradient("OursOfLrn", LrnGradient);
  const Scope scope =
      Scope::NewRoot(*registry).WithGradientOverride("Tanh", "Ours").WithGradientOverride("LRN", "OursOfLrn");
  const Output x = Placeholder(scope, "x", Shape({1, 1, 1, 2}));
  const Output y = ops::Tanh(scope, ops::LRN(scope, x));
  MR_REQUIRE_OK(scope.status());
  const Result<GradientCheck> check = CheckGradient({y}, {x});
  MR_REQUIRE_OK(check);
  CHECK(check->worst_error < 1e-2);
}

TEST_CASE("runtime/session: gradients are checked against differences") {
  const Scope root = Scope::NewRoot();
  const Output weights = Const(root.WithOpName("weights"), {0.5, -1.0}), bias = Const(root.WithOpName("bias"), 0.25);
  const Output loss = ops::Sum(root, ops::Tanh(root, weights + bias), {0});
  MR_REQUIRE_OK(root.status());
  Result<GradientCheck> check = CheckGradient({loss}, {weights, bias});
  MR_REQUIRE_OK(check);
  CHECK(check->worst_error < 1e-6);
}

TEST_CASE("ops/training: variables and their initialisation") {
  const Scope root = Scope::NewRoot();
  const Output x = Placeholder(root, "x", Shape({-1, 784}));
  {
    Variable b(root.WithOpName("b"), {0.0, 0.0, 0.0});
    CHECK(b.shape() == Shape({3}));
  }
  Variable w(root.WithOpName("w"), Shape({784, 10}), DType::kFloat, GlorotUniformInitializer());
  const Variable b(root.WithOpName("c"), Shape({10}), DType::kFloat, ZerosInitializer());
  Output y = ops::MatMul(root, x, w) + b;
  Operation init = InitializeVariables(root);  // run it before anything else
  CHECK(y.shape().rank() == 2);
  CHECK(ValueOf(root, init, b.value()) == 0);
}

TEST_CASE("ops/training: an initialiser of a program's own, layers that share a variable, seeds") {
  const Scope root = Scope::NewRoot(), scope = root;
  int64_t n = 64;
  Variable w(root, Shape({n, n}), DType::kFloat, [n](At at, const Shape&, DType dtype) {
    return ops::MatrixDiag(at, ops::Fill(at, {n}, Const(at, 1.0f, dtype)));
  });
  const Output x = ops::Fill(root, {1, 64}, 1.0f);
  Output y = Layer(root, Layer(root, x));  // one variable, "layer/w"
  CHECK(Variables(root).size() == 2);
  const std::vector<int64_t> shape = {3};
  const auto [seed, seed2] = RandomSeeds(scope, 7);
  ops::RandomUniform(scope, shape, DType::kFloat, {.seed = seed, .seed2 = seed2});
  CHECK(seed2 == 7);
  CHECK(ValueOf(root, InitializeVariables(root), w.value()) == 1);
  CHECK(y.valid());
}

TEST_CASE("ops/training: optimisers, with clipped gradients and without") {
  {
    const Scope root = Scope::NewRoot();
    const Output loss = SomeLoss(root);
    AdamOptimizer optimizer(0.001);
    Operation train = optimizer.Minimize(root, loss);
    CHECK(ValueOf(root, InitializeVariables(root), loss, train, 10) < 25);
  }
  const Scope root = Scope::NewRoot();
  const Output loss = SomeLoss(root);
  AdamOptimizer optimizer(0.001);
  GradientsAndVariables gradients = optimizer.ComputeGradients(root, loss);
  Operation train = optimizer.ApplyGradients(root, ClipByGlobalNorm(root, gradients, 5.0));
  CHECK(ValueOf(root, InitializeVariables(root), loss, train, 10) < 25);
}

TEST_CASE("ops/training: a schedule, and averages of variables") {
  const Scope root = Scope::NewRoot();
  const Output loss = SomeLoss(root);
  Variable step = GlobalStep(root);
  AdamOptimizer optimizer(LinearWarmup(root, CosineDecay(root, 0.01, step, 10000), step, 500));
  ExponentialMovingAverage averages(0.999, {.num_updates = step});
  Operation train = optimizer.Minimize(root, loss, {.global_step = step});
  Operation update = averages.Apply(root.WithControlDependencies(train), TrainableVariables(root));
  CHECK(ValueOf(root, InitializeVariables(root), loss, update, 10) < 25);
}
