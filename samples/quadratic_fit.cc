// Fits y = a x^2 + b x + c to noisy points: the graph, its gradients and the Adam
// update are built here and trained through Session.
//
//   quadratic_fit
#include <cstdio>
#include <random>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/training/training.h"
#include "millrace/runtime/session/session.h"

using namespace millrace;

namespace {

// 100 points of y = 5 x^2 + 3 with a little noise.
std::pair<Tensor, Tensor> Batch(std::mt19937& random) {
  std::uniform_real_distribution<float> place(-1.5f, 1.5f);
  std::normal_distribution<float> noise(0.0f, 0.05f);
  std::vector<float> x(100), y(100);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = place(random);
    y[i] = 5 * x[i] * x[i] + 3 + noise(random);
  }
  return {Tensor::Of<float>(Shape({100, 1}), x), Tensor::Of<float>(Shape({100, 1}), y)};
}

Status Fit() {
  // Nodes go into the scope's graph. -1 leaves the size of a batch open.
  Scope root = Scope::NewRoot();
  Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape({-1, 1})});
  Output y = ops::Placeholder(root.WithOpName("y"), DType::kFloat, {.shape = Shape({-1, 1})});
  Variable w(root.WithOpName("w"), Shape({3, 1}), DType::kFloat, RandomNormalInitializer({.seed = 1}));

  // The prediction w0 x^2 + w1 x + w2, and the mean of its squared errors.
  Output features = ops::ConcatV2(root, {ops::Square(root, x), x, ops::OnesLike(root, x)}, 1);
  Output error = ops::MatMul(root, features, w) - y;
  Output loss = ops::Mean(root.WithOpName("loss"), ops::Square(root, error), {0, 1});

  // Gradients and updates: running `train` takes one step.
  Operation train = AdamOptimizer(0.1).Minimize(root, loss);
  Operation init = InitializeVariables(root);

  // A call that does not fit leaves its error here, and later ones do nothing.
  MR_RETURN_IF_ERROR(root.status());

  MR_ASSIGN_OR_RETURN(auto session, Session::New(root.graph()));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {init}).status());
  std::mt19937 random(1);
  for (int step = 0; step < 1000; ++step) {
    const auto [points, values] = Batch(random);
    MR_ASSIGN_OR_RETURN(auto results, session->Run({{x, points}, {y, values}}, {loss}, {train}));
    if (step % 250 == 0) std::printf("step %4d  loss %.5f\n", step, results[0].elements<float>()[0]);
  }
  MR_ASSIGN_OR_RETURN(auto results, session->Run({}, {w.value()}));
  const auto found = results[0].elements<float>();
  std::printf("w = [%.3f, %.3f, %.3f], expected near [5, 0, 3]\n", found[0], found[1], found[2]);
  return OkStatus();
}

}  // namespace

int main() {
  const Status status = Fit();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
