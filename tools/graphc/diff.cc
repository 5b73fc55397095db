#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"
#include "millrace/tools/graphc/show.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string before, after;
  bool summary = false;
};

struct Inputs {
  std::vector<std::string> data;
  std::set<std::string> control;  // their order says nothing
};

Inputs InputsOf(const NodeDef& node) {
  Inputs out;
  for (const std::string& input : node.inputs) {
    if (input.starts_with('^')) out.control.insert(input);
    else out.data.push_back(TensorName(input));
  }
  return out;
}

std::string Change(std::string_view what, std::string_view before, std::string_view after) {
  return Cat(what, ": ", before.empty() ? "none" : before, " -> ", after.empty() ? "none" : after);
}

// Two constants, element by element; "" where they hold the same.
std::string ValueChange(std::string_view attr, const TensorValue& before, const TensorValue& after) {
  constexpr uint64_t kMostBytes = uint64_t{4} << 30;  // of the elements: a few bytes can stand for many
  const auto read = [](const TensorValue& value) -> Result<Tensor> {
    MR_RETURN_IF_ERROR(Validate(value, kMostBytes));
    return Tensor::FromValue(value, HostAllocator());
  };
  const Result<Tensor> a = read(before), b = read(after);
  if (!a.ok() || !b.ok()) {
    return before == after ? "" : Change(attr, AttrValue(before).ToString(), AttrValue(after).ToString());
  }
  const auto type = [](const Tensor& t) { return Cat(DTypeName(t.dtype()), t.shape().ToString()); };
  if (type(*a) != type(*b)) return Change(attr, type(*a), type(*b));
  int64_t differing = 0, first = -1;
  const size_t size = ElementSize(a->dtype());
  for (int64_t i = 0; i < a->num_elements(); ++i) {
    const auto k = static_cast<size_t>(i);
    const bool same = a->dtype() == DType::kString
                          ? a->elements<std::string>()[k] == b->elements<std::string>()[k]
                          : std::memcmp(static_cast<const char*>(a->data()) + k * size,
                                        static_cast<const char*>(b->data()) + k * size, size) == 0;
    if (same) continue;
    ++differing;
    if (first < 0) first = i;
  }
  if (differing == 0) return "";
  return Cat(attr, ": ", differing, " of ", a->num_elements(), " elements differ, the first is number ", first, ": ",
             ShowElement(*a, static_cast<size_t>(first)), " -> ", ShowElement(*b, static_cast<size_t>(first)));
}

class Differ {
 public:
  explicit Differ(const Registry& ops) : ops_(ops) {}

  void Graphs(const GraphDef& before, const GraphDef& after) {
    const auto version = [this](const char* what, int32_t a, int32_t b) {
      if (a != b) text_ += Cat(Change(what, Cat(a), Cat(b)), "\n");
    };
    version("version of the producer", before.versions.producer, after.versions.producer);
    version("oldest version that may read it", before.versions.min_consumer, after.versions.min_consumer);
    Nodes("", before.nodes, after.nodes);
    Functions(before.library.functions, after.library.functions);
  }

  bool same() const { return text_.empty(); }
  // A line a difference.
  const std::string& text() const { return text_; }
  std::string Summary() const {
    return Cat("nodes: ", removed_, " only in the first, ", added_, " only in the second, ", changed_, " changed, ",
               same_, " the same");
  }

 private:
  // Each of both lists with the one of its name in the other, or null.
  template <typename T, typename Name, typename Pair>
  static void Match(const std::vector<T>& before, const std::vector<T>& after, const Name& name, const Pair& pair) {
    std::map<std::string_view, const T*> old, fresh;
    for (const T& t : before) old.emplace(name(t), &t);
    for (const T& t : after) fresh.emplace(name(t), &t);
    for (const T& t : before) {
      const auto other = fresh.find(name(t));
      pair(&t, other == fresh.end() ? nullptr : other->second);
    }
    for (const T& t : after) {
      if (!old.contains(name(t))) pair(nullptr, &t);
    }
  }

  // `in` goes in front of the nodes' names.
  void Nodes(const std::string& in, const std::vector<NodeDef>& before, const std::vector<NodeDef>& after) {
    const auto name = [](const NodeDef& n) -> std::string_view { return n.name; };
    Match(before, after, name, [&](const NodeDef* a, const NodeDef* b) {
      if (b == nullptr) {
        ++removed_;
        text_ += Cat("- ", in, a->name, " (", a->op, ")\n");
      } else if (a == nullptr) {
        ++added_;
        text_ += Cat("+ ", in, b->name, " (", b->op, ")\n");
      } else {
        Both(in, *a, *b);
      }
    });
  }

