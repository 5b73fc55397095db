#include "millrace/proto/codec/meta_graph.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {

static void Read(Reader r, TensorInfo* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Var(2):
        out->dtype = r.Int<DType>();
        break;
      case Len(3):
        out->has_shape = true;
        Read(r.Sub(), &out->shape);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const TensorInfo& t, std::string* out) {
  Writer w(out);
  w.String(1, t.name);
  w.Int(2, static_cast<int32_t>(t.dtype));
  if (t.has_shape) w.PutMessage(3, [&] { Write(t.shape.shape, t.shape.dim_names, out); });
  w.Unread(t.unread_fields);
}

static void Read(Reader r, SignatureDef* out);
static void Read(Reader r, CollectionDef* out);
static void Write(const SignatureDef& s, std::string* out);
static void Write(const CollectionDef& c, std::string* out);

// An entry of map<string, T>.
template <typename T>
static void ReadMessageEntry(Reader r, std::map<std::string, T>* out) {
  std::string key;
  T value;
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

template <typename T>
static void WriteMessageMap(uint32_t field, const std::map<std::string, T>& map, std::string* out) {
  Writer w(out);
  for (const auto& [key, value] : map) {
    w.PutMessage(field, [&] {
      w.PutString(1, key);
      w.PutMessage(2, [&] { Write(value, out); });
    });
  }
}

static void Read(Reader r, SignatureDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        ReadMessageEntry(r.Sub(), &out->inputs);
        break;
      case Len(2):
        ReadMessageEntry(r.Sub(), &out->outputs);
        break;
      case Len(3):
        out->method_name = r.String();
        break;
      case Len(4):
        ReadMessageEntry(r.Sub(), &out->defaults);
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const SignatureDef& s, std::string* out) {
  WriteMessageMap(1, s.inputs, out);
  WriteMessageMap(2, s.outputs, out);
  Writer(out).String(3, s.method_name);
  WriteMessageMap(4, s.defaults, out);
}

static void Read(Reader r, CollectionDef* out) {
  // The list of the kind that the field says; one of another kind is dropped.
  const auto list = [&]<typename T>(T fresh) -> T& {
    if (!std::holds_alternative<T>(out->kind)) out->kind = std::move(fresh);
    return std::get<T>(out->kind);
  };
  // Each(f): f(reader) for every field 1 of the message.
  const auto each = [](Reader sub, uint32_t key, const auto& f) {
    while (sub.Next()) {
      if (sub.key() == key) f(sub);
      else sub.Skip();
    }
  };
  while (r.Next()) {
    switch (r.key()) {
      case Len(1): {
        auto& values = list(CollectionDef::NodeList()).values;
        each(r.Sub(), Len(1), [&](Reader& s) { values.push_back(s.String()); });
        break;
      }
      case Len(2): {
        auto& values = list(CollectionDef::BytesList()).values;
        each(r.Sub(), Len(1), [&](Reader& s) { values.push_back(s.RawString()); });
        break;
      }
      case Len(3): {
        auto& values = list(std::vector<int64_t>());
        Reader sub = r.Sub();
        while (sub.Next()) {
          if (sub.key() == Len(1) || sub.key() == Var(1)) sub.Ints(&values);
          else sub.Skip();
        }
        break;
      }
      case Len(4): {
        auto& values = list(std::vector<float>());
        Reader sub = r.Sub();
        while (sub.Next()) {
          if (sub.key() == Len(1) || sub.key() == F32(1)) sub.Floats(&values);
          else sub.Skip();
        }
        break;
      }
      case Len(5): {
        auto& values = list(CollectionDef::AnyList()).values;
        each(r.Sub(), Len(1), [&](Reader& s) { values.push_back(s.RawString()); });
        break;
      }
      default:
        r.Skip();
    }
  }
}

static void Write(const CollectionDef& c, std::string* out) {
  Writer w(out);
  const auto strings = [&](uint32_t field, const std::vector<std::string>& values) {
    w.PutMessage(field, [&] {
      for (const std::string& v : values) w.PutString(1, v);
    });
  };
  if (const auto* nodes = std::get_if<CollectionDef::NodeList>(&c.kind)) strings(1, nodes->values);
  if (const auto* bytes = std::get_if<CollectionDef::BytesList>(&c.kind)) strings(2, bytes->values);
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&c.kind)) w.PutMessage(3, [&] { w.Ints(1, *ints); });
  if (const auto* floats = std::get_if<std::vector<float>>(&c.kind)) w.PutMessage(4, [&] { w.Fixed(1, *floats); });
  if (const auto* any = std::get_if<CollectionDef::AnyList>(&c.kind)) strings(5, any->values);
}

