// Ops of a program's own: as one scalar expression, as a kernel, as a callback,
// each with its gradient, and a gradient chosen by name. They stand beside the
// built-in ops in every respect: shapes are checked where a node is built, runs
// are compiled, gradients pass through them.
//
//   custom_op
#include <algorithm>
#include <cstdio>
#include <vector>

#include "millrace/ops/builder/host_call.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/user/expression_op.h"
#include "millrace/runtime/session/session.h"

using namespace millrace;

namespace {

// --- An expression: relu, element by element, for any shape and several dtypes ---

struct Relu {
  template <class S>
  static S Of(S x) {
    return Maximum(x, Zero(x));
  }
};

// The gradient passes where the input was above 0.
Output WherePositive(GradientContext& g) {
  return ops::Select(g, g.input() > 0, g.grad(), ops::ZerosLike(g, g.grad()));
}
void ReluGradient(GradientContext& g) { g.set(0, WherePositive(g)); }

void DefineRelu(Registry& registry) {
  registry.Define("MyRelu")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: {half, float, double}")
      .Doc("max(x, 0), element by element.")
      .Shape(shape_fns::Unchanged)
      .Gradient(ReluGradient)
      .Elementwise(ExpressionOf<Relu, Half, float, double>());
}

// --- A kernel: the outer product of two vectors ---

Status OuterShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  if (!ctx.input(0).has_rank || !ctx.input(1).has_rank) return OkStatus();
  ctx.set_output(0, SymShape({ctx.input(0).dims[0], ctx.input(1).dims[0]}));
  return OkStatus();
}

// The shapes are as OuterShape says: the run has checked them.
Status RunOuter(KernelContext& ctx) {
  const auto x = ctx.input(0).elements<float>(), y = ctx.input(1).elements<float>();
  float* const product = ctx.output(0).as<float>();
  const auto columns = static_cast<int64_t>(y.size());
  ctx.ParallelFor(static_cast<int64_t>(x.size()), BlockFor(1.0 * static_cast<double>(columns)),
                  [&](int64_t begin, int64_t end, int) {
                    for (int64_t i = begin; i < end; ++i) {
                      for (int64_t j = 0; j < columns; ++j) {
                        product[i * columns + j] = x[static_cast<size_t>(i)] * y[static_cast<size_t>(j)];
                      }
                    }
                  });
  return OkStatus();
}

void OuterGradient(GradientContext& g) {
  const auto column = [&](const Output& v) { return ops::ExpandDims(g, v, 1); };
  g.set(0, ops::Squeeze(g, ops::MatMul(g, g.grad(), column(g.input(1))), {.squeeze_dims = {1}}));
  g.set(1, ops::Squeeze(g, ops::MatMul(g, g.grad(), column(g.input(0)), {.transpose_a = true}), {.squeeze_dims = {1}}));
}

void DefineOuter(Registry& registry) {
  registry.Define("MyOuter")
      .Input("x: float")
      .Input("y: float")
      .Output("product: float")
      .Doc("x[i] * y[j], a matrix.")
      .Shape(OuterShape)
      .Gradient(OuterGradient)
      .Kernel("CPU", MakeKernel<RunOuter>);
}

// --- A callback: the program's own code at a run. Its node is a PyFunc ---

// Sorts a vector; outputs[1] says where each element came from.
Status Sort(std::span<const TensorView> inputs, std::vector<Tensor>* outputs) {
  const auto x = inputs[0].elements<float>();
  std::vector<int32_t> order(x.size());
  for (size_t i = 0; i < x.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return x[static_cast<size_t>(a)] < x[static_cast<size_t>(b)]; });
  std::vector<float> sorted;
  for (int32_t i : order) sorted.push_back(x[static_cast<size_t>(i)]);
  const Shape shape({static_cast<int64_t>(x.size())});
  *outputs = {Tensor::Of<float>(shape, sorted), Tensor::Of<int32_t>(shape, order)};
  return OkStatus();
}

// Each element's gradient goes back to where it came from.
void SortGradient(GradientContext& g) {
  const Output order = ops::ExpandDims(g, g.output(1), 1);
  g.set(0, ops::ScatterNd(g, order, g.grad(0), ops::Shape(g, g.input())));
}

// --- A gradient by name: relu whose gradient drops what is negative ---

void GuidedGradient(GradientContext& g) { g.set(0, ops::Relu(g, WherePositive(g))); }

void Print(const char* name, const Tensor& t) {
  std::printf("%-24s", name);
  for (float v : t.elements<float>()) std::printf(" %6.2f", v);
  std::printf("\n");
}

Status Show() {
  const std::unique_ptr<Registry> registry = Registry::Extending();
  DefineRelu(*registry);
  DefineOuter(*registry);
  registry->DefineGradient("Sort", SortGradient);
  registry->DefineGradient("Guided", GuidedGradient);

  Scope s = Scope::NewRoot(*registry);
  Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
  Output relu = Call(s, "MyRelu", {x}).output();
  Output outer = Call(s, "MyOuter", {x, x}).output();
  Output sorted = HostCall(s.WithGradientOverride("PyFunc", "Sort"), Sort, {x}, {DType::kFloat, DType::kInt32})[0];
  Output guided = Call(s.WithGradientOverride("MyRelu", "Guided"), "MyRelu", {x}).output();
  const Output weights = Const(s, {1.0f, -2.0f, 3.0f, -4.0f});

  const auto gradient = [&](const Output& y) { return Gradients(s, {y}, {x})[0].dense(); };
  Output relu_gradient = gradient(ops::Sum(s, relu * weights, {0}));
  Output outer_gradient = gradient(ops::Sum(s, outer, {0, 1}));
  Output sorted_gradient = gradient(ops::Sum(s, sorted * weights, {0}));
  Output guided_gradient = gradient(ops::Sum(s, guided * weights, {0}));
  MR_RETURN_IF_ERROR(s.status());

  MR_ASSIGN_OR_RETURN(auto session, Session::New(s.graph()));
  const Tensor feed = Tensor::Of<float>(Shape({4}), {0.5f, 1.5f, -1.0f, 3.0f});
  MR_ASSIGN_OR_RETURN(auto results, session->Run({{x, feed}}, {relu, relu_gradient, outer, outer_gradient, sorted,
                                                               sorted_gradient, guided_gradient}));
  Print("x", feed);
  Print("relu", results[0]);
  Print("  gradient", results[1]);
  Print("outer product", results[2]);
  Print("  gradient", results[3]);
  Print("sorted by a callback", results[4]);
  Print("  gradient", results[5]);
  Print("guided relu's gradient", results[6]);

  // A node that does not fit is an error at the line that asks for it.
  Call(s, "MyOuter", {outer, x});
  std::printf("%s\n", s.status().ToString().c_str());
  return OkStatus();
}

}  // namespace

int main() {
  const Status status = Show();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