  void Both(const std::string& in, const NodeDef& a, const NodeDef& b) {
    std::vector<std::string> changes;
    const auto compare = [&](std::string_view what, const std::string& before, const std::string& after) {
      if (before != after) changes.push_back(Change(what, before, after));
    };
    compare("op", a.op, b.op);
    compare("device", a.device, b.device);
    const Inputs before = InputsOf(a), after = InputsOf(b);
    for (size_t i = 0; i < std::max(before.data.size(), after.data.size()); ++i) {
      compare(Cat("input ", i), i < before.data.size() ? before.data[i] : "",
              i < after.data.size() ? after.data[i] : "");
    }
    compare("control inputs", Join(before.control, " "), Join(after.control, " "));
    const Op* const op = a.op == b.op ? ops_.Find(a.op) : nullptr;
    Attributes(WithDefaults(a.attrs, op), WithDefaults(b.attrs, op), &changes);
    if (changes.empty()) {
      ++same_;
      return;
    }
    ++changed_;
    text_ += Cat("~ ", in, a.name, " (", b.op, ")\n");
    for (const std::string& change : changes) text_ += Cat("    ", change, "\n");
  }

  // An attribute that is not there has its default.
  static AttrMap WithDefaults(AttrMap attrs, const Op* op) {
    if (op == nullptr) return attrs;
    for (const AttrDef& attr : op->signature().attrs) {
      if (attr.has_default) attrs.emplace(attr.name, attr.default_value);
    }
    return attrs;
  }

  static void Attributes(const AttrMap& before, const AttrMap& after, std::vector<std::string>* changes) {
    AttrMap all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [name, ignored] : all) {
      const auto a = before.find(name), b = after.find(name);
      if (a == before.end()) {
        changes->push_back(Change(name, "", b->second.ToString()));
      } else if (b == after.end()) {
        changes->push_back(Change(name, a->second.ToString(), ""));
      } else if (!(a->second == b->second)) {
        const auto* x = a->second.get<std::shared_ptr<const TensorValue>>();
        const auto* y = b->second.get<std::shared_ptr<const TensorValue>>();
        const std::string change = x != nullptr && y != nullptr
                                       ? ValueChange(name, **x, **y)
                                       : Change(name, a->second.ToString(), b->second.ToString());
        if (!change.empty()) changes->push_back(change);
      }
    }
  }

  void Functions(const std::vector<FunctionDef>& before, const std::vector<FunctionDef>& after) {
    const auto name = [](const FunctionDef& f) -> std::string_view { return f.signature.name; };
    Match(before, after, name, [&](const FunctionDef* a, const FunctionDef* b) {
      if (b == nullptr) {
        text_ += Cat("- function ", a->signature.name, "\n");
      } else if (a == nullptr) {
        text_ += Cat("+ function ", b->signature.name, "\n");
      } else {
        Nodes(Cat("function ", a->signature.name, ": "), a->nodes, b->nodes);
        if (!(a->signature == b->signature)) text_ += Cat("~ function ", a->signature.name, ": its signature\n");
        if (!(a->attrs == b->attrs)) text_ += Cat("~ function ", a->signature.name, ": its attributes\n");
        if (a->ret != b->ret || a->control_ret != b->control_ret) {
          text_ += Cat("~ function ", a->signature.name, ": what it returns\n");
        }
      }
    });
  }

  const Registry& ops_;
  std::string text_;
  int64_t removed_ = 0, added_ = 0, changed_ = 0, same_ = 0;
};

Status Diff(const Arguments& a, ExitCode* code) {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  Stage(Cat("read ", a.before));
  MR_ASSIGN_OR_RETURN(const GraphDef before, ReadAnyGraphDef(a.before));
  Stage(Cat("read ", a.after));
  MR_ASSIGN_OR_RETURN(const GraphDef after, ReadAnyGraphDef(a.after));
  Stage("compare");
  Differ differ(*ops);
  differ.Graphs(before, after);
  EndProgress();
  if (!a.summary) std::fwrite(differ.text().data(), 1, differ.text().size(), stdout);
  std::printf("%s\n", differ.Summary().c_str());
  *code = differ.same() ? kDone : kNo;
  return OkStatus();
}

}  // namespace

void AddDiff(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("diff", "what changed from one GraphDef to another; exit code 0: nothing");
  AddFile(command, "before", a->before, "GraphDef, bytes or text")->required();
  AddFile(command, "after", a->after, "the other")->required();
  command->add_flag("--summary", a->summary, "only the numbers");
  command->footer(
      "Nodes are compared by name; their order, that of control inputs, and whether a default is written down say "
      "nothing.\n"
      "Examples:\n"
      "  graphc diff yesterday.pb today.pb\n"
      "  graphc diff model.pb model.pbtxt --summary && echo the same\n");
  command->callback([a, outcome] { outcome->status = Diff(*a, &outcome->code); });
}

}  // namespace millrace::graphc
