// The built-in definitions against the public registry's text, where it is there.
#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// A protobuf message in text form: fields in order, a text or a message each.
struct Message {
  struct Field {
    std::string name, text;
    std::unique_ptr<Message> message;
  };
  std::vector<Field> fields;

  std::vector<const Message*> Messages(std::string_view name) const {
    std::vector<const Message*> all;
    for (const Field& f : fields) {
      if (f.name == name && f.message) all.push_back(f.message.get());
    }
    return all;
  }
  const Message* Find(std::string_view name) const {
    const auto all = Messages(name);
    return all.empty() ? nullptr : all[0];
  }
  std::vector<std::string> Texts(std::string_view name) const {
    std::vector<std::string> all;
    for (const Field& f : fields) {
      if (f.name == name && !f.message) all.push_back(f.text);
    }
    return all;
  }
  std::string Text(std::string_view name) const {
    const auto all = Texts(name);
    return all.empty() ? "" : all[0];
  }
};

// One field a line, as the registry's file has it.
Message Parse(std::istream& in) {
  Message message;
  std::string line;
  while (std::getline(in, line)) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) continue;
    line = line.substr(begin);
    if (line == "}") break;
    Message::Field field;
    if (const size_t brace = line.find(" {"); brace != std::string::npos && brace + 2 == line.size()) {
      field.name = line.substr(0, brace);
      field.message = std::make_unique<Message>(Parse(in));
    } else {
      const size_t colon = line.find(": ");
      field.name = line.substr(0, colon);
      field.text = line.substr(colon + 2);
      if (field.text.starts_with('"')) field.text = field.text.substr(1, field.text.size() - 2);
    }
    message.fields.push_back(std::move(field));
  }
  return message;
}

AttrValue ShapeOf(const Message& m) {
  if (m.Text("unknown_rank") == "true") return Shape::UnknownRank();
  Shape shape;
  for (const Message* dim : m.Messages("dim")) shape.Append(std::stoll(dim->Text("size")));
  return shape;
}

AttrValue ValueOf(const Message& m) {
  for (const Message::Field& f : m.fields) {
    if (f.name == "i") return AttrValue(int64_t{std::stoll(f.text)});
    if (f.name == "f") return AttrValue(std::stof(f.text));
    if (f.name == "b") return AttrValue(f.text == "true");
    if (f.name == "s") return AttrValue(f.text);
    if (f.name == "type") return AttrValue(*ParseDType(f.text));
    if (f.name == "shape") return ShapeOf(*f.message);
    if (f.name == "list") {
      ListValue list;
      for (const std::string& t : f.message->Texts("i")) list.i.push_back(std::stoll(t));
      for (const std::string& t : f.message->Texts("f")) list.f.push_back(std::stof(t));
      for (const std::string& t : f.message->Texts("b")) list.b.push_back(t == "true");
      for (const std::string& t : f.message->Texts("s")) list.s.push_back(t);
      for (const std::string& t : f.message->Texts("type")) list.type.push_back(*ParseDType(t));
      return list;
    }
  }
  return {};
}

std::string ArgText(const ArgDef& arg) {
  std::string type = !arg.type_list_attr.empty() ? arg.type_list_attr
                     : !arg.type_attr.empty()    ? arg.type_attr
                                                 : DTypeName(arg.type);
  if (arg.is_ref) type = "Ref(" + type + ")";
  return Cat(arg.name, ": ", arg.number_attr.empty() ? "" : arg.number_attr + " * ", type);
}

std::string ArgText(const Message& m) {
  ArgDef arg;
  arg.name = m.Text("name");
  arg.type_attr = m.Text("type_attr");
  arg.type_list_attr = m.Text("type_list_attr");
  arg.number_attr = m.Text("number_attr");
  arg.is_ref = m.Text("is_ref") == "true";
  if (const std::string type = m.Text("type"); !type.empty()) arg.type = *ParseDType(type);
  return ArgText(arg);
}

// Later versions made some fixed types attributes, which have that type by default.
ArgDef AsRecorded(const OpDefValue& op, ArgDef arg, const Message& recorded) {
  for (const AttrDef& attr : op.attrs) {
    const DType* fallback = attr.default_value.get<DType>();
    if (attr.name == arg.type_attr && fallback != nullptr && ParseDType(recorded.Text("type")) == *fallback) {
      arg.type_attr.clear();
      arg.type = *fallback;
    }
  }
  return arg;
}

