#include "millrace/ops/graph/expand.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "millrace/ops/graph/colocation.h"
#include "millrace/ops/graph/function.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr int kMaxAttrDepth = 16;
// One unit of work is about so many bytes of names.
constexpr size_t kNameUnit = 64;

// Placeholders in `value` get what the caller bound.
Result<AttrValue> Bound(const AttrValue& value, const AttrMap& attrs, int depth);

Result<FuncValue> BoundFunc(const FuncValue& f, const AttrMap& attrs, int depth) {
  if (depth > kMaxAttrDepth) return InvalidArgument("expected functions as attributes of functions no deeper than 16");
  if (f.attrs == nullptr) return f;
  AttrMap bound;
  for (const auto& [name, value] : *f.attrs) {
    MR_ASSIGN_OR_RETURN(AttrValue v, Bound(value, attrs, depth + 1));
    bound.emplace(name, std::move(v));
  }
  return FuncValue{f.name, std::make_shared<const AttrMap>(std::move(bound))};
}

Result<AttrValue> Bound(const AttrValue& value, const AttrMap& attrs, int depth) {
  if (const auto* placeholder = value.get<AttrPlaceholder>()) {
    const auto it = attrs.find(placeholder->name);
    if (it != attrs.end() && it->second.kind() != AttrValue::Kind::kPlaceholder) return it->second;
    return InvalidArgument(
        Cat("attribute '", placeholder->name, "' of the function: expected a value from the call, found none"));
  }
  if (const auto* f = value.get<FuncValue>()) {
    MR_ASSIGN_OR_RETURN(FuncValue bound, BoundFunc(*f, attrs, depth));
    return AttrValue(std::move(bound));
  }
  if (const auto* list = value.get<ListValue>(); list != nullptr && !list->func.empty()) {
    ListValue bound = *list;
    for (FuncValue& f : bound.func) {
      MR_ASSIGN_OR_RETURN(f, BoundFunc(f, attrs, depth));
    }
    return AttrValue(std::move(bound));
  }
  return value;
}

// Tensors of an argument; `attrs` and then `signature`'s defaults say how many.
Result<size_t> CountOf(const ArgDef& arg, const OpDefValue& signature, const AttrMap& attrs) {
  const std::string& name = !arg.number_attr.empty() ? arg.number_attr : arg.type_list_attr;
  if (name.empty()) return size_t{1};
  const AttrValue* value = nullptr;
  if (const auto it = attrs.find(name); it != attrs.end()) value = &it->second;
  for (const AttrDef& def : signature.attrs) {
    if (value == nullptr && def.name == name && def.has_default) value = &def.default_value;
  }
  if (value != nullptr && !arg.number_attr.empty()) {
    if (const int64_t* n = value->get<int64_t>(); n != nullptr && *n >= 0 && *n <= (1 << 24))
      return static_cast<size_t>(*n);
  } else if (value != nullptr) {
    if (const ListValue* list = value->get<ListValue>()) return list->type.size();
  }
  return InvalidArgument(Cat("attribute '", name, "': expected the number of tensors of '", arg.name, "', found ",
                             value == nullptr ? "none" : value->ToString()));
}

bool ActsOnOthers(const Op& op) {
  return std::any_of(op.effects().begin(), op.effects().end(), [](const Effect& e) {
    return e.kind == Effect::Kind::kWrite || e.kind == Effect::Kind::kOutside;
  });
}

// "name", "name:out" or "name:out:k".
struct Reference {
  std::string_view name, output;
  std::optional<size_t> index;
};

Reference ParseReference(std::string_view text) {
  Reference r;
  const auto number = [](std::string_view t) -> std::optional<size_t> {
    size_t value = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), value);
    if (t.empty() || error != std::errc() || end != t.data() + t.size()) return std::nullopt;
    return value;
  };
  const size_t first = text.find(':');
  r.name = text.substr(0, first);
  if (first == std::string_view::npos) return r;
  std::string_view rest = text.substr(first + 1);
  const size_t second = rest.find(':');
  if (second == std::string_view::npos) {
    r.index = number(rest);
    if (!r.index) r.output = rest;
    return r;
  }
  r.output = rest.substr(0, second);
  r.index = number(rest.substr(second + 1));
  return r;
}

}  // namespace

Status BindAttrs(const FunctionDef& function, AttrMap* attrs, std::vector<DType>* inputs, std::vector<DType>* outputs) {
  for (const AttrDef& def : function.signature.attrs) {
    if (def.has_default) attrs->emplace(def.name, def.default_value);
  }
  if (const Status s = ArgumentTypes(function.signature, *attrs, inputs, outputs); !s.ok()) {
    return Status(s.code(), Cat("function '", function.signature.name, "': ", s.message()));
  }
  return OkStatus();
}

