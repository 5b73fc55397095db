// Gradients that the compiler's differentiate pass expands. No kernels: what is
// left of these nodes at a run is an error of the place phase.
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

const std::vector<DType>& Types(const InferenceContext& c, std::string_view attr) {
  return c.attr<ListValue>(attr).type;
}

// A gradient has the dtype and the shape of its x, or of the value behind the
// handle x.
Status GradientsShape(InferenceContext& c) {
  const auto& ys = Types(c, "Tys");
  const auto& grads = Types(c, "Tgrads");
  const auto& xs = Types(c, "Txs");
  const auto& dxs = Types(c, "Tdxs");
  if (!grads.empty() && grads.size() != ys.size()) {
    return InvalidArgument(
        Cat("grad_ys: expected none, or one for each of the ", ys.size(), " ys, found ", grads.size()));
  }
  if (dxs.size() != xs.size()) {
    return InvalidArgument(Cat("Tdxs: expected a type for each of the ", xs.size(), " xs, found ", dxs.size()));
  }
  const auto first_grad = static_cast<int>(ys.size());
  for (int i = 0; i < static_cast<int>(grads.size()); ++i) {
    const auto k = static_cast<size_t>(i);
    if (grads[k] != ys[k]) {
      return InvalidArgument(
          Cat("grad_ys[", i, "]: expected ", DTypeName(ys[k]), " like ys[", i, "], found ", DTypeName(grads[k])));
    }
    SymShape both;
    if (const Status s = c.Merge(c.input(i), c.input(first_grad + i), &both); !s.ok()) {
      return InvalidArgument(Cat("grad_ys[", i, "] and ys[", i, "]: ", s.message()));
    }
  }
  const auto first_x = static_cast<int>(ys.size() + grads.size());
  for (int i = 0; i < c.num_outputs(); ++i) {
    const auto k = static_cast<size_t>(i);
    const InferenceContext::Input& x = c.input_info(first_x + i);
    const bool handle = xs[k] == DType::kResource;
    const DType expected = handle ? x.handle_dtype : xs[k];
    if (expected != DType::kInvalid && dxs[k] != expected) {
      return InvalidArgument(Cat("Tdxs[", i, "]: expected ", DTypeName(expected), ", found ", DTypeName(dxs[k])));
    }
    if (!handle) c.set_output(i, x.shape);
    else if (x.handle_shape != nullptr) c.set_output(i, *x.handle_shape);
  }
  return OkStatus();
}

// Inputs are those of the function and the gradients of what it returns; outputs
// are the gradients of the former.
Status SymbolicGradientShape(InferenceContext& c) {
  if (c.num_inputs() < c.num_outputs()) {
    return InvalidArgument(
        Cat("expected at least as many inputs as outputs, found ", c.num_inputs(), " and ", c.num_outputs()));
  }
  for (int i = 0; i < c.num_outputs(); ++i) {
    const auto k = static_cast<size_t>(i);
    if (Types(c, "Tin")[k] != Types(c, "Tout")[k]) continue;
    c.set_output(i, c.input(i));
  }
  return OkStatus();
}

}  // namespace

namespace families {

void control_deferred(Registry& registry) {
  registry.Define("Gradients")
      .Input("ys: Tys")
      .Input("grad_ys: Tgrads")
      .Input("xs: Txs")
      .Output("dxs: Tdxs")
      .Attr("Tys: list(type) >= 1")
      .Attr("Tgrads: list(type) >= 0 = []")
      .Attr("Txs: list(type) >= 1")
      .Attr("Tdxs: list(type) >= 1")
      .Doc(
          "Gradients of the sum of ys with respect to each x; the compiler expands it.\n"
          "grad_ys flow into the ys: one for each, or none at all, which means ones. dxs have the dtypes and shapes\n"
          "of the xs; where an x is the handle of a variable, those of its value (Tdxs says which). Slices become\n"
          "dense, and an x that no y depends on gets zeros. A tensor that is fed is an input: what the graph would\n"
          "have computed it from has no part in the gradient.")
      .Shape(GradientsShape);
  registry.Define("SymbolicGradient")
      .Input("input: Tin")
      .Output("output: Tout")
      .Attr("Tin: list(type) >= 1")
      .Attr("Tout: list(type) >= 1")
      .Attr("f: func")
      .Doc(
          "Gradients of a function of the library; the compiler expands it.\n"
          "input: the arguments of f, then a gradient for each of its results. output: a gradient for each argument,\n"
          "zeros where no result depends on it.")
      .Shape(SymbolicGradientShape);
}

}  // namespace families
}  // namespace millrace