std::vector<std::string> Differences(const OpDefValue& ours, const Message& theirs) {
  std::vector<std::string> out;
  const auto args = [&](const char* what, const std::vector<ArgDef>& mine, const std::vector<const Message*>& list) {
    std::vector<std::string> a, b;
    for (size_t i = 0; i < mine.size(); ++i) {
      a.push_back(ArgText(i < list.size() ? AsRecorded(ours, mine[i], *list[i]) : mine[i]));
    }
    for (const Message* arg : list) b.push_back(ArgText(*arg));
    if (a != b) out.push_back(Cat(what, "s: expected (", Join(b, ", "), "), found (", Join(a, ", "), ")"));
  };
  args("input", ours.inputs, theirs.Messages("input_arg"));
  args("output", ours.outputs, theirs.Messages("output_arg"));
  const auto flag = [&](const char* name, bool mine) {
    if (mine != (theirs.Text(name) == "true")) out.push_back(Cat(name, ": found ", mine));
  };
  flag("is_commutative", ours.is_commutative);
  flag("is_aggregate", ours.is_aggregate);
  flag("is_stateful", ours.is_stateful);
  flag("allows_uninitialized_input", ours.allows_uninitialized_input);

  std::set<std::string> named;
  for (const Message* attr : theirs.Messages("attr")) {
    const std::string name = attr->Text("name");
    named.insert(name);
    const auto mine =
        std::find_if(ours.attrs.begin(), ours.attrs.end(), [&](const AttrDef& a) { return a.name == name; });
    if (mine == ours.attrs.end()) {
      out.push_back(Cat("attribute '", name, "' is missing"));
      continue;
    }
    if (mine->type != attr->Text("type")) {
      out.push_back(Cat("attribute '", name, "': expected ", attr->Text("type"), ", found ", mine->type));
      continue;
    }
    const Message* value = attr->Find("default_value");
    // A default that later versions added is accepted.
    if (value != nullptr && !mine->has_default) {
      out.push_back(Cat("attribute '", name, "': the default is missing"));
    } else if (value != nullptr && ValueOf(*value).kind() != AttrValue::Kind::kNone &&
               !(ValueOf(*value) == mine->default_value)) {
      out.push_back(Cat("attribute '", name, "': expected the default ", ValueOf(*value).ToString(), ", found ",
                        mine->default_value.ToString()));
    }
    const int64_t minimum = attr->Text("minimum").empty() ? 0 : std::stoll(attr->Text("minimum"));
    if (attr->Text("has_minimum") == "true" && (!mine->has_minimum || mine->minimum != minimum)) {
      out.push_back(Cat("attribute '", name, "': expected the minimum ", minimum));
    }
    const Message* allowed = attr->Find("allowed_values");
    const ListValue* my_allowed = mine->allowed_values.get<ListValue>();
    if (allowed == nullptr && my_allowed != nullptr) {
      out.push_back(Cat("attribute '", name, "': expected any value, found ", mine->allowed_values.ToString()));
    } else if (allowed != nullptr && my_allowed != nullptr) {
      // Later versions allow more.
      const AttrValue expected = ValueOf(*allowed);
      for (DType t : expected.get<ListValue>()->type) {
        if (std::find(my_allowed->type.begin(), my_allowed->type.end(), t) == my_allowed->type.end()) {
          out.push_back(Cat("attribute '", name, "': does not allow ", DTypeName(t)));
        }
      }
      for (const std::string& s : expected.get<ListValue>()->s) {
        if (std::find(my_allowed->s.begin(), my_allowed->s.end(), s) == my_allowed->s.end()) {
          out.push_back(Cat("attribute '", name, "': does not allow '", s, "'"));
        }
      }
    }
  }
  for (const AttrDef& attr : ours.attrs) {
    if (named.count(attr.name) == 0 && !attr.has_default) {
      out.push_back(Cat("attribute '", attr.name, "' is new, so it needs a default"));
    }
  }
  return out;
}

// What version 2 of the framework took back or relaxed.
const std::set<std::string>& LaterChanges() {
  static const std::set<std::string> changes = {
      "ArgMax: attribute 'T': does not allow complex64",  "ArgMax: attribute 'T': does not allow complex128",
      "ArgMin: attribute 'T': does not allow complex64",  "ArgMin: attribute 'T': does not allow complex128",
      "Max: attribute 'T': does not allow complex64",     "Max: attribute 'T': does not allow complex128",
      "Min: attribute 'T': does not allow complex64",     "Min: attribute 'T': does not allow complex128",
      "StringJoin: attribute 'N': expected the minimum 1"};
  return changes;
}

TEST_CASE("the built-in definitions have no problems") {
  CHECK(Registry::BuiltIn().Check() == std::vector<std::string>{});
  CHECK(Registry::BuiltIn().ops().size() > 10);
}

TEST_CASE("the built-in definitions are those of the public registry") {
  if (SharedDir().empty()) MR_SKIP("the recorded registry is not here");
  std::ifstream file(SharedDir() + "/corpora/tensorflow_1_15/tensorflow/core/ops/ops.pbtxt");
  REQUIRE(file.good());
  const Message registry = Parse(file);
  const auto ops = registry.Messages("op");
  REQUIRE(ops.size() > 1000);
  std::map<std::string, const Message*> by_name;
  for (const Message* op : ops) by_name[op->Text("name")] = op;
  int compared = 0;
  for (const Op* op : Registry::BuiltIn().ops()) {
    const auto it = by_name.find(op->name());
    if (it == by_name.end()) continue;  // newer than the recorded registry
    ++compared;
    for (const std::string& difference : Differences(op->signature(), *it->second)) {
      if (LaterChanges().count(op->name() + ": " + difference) == 0) FAIL_CHECK(op->name() << ": " << difference);
    }
  }
  CHECK(compared > 10);
}

TEST_CASE("a definition that differs from the public registry is found out") {
  Registry registry;
  registry.Define("Op").Input("x: T").Output("y: int32").Attr("T: {float}").Attr("n: int = 2").Attr("extra: int");
  std::istringstream text(R"(name: "Op"
  input_arg {
    name: "x"
    type_attr: "T"
  }
  output_arg {
    name: "y"
    type: DT_INT64
  }
  attr {
    name: "T"
    type: "type"
    allowed_values {
      list {
        type: DT_FLOAT
        type: DT_HALF
      }
    }
  }
  attr {
    name: "n"
    type: "int"
    default_value {
      i: 1
    }
  }
  attr {
    name: "gone"
    type: "bool"
  }
  is_stateful: true
)");
  const std::vector<std::string> found = Differences(registry.Find("Op")->signature(), Parse(text));
  INFO(Join(found, "\n"));
  CHECK(found.size() == 6);
}

}  // namespace
}  // namespace millrace
