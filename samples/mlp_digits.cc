// Trains a network of two layers to read digits. The digits are drawn here, with
// noise, at random places; the accuracy is that on digits it has never seen.
//
//   mlp_digits
#include <array>
#include <cstdio>
#include <random>
#include <string_view>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/training/training.h"
#include "millrace/runtime/session/session.h"

using namespace millrace;

namespace {

constexpr int kSide = 10, kPixels = kSide * kSide, kBatch = 100, kSteps = 600;

// Five columns by seven rows a digit.
constexpr std::array<std::string_view, 10> kGlyphs = {
    "01110100011001110101110011000101110", "00100011000010000100001000010001110", "01110100010000100110010001000011111",
    "11110000010000101110000010000111110", "00010001100101010010111110001000010", "11111100001111000001000011000101110",
    "00110010001000011110100011000101110", "11111000010001000100010000100001000", "01110100011000101110100011000101110",
    "01110100011000101111000010001001100"};

struct Digits {
  Tensor images, labels;  // [n, kPixels] and [n]
};

Digits Draw(int count, std::mt19937& random) {
  std::uniform_int_distribution<int> any_digit(0, 9), left(0, kSide - 5), top(0, kSide - 7);
  std::uniform_real_distribution<float> any_ink(0.6f, 1.0f);
  std::normal_distribution<float> noise(0.0f, 0.2f);
  std::vector<float> images(static_cast<size_t>(count) * kPixels);
  std::vector<int32_t> labels(static_cast<size_t>(count));
  for (float& pixel : images) pixel = noise(random);
  for (int i = 0; i < count; ++i) {
    const int digit = labels[static_cast<size_t>(i)] = any_digit(random);
    const int x = left(random), y = top(random);
    const float ink = any_ink(random);
    for (int k = 0; k < 35; ++k) {
      if (kGlyphs[static_cast<size_t>(digit)][static_cast<size_t>(k)] == '0') continue;
      images[static_cast<size_t>(i * kPixels + (y + k / 5) * kSide + x + k % 5)] += ink;
    }
  }
  return {Tensor::Of<float>(Shape({count, kPixels}), images), Tensor::Of<int32_t>(Shape({count}), labels)};
}

// A layer of `units`, with weights and biases of its own: "name/w" and "name/b".
Output Dense(const Scope& parent, std::string_view name, const Output& x, int64_t inputs, int64_t units) {
  Scope scope = VariableScope(parent, name);
  Variable w = GetVariable(scope, "w", Shape({inputs, units}), DType::kFloat, GlorotUniformInitializer());
  Variable b = GetVariable(scope, "b", Shape({units}), DType::kFloat, ZerosInitializer());
  return ops::BiasAdd(scope, ops::MatMul(scope, x, w), b);
}

Status Train() {
  Scope root = Scope::NewRoot();
  SetRandomSeed(root, 1);  // the same initial weights in every run
  Output images = ops::Placeholder(root.WithOpName("images"), DType::kFloat, {.shape = Shape({-1, kPixels})});
  Output labels = ops::Placeholder(root.WithOpName("labels"), DType::kInt32, {.shape = Shape({-1})});

  Output hidden = ops::Relu(root, Dense(root, "hidden", images, kPixels, 64));
  Output logits = Dense(root, "out", hidden, 64, 10);
  Output losses = ops::SparseSoftmaxCrossEntropyWithLogits(root, logits, labels).loss;
  Output loss = ops::Mean(root.WithOpName("loss"), losses, 0);
  Output right = ops::Equal(root, ops::ArgMax(root, logits, 1, {.output_type = DType::kInt32}), labels);
  Output accuracy = ops::Mean(root.WithOpName("accuracy"), ops::Cast(root, right, DType::kFloat), 0);

  // Momentum with a rate that falls along a cosine, on gradients clipped to norm 1.
  Variable step = GlobalStep(root);
  Output rate = CosineDecay(root, 0.2, step, kSteps);
  MomentumOptimizer optimizer(rate, 0.9);
  auto gradients = optimizer.ComputeGradients(root, loss);
  gradients = ClipByGlobalNorm(root, gradients, 1.0);
  Operation train = optimizer.ApplyGradients(root, gradients, {.global_step = step});
  Operation init = InitializeVariables(root);
  MR_RETURN_IF_ERROR(root.status());

  MR_ASSIGN_OR_RETURN(auto session, Session::New(root.graph()));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {init}).status());
  std::mt19937 random(1);
  for (int i = 0; i < kSteps; ++i) {
    const Digits batch = Draw(kBatch, random);
    MR_ASSIGN_OR_RETURN(auto results,
                        session->Run({{images, batch.images}, {labels, batch.labels}}, {loss, accuracy}, {train}));
    if (i % 100 == 0) {
      std::printf("step %3d  loss %.3f  accuracy %.2f\n", i, results[0].elements<float>()[0],
                  results[1].elements<float>()[0]);
    }
  }
  const Digits unseen = Draw(1000, random);
  MR_ASSIGN_OR_RETURN(auto results, session->Run({{images, unseen.images}, {labels, unseen.labels}}, {accuracy}));
  std::printf("%.0f of 1000 unseen digits are read right\n", 1000 * results[0].elements<float>()[0]);
  return OkStatus();
}

}  // namespace

int main() {
  const Status status = Train();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
