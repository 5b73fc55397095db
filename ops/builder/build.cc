#include "millrace/ops/builder/build.h"

#include <algorithm>
#include <map>

#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/literal.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// "expected float, as argument 'x' has, found ...": `from` may be "".
std::string Mismatch(DType expected, const std::string& from, const std::string& found) {
  return Cat("expected ", DTypeName(expected), from.empty() ? "" : ", as " + from + " has", ", found ", found);
}

Result<Node*> AddConstant(const Scope& scope, std::string name, const Tensor& tensor) {
  NodeSpec spec;
  spec.name = std::move(name);
  spec.op = "Const";
  spec.attrs["dtype"] = tensor.dtype();
  spec.attrs["value"] = tensor.ToValue();
  scope.Complete(&spec);
  return scope.graph()->AddNode(std::move(spec));
}

// The dtype that literals get where no tensor decides; kInvalid where the
// attribute allows none that holds them all.
DType ChooseDType(const AttrDef& attr, std::span<const Literal* const> literals) {
  const auto holds = [&](DType dtype) {
    return std::all_of(literals.begin(), literals.end(), [&](const Literal* l) { return CanHold(dtype, *l); });
  };
  if (const DType* preset = attr.default_value.get<DType>(); preset != nullptr && holds(*preset)) return *preset;
  const DType natural = NaturalDType(literals);
  const ListValue* list = attr.allowed_values.get<ListValue>();
  if (list == nullptr || list->type.empty()) return holds(natural) ? natural : DType::kInvalid;
  if (holds(natural) && std::count(list->type.begin(), list->type.end(), natural) != 0) return natural;
  for (DType dtype : list->type) {
    if (holds(dtype)) return dtype;
  }
  return DType::kInvalid;
}

std::string AllowedNames(const AttrDef& attr) {
  const ListValue* list = attr.allowed_values.get<ListValue>();
  if (list == nullptr || list->type.empty()) return "a dtype";
  std::vector<std::string> names;
  for (DType dtype : list->type) names.push_back(DTypeName(dtype));
  return Cat("one of {", Join(names, ", "), "}");
}

bool IsAllowed(const AttrDef& attr, DType dtype) {
  const ListValue* list = attr.allowed_values.get<ListValue>();
  return list == nullptr || list->type.empty() || std::count(list->type.begin(), list->type.end(), dtype) != 0;
}

// One call: from arguments to attributes, constants and the node.
class Caller {
 public:
  Caller(const Scope& scope, const Op& op, std::string name, std::span<const builder::ArgumentRef> arguments,
         AttrMap attrs)
      : scope_(scope), op_(op), name_(std::move(name)), arguments_(arguments), attrs_(std::move(attrs)) {}

  Result<Node*> Run() {
    MR_RETURN_IF_ERROR(CheckNames());
    MR_RETURN_IF_ERROR(CheckForm());
    for (size_t i = 0; i < arguments_.size(); ++i) MR_RETURN_IF_ERROR(Blame(i, ReadNumbers(i)));
    for (size_t i = 0; i < arguments_.size(); ++i) MR_RETURN_IF_ERROR(Blame(i, ReadTensors(i)));
    for (size_t i = 0; i < arguments_.size(); ++i) MR_RETURN_IF_ERROR(Blame(i, ReadTypeList(i)));
    MR_RETURN_IF_ERROR(ReadLiterals());
    MR_RETURN_IF_ERROR(CompleteAttrs(op_, &attrs_));
    NodeSpec spec;
    for (size_t i = 0; i < arguments_.size(); ++i) MR_RETURN_IF_ERROR(Blame(i, AddInputs(i, &spec)));
    spec.name = name_;
    spec.op = op_.name();
    spec.attrs = std::move(attrs_);
    scope_.Complete(&spec);
    return scope_.graph()->AddNode(std::move(spec));
  }

 private:
  const ArgDef& arg(size_t i) const { return op_.signature().inputs[i]; }
  // "argument 'x': ..."; what blames another node (a constant's) stays as it is.
  Status Blame(size_t i, const Status& s) const {
    if (s.ok() || !s.node().empty()) return s;
    return Status(s.code(), Cat("argument '", arg(i).name, "': ", s.message()));
  }

  Status CheckNames() const {
    for (const auto& [name, value] : attrs_) {
      if (name.starts_with('_') || op_.FindAttr(name) != nullptr) continue;
      std::vector<std::string_view> names;
      for (const AttrDef& attr : op_.signature().attrs) names.push_back(attr.name);
      return InvalidArgument(Cat("expected attributes of {", Join(names, ", "), "}, found one named '", name, "'"));
    }
    return OkStatus();
  }

