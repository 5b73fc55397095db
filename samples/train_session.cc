// Trains a graph that TensorFlow exported: variables, gradients and the Adam
// update are nodes of the graph; Session compiles it and runs it step by step.
//
//   train_session samples/data/quadratic_fit.pb
#include <cstdio>
#include <memory>
#include <random>

#include "millrace/ops/graph/load.h"
#include "millrace/runtime/session/session.h"

namespace {

using millrace::Shape;
using millrace::Status;
using millrace::Tensor;

// 100 points of y = 5 x^2 + 3 with a little noise.
std::pair<Tensor, Tensor> Batch(std::mt19937& random) {
  std::uniform_real_distribution<float> place(-1.5f, 1.5f);
  std::normal_distribution<float> noise(0.0f, 0.05f);
  std::vector<float> x(100), y(100);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = place(random);
    y[i] = 5 * x[i] * x[i] + 3 + noise(random);
  }
  return {Tensor::Of<float>(Shape({100}), x), Tensor::Of<float>(Shape({100}), y)};
}

Status Train(const char* path) {
  MR_ASSIGN_OR_RETURN(auto graph, millrace::LoadGraph(path));
  MR_ASSIGN_OR_RETURN(auto session, millrace::Session::New(graph));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {"init"}).status());

  std::mt19937 random(1);
  for (int step = 0; step < 1000; ++step) {
    const auto [x, y] = Batch(random);
    MR_ASSIGN_OR_RETURN(auto results, session->Run({{"x:0", x}, {"y:0", y}}, {"loss:0"}, {"train"}));
    if (step % 250 == 0) std::printf("step %4d  loss %.5f\n", step, results[0].elements<float>()[0]);
  }
  MR_ASSIGN_OR_RETURN(auto results, session->Run({}, {"w/read:0"}));
  const auto w = results[0].elements<float>();
  std::printf("w = [%.3f, %.3f, %.3f], expected near [5, 0, 3]\n", w[0], w[1], w[2]);
  return millrace::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train_session GRAPH\n");
    return 2;
  }
  const Status status = Train(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
