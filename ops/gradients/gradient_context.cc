#include "millrace/ops/gradients/gradient_context.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// How a gradient in the shape of a broadcast's result becomes one of an operand,
// where the shapes in the graph say it.
struct Reduction {
  bool known = false;
  std::vector<int64_t> leading, inner;  // dimensions to sum: those in front drop out, the others stay as 1
};

Reduction ReductionTo(const SymShape& operand, const SymShape& result) {
  Reduction r;
  if (!operand.has_rank || !result.has_rank || operand.rank() > result.rank()) return r;
  const size_t front = result.dims.size() - operand.dims.size();
  for (size_t i = 0; i < front; ++i) r.leading.push_back(static_cast<int64_t>(i));
  for (size_t i = 0; i < operand.dims.size(); ++i) {
    const Dim from = operand.dims[i], to = result.dims[front + i];
    if (!from.unknown() && from == to) continue;
    // An extent of 1 in the result, too, makes the sum a copy.
    if (from != Dim(1)) return {};
    r.inner.push_back(static_cast<int64_t>(front + i));
  }
  r.known = true;
  return r;
}

}  // namespace

GradientContext::GradientContext(const Scope& scope, Node& node, std::vector<Gradient> grads, std::vector<bool> wanted,
                                 std::source_location where)
    : scope_(scope), node_(node), where_(where), grads_(std::move(grads)), wanted_(std::move(wanted)) {
  grads_.resize(static_cast<size_t>(node.num_outputs()));
  dense_.resize(grads_.size());
  results_.resize(node.inputs().size());
  set_.resize(node.inputs().size());
}

Output GradientContext::input(int i) const { return Output(node_.inputs()[static_cast<size_t>(i)], scope_.state()); }

Output GradientContext::output(int i) const { return Output({&node_, i}, scope_.state()); }

Output GradientContext::grad(int i) {
  Output& dense = dense_[static_cast<size_t>(i)];
  if (!dense.valid()) {
    dense = has_grad(i) ? gradient(i).ToDense(*this) : ops::ZerosLike(*this, output(i));
    // Operators on it build here, not where it was made.
    if (dense.valid()) dense = Output(dense.endpoint(), scope_.state());
  }
  return dense;
}

void GradientContext::set(int i, Gradient gradient) {
  if (i < 0 || i >= num_inputs()) {
    return Fail(Cat("its gradient function gives a gradient for input ", i, ", and it has ", num_inputs(), " inputs"));
  }
  const auto at = static_cast<size_t>(i);
  if (set_[at]) return Fail(Cat("its gradient function gives two gradients for input ", i));
  set_[at] = true;
  results_[at] = gradient;
}

const GradientContext::Broadcast& GradientContext::BroadcastOf(int a, int b) {
  for (const Broadcast& known : broadcasts_) {
    if (known.a == a && known.b == b) return known;
  }
  const Output shape_a = ops::Shape(*this, input(a));
  const Output shape_b = ops::Shape(*this, b == kOutput ? output() : input(b));
  const auto axes = ops::BroadcastGradientArgs(*this, shape_a, shape_b);
  broadcasts_.push_back({a, b, {shape_a, shape_b}, {axes.r0, axes.r1}});
  return broadcasts_.back();
}

void GradientContext::SetBroadcast(int i, const Output& gradient, int a, int b) {
  if (!gradient.valid()) return;  // the scope has the error
  const Reduction r = ReductionTo(input(i).shape(), output(0).shape());
  if (!r.known) {
    const Broadcast& broadcast = BroadcastOf(a, b);
    const int operand = i == a ? 0 : 1;
    const Output sum = ops::Sum(*this, gradient, broadcast.axes[operand]);
    return set(i, ops::Reshape(*this, sum, broadcast.shapes[operand]));
  }
  Output sum = gradient;
  if (!r.inner.empty()) sum = ops::Sum(*this, sum, r.inner, {.keep_dims = true});
  if (!r.leading.empty()) sum = ops::Sum(*this, sum, r.leading);
  set(i, sum);
}

void GradientContext::Fail(std::string reason) {
  if (status_.ok()) status_ = Unimplemented(std::move(reason));
}

Output GradientContext::Conj(const Output& x) const {
  return x.valid() && IsComplex(BaseType(x.dtype())) ? ops::Conj(*this, x) : x;
}

Output GradientContext::Number(double value, const Output& like) const {
  return like.valid() ? Const(*this, value, BaseType(like.dtype())) : Output();
}

void RefuseGradient(GradientContext& g) {
  const std::string& reason = g.node().op().no_gradient_reason();
  g.Fail(reason.empty() ? "the op has none" : reason);
}

}  // namespace millrace
