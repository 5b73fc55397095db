#include "millrace/ops/registry/op.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace {

const AttrDef* Op::FindAttr(std::string_view name) const {
  for (const AttrDef& attr : signature_.attrs) {
    if (attr.name == name) return &attr;
  }
  return nullptr;
}

namespace {

bool Meets(const KernelDef::TypeConstraint& constraint, const AttrMap& attrs) {
  if (constraint.types.empty()) return true;
  const auto allowed = [&](DType t) {
    return std::find(constraint.types.begin(), constraint.types.end(), t) != constraint.types.end();
  };
  const auto it = attrs.find(constraint.attr);
  if (it == attrs.end()) return false;
  if (const DType* type = it->second.get<DType>()) return allowed(*type);
  if (const ListValue* list = it->second.get<ListValue>()) {
    return std::all_of(list->type.begin(), list->type.end(), allowed);
  }
  return false;
}

}  // namespace

const KernelDef* Op::FindKernel(std::string_view device, const AttrMap& attrs) const {
  for (const KernelDef& kernel : kernels_) {
    if (kernel.device == device && std::all_of(kernel.types.begin(), kernel.types.end(),
                                               [&](const KernelDef::TypeConstraint& c) { return Meets(c, attrs); })) {
      return &kernel;
    }
  }
  return nullptr;
}

std::unique_ptr<Registry> Registry::Extending(const Registry& base) {
  auto registry = std::make_unique<Registry>();
  registry->base_ = &base;
  return registry;
}

OpBuilder Registry::Define(std::string name) {
  const bool in_base = base_ != nullptr && base_->Find(name) != nullptr;
  auto [it, fresh] = ops_.try_emplace(name);
  if (!fresh || in_base) problems_.push_back(Cat("op '", name, "' is defined twice"));
  // The second definition wins, so that its own problems show too.
  it->second = std::make_unique<Op>();
  return OpBuilder(it->second.get(), std::move(name));
}

const Op* Registry::Find(std::string_view name) const {
  const auto it = ops_.find(name);
  if (it != ops_.end()) return it->second.get();
  return base_ == nullptr ? nullptr : base_->Find(name);
}

std::vector<const Op*> Registry::ops() const {
  std::vector<const Op*> all;
  if (base_ != nullptr) all = base_->ops();
  for (const auto& [name, op] : ops_) all.push_back(op.get());
  if (base_ != nullptr) {
    std::sort(all.begin(), all.end(), [](const Op* a, const Op* b) { return a->name() < b->name(); });
  }
  return all;
}

void Registry::DefineGradient(std::string name, GradientFn fn) {
  if (FindGradient(name) != nullptr) problems_.push_back(Cat("gradient '", name, "' is defined twice"));
  gradients_[std::move(name)] = fn;
}

GradientFn Registry::FindGradient(std::string_view name) const {
  const auto it = gradients_.find(name);
  if (it != gradients_.end()) return it->second;
  return base_ == nullptr ? nullptr : base_->FindGradient(name);
}

namespace {

// Every attribute that an argument takes its type or number from is defined, with
// the type it needs.
void CheckArg(const Op& op, const ArgDef& arg, std::vector<std::string>* problems) {
  const auto check = [&](const std::string& name, std::string_view type) {
    if (name.empty()) return;
    const AttrDef* attr = op.FindAttr(name);
    if (attr == nullptr || attr->type != type) {
      problems->push_back(Cat("op '", op.name(), "': argument '", arg.name, "' needs an attribute '", name,
                              "' of type ", type, attr == nullptr ? ", found none" : ", found " + attr->type));
    }
  };
  check(arg.type_attr, "type");
  check(arg.number_attr, "int");
  check(arg.type_list_attr, "list(type)");
  if (!arg.number_attr.empty() && !arg.type_list_attr.empty()) {
    problems->push_back(Cat("op '", op.name(), "': argument '", arg.name, "' is a number of lists"));
  }
}

}  // namespace

std::vector<std::string> Registry::Check() const {
  std::vector<std::string> problems = problems_;
  for (const auto& [name, op] : ops_) {
    problems.insert(problems.end(), op->problems_.begin(), op->problems_.end());
    if (op->shape_fn() == nullptr) problems.push_back(Cat("op '", name, "' has no shape function"));
    if (op->gradient() != nullptr && !op->no_gradient_reason().empty()) {
      problems.push_back(Cat("op '", name, "' has a gradient and says that it has none"));
    }
    const OpDefValue& signature = op->signature();
    for (const ArgDef& arg : signature.inputs) CheckArg(*op, arg, &problems);
    for (const ArgDef& arg : signature.outputs) CheckArg(*op, arg, &problems);
    for (const Effect& effect : op->effects()) {
      const bool wants_input = effect.kind == Effect::Kind::kRead || effect.kind == Effect::Kind::kWrite;
      const auto inputs = static_cast<int>(signature.inputs.size());
      if (wants_input && (effect.input < 0 || effect.input >= inputs)) {
        problems.push_back(Cat("op '", name, "': an effect names input ", effect.input, " of ", inputs));
      }
    }
    for (const KernelDef& kernel : op->kernels()) {
      if (kernel.factory == nullptr) problems.push_back(Cat("op '", name, "' has a kernel without a factory"));
      for (const KernelDef::TypeConstraint& constraint : kernel.types) {
        if (op->FindAttr(constraint.attr) == nullptr) {
          problems.push_back(
              Cat("op '", name, "': a kernel is constrained by an unknown attribute '", constraint.attr, "'"));
        }
      }
    }
  }
  return problems;
}

}  // namespace millrace