Result<FunctionCall> Expander::CallOf(const NodeDef& node) const {
  FunctionCall call;
  if (services_.registry->Find(node.op) != nullptr) return call;
  if (!IsCallOp(node.op)) {
    call.function = services_.find(node.op);
    if (call.function != nullptr) call.attrs = node.attrs;
    return call;
  }
  const auto it = node.attrs.find("f");
  const FuncValue* f = it == node.attrs.end() ? nullptr : it->second.get<FuncValue>();
  if (f == nullptr) {
    return Status(Code::kInvalidArgument, "attribute 'f': expected a function, found none", node.name, node.op);
  }
  call.function = services_.find(f->name);
  if (call.function == nullptr) {
    return Status(Code::kNotFound, Cat("attribute 'f': there is no function '", f->name, "' in the library"), node.name,
                  node.op);
  }
  if (f->attrs != nullptr) call.attrs = *f->attrs;
  return call;
}

Status Expander::Spend(const std::string& scope, size_t work) {
  spent_ += work + scope.size() / kNameUnit;
  // A node has a few inputs and a name of usual length.
  if (spent_ / 16 <= limits_.nodes && nodes_.size() < limits_.nodes) return OkStatus();
  return Status(Code::kResourceExhausted,
                Cat("calls of functions: expected at most ", limits_.nodes, " nodes in their bodies, found more"),
                scope, "");
}

// One body under expansion.
struct Expander::Body {
  struct Member {
    const NodeDef* def = nullptr;
    const Op* op = nullptr;  // null for a call
    std::string name;        // in the graph
    AttrMap attrs;           // bound
    FunctionCall call;
    std::vector<size_t> first_output;  // of each output argument, and the end
    std::optional<Results> results;    // of a call, when it is expanded
  };

  std::map<std::string_view, std::pair<size_t, size_t>> args;  // range of the inputs
  std::vector<Member> members;
  std::unordered_map<std::string_view, size_t> index;
  const std::vector<std::string>* inputs = nullptr;

  // The tensors that `text` stands for; nothing yet where a call is not expanded:
  // then `*waits_for` is set.
  Status Resolve(std::string_view text, std::vector<std::string>* out, size_t* waits_for) const {
    const Reference r = ParseReference(text);
    const auto bad = [&](std::string_view why) { return InvalidArgument(Cat("input '", text, "': ", why)); };
    if (const auto arg = args.find(r.name); arg != args.end()) {
      const auto [begin, end] = arg->second;
      if (!r.output.empty()) return bad("expected a number behind an argument's name");
      if (r.index && *r.index >= end - begin) return bad(Cat("the argument has ", end - begin, " tensors"));
      const size_t from = r.index ? begin + *r.index : begin, to = r.index ? from + 1 : end;
      out->insert(out->end(), inputs->begin() + static_cast<ptrdiff_t>(from),
                  inputs->begin() + static_cast<ptrdiff_t>(to));
      return OkStatus();
    }
    const auto it = index.find(r.name);
    if (it == index.end()) return bad("expected an argument or a node of the function, found neither");
    const Member& member = members[it->second];
    const OpDefValue& signature = member.op != nullptr ? member.op->signature() : member.call.function->signature;
    size_t begin = 0, end = member.first_output.back();
    if (member.op == nullptr && IsCallOp(member.def->op)) {
      if (!r.output.empty() && r.output != "output") return bad("a call has one output argument, 'output'");
    } else if (!r.output.empty()) {
      size_t a = 0;
      while (a < signature.outputs.size() && signature.outputs[a].name != r.output) ++a;
      if (a == signature.outputs.size()) return bad(Cat("'", signature.name, "' has no output '", r.output, "'"));
      begin = member.first_output[a];
      end = member.first_output[a + 1];
    }
    if (r.index && *r.index >= end - begin) {
      return bad(Cat("expected one of ", end - begin, " tensors, found number ", *r.index));
    }
    const size_t from = r.index ? begin + *r.index : begin, to = r.index ? from + 1 : end;
    if (member.op == nullptr) {
      if (!member.results) {
        *waits_for = it->second;
        return OkStatus();
      }
      const auto& outputs = member.results->outputs;
      out->insert(out->end(), outputs.begin() + static_cast<ptrdiff_t>(from),
                  outputs.begin() + static_cast<ptrdiff_t>(to));
      return OkStatus();
    }
    for (size_t k = from; k < to; ++k) out->push_back(Cat(member.name, ":", k));
    return OkStatus();
  }

