#include "millrace/proto/codec/graph_def.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {

// Names the node that `r` reads, once its name is known, in whatever goes wrong.
static void ReadNode(Reader r, NodeDef* out) {
  Context& context = r.context();
  if (++context.nodes > context.limits.file_nodes) {
    throw Malformed(PastLimit("nodes", "file_nodes", context.limits.file_nodes, static_cast<uint64_t>(context.nodes)));
  }
  Status status;
  try {
    Read(r, out);
    return;
  } catch (const Malformed& e) {
    status = e.status();
  } catch (const protozero::exception& e) {
    status = InvalidArgument(Cat("malformed bytes (", e.what(), ")"));
  }
  throw Malformed(status.At(out->name, out->op));
}

void Read(Reader r, NodeDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->name = r.String();
        break;
      case Len(2):
        out->op = r.String();
        break;
      case Len(3):
        out->inputs.push_back(r.String());
        break;
      case Len(4):
        out->device = r.String();
        break;
      case Len(5):
        ReadEntry(r.Sub(), &out->attrs);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

void Write(const NodeDef& n, std::string* out) {
  Writer w(out);
  w.String(1, n.name);
  w.String(2, n.op);
  for (const std::string& input : n.inputs) w.PutString(3, input);
  w.String(4, n.device);
  WriteMap(5, n.attrs, out);
  w.Unread(n.unread_fields);
}

void Read(Reader r, VersionDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->producer = r.Int<int32_t>();
        break;
      case Var(2):
        out->min_consumer = r.Int<int32_t>();
        break;
      case Len(3):
      case Var(3):
        r.Ints(&out->bad_consumers);
        break;
      default:
        r.Skip();
    }
  }
}

void Write(const VersionDef& v, std::string* out) {
  Writer w(out);
  w.Int(1, v.producer);
  w.Int(2, v.min_consumer);
  w.Ints(3, v.bad_consumers);
}

// An entry of map<uint32, ArgAttrs>, where ArgAttrs is a message of one map.
static void ReadArgAttrs(Reader r, std::map<uint32_t, AttrMap>* out) {
  uint32_t key = 0;
  AttrMap attrs;
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        key = r.Int<uint32_t>();
        break;
      case Len(2): {
        Reader sub = r.Sub();
        while (sub.Next()) {
          if (sub.key() == Len(1)) ReadEntry(sub.Sub(), &attrs);
          else sub.Skip();
        }
        break;
      }
      default:
        r.Skip();
    }
  }
  out->insert_or_assign(key, std::move(attrs));
}

static void ReadIds(Reader r, std::map<uint32_t, uint32_t>* out) {
  uint32_t key = 0, value = 0;
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        key = r.Int<uint32_t>();
        break;
      case Var(2):
        value = r.Int<uint32_t>();
        break;
      default:
        r.Skip();
    }
  }
  out->insert_or_assign(key, value);
}

static void Read(Reader r, FunctionDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        Read(r.Sub(), &out->signature);
        break;
      case Len(3):
        ReadNode(r.Sub(), &out->nodes.emplace_back());
        break;
      case Len(4):
        ReadEntry(r.Sub(), &out->ret);
        break;
      case Len(5):
        ReadEntry(r.Sub(), &out->attrs);
        break;
      case Len(6):
        ReadEntry(r.Sub(), &out->control_ret);
        break;
      case Len(7):
        ReadArgAttrs(r.Sub(), &out->arg_attrs);
        break;
      case Len(8):
        ReadIds(r.Sub(), &out->resource_arg_unique_id);
        break;
      default:
        r.Skip();
    }
  }
}

static void Write(const FunctionDef& f, std::string* out) {
  Writer w(out);
  w.PutMessage(1, [&] { Write(f.signature, out); });
  for (const NodeDef& n : f.nodes) w.PutMessage(3, [&] { Write(n, out); });
  WriteMap(4, f.ret, out);
  WriteMap(5, f.attrs, out);
  WriteMap(6, f.control_ret, out);
  for (const auto& [index, attrs] : f.arg_attrs) {
    w.PutMessage(7, [&] {
      w.PutInt(1, index);
      w.PutMessage(2, [&] { WriteMap(1, attrs, out); });
    });
  }
  for (const auto& [index, id] : f.resource_arg_unique_id) {
    w.PutMessage(8, [&] {
      w.PutInt(1, index);
      w.PutInt(2, id);
    });
  }
}

static void Read(Reader r, GradientDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        out->function_name = r.String();
        break;
      case Len(2):
        out->gradient_func = r.String();
        break;
      default:
        r.Skip();
    }
  }
}

void Read(Reader r, FunctionLibrary* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        Read(r.Sub(), &out->functions.emplace_back());
        break;
      case Len(2):
        Read(r.Sub(), &out->gradients.emplace_back());
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

void Write(const FunctionLibrary& library, std::string* out) {
  Writer w(out);
  for (const FunctionDef& f : library.functions) w.PutMessage(1, [&] { Write(f, out); });
  for (const GradientDef& g : library.gradients) {
    w.PutMessage(2, [&] {
      w.String(1, g.function_name);
      w.String(2, g.gradient_func);
    });
  }
  w.Unread(library.unread_fields);
}

void Read(Reader r, GraphDef* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        ReadNode(r.Sub(), &out->nodes.emplace_back());
        break;
      case Len(2):
        out->has_library = true;
        Read(r.Sub(), &out->library);
        break;
      case Var(3):
        out->deprecated_version = r.Int<int32_t>();
        break;
      case Len(4):
        out->has_versions = true;
        Read(r.Sub(), &out->versions);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

void Write(const GraphDef& g, std::string* out) {
  Writer w(out);
  for (const NodeDef& n : g.nodes) w.PutMessage(1, [&] { Write(n, out); });
  if (g.has_library) w.PutMessage(2, [&] { Write(g.library, out); });
  w.Int(3, g.deprecated_version);
  if (g.has_versions) w.PutMessage(4, [&] { Write(g.versions, out); });
  w.Unread(g.unread_fields);
}

}  // namespace codec

Result<GraphDef> ParseGraphDef(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<GraphDef>("graph", bytes, limits, [](codec::Reader r, GraphDef* out) { codec::Read(r, out); });
}

std::string SerializeGraphDef(const GraphDef& graph) {
  std::string out;
  codec::Write(graph, &out);
  return out;
}

Result<NodeDef> ParseNodeDef(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<NodeDef>("node", bytes, limits, [](codec::Reader r, NodeDef* out) { codec::Read(r, out); });
}

std::string SerializeNodeDef(const NodeDef& node) {
  std::string out;
  codec::Write(node, &out);
  return out;
}

Result<FunctionLibrary> ParseFunctionLibrary(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<FunctionLibrary>("function library", bytes, limits,
                                       [](codec::Reader r, FunctionLibrary* out) { codec::Read(r, out); });
}

std::string SerializeFunctionLibrary(const FunctionLibrary& library) {
  std::string out;
  codec::Write(library, &out);
  return out;
}

}  // namespace millrace
