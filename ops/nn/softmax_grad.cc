// Gradients of softmax and of the losses on logits.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/nn_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

Output RowSum(GradientContext& g, const Output& x) { return ops::Sum(g, x, {-1}, {.keep_dims = true}); }

// Of softmax(logits) = y.
Output ThroughSoftmax(GradientContext& g, const Output& y, const Output& dy) { return (dy - RowSum(g, dy * y)) * y; }

void SoftmaxGradient(GradientContext& g) { g.set(0, ThroughSoftmax(g, g.output(), g.grad())); }

void LogSoftmaxGradient(GradientContext& g) { g.set(0, g.grad() - ops::Exp(g, g.output()) * RowSum(g, g.grad())); }

// Losses have one number for each row.
Output ForEachColumn(GradientContext& g, const Output& loss) { return ops::ExpandDims(g, loss, -1); }

// Features and labels may be broadcast to the shape of output 1, a matrix.
bool Broadcast(GradientContext& g, int i) {
  const SymShape operand = g.input(i).shape(), result = g.output(1).shape();
  return !(operand == result && !operand.dims[0].unknown() && !operand.dims[1].unknown());
}
Output Features(GradientContext& g) {
  return Broadcast(g, 0) ? ops::BroadcastTo(g, g.input(0), ops::Shape(g, g.output(1))) : g.input(0);
}
void SetOperand(GradientContext& g, int i, const Output& by) {
  if (Broadcast(g, i)) {
    g.SetBroadcast(i, by);
  } else {
    g.set(i, by);
  }
}

// By the features: output 1 is the derivative of the loss. Where that output is
// itself differentiated (second order), it is softmax(features) - labels.
Output ByFeatures(GradientContext& g) {
  Output total;
  if (g.has_grad(0)) total = ForEachColumn(g, g.grad(0)) * g.output(1);
  if (!g.has_grad(1)) return total;
  const Output second = ThroughSoftmax(g, ops::Softmax(g, Features(g)), g.grad(1));
  return total.valid() ? total + second : second;
}

void CrossEntropyGradient(GradientContext& g) {
  SetOperand(g, 0, ByFeatures(g));
  if (!g.wanted(1)) return;
  Output labels;
  if (g.has_grad(0)) labels = -(ForEachColumn(g, g.grad(0)) * ops::LogSoftmax(g, Features(g)));
  if (g.has_grad(1)) labels = labels.valid() ? labels - g.grad(1) : -g.grad(1);
  SetOperand(g, 1, labels);
}

void SparseCrossEntropyGradient(GradientContext& g) { g.set(0, ByFeatures(g)); }

}  // namespace

namespace gradients {

void softmax(GradientTable& t) {
  t.Define("Softmax", SoftmaxGradient);
  t.Define("LogSoftmax", LogSoftmaxGradient);
  t.Define("SoftmaxCrossEntropyWithLogits", CrossEntropyGradient);
  t.Define("SparseSoftmaxCrossEntropyWithLogits", SparseCrossEntropyGradient);
}

}  // namespace gradients
}  // namespace millrace
