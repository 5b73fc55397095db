// OpBuilder: the specifications of arguments and attributes, read into an OpDef.
#include <charconv>
#include <optional>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Reads a specification from left to right; every Take skips blanks first.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Take(std::string_view token) {
    SkipBlanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  bool Peek(std::string_view token) {
    SkipBlanks();
    return rest_.starts_with(token);
  }
  // Letters, digits and underscores, the first no digit; empty where there are none.
  std::string_view Identifier() {
    SkipBlanks();
    size_t n = 0;
    while (n < rest_.size() && (IsLetter(rest_[n]) || (n > 0 && rest_[n] >= '0' && rest_[n] <= '9'))) ++n;
    const std::string_view id = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return id;
  }
  template <typename T>
  std::optional<T> Number() {
    SkipBlanks();
    T value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }
  // 'text' or "text"; a backslash takes the next character as it is, \n a newline.
  std::optional<std::string> Quoted() {
    SkipBlanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    std::string out;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == rest_[0]) {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        ++i;
        out += rest_[i] == 'n' ? '\n' : rest_[i];
      } else {
        out += rest_[i];
      }
    }
    return std::nullopt;
  }
  bool AtEnd() {
    SkipBlanks();
    return rest_.empty();
  }
  std::string_view rest() const { return rest_; }

 private:
  static bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  void SkipBlanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

Result<DType> ReadDType(Scanner& in) {
  const std::string_view name = in.Identifier();
  if (const auto dtype = ParseDType(name)) return *dtype;
  return InvalidArgument(Cat("'", name, "' is no dtype"));
}

// One value of a scalar attribute type; the message says what is wrong.
Result<AttrValue> ReadScalar(std::string_view type, Scanner& in) {
  const auto expected = [&](std::string_view what) {
    return InvalidArgument(Cat("expected ", what, " at '", in.rest(), "'"));
  };
  if (type == "string") {
    if (auto text = in.Quoted()) return AttrValue(std::move(*text));
    return expected("a quoted string");
  }
  if (type == "int") {
    if (auto number = in.Number<int64_t>()) return AttrValue(*number);
    return expected("an integer");
  }
  if (type == "float") {
    if (auto number = in.Number<float>()) return AttrValue(*number);
    return expected("a number");
  }
  if (type == "bool") {
    if (in.Take("true")) return AttrValue(true);
    if (in.Take("false")) return AttrValue(false);
    return expected("true or false");
  }
  if (type == "type") {
    MR_ASSIGN_OR_RETURN(const DType dtype, ReadDType(in));
    return AttrValue(dtype);
  }
  if (type == "shape") {
    if (!in.Take("{")) return expected("a shape in braces");
    if (in.Take("unknown_rank")) {
      if (in.Take(":") && in.Take("true") && in.Take("}")) return AttrValue(millrace::Shape::UnknownRank());
      return expected(": true}");
    }
    millrace::Shape shape;
    if (in.Take("}")) return AttrValue(shape);
    do {
      if (in.Take("?")) {
        shape.Append(millrace::Shape::kUnknownDim);
      } else if (auto extent = in.Number<int64_t>(); extent && *extent >= 0) {
        shape.Append(*extent);
      } else {
        return expected("an extent or ?");
      }
    } while (in.Take(","));
    if (!in.Take("}")) return expected("}");
    return AttrValue(shape);
  }
  return InvalidArgument(Cat("a default of type '", type, "' cannot be written"));
}

void AppendTo(ListValue* list, const AttrValue& value) {
  if (const auto* s = value.get<std::string>()) list->s.push_back(*s);
  if (const auto* i = value.get<int64_t>()) list->i.push_back(*i);
  if (const auto* f = value.get<float>()) list->f.push_back(*f);
  if (const auto* b = value.get<bool>()) list->b.push_back(*b);
  if (const auto* s = value.get<ShapeValue>()) list->shape.push_back(*s);
}

// Values between `open`, which was read, and `close`.
Result<ListValue> ReadList(std::string_view type, std::string_view close, Scanner& in) {
  ListValue list;
  if (in.Take(close)) return list;
  do {
    if (type == "type") {  // most lists by far: no attribute is made of each element
      MR_ASSIGN_OR_RETURN(const DType dtype, ReadDType(in));
      list.type.push_back(dtype);
    } else {
      MR_ASSIGN_OR_RETURN(const AttrValue value, ReadScalar(type, in));
      AppendTo(&list, value);
    }
  } while (in.Take(","));
  if (!in.Take(close)) return InvalidArgument(Cat("expected '", close, "' at '", in.rest(), "'"));
  return list;
}

