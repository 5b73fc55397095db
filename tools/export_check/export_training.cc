// export_training DIR: builds training graphs with gradients and updates expanded
// to standard nodes, trains each here, and writes DIR/<name>.pb, its feeds as
// DIR/<name>.<feed>.npy and its losses as DIR/<name>.losses.npy. The script beside
// it trains the same files with the reference.
#include <cmath>
#include <cstdio>
#include <fstream>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/io/npy.h"
#include "millrace/ops/training/training.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"

using namespace millrace;

namespace {

constexpr int kSteps = 200;

// Numbers that look random and are the same everywhere.
Tensor Points(const Shape& shape, double scale, int salt) {
  std::vector<float> values(static_cast<size_t>(*shape.NumElements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(scale * std::sin(12.9898 * static_cast<double>(i + 1) + salt));
  }
  return Tensor::Of<float>(shape, values);
}

struct Exported {
  std::string name;
  Scope root;
  std::vector<std::pair<Output, Tensor>> feeds;
  Output loss;
  Operation train;
};

Output Feed(Exported* e, std::string_view name, const Shape& open, Tensor value) {
  Output x = ops::Placeholder(e->root.WithOpName(name), value.dtype(), {.shape = open});
  e->feeds.emplace_back(x, std::move(value));
  return x;
}

// y = 5 x^2 + 3 by Adam, with variables of one kind or the other.
Exported Quadratic(bool resource) {
  Exported e{resource ? "quadratic_resource" : "quadratic_ref", Scope::NewRoot(), {}, {}, {}};
  const Scope& s = e.root;
  const Tensor points = Points(Shape({100, 1}), 1.5, 1);
  std::vector<float> values;
  for (float x : points.elements<float>()) values.push_back(5 * x * x + 3);
  Output x = Feed(&e, "x", Shape({-1, 1}), points);
  Output y = Feed(&e, "y", Shape({-1, 1}), Tensor::Of<float>(Shape({100, 1}), values));
  Variable w(s.WithOpName("w"), Points(Shape({3, 1}), 0.5, 2), {.resource = resource});
  Output features = ops::ConcatV2(s, {ops::Square(s, x), x, ops::OnesLike(s, x)}, 1);
  e.loss = ops::Mean(s.WithOpName("loss"), ops::Square(s, ops::MatMul(s, features, w) - y), {0, 1});
  e.train = AdamOptimizer(0.1).Minimize(s.WithOpName("train"), e.loss);
  return e;
}

// Rows of an embedding through two layers, gradients clipped, momentum with a
// falling rate: sliced gradients, broadcasts, softmax.
Exported Classifier() {
  Exported e{"classifier", Scope::NewRoot(), {}, {}, {}};
  const Scope& s = e.root;
  std::vector<int32_t> words(32 * 3), labels(32);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<int32_t>(i * i % 20);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = words[3 * i] % 4;
  Output ids = Feed(&e, "ids", Shape({-1, 3}), Tensor::Of<int32_t>(Shape({32, 3}), words));
  Output target = Feed(&e, "target", Shape({-1}), Tensor::Of<int32_t>(Shape({32}), labels));
  Variable table(s.WithOpName("table"), Points(Shape({20, 6}), 0.4, 3));
  Variable w1(s.WithOpName("w1"), Points(Shape({18, 16}), 0.3, 4)), b1(s.WithOpName("b1"), Points(Shape({16}), 0.1, 5));
  Variable w2(s.WithOpName("w2"), Points(Shape({16, 4}), 0.3, 6));
  Output rows = ops::ResourceGather(s, table.handle(), ids, DType::kFloat);
  Output hidden = ops::Tanh(s, ops::MatMul(s, ops::Reshape(s, rows, {-1, 18}), w1) + b1);
  Output losses = ops::SparseSoftmaxCrossEntropyWithLogits(s, ops::MatMul(s, hidden, w2), target).loss;
  e.loss = ops::Mean(s.WithOpName("loss"), losses, {0});
  Variable step = GlobalStep(s);
  MomentumOptimizer optimizer(ExponentialDecay(s, 0.5, step, 50, 0.7), 0.9);
  auto gradients = ClipByGlobalNorm(s, optimizer.ComputeGradients(s, e.loss), 1.0);
  e.train = optimizer.ApplyGradients(s.WithOpName("train"), gradients, {.global_step = step});
  return e;
}

// The loss holds the square of a gradient, so its own gradient is of second order.
Exported Penalty() {
  Exported e{"second_order", Scope::NewRoot(), {}, {}, {}};
  const Scope& s = e.root;
  Output x = Feed(&e, "x", Shape({-1, 4}), Points(Shape({24, 4}), 1.0, 7));
  Variable w(s.WithOpName("w"), Points(Shape({4, 3}), 0.8, 8));
  Output y = ops::Sum(s, ops::Sigmoid(s, ops::MatMul(s, x, w)), {0, 1});
  Output slope = Gradients(s, {y}, {x})[0].dense();
  Output penalty = ops::Mean(s, ops::Square(s, ops::Sqrt(s, ops::Sum(s, ops::Square(s, slope), {1}) + 1e-6) - 1), {0});
  e.loss = ops::AddV2(s.WithOpName("loss"), penalty, 0.01 * ops::Square(s, y));
  e.train = GradientDescentOptimizer(0.2).Minimize(s.WithOpName("train"), e.loss);
  return e;
}

Status Export(Exported e, const std::string& dir) {
  InitializeVariables(e.root.WithOpName("init"));
  if (!e.root.ok()) return e.root.status();
  std::ofstream(Cat(dir, "/", e.name, ".pb"), std::ios::binary) << SerializeGraphDef(e.root.graph()->ToGraphDef());
  std::vector<std::pair<std::string, Tensor>> feeds;
  for (const auto& [feed, value] : e.feeds) {
    feeds.emplace_back(feed, value);
    MR_RETURN_IF_ERROR(WriteNpy(Cat(dir, "/", e.name, ".", feed.node().name(), ".npy"), value));
  }
  MR_ASSIGN_OR_RETURN(auto session, Session::New(e.root.graph()));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {"init"}).status());
  std::vector<float> losses;
  for (int step = 0; step < kSteps; ++step) {
    MR_ASSIGN_OR_RETURN(const auto results, session->Run(feeds, {e.loss}, {e.train}));
    losses.push_back(results[0].elements<float>()[0]);
  }
  std::printf("%-20s %4zu nodes, loss %.6f to %.6f\n", e.name.c_str(), e.root.graph()->nodes().size(), losses.front(),
              losses.back());
  return WriteNpy(Cat(dir, "/", e.name, ".losses.npy"), Tensor::Of<float>(Shape({kSteps}), losses));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: export_training DIR\n");
    return 2;
  }
  for (Exported& e : std::vector<Exported>{Quadratic(false), Quadratic(true), Classifier(), Penalty()}) {
    const std::string name = e.name;
    if (const Status status = Export(std::move(e), argv[1]); !status.ok()) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
