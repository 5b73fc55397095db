#include "millrace/proto/codec/attr.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {

static TensorValue NewTensor() {
  TensorValue t;
  t.has_shape = false;
  return t;
}

static void Read(Reader r, ListValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(2):
        out->s.push_back(r.RawString());
        break;
      case Len(3):
      case Var(3):
        r.Ints(&out->i);
        break;
      case Len(4):
      case F32(4):
        r.Floats(&out->f);
        break;
      case Len(5):
      case Var(5):
        r.Ints(&out->b);
        break;
      case Len(6):
      case Var(6):
        r.Ints(&out->type);
        break;
      case Len(7):
        Read(r.Sub(), &out->shape.emplace_back());
        break;
      case Len(8): {
        TensorValue tensor = NewTensor();
        Read(r.Sub(), &tensor);
        out->tensor.push_back(std::make_shared<const TensorValue>(std::move(tensor)));
        break;
      }
      case Len(9):
        Read(r.Sub(), &out->func.emplace_back());
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const FuncValue& f, std::string* out) {
  Writer(out).String(1, f.name);
  if (f.attrs != nullptr) WriteMap(2, *f.attrs, out);
}

static void Write(const ListValue& list, std::string* out) {
  Writer w(out);
  for (const std::string& s : list.s) w.PutString(2, s);
  w.Ints(3, list.i);
  w.Fixed(4, list.f);
  w.Ints(5, list.b);
  std::vector<int32_t> types;
  for (DType t : list.type) types.push_back(static_cast<int32_t>(t));
  w.Ints(6, types);
  for (const ShapeValue& s : list.shape) w.PutMessage(7, [&] { Write(s.shape, s.dim_names, out); });
  for (const auto& t : list.tensor) {
    w.PutMessage(8, [&] {
      if (t != nullptr) Write(*t, out);
    });
  }
  for (const FuncValue& f : list.func) w.PutMessage(9, [&] { Write(f, out); });
}

// Adds to the name and to `attrs`, which the caller puts into `out` in the end.
static void Read(Reader r, FuncValue* out, AttrMap* attrs) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Len(2):
        ReadEntry(r.Sub(), attrs);
        break;
      default:
        r.Skip();
    }
  }
}

void Read(Reader r, FuncValue* out) {
  AttrMap attrs;
  Read(r, out, &attrs);
  if (!attrs.empty()) out->attrs = std::make_shared<const AttrMap>(std::move(attrs));
}

void Read(Reader r, AttrValue* out) {
  // A message that comes again is merged with what it was, so the four kinds
  // that are messages are gathered here; any other kind drops them.
  struct Func {
    FuncValue value;
    AttrMap attrs;
  };
  std::variant<std::monostate, ListValue, ShapeValue, TensorValue, Func> held;
  const auto gather = [&]<typename T>(T fresh) -> T* {
    if (!std::holds_alternative<T>(held)) held = std::move(fresh);
    return &std::get<T>(held);
  };
  while (r.Next()) {
    AttrValue plain;
    switch (r.key()) {
      case Len(1):
        Read(r.Sub(), gather(ListValue()));
        continue;
      case Len(2):
        plain = r.RawString();
        break;
      case Var(3):
        plain = r.Int<int64_t>();
        break;
      case F32(4):
        plain = r.Float();
        break;
      case Var(5):
        plain = r.Bool();
        break;
      case Var(6):
        plain = r.Int<DType>();
        break;
      case Len(7):
        Read(r.Sub(), gather(ShapeValue()));
        continue;
      case Len(8):
        Read(r.Sub(), gather(NewTensor()));
        continue;
      case Len(9):
        plain = AttrPlaceholder{r.String()};
        break;
      case Len(10): {
        Func* func = gather(Func());
        Read(r.Sub(), &func->value, &func->attrs);
        continue;
      }
      default:
        r.Skip();
        continue;
    }
    held = std::monostate();
    *out = std::move(plain);
  }
  if (auto* list = std::get_if<ListValue>(&held)) *out = std::move(*list);
  if (auto* shape = std::get_if<ShapeValue>(&held)) *out = std::move(*shape);
  if (auto* tensor = std::get_if<TensorValue>(&held)) *out = std::move(*tensor);
  if (auto* func = std::get_if<Func>(&held)) {
    if (!func->attrs.empty()) func->value.attrs = std::make_shared<const AttrMap>(std::move(func->attrs));
    *out = std::move(func->value);
  }
}

void Write(const AttrValue& v, std::string* out) {
  Writer w(out);
  switch (v.kind()) {
    case AttrValue::Kind::kNone:
      break;
    case AttrValue::Kind::kString:
      w.PutString(2, *v.get<std::string>());
      break;
    case AttrValue::Kind::kInt:
      w.PutInt(3, static_cast<uint64_t>(*v.get<int64_t>()));
      break;
    case AttrValue::Kind::kFloat:
      w.PutFloat(4, *v.get<float>());
      break;
    case AttrValue::Kind::kBool:
      w.PutInt(5, *v.get<bool>() ? 1 : 0);
      break;
    case AttrValue::Kind::kType:
      w.PutInt(6, static_cast<uint64_t>(static_cast<int64_t>(*v.get<DType>())));
      break;
    case AttrValue::Kind::kShape: {
      const auto& s = *v.get<ShapeValue>();
      w.PutMessage(7, [&] { Write(s.shape, s.dim_names, out); });
      break;
    }
    case AttrValue::Kind::kTensor: {
      const auto& t = *v.get<std::shared_ptr<const TensorValue>>();
      w.PutMessage(8, [&] {
        if (t != nullptr) Write(*t, out);
      });
      break;
    }
    case AttrValue::Kind::kPlaceholder:
      w.PutString(9, v.get<AttrPlaceholder>()->name);
      break;
    case AttrValue::Kind::kFunc:
      w.PutMessage(10, [&] { Write(*v.get<FuncValue>(), out); });
      break;
    case AttrValue::Kind::kList:
      w.PutMessage(1, [&] { Write(*v.get<ListValue>(), out); });
      break;
  }
}

void ReadEntry(Reader r, AttrMap* out) {
  std::string key;
  AttrValue value;
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        key = r.String();
        break;
      case Len(2):
        Read(r.Sub(), &value);
        break;
      default:
        r.Skip();
    }
  }
  out->insert_or_assign(std::move(key), std::move(value));
}

void WriteMap(uint32_t field, const AttrMap& map, std::string* out) {
  Writer w(out);
  for (const auto& [key, value] : map) {
    w.PutMessage(field, [&] {
      w.PutString(1, key);
      w.PutMessage(2, [&] { Write(value, out); });
    });
  }
}

void ReadEntry(Reader r, std::map<std::string, std::string>* out) {
  std::string key, value;
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        key = r.String();
        break;
      case Len(2):
        value = r.String();
        break;
      default:
        r.Skip();
    }
  }
  out->insert_or_assign(std::move(key), std::move(value));
}

void WriteMap(uint32_t field, const std::map<std::string, std::string>& map, std::string* out) {
  Writer w(out);
  for (const auto& [key, value] : map) {
    w.PutMessage(field, [&] {
      w.PutString(1, key);
      w.PutString(2, value);
    });
  }
}

}  // namespace codec

Result<AttrValue> ParseAttr(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<AttrValue>("attribute", bytes, limits,
                                 [](codec::Reader r, AttrValue* out) { codec::Read(r, out); });
}

std::string SerializeAttr(const AttrValue& value) {
  std::string out;
  codec::Write(value, &out);
  return out;
}

}  // namespace millrace