constexpr DType kRealNumberTypes[] = {DType::kFloat,  DType::kDouble, DType::kInt32,  DType::kUint8,
                                      DType::kInt16,  DType::kInt8,   DType::kInt64,  DType::kBfloat16,
                                      DType::kUint16, DType::kHalf,   DType::kUint32, DType::kUint64};
constexpr DType kNumberTypes[] = {DType::kFloat,  DType::kDouble,    DType::kInt32,  DType::kUint8,      DType::kInt16,
                                  DType::kInt8,   DType::kComplex64, DType::kInt64,  DType::kQint8,      DType::kQuint8,
                                  DType::kQint32, DType::kBfloat16,  DType::kUint16, DType::kComplex128, DType::kHalf,
                                  DType::kUint32, DType::kUint64};

// The type of an attribute, with its allowed values: "int", "{float, half}" ...
Status ReadType(Scanner& in, std::string* type, AttrValue* allowed) {
  if (in.Take("{")) {
    *type = in.Peek("'") || in.Peek("\"") ? "string" : "type";
    MR_ASSIGN_OR_RETURN(ListValue list, ReadList(*type, "}", in));
    if (list.s.empty() && list.type.empty()) return InvalidArgument("the list of allowed values is empty");
    *allowed = std::move(list);
    return OkStatus();
  }
  const std::string_view name = in.Identifier();
  if (name == "numbertype" || name == "realnumbertype") {
    ListValue list;
    if (name == "numbertype") list.type.assign(std::begin(kNumberTypes), std::end(kNumberTypes));
    else list.type.assign(std::begin(kRealNumberTypes), std::end(kRealNumberTypes));
    *type = "type";
    *allowed = std::move(list);
    return OkStatus();
  }
  for (const std::string_view known : {"string", "int", "float", "bool", "type", "shape", "tensor", "func"}) {
    if (name == known) {
      *type = std::string(name);
      return OkStatus();
    }
  }
  return InvalidArgument(Cat("'", name, "' is no type of an attribute"));
}

Status ReadAttr(std::string_view spec, AttrDef* attr) {
  Scanner in(spec);
  attr->name = std::string(in.Identifier());
  if (attr->name.empty()) return InvalidArgument("expected a name first");
  if (!in.Take(":")) return InvalidArgument("expected ':' after the name");
  std::string element;
  const bool is_list = in.Take("list(");
  MR_RETURN_IF_ERROR(ReadType(in, &element, &attr->allowed_values));
  if (is_list && !in.Take(")")) return InvalidArgument("expected ')' after the type of the list");
  attr->type = is_list ? "list(" + element + ")" : element;
  if (in.Take(">=")) {
    if (!is_list && element != "int") return InvalidArgument("a minimum stands only for int and for lists");
    const auto minimum = in.Number<int64_t>();
    if (!minimum) return InvalidArgument(Cat("expected an integer minimum at '", in.rest(), "'"));
    attr->has_minimum = true;
    attr->minimum = *minimum;
  }
  if (in.Take("=")) {
    attr->has_default = true;
    if (is_list) {
      if (!in.Take("[")) return InvalidArgument(Cat("expected '[' at '", in.rest(), "'"));
      MR_ASSIGN_OR_RETURN(ListValue list, ReadList(element, "]", in));
      attr->default_value = std::move(list);
    } else {
      MR_ASSIGN_OR_RETURN(attr->default_value, ReadScalar(element, in));
    }
  }
  if (!in.AtEnd()) return InvalidArgument(Cat("did not expect '", in.rest(), "'"));
  return OkStatus();
}

// Types that are attributes stay names here; see ResolveType.
Status ReadArg(std::string_view spec, ArgDef* arg) {
  Scanner in(spec);
  arg->name = std::string(in.Identifier());
  if (arg->name.empty()) return InvalidArgument("expected a name first");
  if (!in.Take(":")) return InvalidArgument("expected ':' after the name");
  arg->is_ref = in.Take("Ref(");
  std::string_view type = in.Identifier();
  if (in.Take("*")) {
    arg->number_attr = std::string(type);
    type = in.Identifier();
  }
  if (type.empty()) return InvalidArgument(Cat("expected a type at '", in.rest(), "'"));
  if (const auto dtype = ParseDType(type)) arg->type = *dtype;
  else arg->type_attr = std::string(type);
  if (arg->is_ref && !in.Take(")")) return InvalidArgument("expected ')' after the type of the reference");
  if (!in.AtEnd()) return InvalidArgument(Cat("did not expect '", in.rest(), "'"));
  return OkStatus();
}

