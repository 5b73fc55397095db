// TF_Function: functions of a graph's library as objects of their own.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <unordered_map>

#include "millrace/proto/codec/attr.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/wire.h"

struct TF_Function {
  millrace::FunctionDef def;
};

namespace millrace::c_api {
namespace {

std::string Serialized(const FunctionDef& def) {
  FunctionLibrary library;
  library.functions.push_back(def);
  return std::string(FirstField(SerializeFunctionLibrary(library)));
}

Result<FunctionDef> Parsed(const void* proto, size_t length) {
  if (proto == nullptr) return InvalidArgument("expected a serialized FunctionDef, found null");
  std::string bytes;
  PutBytes(&bytes, 1, {static_cast<const char*>(proto), length});
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  MR_ASSIGN_OR_RETURN(FunctionLibrary library, ParseFunctionLibrary(Bytes(std::move(bytes)), limits));
  if (library.functions.size() != 1) return InvalidArgument("expected a serialized FunctionDef");
  return std::move(library.functions[0]);
}

// Makes names of arguments: letters, digits and '_', lower case, each once.
class Names {
 public:
  std::string Take(std::string_view wanted) {
    std::string name;
    for (const char c : wanted) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool digit = c >= '0' && c <= '9';
      if (name.empty() && !letter) continue;
      name.push_back(letter || digit ? static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) : '_');
    }
    if (name.empty()) name = "unknown";
    std::string unique = name;
    for (int i = 0; !taken_.insert(unique).second; ++i) unique = Cat(name, "_", i);
    return unique;
  }
  bool TakeAsIs(const std::string& name) { return taken_.insert(name).second; }

 private:
  std::set<std::string> taken_;
};

// What the body of a function calls a tensor: "node:argument:position".
std::string BodyName(const Endpoint& e) {
  int first = 0;
  for (const ArgDef& arg : e.node->op().signature().outputs) {
    int count = 1;
    const auto attr = [&](const std::string& name) { return e.node->attrs().find(name); };
    if (!arg.number_attr.empty()) {
      count = static_cast<int>(*attr(arg.number_attr)->second.get<int64_t>());
    } else if (!arg.type_list_attr.empty()) {
      count = static_cast<int>(attr(arg.type_list_attr)->second.get<ListValue>()->type.size());
    }
    if (e.index < first + count) return Cat(e.node->name(), ":", arg.name, ":", e.index - first);
    first += count;
  }
  return Cat(e.node->name(), ":", e.index);
}

Result<Endpoint> Checked(const TF_Output& output, std::string_view what, int i) {
  const Endpoint e = ToEndpoint(output);
  if (e.node == nullptr) return InvalidArgument(Cat(what, " ", i, ": expected a tensor, found null"));
  if (e.index >= 0 && e.index < e.node->num_outputs()) return e;
  return InvalidArgument(Cat(what, " ", i, ": expected an output of '", e.node->name(), "', which has ",
                             e.node->num_outputs(), ", found number ", e.index));
}

