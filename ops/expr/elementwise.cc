// OpBuilder::Elementwise: the kernel of an element-wise op, from its expression.
#include <algorithm>

#include "millrace/ops/expr/expression.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

// Adds `type` to the types that attribute `attr` may have.
void Allow(std::vector<KernelDef::TypeConstraint>& constraints, const std::string& attr, DType type) {
  if (attr.empty()) return;  // an argument of fixed type
  auto it = std::find_if(constraints.begin(), constraints.end(), [&](const auto& c) { return c.attr == attr; });
  if (it == constraints.end()) it = constraints.insert(it, {attr, {}});
  if (std::find(it->types.begin(), it->types.end(), type) == it->types.end()) it->types.push_back(type);
}

}  // namespace

// One kernel for every type that the bodies for the floor have. Where types are
// not free of each other (Complex), the kernel's factory has the last word.
OpBuilder& OpBuilder::Elementwise(const Expression* expression) {
  std::vector<KernelDef::TypeConstraint> types;
  const BodyTable& table = *expression->bodies[0];
  const OpDefValue& signature = op_->signature_;
  for (const Body& body : std::span(table.bodies, static_cast<size_t>(table.count))) {
    for (size_t i = 0; i < signature.inputs.size() && i < kMaxOperands; ++i) {
      Allow(types, signature.inputs[i].type_attr, body.in[i]);
    }
    if (!signature.outputs.empty()) Allow(types, signature.outputs[0].type_attr, body.out);
  }
  op_->expression_ = expression;
  const KernelFactory own = expression->traits.factory;
  return Kernel("CPU", own != nullptr ? own : expression->factory, std::move(types));
}

}  // namespace millrace