// An attribute that is a list of types gives the types of a list of tensors.
// Arguments and attributes come in any order, so this runs for every pair.
void ResolveType(const AttrDef& attr, ArgDef* arg) {
  if (attr.type == "list(type)" && arg->type_attr == attr.name) {
    arg->type_list_attr = arg->type_attr;
    arg->type_attr.clear();
  }
}

}  // namespace

OpBuilder::OpBuilder(Op* op, std::string name) : op_(op) {
  if (name.empty()) Fail("the name is empty");
  op_->signature_.name = std::move(name);
}

void OpBuilder::Fail(std::string message) { op_->problems_.push_back(Cat("op '", op_->name(), "': ", message)); }

OpBuilder& OpBuilder::Input(std::string_view spec) {
  ArgDef arg;
  if (Status s = ReadArg(spec, &arg); !s.ok()) Fail(Cat("input \"", spec, "\": ", s.message()));
  for (const AttrDef& attr : op_->signature_.attrs) ResolveType(attr, &arg);
  op_->signature_.inputs.push_back(std::move(arg));
  return *this;
}

OpBuilder& OpBuilder::Output(std::string_view spec) {
  ArgDef arg;
  if (Status s = ReadArg(spec, &arg); !s.ok()) Fail(Cat("output \"", spec, "\": ", s.message()));
  for (const AttrDef& attr : op_->signature_.attrs) ResolveType(attr, &arg);
  op_->signature_.outputs.push_back(std::move(arg));
  return *this;
}

OpBuilder& OpBuilder::Attr(std::string_view spec) {
  AttrDef attr;
  if (Status s = ReadAttr(spec, &attr); !s.ok()) Fail(Cat("attribute \"", spec, "\": ", s.message()));
  if (op_->FindAttr(attr.name) != nullptr) Fail(Cat("attribute '", attr.name, "' is defined twice"));
  for (ArgDef& arg : op_->signature_.inputs) ResolveType(attr, &arg);
  for (ArgDef& arg : op_->signature_.outputs) ResolveType(attr, &arg);
  op_->signature_.attrs.push_back(std::move(attr));
  return *this;
}

OpBuilder& OpBuilder::Doc(std::string_view text) {
  const size_t end = text.find('\n');
  op_->signature_.summary = std::string(text.substr(0, end));
  if (end != std::string_view::npos) op_->signature_.description = std::string(text.substr(end + 1));
  return *this;
}

OpBuilder& OpBuilder::Commutative() {
  op_->signature_.is_commutative = true;
  return *this;
}

OpBuilder& OpBuilder::Aggregate() {
  op_->signature_.is_aggregate = true;
  return *this;
}

OpBuilder& OpBuilder::Stateful() {
  op_->signature_.is_stateful = true;
  return *this;
}

OpBuilder& OpBuilder::AllowsUninitializedInput() {
  op_->signature_.allows_uninitialized_input = true;
  return *this;
}

OpBuilder& OpBuilder::Deprecated(int version, std::string_view explanation) {
  op_->signature_.has_deprecation = true;
  op_->signature_.deprecation = {version, std::string(explanation)};
  return *this;
}

OpBuilder& OpBuilder::Shape(ShapeFn fn) {
  op_->shape_ = fn;
  return *this;
}

OpBuilder& OpBuilder::NoGradient(std::string_view reason) {
  if (reason.empty()) Fail("NoGradient wants a reason");
  op_->no_gradient_reason_ = std::string(reason);
  return *this;
}

OpBuilder& OpBuilder::Gradient(GradientFn fn) {
  op_->gradient_ = fn;
  return *this;
}

OpBuilder& OpBuilder::Reads(int input) {
  op_->effects_.push_back({Effect::Kind::kRead, input});
  return *this;
}

OpBuilder& OpBuilder::Writes(int input) {
  op_->effects_.push_back({Effect::Kind::kWrite, input});
  return *this;
}

OpBuilder& OpBuilder::Creates() {
  op_->effects_.push_back({Effect::Kind::kCreate});
  return *this;
}

OpBuilder& OpBuilder::OwnState() {
  op_->effects_.push_back({Effect::Kind::kOwnState});
  return *this;
}

OpBuilder& OpBuilder::Outside() {
  op_->effects_.push_back({Effect::Kind::kOutside});
  return *this;
}

OpBuilder& OpBuilder::Kernel(std::string_view device, KernelFactory factory,
                             std::vector<KernelDef::TypeConstraint> types) {
  KernelDef kernel;
  kernel.device = std::string(device);
  kernel.types = std::move(types);
  kernel.factory = factory;
  op_->kernels_.push_back(std::move(kernel));
  return *this;
}

}  // namespace millrace
