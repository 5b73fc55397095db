// Ops of a program's own: they are built, inferred, run and differentiated as the
// built-in ones are, and what they get wrong is said.
#include <cmath>
#include <stdexcept>
#include <thread>

#include "millrace/ops/builder/host_call.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/user/expression_op.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Tensor Vector(std::vector<float> v) {
  const auto n = static_cast<int64_t>(v.size());
  return Tensor::Of<float>(Shape({n}), v);
}

std::vector<float> Values(const Tensor& t) { return {t.elements<float>().begin(), t.elements<float>().end()}; }

struct Program {
  std::unique_ptr<Registry> registry = Registry::Extending();
  Scope scope = Scope::NewRoot(*registry);
  Output x;

  Output Feed() {
    scope = Scope::NewRoot(*registry);
    x = ops::Placeholder(scope.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
    return x;
  }
  Result<std::vector<Tensor>> Run(const Tensor& feed, const std::vector<std::string>& fetches) {
    MR_RETURN_IF_ERROR(scope.status());
    MR_ASSIGN_OR_RETURN(auto session, Session::New(scope.graph()));
    return session->Run({{x, feed}}, fetches);
  }
};

bool Has(const Status& s, std::string_view text) { return s.ToString().find(text) != std::string::npos; }

struct ScaledSum {
  template <class S>
  static S Of(S x, S y) {
    return x * S(0.5) + y;
  }
};

TEST_CASE("an expression op has every dtype it names, broadcasts, and fits among built-in ops") {
  Program p;
  p.registry->Define("ScaledSum")
      .Input("x: T")
      .Input("y: T")
      .Output("z: T")
      .Attr("T: {bfloat16, half, float, double, int32}")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(ExpressionOf<ScaledSum, float, double, Half>());
  const Output x = p.Feed();
  const Output z = Call(p.scope, "ScaledSum", {ops::Exp(p.scope, x), ops::Reshape(p.scope, x, {-1, 1})}).output();
  const Output wide = Call(p.scope, "ScaledSum", {ops::Cast(p.scope, x, DType::kDouble), 1}).output();
  const Output half =
      ops::Cast(p.scope, Call(p.scope, "ScaledSum", {ops::Cast(p.scope, x, DType::kHalf), 2}).output(), DType::kFloat);
  const auto found = p.Run(Vector({0, 1, 2}), {z, wide, half});
  MR_REQUIRE_OK(found);
  CHECK((*found)[0].shape() == Shape({3, 3}));
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      CHECK((*found)[0].elements<float>()[static_cast<size_t>(3 * i + j)] ==
            Approx(0.5 * std::exp(j) + i).epsilon(1e-6));
    }
  }
  CHECK((*found)[1].elements<double>()[2] == 2.0);
  CHECK(Values((*found)[2]) == std::vector<float>{2, 2.5f, 3});

  // A dtype that the definition names and the expression lacks is an error that says so.
  Program q;
  q.registry->Define("ScaledSum")
      .Input("x: T")
      .Input("y: T")
      .Output("z: T")
      .Attr("T: {float, int32}")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(ExpressionOf<ScaledSum, float>());
  q.Feed();
  const Output whole = ops::Cast(q.scope, q.x, DType::kInt32);
  const auto error = q.Run(Vector({1}), {Call(q.scope.WithOpName("sum"), "ScaledSum", {whole, whole}).output()});
  REQUIRE_FALSE(error.ok());
  INFO(error.status().ToString());
  CHECK(Has(error.status(), "'sum' (ScaledSum)"));
  CHECK(Has(error.status(), "int32"));
}

Status HalfShape(InferenceContext& ctx) {
  ctx.set_output(0, SymShape({ctx.dims().FloorDiv(ctx.input(0).dims[0], 2)}));
  return OkStatus();
}
template <int kMode>
Status RunLie(KernelContext& ctx) {
  if (kMode == 0) return ctx.SetOutput(0, Vector({1, 2, 3, 4, 5}));                  // another shape
  if (kMode == 1) return ctx.SetOutput(0, Tensor::Of<int32_t>(Shape({2}), {1, 2}));  // another dtype
  if (kMode == 2) return ctx.AllocateOutput(0, std::vector<int64_t>{7});             // another shape
  return OkStatus();
}
Status RunNothing(KernelContext&) { return OkStatus(); }

