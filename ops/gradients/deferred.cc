// DeferredGradients: the node that the compiler's differentiate pass expands. Its
// op, names and attributes are those of ops/control/deferred.cc.
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

std::vector<Output> DeferredGradients(At at, const std::vector<Output>& ys, const std::vector<Output>& xs,
                                      const std::vector<Output>& grad_ys) {
  if (!at.scope().ok()) return std::vector<Output>(xs.size());
  const auto refuse = [&](std::string message) {
    at.scope().Fail(InvalidArgument(std::move(message)), at.where());
    return std::vector<Output>(xs.size());
  };
  ListValue types;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (!xs[i].valid()) return refuse(Cat("xs[", i, "] of DeferredGradients is no tensor"));
    const DType type = BaseType(xs[i].dtype());
    const DType held = xs[i].node().output(xs[i].index()).handle_dtype;
    if (type == DType::kResource && held == DType::kInvalid) {
      return refuse(Cat("xs[", i, "] of DeferredGradients, '", xs[i].name(),
                        "': expected the handle of a variable whose dtype is known"));
    }
    types.type.push_back(type == DType::kResource ? held : type);
  }
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!ys[i].valid()) return refuse(Cat("ys[", i, "] of DeferredGradients is no tensor"));
  }
  const Operation node = Call(at, "Gradients", {ys, grad_ys, xs}, {{"Tdxs", std::move(types)}});
  return node.valid() ? OutputList(node, 0) : std::vector<Output>(xs.size());
}

}  // namespace millrace
