#include "millrace/ops/opgen/function.h"

#include <algorithm>
#include <set>

#include "millrace/ops/opgen/cpp.h"
#include "millrace/ops/opgen/shapes.h"
#include "millrace/proto/value/strings.h"

namespace millrace::opgen {
namespace {

constexpr size_t kColumns = 120;

bool IsList(const ArgDef& arg) { return !arg.number_attr.empty() || !arg.type_list_attr.empty(); }

// "one of {float, double}".
std::string Allowed(const AttrDef& attr) {
  const ListValue* list = attr.allowed_values.get<ListValue>();
  if (list == nullptr || (list->type.empty() && list->s.empty())) return "";
  return Cat("one of {", Shown(attr.allowed_values), "}");
}

// "int32", "T", "a list of N tensors of T", "a list of tensors of Tin".
std::string TypeText(const ArgDef& arg) {
  std::string type = arg.type_attr.empty() ? DTypeName(arg.type) : arg.type_attr;
  if (!arg.type_list_attr.empty()) return Cat("a list of tensors of ", arg.type_list_attr);
  if (arg.is_ref) type = Cat("a reference to a variable of ", type);
  if (!arg.number_attr.empty()) return Cat("a list of ", arg.number_attr, " tensors of ", type);
  return type;
}

class Writer {
 public:
  explicit Writer(const Op& op) : op_(op), signature_(op.signature()) {
    std::set<std::string_view> from_inputs;
    for (const ArgDef& input : signature_.inputs) {
      from_inputs.insert({input.type_attr, input.number_attr, input.type_list_attr});
      taken_.insert(Identifier(input.name));
    }
    for (const AttrDef& attr : signature_.attrs) {
      if (from_inputs.contains(attr.name)) followed_.push_back(&attr);
      else (attr.has_default ? optional_ : required_).push_back(&attr);
    }
  }

  Result<Function> Write() {
    Function f;
    MR_ASSIGN_OR_RETURN(f.declaration, Attrs());
    f.declaration += Outputs() + Comment() + Head(true) + ";\n";
    f.definition = Head(false) + Body();
    return f;
  }

 private:
  const std::string& name() const { return op_.name(); }

  // The aggregate of the attributes that may be left out.
  Result<std::string> Attrs() const {
    if (optional_.empty()) return std::string();
    std::string out = Cat("// Attributes of ", name(), " that may be left out.\nstruct ", name(), "Attrs {\n");
    for (const AttrDef* attr : optional_) {
      const Result<std::string> value = Initializer(attr->type, attr->default_value);
      if (!value.ok()) {
        return Status(value.status().code(),
                      Cat("op '", name(), "', attribute '", attr->name, "': ", value.status().message()));
      }
      out += Cat("  ", TypeOf(attr->type), " ", Identifier(attr->name), " = ", *value, ";");
      std::string note = Allowed(*attr);
      if (attr->has_minimum) note = Cat("at least ", attr->minimum);
      out += note.empty() ? "\n" : Cat("  // ", note, "\n");
    }
    return out + "};\n";
  }

  std::string Outputs() const {
    if (signature_.outputs.size() < 2) return "";
    std::string out = Cat("// What ", name(), " returns.\nstruct ", name(), "Outputs {\n");
    for (const ArgDef& output : signature_.outputs) {
      out += Cat("  ", IsList(output) ? "std::vector<Output> " : "Output ", Identifier(output.name), ";\n");
    }
    return out + "};\n";
  }

  std::string Comment() const {
    std::string out;
    std::string text = signature_.summary;
    if (!signature_.description.empty()) text += (text.empty() ? "" : "\n") + signature_.description;
    if (text.empty()) text = Cat("Op ", name(), ".");
    out += Wrapped(text, "// ", "// ");
    out += "//\n";
    const auto line = [&](std::string_view label, const std::string& rest) {
      out += Wrapped(Cat(label, ": ", rest), "//   ", "//       ");
    };
    const ShapeNotes shapes = NotesOf(op_);
    const auto note = [](const std::string& shape) { return shape.empty() ? std::string() : ", " + shape; };
    for (size_t i = 0; i < signature_.inputs.size(); ++i) {
      const ArgDef& input = signature_.inputs[i];
      line(Identifier(input.name), TypeText(input) + note(shapes.inputs[i]));
    }
    for (const AttrDef* attr : followed_) {
      std::string rest = attr->type == "int" ? "how many" : Allowed(*attr);
      if (rest.empty()) rest = "any type";
      if (attr->has_minimum) rest += Cat(", at least ", attr->minimum);
      line(attr->name, rest);
    }
    for (const AttrDef* attr : required_) {
      std::string rest = Allowed(*attr);
      if (rest.empty()) rest = attr->type;
      if (attr->has_minimum) rest += Cat(", at least ", attr->minimum);
      line(Identifier(attr->name), rest);
    }
    for (size_t i = 0; i < signature_.outputs.size(); ++i) {
      const ArgDef& output = signature_.outputs[i];
      line(i == 0 ? "Returns " + Identifier(output.name) : Identifier(output.name),
           TypeText(output) + note(shapes.outputs[i]));
    }
    if (signature_.has_deprecation) {
      line("Deprecated", Cat("in graphs of version ", signature_.deprecation.version,
                             " and later: ", signature_.deprecation.explanation));
    }
    out += "// Errors: see Scope.\n";
    return out;
  }

