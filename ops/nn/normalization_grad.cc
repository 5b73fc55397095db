// Gradients of batch normalisation, of its gradient, and of LRN.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/call_like.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

// Only what flows into y counts, as in the original: the statistics that the op
// answers are not differentiated.
void BatchNormGradient(GradientContext& g, const char* op) {
  const bool training = g.attr<bool>("is_training");
  // In training the statistics of the batch, as the forward op kept them.
  const Output mean = training ? g.output(3) : g.input(3), variance = training ? g.output(4) : g.input(4);
  std::vector<Argument> arguments = {g.grad(0), g.input(0), g.input(1), mean, variance};
  if (g.num_outputs() > 5) arguments.emplace_back(g.output(5));
  // Version 2 and 3 take the scale in float whatever the image's dtype.
  const Operation back = CallLike(g, op, arguments);
  for (int i = 0; i < 3; ++i) g.set(i, back.output(i));
}
void BatchNormV1Gradient(GradientContext& g) { BatchNormGradient(g, "FusedBatchNormGrad"); }
void BatchNormV2Gradient(GradientContext& g) { BatchNormGradient(g, "FusedBatchNormGradV2"); }
void BatchNormV3Gradient(GradientContext& g) { BatchNormGradient(g, "FusedBatchNormGradV3"); }

// Second order: the gradient op (inputs dy, x, scale, mean, variance) is written
// out with element-wise ops and means, and that is differentiated. In training the
// statistics are functions of x and nothing is left for their inputs.
void BatchNormGradGradient(GradientContext& g) {
  const bool training = g.attr<bool>("is_training");
  const std::string& format = g.attr<std::string>("data_format");
  const int rank = static_cast<int>(format.size());
  const int channels = format.back() == 'C' ? rank - 1 : 1;
  std::vector<int> others, per_channel(format.size(), 1);
  for (int i = 0; i < rank; ++i) {
    if (i != channels) others.push_back(i);
  }
  per_channel[static_cast<size_t>(channels)] = -1;

  // Leaves of their own: the operands may depend on one another.
  std::vector<Output> leaves;
  const auto leaf = [&](int i) {
    leaves.push_back(ops::Identity(g, g.input(i)));
    return ops::Cast(g, leaves.back(), DType::kFloat);
  };
  const auto vector_leaf = [&](int i) { return ops::Reshape(g, leaf(i), per_channel); };
  const auto mean_of = [&](const Output& v) { return ops::Mean(g, v, others, {.keep_dims = true}); };
  const Output dy = leaf(0), x = leaf(1), scale = vector_leaf(2);
  const Output mean = training ? mean_of(x) : vector_leaf(3);
  const Output centred = x - mean;
  const Output variance = training ? mean_of(ops::Square(g, centred)) : vector_leaf(4);
  const Output inverse = ops::Rsqrt(g, variance + static_cast<double>(g.attr<float>("epsilon")));
  Output slope = dy;
  if (training) slope = (dy - mean_of(dy)) - centred * ops::Square(g, inverse) * mean_of(dy * centred);
  std::vector<Output> ys = {ops::Cast(g, scale * inverse * slope, g.type()),
                            ops::Sum(g, dy * centred * inverse, others), ops::Sum(g, dy, others)};
  std::vector<Output> reached, grads;
  for (int i = 0; i < 3; ++i) {
    if (!g.has_grad(i)) continue;
    reached.push_back(ys[static_cast<size_t>(i)]);
    grads.push_back(g.grad(i));
  }
  GradientOptions options;
  options.grad_ys = std::move(grads);
  const std::vector<Gradient> results = Gradients(g, reached, leaves, options);
  for (size_t i = 0; i < results.size(); ++i) g.set(static_cast<int>(i), results[i]);
}

void LrnGradient(GradientContext& g) { g.set(0, CallLike(g, "LRNGrad", {g.grad(), g.input(), g.output()})); }

void L2LossGradient(GradientContext& g) { g.set(0, g.input() * g.grad()); }

}  // namespace

namespace gradients {

void normalization(GradientTable& t) {
  t.Define("FusedBatchNorm", BatchNormV1Gradient);
  t.Define("FusedBatchNormV2", BatchNormV2Gradient);
  t.Define("FusedBatchNormV3", BatchNormV3Gradient);
  for (const char* op : {"FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3"}) {
    t.Define(op, BatchNormGradGradient);
  }
  t.Define("LRN", LrnGradient);
  t.Define("LRNGrad", RefuseGradient);
  t.Define("L2Loss", L2LossGradient);
}

}  // namespace gradients
}  // namespace millrace
