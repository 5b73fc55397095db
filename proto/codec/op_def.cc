#include "millrace/proto/codec/op_def.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {

static void Read(Reader r, ArgDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Len(2):
        out->description = r.String();
        break;
      case Var(3):
        out->type = r.Int<DType>();
        break;
      case Len(4):
        out->type_attr = r.String();
        break;
      case Len(5):
        out->number_attr = r.String();
        break;
      case Len(6):
        out->type_list_attr = r.String();
        break;
      case Var(16):
        out->is_ref = r.Bool();
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const ArgDef& a, std::string* out) {
  Writer w(out);
  w.String(1, a.name);
  w.String(2, a.description);
  w.Int(3, static_cast<int32_t>(a.type));
  w.String(4, a.type_attr);
  w.String(5, a.number_attr);
  w.String(6, a.type_list_attr);
  w.Bool(16, a.is_ref);
  w.Unread(a.unread_fields);
}

static void Read(Reader r, AttrDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Len(2):
        out->type = r.String();
        break;
      case Len(3):
        out->has_default = true;
        Read(r.Sub(), &out->default_value);
        break;
      case Len(4):
        out->description = r.String();
        break;
      case Var(5):
        out->has_minimum = r.Bool();
        break;
      case Var(6):
        out->minimum = r.Int<int64_t>();
        break;
      case Len(7):
        Read(r.Sub(), &out->allowed_values);
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const AttrDef& a, std::string* out) {
  Writer w(out);
  w.String(1, a.name);
  w.String(2, a.type);
  if (a.has_default) w.PutMessage(3, [&] { Write(a.default_value, out); });
  w.String(4, a.description);
  w.Bool(5, a.has_minimum);
  w.Int(6, a.minimum);
  if (a.allowed_values.kind() != AttrValue::Kind::kNone) w.PutMessage(7, [&] { Write(a.allowed_values, out); });
}

static void Read(Reader r, OpDeprecation* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->version = r.Int<int32_t>();
        break;
      case Len(2):
        out->explanation = r.String();
        break;
      default:
        r.Skip();
    }
  }
}

void Read(Reader r, OpDefValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Len(2):
        Read(r.Sub(), &out->inputs.emplace_back());
        break;
      case Len(3):
        Read(r.Sub(), &out->outputs.emplace_back());
        break;
      case Len(4):
        Read(r.Sub(), &out->attrs.emplace_back());
        break;
      case Len(5):
        out->summary = r.String();
        break;
      case Len(6):
        out->description = r.String();
        break;
      case Len(8):
        out->has_deprecation = true;
        Read(r.Sub(), &out->deprecation);
        break;
      case Var(16):
        out->is_aggregate = r.Bool();
        break;
      case Var(17):
        out->is_stateful = r.Bool();
        break;
      case Var(18):
        out->is_commutative = r.Bool();
        break;
      case Var(19):
        out->allows_uninitialized_input = r.Bool();
        break;
      case Len(20):
        out->control_outputs.push_back(r.String());
        break;
      case Var(21):
        out->is_distributed_communication = r.Bool();
        break;
      default:
        r.Skip();
    }
  }
}

void Write(const OpDefValue& op, std::string* out) {
  Writer w(out);
  w.String(1, op.name);
  for (const ArgDef& a : op.inputs) w.PutMessage(2, [&] { Write(a, out); });
  for (const ArgDef& a : op.outputs) w.PutMessage(3, [&] { Write(a, out); });
  for (const AttrDef& a : op.attrs) w.PutMessage(4, [&] { Write(a, out); });
  w.String(5, op.summary);
  w.String(6, op.description);
  if (op.has_deprecation) {
    w.PutMessage(8, [&] {
      w.Int(1, op.deprecation.version);
      w.String(2, op.deprecation.explanation);
    });
  }
  w.Bool(16, op.is_aggregate);
  w.Bool(17, op.is_stateful);
  w.Bool(18, op.is_commutative);
  w.Bool(19, op.allows_uninitialized_input);
  for (const std::string& c : op.control_outputs) w.PutString(20, c);
  w.Bool(21, op.is_distributed_communication);
}

}  // namespace codec

Result<OpDefValue> ParseOpDef(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<OpDefValue>("op definition", bytes, limits,
                                  [](codec::Reader r, OpDefValue* out) { codec::Read(r, out); });
}

std::string SerializeOpDef(const OpDefValue& op) {
  std::string out;
  codec::Write(op, &out);
  return out;
}

Result<std::vector<OpDefValue>> ParseOpList(const Bytes& bytes, const Limits& limits) {
  using List = std::vector<OpDefValue>;
  return codec::Parse<List>("op list", bytes, limits, [](codec::Reader r, List* out) {
    while (r.Next()) {
      if (r.key() == codec::Len(1)) codec::Read(r.Sub(), &out->emplace_back());
      else r.Skip();
    }
  });
}

std::string SerializeOpList(const std::vector<OpDefValue>& ops) {
  std::string out;
  codec::Writer w(&out);
  for (const OpDefValue& op : ops) w.PutMessage(1, [&] { codec::Write(op, &out); });
  return out;
}

}  // namespace millrace