  std::string ResultType() const {
    if (signature_.outputs.empty()) return "Operation";
    if (signature_.outputs.size() > 1) return name() + "Outputs";
    return IsList(signature_.outputs[0]) ? "std::vector<Output>" : "Output";
  }

  // An attribute that has the name of an input gets an underscore.
  std::string AttrParameter(const AttrDef& attr) const {
    const std::string id = Identifier(attr.name);
    return taken_.contains(id) ? id + "_" : id;
  }

  std::string Head(bool declare) const {
    std::vector<std::string> parameters = {"At at"};
    for (const ArgDef& input : signature_.inputs) {
      parameters.push_back(Cat(IsList(input) ? "const Operands& " : "const Operand& ", Identifier(input.name)));
    }
    for (const AttrDef* attr : required_) parameters.push_back(ParameterOf(attr->type) + " " + AttrParameter(*attr));
    if (!optional_.empty()) parameters.push_back(Cat("const ", name(), "Attrs& attrs", declare ? " = {}" : ""));
    std::string line = Cat(ResultType(), " ", name(), "(");
    std::string out;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const std::string part = parameters[i] + (i + 1 < parameters.size() ? "," : ")");
      if (i > 0 && line.size() + part.size() + 4 > kColumns) {
        out += line + "\n";
        line = "    " + part;
      } else {
        line += (i > 0 ? " " : "") + part;
      }
    }
    return out + line;
  }

  std::string Body() const {
    std::vector<std::string> arguments, attrs;
    for (const ArgDef& input : signature_.inputs) arguments.push_back(Identifier(input.name));
    for (const AttrDef* attr : required_) attrs.push_back(Cat("{\"", attr->name, "\", ", AttrParameter(*attr), "}"));
    for (const AttrDef* attr : optional_) {
      attrs.push_back(Cat("{\"", attr->name, "\", attrs.", Identifier(attr->name), "}"));
    }
    const std::string call = Cat("builder::Generated(at, \"", name(), "\", {", Join(arguments, ", "), "},\n      {",
                                 Join(attrs, ",\n       "), "})");
    std::string out = " {\n";
    const bool lists = std::any_of(signature_.outputs.begin(), signature_.outputs.end(), IsList);
    if (signature_.outputs.empty()) {
      out += Cat("  return ", call, ";\n");
    } else if (signature_.outputs.size() == 1) {
      out += lists ? Cat("  return OutputList(", call, ", 0);\n") : Cat("  return ", call, ".output();\n");
    } else {
      out += Cat("  const Operation operation = ", call, ";\n  ", ResultType(), " outputs;\n");
      for (size_t i = 0; i < signature_.outputs.size(); ++i) {
        const ArgDef& output = signature_.outputs[i];
        out += Cat("  outputs.", Identifier(output.name), " = ");
        if (IsList(output)) out += Cat("OutputList(operation, ", i, ");\n");
        else if (lists) out += Cat("builder::OutputAt(operation, ", i, ");\n");
        else out += Cat("operation.output(", i, ");\n");
      }
      out += "  return outputs;\n";
    }
    return out + "}\n";
  }

  const Op& op_;
  const OpDefValue& signature_;
  // Attributes that follow from the inputs, must be given, may be given.
  std::vector<const AttrDef*> followed_, required_, optional_;
  std::set<std::string> taken_;
};

}  // namespace

Result<Function> MakeFunction(const Op& op) { return Writer(op).Write(); }

}  // namespace millrace::opgen