TEST_CASE("a kernel that does not do what its shape function says is named") {
  Program p;
  const auto define = [&](const char* name, ShapeFn shape, KernelFactory kernel) {
    p.registry->Define(name).Input("x: float").Output("y: float").Shape(shape).Kernel("CPU", kernel);
  };
  define("LieShape", HalfShape, MakeKernel<RunLie<0>>);
  define("LieDType", HalfShape, MakeKernel<RunLie<1>>);
  define("LieAllocate", HalfShape, MakeKernel<RunLie<2>>);
  define("LieNothing", shape_fns::UnknownOutputs, MakeKernel<RunNothing>);
  const auto error = [&](const char* op) {
    const Output x = p.Feed();
    const auto found = p.Run(Vector({1, 2, 3, 4}), {Call(p.scope.WithOpName("liar"), op, {x}).output()});
    REQUIRE_FALSE(found.ok());
    INFO(found.status().ToString());
    CHECK(found.status().node() == "liar");
    CHECK(found.status().op() == op);
    return found.status();
  };
  CHECK(Has(error("LieShape"), "expected an output of shape [2], found [5]"));
  CHECK(Has(error("LieDType"), "expected dtype float, found int32"));
  CHECK(Has(error("LieAllocate"), "expected an output of shape [2], found [7]"));
  CHECK(Has(error("LieNothing"), "the kernel gave it no shape"));
}

TEST_CASE("a definition that is not complete is refused before anything runs") {
  Program p;
  p.registry->Define("Exp").Input("x: float").Output("y: float").Shape(shape_fns::Unchanged);
  const Output x = p.Feed();
  const auto found = p.Run(Vector({1}), {x});
  REQUIRE_FALSE(found.ok());
  CHECK(Has(found.status(), "op 'Exp' is defined twice"));
}

template <int kMode>
void LyingGradient(GradientContext& g) {
  if (kMode == 0) g.set(0, ops::Cast(g, g.grad(), DType::kDouble));
  if (kMode == 1) g.set(0, ops::Reshape(g, g.grad(), {-1, 1, 1}));
  if (kMode == 2) g.set(7, g.grad());
}

TEST_CASE("a gradient function that lies about dtype, rank or input is named") {
  Program p;
  const auto define = [&](const char* name, GradientFn gradient) {
    p.registry->Define(name).Input("x: float").Output("y: float").Shape(shape_fns::Unchanged).Gradient(gradient);
  };
  define("LieDType", LyingGradient<0>);
  define("LieRank", LyingGradient<1>);
  define("LieInput", LyingGradient<2>);
  for (const char* op : {"LieDType", "LieRank", "LieInput"}) {
    const Output x = p.Feed();
    Gradients(p.scope, {Call(p.scope.WithOpName("liar"), op, {x}).output()}, {x});
    INFO(p.scope.status().ToString());
    REQUIRE_FALSE(p.scope.ok());
    CHECK(Has(p.scope.status(), "liar"));
    CHECK(Has(p.scope.status(), op));
  }
}

TEST_CASE("a gradient is chosen by name, node by node") {
  Program p;
  p.registry->DefineGradient("Tenfold", [](GradientContext& g) { g.set(0, 10 * g.grad()); });
  const Output x = p.Feed();
  const Output usual = ops::Identity(p.scope, x);
  const Output other = ops::Identity(p.scope.WithGradientOverride("Identity", "Tenfold"), x);
  const Output gradient = Gradients(p.scope, {usual + other}, {x})[0].dense();
  const auto found = p.Run(Vector({1, 2}), {gradient});
  MR_REQUIRE_OK(found);
  CHECK(Values((*found)[0]) == std::vector<float>{11, 11});

  const Output lost = ops::Identity(p.scope.WithGradientOverride("Identity", "NoSuch"), x);
  Gradients(p.scope, {lost}, {x});
  CHECK(Has(p.scope.status(), "NoSuch"));
}