class FunctionMaker {
 public:
  Result<FunctionDef> Make(const Graph& graph, std::string name, int num_opers, const TF_Operation* const* opers,
                           std::span<const TF_Output> inputs, std::span<const TF_Output> outputs,
                           const char* const* output_names, const char* description) {
    FunctionDef def;
    def.signature.name = std::move(name);
    if (description != nullptr) def.signature.description = description;
    std::set<const Node*> made_by_inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, Checked(inputs[i], "input", static_cast<int>(i)));
      ArgDef& arg = def.signature.inputs.emplace_back();
      arg.name = names_.Take(e.node->name());
      arg.type = BaseType(e.node->output_types()[static_cast<size_t>(e.index)]);
      if (!arguments_.emplace(KeyOf(e), arg.name).second) {
        return InvalidArgument(Cat("input ", i, ": expected a tensor that is none yet, found '", BodyName(e), "'"));
      }
      made_by_inputs.insert(e.node);
    }
    std::vector<const Node*> body;
    if (num_opers < 0) {
      for (const auto& node : graph.nodes()) {
        if (!made_by_inputs.contains(node.get())) body.push_back(node.get());
      }
    } else {
      for (int i = 0; i < num_opers; ++i) {
        if (opers[i] == nullptr) return InvalidArgument("body: expected a node, found null");
        body.push_back(ToNode(opers[i]));
      }
    }
    body_.insert(body.begin(), body.end());
    for (const Node* node : body) {
      MR_ASSIGN_OR_RETURN(NodeDef in_body, BodyNode(*node));
      def.nodes.push_back(std::move(in_body));
      def.signature.is_stateful |= node->op().signature().is_stateful;
    }
    Names result_names;
    for (size_t i = 0; i < outputs.size(); ++i) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, Checked(outputs[i], "output", static_cast<int>(i)));
      ArgDef& arg = def.signature.outputs.emplace_back();
      arg.name = output_names != nullptr ? output_names[i] : result_names.Take(e.node->name());
      if (output_names != nullptr && !result_names.TakeAsIs(arg.name)) {
        return InvalidArgument(Cat("output ", i, ": expected a name of its own, found '", arg.name, "' twice"));
      }
      arg.type = BaseType(e.node->output_types()[static_cast<size_t>(e.index)]);
      MR_ASSIGN_OR_RETURN(def.ret[arg.name], NameOf(e, Cat("output ", i)));
    }
    return def;
  }

 private:
  static std::pair<const Node*, int> KeyOf(const Endpoint& e) { return {e.node, e.index}; }

  Result<std::string> NameOf(const Endpoint& e, std::string_view what) const {
    if (const auto it = arguments_.find(KeyOf(e)); it != arguments_.end()) return it->second;
    if (body_.contains(e.node)) return BodyName(e);
    return InvalidArgument(Cat(what, ": expected an input or a tensor of the body, found '", BodyName(e), "'"));
  }

  Result<NodeDef> BodyNode(const Node& node) const {
    NodeDef out = node.ToNodeDef();
    out.inputs.clear();
    for (const Endpoint& e : node.inputs()) {
      MR_ASSIGN_OR_RETURN(std::string name, NameOf(e, Cat("node '", node.name(), "'")));
      out.inputs.push_back(std::move(name));
    }
    for (const Node* before : node.control_inputs()) {
      if (!body_.contains(before)) {
        return InvalidArgument(
            Cat("node '", node.name(), "': expected to wait for nodes of the body, found '^", before->name(), "'"));
      }
      out.inputs.push_back("^" + before->name());
    }
    return out;
  }

  Names names_;
  std::map<std::pair<const Node*, int>, std::string> arguments_;
  std::set<const Node*> body_;
};

Status CopyInto(Graph* graph, const FunctionDef& function, const FunctionDef* gradient) {
  GraphDef def;
  def.has_library = true;
  def.versions = graph->versions();
  def.library.functions.push_back(function);
  if (gradient != nullptr) {
    def.library.functions.push_back(*gradient);
    const GradientDef wanted = {function.signature.name, gradient->signature.name};
    for (const GradientDef& g : graph->library().gradients) {
      if (g.function_name != wanted.function_name) continue;
      if (g == wanted) return graph->Import(def);
      return InvalidArgument(Cat("function '", g.function_name, "': expected gradient '", g.gradient_func, "', found '",
                                 wanted.gradient_func, "'"));
    }
    def.library.gradients.push_back(wanted);
  }
  return graph->Import(def);
}

