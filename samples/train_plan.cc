// The same training from a plan, in a process without a compiler: links
// libmillrace_runtime alone. The plan is made once, by
//
//   graphc compile samples/data/quadratic_fit.pb -o fit.plan --signature 'init: target=init'
//       --signature 'train: feed=x,y fetch=loss target=train' --signature 'weights: fetch=w/read'
//   train_plan fit.plan
#include <cstdio>
#include <memory>
#include <random>

#include "millrace/runtime/executor/runner.h"

namespace {

using millrace::Shape;
using millrace::Status;
using millrace::Tensor;
using millrace::TensorView;

Status Train(const char* path) {
  MR_ASSIGN_OR_RETURN(auto runner, millrace::Runner::FromFile(path));
  MR_ASSIGN_OR_RETURN(auto init, runner->Prepare("init"));
  MR_ASSIGN_OR_RETURN(auto train, runner->Prepare("train"));
  MR_ASSIGN_OR_RETURN(auto weights, runner->Prepare("weights"));
  std::vector<Tensor> results;
  MR_RETURN_IF_ERROR(init->Run({}, &results));

  // The prepared call works on our own memory: nothing is allocated or copied.
  const Tensor x = Tensor::Of<float>(Shape({100}), std::vector<float>(100));
  const Tensor y = Tensor::Of<float>(Shape({100}), std::vector<float>(100));
  const Tensor loss = Tensor::Scalar(0.0f);
  const TensorView feeds[] = {x.view(), y.view()};
  const TensorView outputs[] = {loss.view()};

  std::mt19937 random(1);
  std::uniform_real_distribution<float> place(-1.5f, 1.5f);
  std::normal_distribution<float> noise(0.0f, 0.05f);
  for (int step = 0; step < 1000; ++step) {
    for (size_t i = 0; i < 100; ++i) {
      const float at = place(random);
      x.elements<float>()[i] = at;
      y.elements<float>()[i] = 5 * at * at + 3 + noise(random);
    }
    MR_RETURN_IF_ERROR(train->RunInto(feeds, outputs));
    if (step % 250 == 0) std::printf("step %4d  loss %.5f\n", step, loss.elements<float>()[0]);
  }
  MR_RETURN_IF_ERROR(weights->Run({}, &results));
  const auto w = results[0].elements<float>();
  std::printf("w = [%.3f, %.3f, %.3f], expected near [5, 0, 3]\n", w[0], w[1], w[2]);
  return millrace::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train_plan PLAN\n");
    return 2;
  }
  const Status status = Train(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