  Status ResolveControl(std::string_view text, std::vector<std::string>* out, size_t* waits_for) const {
    const std::string_view name = text.substr(text.starts_with('^') ? 1 : 0);
    if (args.count(name) != 0) return OkStatus();  // there before the body starts
    const auto it = index.find(name);
    if (it == index.end()) return InvalidArgument(Cat("control input '", text, "': the function has no such node"));
    const Member& member = members[it->second];
    if (member.op != nullptr) {
      out->push_back("^" + member.name);
    } else if (member.results) {
      out->insert(out->end(), member.results->controls.begin(), member.results->controls.end());
    } else {
      *waits_for = it->second;
    }
    return OkStatus();
  }

  // Data inputs, then control inputs, each control input once.
  Status ResolveAll(const NodeDef& def, std::vector<std::string>* data, std::vector<std::string>* controls,
                    size_t* waits_for) const {
    for (const std::string& input : def.inputs) {
      MR_RETURN_IF_ERROR(input.starts_with('^') ? ResolveControl(input, controls, waits_for)
                                                : Resolve(input, data, waits_for));
    }
    return OkStatus();
  }
};

Result<Expander::Results> Expander::Expand(const FunctionCall& call, const std::string& scope,
                                           const std::string& device, const std::vector<std::string>& inputs,
                                           const std::vector<std::string>& controls) {
  return ExpandAt(1, call, scope, device, inputs, controls);
}

namespace {

void MakeUnique(std::vector<std::string>* names) {
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
}

}  // namespace