std::string DebugString(const FunctionDef& def) {
  std::string text = Cat(def.signature.name, "(");
  for (const ArgDef& arg : def.signature.inputs) text += Cat(" ", arg.name);
  text += " ) {\n";
  for (const NodeDef& node : def.nodes)
    text += Cat("  ", node.name, " = ", node.op, "(", Join(node.inputs, ", "), ")\n");
  for (const auto& [name, tensor] : def.ret) text += Cat("  return ", name, " = ", tensor, "\n");
  return text + "}\n";
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

TF_Function* TF_GraphToFunction(const TF_Graph* fn_body, const char* fn_name, unsigned char append_hash_to_fn_name,
                                int num_opers, const TF_Operation* const* opers, int ninputs, const TF_Output* inputs,
                                int noutputs, const TF_Output* outputs, const char* const* output_names,
                                const TF_FunctionOptions*, const char* description, TF_Status* status) {
  if (fn_name == nullptr || ninputs < 0 || noutputs < 0) {
    Set(status, millrace::InvalidArgument("expected a name and counts of 0 or more"));
    return nullptr;
  }
  const GraphLock lock(*fn_body->state);
  millrace::Result<millrace::FunctionDef> def =
      FunctionMaker().Make(*fn_body->state->graph, fn_name, num_opers, opers, {inputs, static_cast<size_t>(ninputs)},
                           {outputs, static_cast<size_t>(noutputs)}, output_names, description);
  Set(status, def.status());
  if (!def.ok()) return nullptr;
  if (append_hash_to_fn_name != 0) {
    // FNV-1a of the body: the same for the same function in any process.
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : Serialized(*def)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    def->signature.name += "_";
    for (int shift = 60; shift >= 0; shift -= 4) def->signature.name += "0123456789abcdef"[hash >> shift & 15];
  }
  return new TF_Function{*std::move(def)};
}

TF_Function* TF_FunctionImportFunctionDef(const void* proto, size_t proto_len, TF_Status* status) {
  millrace::Result<millrace::FunctionDef> def = Parsed(proto, proto_len);
  Set(status, def.status());
  return def.ok() ? new TF_Function{*std::move(def)} : nullptr;
}
void TF_DeleteFunction(TF_Function* func) { delete func; }
const char* TF_FunctionName(TF_Function* func) { return func->def.signature.name.c_str(); }
void TF_FunctionToFunctionDef(TF_Function* func, TF_Buffer* output_func_def, TF_Status* status) {
  Set(status, Fill(Serialized(func->def), output_func_def));
}
char* TF_FunctionDebugString(TF_Function* func, size_t* len) {
  const std::string text = DebugString(func->def);
  if (len != nullptr) *len = text.size();
  return strdup(text.c_str());
}
void TF_FunctionSetAttrValueProto(TF_Function* func, const char* attr_name, const void* proto, size_t proto_len,
                                  TF_Status* status) {
  millrace::Result<millrace::AttrValue> value =
      millrace::ParseAttr(millrace::Bytes(std::string(static_cast<const char*>(proto), proto_len)));
  Set(status, value.status());
  if (value.ok()) func->def.attrs.insert_or_assign(attr_name, *std::move(value));
}
void TF_FunctionGetAttrValueProto(TF_Function* func, const char* attr_name, TF_Buffer* output_attr_value,
                                  TF_Status* status) {
  const std::string_view name = attr_name != nullptr ? attr_name : "";
  const auto it = func->def.attrs.find(name);
  Set(status, it != func->def.attrs.end() ? Fill(millrace::SerializeAttr(it->second), output_attr_value)
                                          : millrace::InvalidArgument(millrace::Cat(
                                                "function '", func->def.signature.name,
                                                "': expected the name of an attribute, found '", name, "'")));
}

void TF_GraphCopyFunction(TF_Graph* g, const TF_Function* func, const TF_Function* grad, TF_Status* status) {
  if (func == nullptr) return Set(status, millrace::InvalidArgument("expected a function, found null"));
  const GraphLock lock(*g->state);
  Set(status, CopyInto(g->state->graph.get(), func->def, grad != nullptr ? &grad->def : nullptr));
}
int TF_GraphNumFunctions(TF_Graph* g) {
  const GraphLock lock(*g->state);
  return static_cast<int>(g->state->graph->library().functions.size());
}
int TF_GraphGetFunctions(TF_Graph* g, TF_Function** funcs, int max_func, TF_Status* status) {
  const GraphLock lock(*g->state);
  Set(status, millrace::OkStatus());
  const auto& functions = g->state->graph->library().functions;
  const int count = std::min(static_cast<int>(functions.size()), std::max(max_func, 0));
  for (int i = 0; i < count; ++i) funcs[i] = new TF_Function{functions[static_cast<size_t>(i)]};
  return count;
}

}  // extern "C"
