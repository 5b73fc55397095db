// Trains an exported graph through the C interface, from C++: a few lines make its
// objects delete themselves.
//
//   c++ -std=c++17 train.cc -o train -I PREFIX/include -L PREFIX/lib -l:libtensorflow.so.2
//   train ../data/quadratic_fit.pb
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "millrace/runtime/c_api/c_api.h"

namespace {

struct Deleter {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
  void operator()(TF_Buffer* buffer) const { TF_DeleteBuffer(buffer); }
  void operator()(TF_Graph* graph) const { TF_DeleteGraph(graph); }
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  void operator()(TF_Session* session) const {
    TF_Status* const ignored = TF_NewStatus();
    TF_DeleteSession(session, ignored);
    TF_DeleteStatus(ignored);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

void Check(const Owned<TF_Status>& status, const char* what) {
  if (TF_GetCode(status.get()) == TF_OK) return;
  std::fprintf(stderr, "train: %s: %s\n", what, TF_Message(status.get()));
  std::exit(1);
}

// A tensor over the vector's elements, which outlive it.
Owned<TF_Tensor> Borrow(std::vector<float>& values) {
  const int64_t extent = static_cast<int64_t>(values.size());
  const auto keep = [](void*, size_t, void*) {};
  return Owned<TF_Tensor>(
      TF_NewTensor(TF_FLOAT, &extent, 1, values.data(), values.size() * sizeof(float), keep, nullptr));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train GRAPH\n");
    return 2;
  }
  const Owned<TF_Status> status(TF_NewStatus());
  std::ifstream file(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const Owned<TF_Graph> graph(TF_NewGraph());
  const Owned<TF_Buffer> def(TF_NewBufferFromString(bytes.data(), bytes.size()));
  TF_GraphImportGraphDef(graph.get(), def.get(), nullptr, status.get());
  Check(status, argv[1]);
  const auto node = [&](const char* name) {
    TF_Operation* const found = TF_GraphOperationByName(graph.get(), name);
    if (found == nullptr) TF_SetStatus(status.get(), TF_NOT_FOUND, "is no node of the graph");
    Check(status, name);
    return found;
  };
  const Owned<TF_Session> session(TF_NewSession(graph.get(), nullptr, status.get()));
  Check(status, "session");

  const TF_Operation* const init = node("init");
  TF_SessionRun(session.get(), nullptr, nullptr, nullptr, 0, nullptr, nullptr, 0, &init, 1, nullptr, status.get());
  Check(status, "init");

  // 100 points of y = 5 x^2 + 3 with a little noise a step.
  std::mt19937 random(1);
  std::uniform_real_distribution<float> place(-1.5f, 1.5f);
  std::normal_distribution<float> noise(0.0f, 0.05f);
  std::vector<float> x(100), y(100);
  const Owned<TF_Tensor> xs = Borrow(x), ys = Borrow(y);
  const TF_Output feeds[] = {{node("x"), 0}, {node("y"), 0}};
  TF_Tensor* const values[] = {xs.get(), ys.get()};
  const TF_Output loss = {node("loss"), 0};
  const TF_Operation* const train = node("train");
  for (int step = 0; step < 1000; ++step) {
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = place(random);
      y[i] = 5 * x[i] * x[i] + 3 + noise(random);
    }
    TF_Tensor* result = nullptr;
    TF_SessionRun(session.get(), nullptr, feeds, values, 2, &loss, &result, 1, &train, 1, nullptr, status.get());
    Check(status, "train");
    const Owned<TF_Tensor> owned(result);
    if (step % 250 == 0) {
      std::printf("step %4d  loss %.5f\n", step, static_cast<double>(*static_cast<float*>(TF_TensorData(result))));
    }
  }

  const TF_Output weights = {node("w/read"), 0};
  TF_Tensor* result = nullptr;
  TF_SessionRun(session.get(), nullptr, nullptr, nullptr, 0, &weights, &result, 1, nullptr, 0, nullptr, status.get());
  Check(status, "w");
  const Owned<TF_Tensor> owned(result);
  const float* const w = static_cast<const float*>(TF_TensorData(result));
  std::printf("w = [%.3f, %.3f, %.3f], expected near [5, 0, 3]\n", static_cast<double>(w[0]), static_cast<double>(w[1]),
              static_cast<double>(w[2]));
  return 0;
}