  // As many arguments as the signature has, lists where it has lists, tensors of
  // this graph.
  Status CheckForm() const {
    const std::vector<ArgDef>& inputs = op_.signature().inputs;
    if (arguments_.size() != inputs.size()) {
      std::vector<std::string_view> names;
      for (const ArgDef& input : inputs) names.push_back(input.name);
      return InvalidArgument(Cat("expected ", inputs.size(), inputs.size() == 1 ? " argument" : " arguments", " (",
                                 Join(names, ", "), "), found ", arguments_.size()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool list = !inputs[i].number_attr.empty() || !inputs[i].type_list_attr.empty();
      if (list != arguments_[i].list) {
        return Blame(i, InvalidArgument(list ? "expected a list of tensors, found one tensor"
                                             : "expected one tensor, found a list"));
      }
      for (const Operand& operand : arguments_[i].operands) MR_RETURN_IF_ERROR(Blame(i, CheckOperand(operand)));
    }
    return OkStatus();
  }

  Status CheckOperand(const Operand& operand) const {
    if (const Literal* literal = operand.literal(); literal != nullptr) {
      const bool ragged = !literal->shape.empty() && literal->shape[0] < 0;
      return ragged ? InvalidArgument("expected elements of one kind and shape in the braces, found different ones")
                    : OkStatus();
    }
    if (const Tensor* tensor = operand.tensor(); tensor != nullptr) {
      return tensor->valid() ? OkStatus() : InvalidArgument("expected a tensor, found an empty Tensor object");
    }
    const Output& output = *operand.output();
    if (!output.valid()) {
      return InvalidArgument("expected a tensor, found none (an Output that no call has returned)");
    }
    const auto& nodes = scope_.graph()->nodes();
    const auto id = static_cast<size_t>(output.node().id());
    if (id >= nodes.size() || nodes[id].get() != &output.node()) {
      return InvalidArgument(Cat("expected a tensor of this graph, found '", output.name(), "' of another"));
    }
    if (output.index() < 0 || output.index() >= output.node().num_outputs()) {
      return InvalidArgument(
          Cat("expected an output of the node's ", output.node().num_outputs(), ", found '", output.name(), "'"));
    }
    return OkStatus();
  }

  Status ReadNumbers(size_t i) {
    const ArgDef& a = arg(i);
    if (a.number_attr.empty()) return OkStatus();
    const auto n = static_cast<int64_t>(arguments_[i].operands.size());
    const auto [it, fresh] = attrs_.try_emplace(a.number_attr, n);
    const int64_t* expected = it->second.get<int64_t>();
    if (expected != nullptr && *expected != n) {
      return InvalidArgument(
          Cat("expected a list of ", *expected, " tensors (attribute '", a.number_attr, "'), found ", n));
    }
    const AttrDef* def = op_.FindAttr(a.number_attr);
    if (def != nullptr && def->has_minimum && n < def->minimum) {
      return InvalidArgument(
          Cat("expected a list of at least ", def->minimum, def->minimum == 1 ? " tensor" : " tensors", ", found ", n));
    }
    return OkStatus();
  }

  // The dtype of a tensor or an output as argument i has it: without "reference",
  // which the argument must have or may have.
  Status DTypeOf(size_t i, const Operand& operand, DType* dtype) const {
    const Output* output = operand.output();
    *dtype = output != nullptr ? output->dtype() : operand.tensor()->dtype();
    if (arg(i).is_ref && !IsRef(*dtype)) {
      return InvalidArgument(Cat("expected a reference to a variable, found ", DTypeName(*dtype)));
    }
    *dtype = BaseType(*dtype);
    return OkStatus();
  }

  // Types that tensors have, against those that are fixed, and into attributes.
  Status ReadTensors(size_t i) {
    const ArgDef& a = arg(i);
    if (!a.type_list_attr.empty()) return OkStatus();
    for (const Operand& operand : arguments_[i].operands) {
      if (const Literal* literal = operand.literal(); literal != nullptr) {
        if (a.is_ref)
          return InvalidArgument("expected a reference to a variable, found the literal " + ToString(*literal));
        if (a.type_attr.empty()) {
          if (!CanHold(a.type, *literal))
            return InvalidArgument(Mismatch(a.type, "", "the literal " + ToString(*literal)));
        } else {
          literals_[a.type_attr].push_back({i, literal});
        }
        continue;
      }
      DType found;
      MR_RETURN_IF_ERROR(DTypeOf(i, operand, &found));
      if (a.type_attr.empty()) {
        if (found != a.type) return InvalidArgument(Mismatch(a.type, "", DTypeName(found)));
        continue;
      }
      const auto [it, fresh] = attrs_.try_emplace(a.type_attr, found);
      const AttrDef* def = op_.FindAttr(a.type_attr);
      if (fresh) {
        deciders_[a.type_attr] = Cat("argument '", a.name, "'");
        if (def != nullptr && !IsAllowed(*def, found)) {
          return InvalidArgument(Cat("expected ", AllowedNames(*def), ", found ", DTypeName(found)));
        }
      } else if (const DType* expected = it->second.get<DType>(); expected != nullptr && BaseType(*expected) != found) {
        return InvalidArgument(Mismatch(*expected, DeciderOf(a.type_attr), DTypeName(found)));
      }
    }
    return OkStatus();
  }

  std::string DeciderOf(const std::string& attr) const {
    const auto it = deciders_.find(attr);
    return it == deciders_.end() ? Cat("attribute '", attr, "'") : it->second;
  }

  Status ReadTypeList(size_t i) {
    const ArgDef& a = arg(i);
    if (a.type_list_attr.empty()) return OkStatus();
    const std::span<const Operand> operands = arguments_[i].operands;
    const auto it = attrs_.find(a.type_list_attr);
    const ListValue* expected = it == attrs_.end() ? nullptr : it->second.get<ListValue>();
    if (expected != nullptr && expected->type.size() != operands.size()) {
      return InvalidArgument(Cat("expected a list of ", expected->type.size(), " tensors, as ",
                                 DeciderOf(a.type_list_attr), " has, found ", operands.size()));
    }
    ListValue found;
    for (size_t k = 0; k < operands.size(); ++k) {
      DType dtype;
      const Literal* literal = operands[k].literal();
      if (literal != nullptr) {
        dtype = expected != nullptr ? BaseType(expected->type[k]) : NaturalDType({&literal, 1});
        if (!CanHold(dtype, *literal)) {
          return InvalidArgument(Cat(
              "tensor ", k, ": ", Mismatch(dtype, DeciderOf(a.type_list_attr), "the literal " + ToString(*literal))));
        }
      } else {
        MR_RETURN_IF_ERROR(DTypeOf(i, operands[k], &dtype));
      }
      if (expected != nullptr && BaseType(expected->type[k]) != dtype) {
        return InvalidArgument(
            Cat("tensor ", k, ": ", Mismatch(expected->type[k], DeciderOf(a.type_list_attr), DTypeName(dtype))));
      }
      found.type.push_back(dtype);
    }
    if (expected == nullptr) {
      const AttrDef* def = op_.FindAttr(a.type_list_attr);
      if (def != nullptr && def->has_minimum && static_cast<int64_t>(operands.size()) < def->minimum) {
        return InvalidArgument(Cat("expected a list of at least ", def->minimum, " tensors, found ", operands.size()));
      }
      attrs_[a.type_list_attr] = std::move(found);
      deciders_[a.type_list_attr] = Cat("argument '", a.name, "'");
    }
    return OkStatus();
  }

  Status ReadLiterals() {
    for (const auto& [attr, uses] : literals_) {
      const AttrDef* def = op_.FindAttr(attr);
      const auto it = attrs_.find(attr);
      DType dtype = DType::kInvalid;
      if (it != attrs_.end()) {
        if (const DType* decided = it->second.get<DType>()) dtype = BaseType(*decided);
      } else if (def != nullptr) {
        std::vector<const Literal*> all;
        for (const auto& [i, literal] : uses) all.push_back(literal);
        dtype = ChooseDType(*def, all);
        if (dtype == DType::kInvalid) {
          std::string texts;
          for (const Literal* literal : all) texts += (texts.empty() ? "" : ", ") + ToString(*literal);
          return Blame(uses[0].first,
                       InvalidArgument(Cat("expected ", AllowedNames(*def), ", found the literal ", texts)));
        }
        attrs_[attr] = dtype;
      }
      for (const auto& [i, literal] : uses) {
        if (CanHold(dtype, *literal)) continue;
        return Blame(i, InvalidArgument(Mismatch(dtype, DeciderOf(attr), "the literal " + ToString(*literal))));
      }
    }
    return OkStatus();
  }

  Status AddInputs(size_t i, NodeSpec* spec) const {
    const ArgDef& a = arg(i);
    const std::span<const Operand> operands = arguments_[i].operands;
    for (size_t k = 0; k < operands.size(); ++k) {
      if (const Output* output = operands[k].output()) {
        spec->inputs.push_back(output->endpoint());
        continue;
      }
      Tensor tensor;
      if (const Literal* literal = operands[k].literal()) {
        MR_ASSIGN_OR_RETURN(tensor, ToTensor(*literal, TypeOf(a, k)));
      } else {
        tensor = *operands[k].tensor();
      }
      const std::string base = arguments_[i].list ? Cat(name_, "/", a.name, "_", k) : Cat(name_, "/", a.name);
      MR_ASSIGN_OR_RETURN(Node* const node, AddConstant(scope_, scope_.graph()->UniqueName(base), tensor));
      spec->inputs.push_back({node, 0});
    }
    return OkStatus();
  }

  DType TypeOf(const ArgDef& a, size_t k) const {
    if (!a.type_list_attr.empty()) return BaseType(attrs_.find(a.type_list_attr)->second.get<ListValue>()->type[k]);
    if (a.type_attr.empty()) return a.type;
    return BaseType(*attrs_.find(a.type_attr)->second.get<DType>());
  }

  const Scope& scope_;
  const Op& op_;
  const std::string name_;
  const std::span<const builder::ArgumentRef> arguments_;
  AttrMap attrs_;
  // By type attribute: the argument that decided it, and literals that want it.
  std::map<std::string, std::string> deciders_;
  std::map<std::string, std::vector<std::pair<size_t, const Literal*>>> literals_;
};

}  // namespace

Operation builder::Build(const At& at, std::string_view op, std::span<const ArgumentRef> arguments, AttrMap attrs) {
  const Scope& scope = at.scope();
  if (!scope.ok()) return Operation();
  std::string name = scope.UniqueName(op);
  const Op* definition = scope.graph()->registry().Find(op);
  if (definition == nullptr) {
    scope.Fail(NotFound("expected an op of the registry, found none of that name").At(name, op), at.where());
  }
  if (!scope.ok()) return Operation();
  const Result<Node*> node = Caller(scope, *definition, name, arguments, std::move(attrs)).Run();
  if (!node.ok()) {
    scope.Fail(node.status().At(name, op), at.where());
    return Operation();
  }
  return Operation(*node, scope.state());
}

Operation Call(At at, std::string_view op, const std::vector<Argument>& arguments, AttrMap attrs) {
  std::vector<builder::ArgumentRef> refs;
  refs.reserve(arguments.size());
  for (const Argument& argument : arguments) {
    refs.push_back(argument.is_list() ? builder::ArgumentRef(argument.operands())
                                      : builder::ArgumentRef(argument.operands()[0]));
  }
  return builder::Build(at, op, refs, std::move(attrs));
}

Output Const(At at, const Operand& value, DType dtype) {
  const Scope& scope = at.scope();
  if (!scope.ok()) return Output();
  const Literal* literal = value.literal();
  DType found = dtype;
  if (const Output* output = value.output()) found = BaseType(output->dtype());
  if (const Tensor* tensor = value.tensor()) found = tensor->dtype();
  if (literal != nullptr && dtype == DType::kInvalid) found = NaturalDType({&literal, 1});
  const std::string name = value.output() != nullptr ? value.output()->name() : scope.UniqueName("Const");
  if (!scope.ok()) return Output();
  const auto fail = [&](const Status& status) {
    scope.Fail(status.At(name, "Const"), at.where());
    return Output();
  };
  if (found == DType::kInvalid) return fail(InvalidArgument("expected a value, found none"));
  if (dtype != DType::kInvalid && found != dtype) {
    return fail(InvalidArgument(Mismatch(dtype, "", DTypeName(found))));
  }
  if (value.output() != nullptr) return *value.output();
  Result<Tensor> tensor = Tensor();
  if (literal == nullptr) {
    tensor = *value.tensor();
  } else if (!literal->shape.empty() && literal->shape[0] < 0) {
    return fail(InvalidArgument("expected elements of one kind and shape in the braces, found different ones"));
  } else if (!CanHold(found, *literal)) {
    return fail(InvalidArgument(Mismatch(found, "", "the literal " + ToString(*literal))));
  } else {
    tensor = ToTensor(*literal, found);
  }
  if (!tensor.ok()) return fail(tensor.status());
  const Result<Node*> node = AddConstant(scope, name, *tensor);
  if (!node.ok()) return fail(node.status());
  return Operation(*node, scope.state()).output();
}

std::vector<Output> OutputList(const Operation& operation, int index) {
  std::vector<Output> outputs;
  if (!operation.valid()) return outputs;
  const Node& node = *operation.node();
  const OpDefValue& signature = node.op().signature();
  if (index < 0 || index >= static_cast<int>(signature.outputs.size())) return outputs;
  // As many tensors as each argument's attributes say.
  const auto count = [&](const ArgDef& arg) -> int {
    const std::string& attr = arg.number_attr.empty() ? arg.type_list_attr : arg.number_attr;
    if (attr.empty()) return 1;
    const AttrValue& value = node.attrs().find(attr)->second;
    if (const int64_t* number = value.get<int64_t>()) return static_cast<int>(*number);
    return static_cast<int>(value.get<ListValue>()->type.size());
  };
  int first = 0;
  for (int i = 0; i < index; ++i) first += count(signature.outputs[static_cast<size_t>(i)]);
  const int n = count(signature.outputs[static_cast<size_t>(index)]);
  for (int i = 0; i < n; ++i) outputs.push_back(operation.output(first + i));
  return outputs;
}

}  // namespace millrace