Result<Expander::Results> Expander::ExpandAt(int depth, const FunctionCall& call, const std::string& scope,
                                             const std::string& device, const std::vector<std::string>& inputs,
                                             const std::vector<std::string>& controls) {
  const FunctionDef& function = *call.function;
  const OpDefValue& signature = function.signature;
  if (depth > limits_.depth) {
    return Status(Code::kInvalidArgument,
                  Cat("expected calls of functions no deeper than ", limits_.depth, ", found a deeper one of '",
                      signature.name, "'; recursion is not supported"),
                  scope, "");
  }
  MR_RETURN_IF_ERROR(Spend(scope, 1 + inputs.size() + function.nodes.size()));
  AttrMap attrs = call.attrs;
  std::vector<DType> input_types;
  Results results;
  if (const Status s = BindAttrs(function, &attrs, &input_types, &results.output_types); !s.ok()) {
    return s.At(scope, signature.name);
  }
  if (input_types.size() != inputs.size()) {
    return Status(
        Code::kInvalidArgument,
        Cat("function '", signature.name, "': expected ", input_types.size(), " arguments, found ", inputs.size()),
        scope, signature.name);
  }

  Body body;
  body.inputs = &inputs;
  size_t next = 0;
  for (const ArgDef& arg : signature.inputs) {
    MR_ASSIGN_OR_RETURN(const size_t count, CountOf(arg, signature, attrs));
    body.args[arg.name] = {next, next + count};
    next += count;
  }

  // Names, ops and attributes.
  body.members.resize(function.nodes.size());
  for (size_t i = 0; i < function.nodes.size(); ++i) {
    const NodeDef& def = function.nodes[i];
    Body::Member& member = body.members[i];
    member.def = &def;
    const auto blame = [&](const Status& s) { return s.ok() ? s : s.At(Cat(scope, "/", def.name), def.op); };
    if (body.args.count(def.name) != 0 || !body.index.try_emplace(def.name, i).second) {
      return blame(InvalidArgument(
          Cat("function '", signature.name, "': expected names of their own, found '", def.name, "' twice")));
    }
    for (const auto& [name, value] : def.attrs) {
      Result<AttrValue> bound = Bound(value, attrs, 0);
      if (!bound.ok()) return blame(bound.status());
      member.attrs.emplace(name, *std::move(bound));
    }
    member.op = services_.registry->Find(def.op);
    if (member.op == nullptr) {
      NodeDef bound = def;
      bound.attrs = member.attrs;
      Result<FunctionCall> inner = CallOf(bound);
      if (!inner.ok()) return blame(inner.status());
      if (inner->function == nullptr) {
        return blame(NotFound(Cat("function '", signature.name, "': expected an op of the registry, found '", def.op,
                                  "', which is none")));
      }
      member.call = *std::move(inner);
      MR_RETURN_IF_ERROR(blame(BindAttrs(*member.call.function, &member.call.attrs, &input_types, &input_types)));
    }
    const OpDefValue& of = member.op != nullptr ? member.op->signature() : member.call.function->signature;
    const AttrMap& with = member.op != nullptr ? member.attrs : member.call.attrs;
    member.first_output = {0};
    for (const ArgDef& arg : of.outputs) {
      const Result<size_t> count = CountOf(arg, of, with);
      if (!count.ok()) return blame(count.status());
      member.first_output.push_back(member.first_output.back() + *count);
    }
    member.name = services_.unique_name(Cat(scope, "/", def.name));
    MR_RETURN_IF_ERROR(Spend(member.name, 1 + def.inputs.size()));
  }

  // Calls first: one that needs another's results waits for it.
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state(body.members.size(), kNew);
  std::vector<size_t> stack;
  for (size_t root = 0; root < body.members.size(); ++root) {
    if (body.members[root].op != nullptr || state[root] == kDone) continue;
    stack.push_back(root);
    while (!stack.empty()) {
      const size_t at = stack.back();
      Body::Member& member = body.members[at];
      state[at] = kOpen;
      std::vector<std::string> data, after;
      constexpr size_t kNothing = ~size_t{0};
      size_t waits_for = kNothing;
      if (const Status s = body.ResolveAll(*member.def, &data, &after, &waits_for); !s.ok()) {
        return s.At(member.name, member.def->op);
      }
      if (waits_for != kNothing) {
        if (state[waits_for] == kOpen) {
          return Status(Code::kInvalidArgument,
                        Cat("function '", signature.name, "': expected no cycle of calls, found one through '",
                            member.def->name, "'"),
                        member.name, member.def->op);
        }
        stack.push_back(waits_for);
        continue;
      }
      after.insert(after.end(), controls.begin(), controls.end());
      MakeUnique(&after);
      const std::string& on = member.def->device.empty() ? device : member.def->device;
      MR_ASSIGN_OR_RETURN(member.results, ExpandAt(depth + 1, member.call, member.name, on, data, after));
      MR_RETURN_IF_ERROR(Spend(member.name, member.results->outputs.size() + member.results->controls.size()));
      results.controls.insert(results.controls.end(), member.results->controls.begin(), member.results->controls.end());
      state[at] = kDone;
      stack.pop_back();
    }
  }

  for (Body::Member& member : body.members) {
    if (member.op == nullptr) continue;
    NodeDef node;
    node.name = member.name;
    node.op = member.def->op;
    node.device = member.def->device.empty() ? device : member.def->device;
    node.unread_fields = member.def->unread_fields;
    std::vector<std::string> after;
    size_t none = 0;
    if (const Status s = body.ResolveAll(*member.def, &node.inputs, &after, &none); !s.ok()) {
      return s.At(member.name, member.def->op);
    }
    // What does not touch state gives the same whenever it runs.
    if (member.op->has_effects()) after.insert(after.end(), controls.begin(), controls.end());
    MakeUnique(&after);
    MR_RETURN_IF_ERROR(Spend(scope, after.size() + node.inputs.size()));
    node.inputs.insert(node.inputs.end(), after.begin(), after.end());
    node.attrs = std::move(member.attrs);
    // Two calls are two loops; nodes that are placed together stay so.
    if (const auto frame = node.attrs.find("frame_name"); frame != node.attrs.end()) {
      if (const auto* name = frame->second.get<std::string>()) frame->second = Cat(scope, "/", *name);
    }
    RenameGroups(&node.attrs, [&](std::string_view of) {
      const auto it = body.index.find(of);
      return it != body.index.end() ? body.members[it->second].name : std::string();
    });
    if (ActsOnOthers(*member.op)) results.controls.push_back("^" + member.name);
    nodes_.push_back(std::move(node));
  }

  size_t none = 0;
  for (const auto& [name, node] : function.control_ret) {
    if (const Status s = body.ResolveControl(node, &results.controls, &none); !s.ok())
      return s.At(scope, signature.name);
  }
  for (const ArgDef& arg : signature.outputs) {
    const auto ret = function.ret.find(arg.name);
    if (ret == function.ret.end()) {
      return Status(Code::kInvalidArgument,
                    Cat("function '", signature.name, "': expected a result for '", arg.name, "', found none"), scope,
                    signature.name);
    }
    if (const Status s = body.Resolve(ret->second, &results.outputs, &none); !s.ok()) {
      return s.At(scope, signature.name);
    }
  }
  if (results.outputs.size() != results.output_types.size()) {
    return Status(Code::kInvalidArgument,
                  Cat("function '", signature.name, "': expected ", results.output_types.size(), " results, found ",
                      results.outputs.size()),
                  scope, signature.name);
  }
  MakeUnique(&results.controls);
  return results;
}

}  // namespace millrace