TEST_CASE("a callback answers tensors of any shape, with the host's floating-point state") {
  Program p;
  const Output x = p.Feed();
  float denormal = 0;
  const auto outputs = HostCall(p.scope,
                                [&](std::span<const TensorView> inputs, std::vector<Tensor>* out) {
                                  volatile float small = 1e-30f;
                                  denormal = small * 1e-10f;
                                  std::vector<float> twice;
                                  for (float v : inputs[0].elements<float>()) twice.insert(twice.end(), {v, v});
                                  *out = {Vector(twice), Tensor::Scalar<int64_t>(static_cast<int64_t>(twice.size()))};
                                  return OkStatus();
                                },
                                {x}, {DType::kFloat, DType::kInt64});
  const auto found = p.Run(Vector({1, 2}), {ops::Sum(p.scope, outputs[0], {0}), outputs[0], outputs[1]});
  MR_REQUIRE_OK(found);
  CHECK((*found)[0].elements<float>()[0] == 6);
  CHECK(Values((*found)[1]) == std::vector<float>{1, 1, 2, 2});
  CHECK((*found)[2].elements<int64_t>()[0] == 4);
  CHECK(denormal > 0);
}

TEST_CASE("what a callback gets wrong is an error of the run that names its node") {
  const auto error = [](Callback callback) {
    Program p;
    const Output x = p.Feed();
    const Output y = HostCall(p.scope.WithOpName("host"), std::move(callback), {x}, {DType::kFloat})[0];
    const auto found = p.Run(Vector({1}), {y});
    REQUIRE_FALSE(found.ok());
    CHECK(found.status().node() == "host");
    return found.status();
  };
  using Views = std::span<const TensorView>;
  using Tensors = std::vector<Tensor>;
  CHECK(Has(error([](Views, Tensors*) { return OkStatus(); }), "expected 1 outputs, found 0"));
  CHECK(Has(error([](Views, Tensors* out) {
              *out = {Tensor::Scalar<double>(1)};
              return OkStatus();
            }),
            "expected float, found double"));
  CHECK(Has(error([](Views, Tensors* out) {
              *out = {Tensor()};
              return OkStatus();
            }),
            "found no tensor"));
  CHECK(Has(error([](Views, Tensors*) { return OutOfRange("no more data"); }), "OUT_OF_RANGE"));
  CHECK(Has(error([](Views, Tensors*) -> Status { throw std::runtime_error("lost the thread"); }), "lost the thread"));
  CHECK(Has(error([](Views, Tensors*) -> Status { throw 7; }), "threw"));
}

TEST_CASE("a callback lives as long as its graph, and a graph without one says so") {
  GraphDef def;
  {
    Program p;
    const Output x = p.Feed();
    HostCall(p.scope.WithOpName("host"),
             [](std::span<const TensorView>, std::vector<Tensor>* out) {
               *out = {Tensor::Scalar<float>(5)};
               return OkStatus();
             },
             {x}, {DType::kFloat});
    def = p.scope.graph()->ToGraphDef();
    MR_REQUIRE_OK(p.Run(Vector({1}), {"host:0"}));
  }
  auto graph = std::make_shared<Graph>();
  MR_REQUIRE_OK(graph->Import(def));
  auto session = Session::New(graph);
  MR_REQUIRE_OK(session);
  const auto found = (*session)->Run({{"x:0", Vector({1})}}, {"host:0"});
  REQUIRE_FALSE(found.ok());
  CHECK(found.status().node() == "host");
  CHECK(Has(found.status(), "expected a callback registered as 'millrace_callback_"));
}

TEST_CASE("callbacks run from several threads at once") {
  Program p;
  const Output x = p.Feed();
  std::atomic<int> calls{0};
  const Output y = HostCall(p.scope,
                            [&](std::span<const TensorView> inputs, std::vector<Tensor>* out) {
                              ++calls;
                              *out = {Vector({inputs[0].elements<float>()[0] + 1})};
                              return OkStatus();
                            },
                            {x}, {DType::kFloat})[0];
  auto session = Session::New(p.scope.graph());
  MR_REQUIRE_OK(session);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto found = (*session)->Run({{"x:0", Vector({static_cast<float>(t)})}}, {y});
        if (found.ok() && (*found)[0].elements<float>()[0] == static_cast<float>(t + 1)) ++right;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(right == 200);
  CHECK(calls == 200);
}

}  // namespace
}  // namespace millrace