static void Read(Reader r, SaverDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->filename_tensor_name = r.String();
        break;
      case Len(2):
        out->save_tensor_name = r.String();
        break;
      case Len(3):
        out->restore_op_name = r.String();
        break;
      case Var(4):
        out->max_to_keep = r.Int<int32_t>();
        break;
      case Var(5):
        out->sharded = r.Bool();
        break;
      case F32(6):
        out->keep_checkpoint_every_n_hours = r.Float();
        break;
      case Var(7):
        out->version = r.Int<int32_t>();
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const SaverDef& s, std::string* out) {
  Writer w(out);
  w.String(1, s.filename_tensor_name);
  w.String(2, s.save_tensor_name);
  w.String(3, s.restore_op_name);
  w.Int(4, s.max_to_keep);
  w.Bool(5, s.sharded);
  w.Float(6, s.keep_checkpoint_every_n_hours);
  w.Int(7, s.version);
}

static void Read(Reader r, MetaInfo* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->meta_graph_version = r.String();
        break;
      case Len(2): {
        out->has_stripped_op_list = true;
        Reader ops = r.Sub();
        while (ops.Next()) {
          if (ops.key() == Len(1)) Read(ops.Sub(), &out->stripped_op_list.emplace_back());
          else ops.Skip();
        }
        break;
      }
      case Len(3):
        out->has_any_info = true;
        out->any_info = r.RawString();
        break;
      case Len(4):
        out->tags.push_back(r.String());
        break;
      case Len(5):
        out->tensorflow_version = r.String();
        break;
      case Len(6):
        out->tensorflow_git_version = r.String();
        break;
      case Var(7):
        out->stripped_default_attrs = r.Bool();
        break;
      case Len(8):
        ReadEntry(r.Sub(), &out->function_aliases);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const MetaInfo& m, std::string* out) {
  Writer w(out);
  w.String(1, m.meta_graph_version);
  if (m.has_stripped_op_list) {
    w.PutMessage(2, [&] {
      for (const OpDefValue& op : m.stripped_op_list) w.PutMessage(1, [&] { Write(op, out); });
    });
  }
  if (m.has_any_info) w.PutString(3, m.any_info);
  for (const std::string& tag : m.tags) w.PutString(4, tag);
  w.String(5, m.tensorflow_version);
  w.String(6, m.tensorflow_git_version);
  w.Bool(7, m.stripped_default_attrs);
  WriteMap(8, m.function_aliases, out);
  w.Unread(m.unread_fields);
}

static void Read(Reader r, AssetFileDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->has_tensor_info = true;
        Read(r.Sub(), &out->tensor_info);
        break;
      case Len(2):
        out->filename = r.String();
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const AssetFileDef& a, std::string* out) {
  Writer w(out);
  if (a.has_tensor_info) w.PutMessage(1, [&] { Write(a.tensor_info, out); });
  w.String(2, a.filename);
}

void Read(Reader r, MetaGraphDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->has_meta_info = true;
        Read(r.Sub(), &out->meta_info);
        break;
      case Len(2):
        out->has_graph = true;
        Read(r.Sub(), &out->graph);
        break;
      case Len(3):
        out->has_saver = true;
        Read(r.Sub(), &out->saver);
        break;
      case Len(4):
        ReadMessageEntry(r.Sub(), &out->collections);
        break;
      case Len(5):
        ReadMessageEntry(r.Sub(), &out->signatures);
        break;
      case Len(6):
        Read(r.Sub(), &out->assets.emplace_back());
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

void Write(const MetaGraphDef& m, std::string* out) {
  Writer w(out);
  if (m.has_meta_info) w.PutMessage(1, [&] { Write(m.meta_info, out); });
  if (m.has_graph) w.PutMessage(2, [&] { Write(m.graph, out); });
  if (m.has_saver) w.PutMessage(3, [&] { Write(m.saver, out); });
  WriteMessageMap(4, m.collections, out);
  WriteMessageMap(5, m.signatures, out);
  for (const AssetFileDef& a : m.assets) w.PutMessage(6, [&] { Write(a, out); });
  w.Unread(m.unread_fields);
}

}  // namespace codec

Result<MetaGraphDef> ParseMetaGraphDef(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<MetaGraphDef>("meta graph", bytes, limits,
                                    [](codec::Reader r, MetaGraphDef* out) { codec::Read(r, out); });
}

std::string SerializeMetaGraphDef(const MetaGraphDef& meta_graph) {
  std::string out;
  codec::Write(meta_graph, &out);
  return out;
}

}  // namespace millrace
