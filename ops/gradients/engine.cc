// Gradients: reverse-mode differentiation on the live graph.
//
// The nodes between the xs and the ys are put in order, inputs first, by one walk
// from the ys; gradients then flow through that order backwards. Both take time
// in proportion to the part of the graph that the ys depend on, and no recursion.
#include <algorithm>
#include <map>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/state_ops.h"
#include "millrace/ops/gradients/aggregate.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/graph/frames.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Gradients flow through numbers with fractions, and through the handles of what
// holds such.
bool PassesGradients(DType t) {
  t = BaseType(t);
  return IsFloating(t) || IsComplex(t) || t == DType::kResource || t == DType::kVariant;
}

DType TypeOf(const Endpoint& e) { return e.node->output_types()[static_cast<size_t>(e.index)]; }

// The dtype and shape of the value behind a handle, else those of the tensor.
DType ValueType(const Endpoint& e) {
  const DType t = BaseType(TypeOf(e));
  return t == DType::kResource ? e.node->output(e.index).handle_dtype : t;
}
const SymShape& ValueShape(const Endpoint& e) {
  const auto& info = e.node->output(e.index);
  return BaseType(TypeOf(e)) == DType::kResource ? info.handle_shape : info.shape;
}

bool Compatible(const SymShape& a, const SymShape& b) {
  if (!a.has_rank || !b.has_rank) return true;
  if (a.dims.size() != b.dims.size()) return false;
  for (size_t i = 0; i < a.dims.size(); ++i) {
    if (a.dims[i].known() && b.dims[i].known() && a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

std::string NameOf(const Endpoint& e) { return Cat(e.node->name(), ":", e.index); }

// How the gradient of a node is made.
struct Rule {
  GradientFn fn = nullptr;
  std::string missing;  // why there is none, where that is an error
};

Rule RuleOfOp(const Op& op) {
  if (op.gradient() != nullptr) return {op.gradient(), ""};
  if (const GradientFn fn = GradientTable::BuiltIn().Find(op.name()); fn != nullptr) return {fn, ""};
  if (!op.no_gradient_reason().empty()) return {};
  return {nullptr, "the op has none"};
}

Rule RuleOf(const Node& node, const Registry& registry) {
  const auto attr = node.attrs().find("_gradient_op_type");
  const std::string* name = attr == node.attrs().end() ? nullptr : attr->second.get<std::string>();
  if (name == nullptr) return RuleOfOp(node.op());
  if (const GradientFn fn = registry.FindGradient(*name); fn != nullptr) return {fn, ""};
  if (const Op* op = registry.Find(*name); op != nullptr) return RuleOfOp(*op);
  return {nullptr, Cat("no gradient is registered as '", *name, "', which the attribute _gradient_op_type asks for")};
}

class Differentiation {
 public:
  Differentiation(At at, const std::vector<Output>& ys, const std::vector<Output>& xs, const GradientOptions& options)
      : at_(at), ys_(ys), xs_(xs), options_(options), scope_(at.scope()) {}

  std::vector<Gradient> Run() {
    std::vector<Gradient> none(xs_.size());
    if (!scope_.ok()) return none;
    if (const Status s = Check(); !s.ok()) return Fail(s);
    scope_ = scope_.ForCall("gradients");
    Order();
    FindActive();
    if (const Status s = FindLoops(); !s.ok()) return Fail(s);
    Seed();
    for (size_t at = order_.size(); at-- > 0 && scope_.ok();) {
      if (!active_[at]) continue;
      if (const Status s = Step(at); !s.ok()) return Fail(s);
    }
    std::vector<Gradient> results;
    for (const Output& x : xs_) results.push_back(ResultOf(x));
    return scope_.ok() ? results : none;
  }

 private:
  static constexpr int32_t kUnseen = -1, kOpen = -2;

  At Here() const { return at_.In(scope_); }

  std::vector<Gradient> Fail(const Status& status) const {
    scope_.Fail(status, at_.where());
    return std::vector<Gradient>(xs_.size());
  }

  // --- what was asked for

  Status CheckTensors(const std::vector<Output>& tensors, std::string_view what) const {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (!tensors[i].valid()) return InvalidArgument(Cat(what, "[", i, "] of Gradients is no tensor"));
      const Node& node = tensors[i].node();
      const auto& nodes = scope_.graph()->nodes();
      const auto id = static_cast<size_t>(node.id());
      if (id >= nodes.size() || nodes[id].get() != &node) {
        return InvalidArgument(Cat(what, "[", i, "] of Gradients, '", tensors[i].name(), "', is of another graph"));
      }
    }
    return OkStatus();
  }

  Status Check() const {
    MR_RETURN_IF_ERROR(CheckTensors(ys_, "ys"));
    MR_RETURN_IF_ERROR(CheckTensors(xs_, "xs"));
    MR_RETURN_IF_ERROR(CheckTensors(options_.stop_gradients, "stop_gradients"));
    const auto& grads = options_.grad_ys;
    if (!grads.empty() && grads.size() != ys_.size()) {
      return InvalidArgument(
          Cat("grad_ys of Gradients has ", grads.size(), " entries, expected one for each of the ", ys_.size(), " ys"));
    }
    for (size_t i = 0; i < ys_.size(); ++i) {
      const Output given = i < grads.size() ? grads[i] : Output();
      const DType type = BaseType(ys_[i].dtype());
      if (!given.valid()) {
        if (IsFloating(type) || IsInteger(type) || IsQuantized(type)) continue;
        const char* why = IsComplex(type) ? "needs an entry in grad_ys, as it is complex" : "expected floating-point";
        return InvalidArgument(
            Cat("ys[", i, "] of Gradients, '", ys_[i].name(), "', has dtype ", DTypeName(type), "; ", why));
      }
      MR_RETURN_IF_ERROR(CheckTensors({given}, "grad_ys"));
      if (BaseType(given.dtype()) != type) {
        return InvalidArgument(Cat("grad_ys[", i, "] of Gradients has dtype ", DTypeName(BaseType(given.dtype())),
                                   ", expected ", DTypeName(type), " like '", ys_[i].name(), "'"));
      }
      if (!Compatible(given.shape(), ys_[i].shape())) {
        const DimTable& dims = scope_.graph()->dims();
        return InvalidArgument(Cat("grad_ys[", i, "] of Gradients has shape ", dims.ToString(given.shape()),
                                   ", expected ", dims.ToString(ys_[i].shape()), " like '", ys_[i].name(), "'"));
      }
    }
    return OkStatus();
  }

  // --- the nodes between xs and ys

  // Fills order_ with what the ys depend on, inputs before their users (but for
  // the back edges of loops).
  void Order() {
    position_.assign(scope_.graph()->nodes().size(), kUnseen);
    for (const Output& t : options_.stop_gradients) stopped_.push_back(t.endpoint());
    for (const Output& t : xs_) targets_.push_back(t.endpoint());
    SortEndpoints(&stopped_);
    SortEndpoints(&targets_);
    struct Visit {
      Node* node;
      size_t next = 0;
    };
    std::vector<Visit> open;
    for (const Output& y : ys_) {
      if (Reach(y.endpoint())) open.push_back({&y.node()});
      while (!open.empty()) {
        Visit& top = open.back();
        if (top.next < top.node->inputs().size()) {
          const Endpoint& e = top.node->inputs()[top.next++];
          if (Reach(e)) open.push_back({e.node});
          continue;
        }
        position_[static_cast<size_t>(top.node->id())] = static_cast<int32_t>(order_.size());
        order_.push_back(top.node);
        open.pop_back();
      }
    }
    size_t slots = 0;
    for (const Node* node : order_) {
      first_slot_.push_back(slots);
      slots += static_cast<size_t>(node->num_outputs());
    }
    slots_.resize(slots);
  }

  // True, once, where gradients into `e` concern its node.
  bool Reach(const Endpoint& e) {
    int32_t& position = position_[static_cast<size_t>(e.node->id())];
    if (position != kUnseen || !PassesGradients(TypeOf(e))) return false;
    if (Stopped(e) && !IsTarget(e)) return false;
    position = kOpen;
    return true;
  }

  // A node is active where one of its inputs depends on an x.
  void FindActive() {
    active_.assign(order_.size(), 0);
    for (size_t at = 0; at < order_.size(); ++at) {
      const auto& inputs = order_[at]->inputs();
      active_[at] = std::any_of(inputs.begin(), inputs.end(), [&](const Endpoint& e) { return Live(e); });
    }
    through_.assign(order_.size(), kUnseen);
  }

  // Fills loops_ with the nodes of v1 loops, the ways in and out included.
  Status FindLoops() {
    const bool any = std::any_of(order_.begin(), order_.end(), [](const Node* node) {
      return node->op().name() == "Enter" || node->op().name() == "RefEnter";
    });
    if (!any) return OkStatus();
    const Graph& graph = *scope_.graph();
    MR_ASSIGN_OR_RETURN(const Frames frames, FindFrames(graph));
    for (const auto& node : graph.nodes()) {
      const int frame = frames.of[static_cast<size_t>(node->id())];
      if (frame >= 0) loops_.emplace(node.get(), frames.frames[static_cast<size_t>(frame)].name);
    }
    for (const Frame& frame : frames.frames) {
      for (const Node* exit : frame.exits) loops_.insert_or_assign(exit, frame.name);
    }
    return OkStatus();
  }

  // True where a gradient into `e` is of use.
  bool Live(const Endpoint& e) const {
    const int32_t position = position_[static_cast<size_t>(e.node->id())];
    if (position < 0 || !PassesGradients(TypeOf(e))) return false;
    return IsTarget(e) || (active_[static_cast<size_t>(position)] && !Stopped(e));
  }

  static bool Before(const Endpoint& a, const Endpoint& b) {
    return a.node->id() != b.node->id() ? a.node->id() < b.node->id() : a.index < b.index;
  }
  static void SortEndpoints(std::vector<Endpoint>* list) { std::sort(list->begin(), list->end(), Before); }
  bool Stopped(const Endpoint& e) const { return std::binary_search(stopped_.begin(), stopped_.end(), e, Before); }
  bool IsTarget(const Endpoint& e) const { return std::binary_search(targets_.begin(), targets_.end(), e, Before); }

  // --- gradients

  std::vector<Gradient>& Slot(const Endpoint& e) {
    const auto position = static_cast<size_t>(position_[static_cast<size_t>(e.node->id())]);
    return slots_[first_slot_[position] + static_cast<size_t>(e.index)];
  }

  void Seed() {
    for (size_t i = 0; i < ys_.size(); ++i) {
      const Endpoint y = ys_[i].endpoint();
      if (!Live(y)) continue;
      const Output given = i < options_.grad_ys.size() ? options_.grad_ys[i] : Output();
      Slot(y).push_back(given.valid() ? given : Ones(ys_[i], Cat("grad_ys_", i)));
    }
  }

  Output Ones(const Output& y, const std::string& name) {
    const At named = at_.In(scope_.WithOpName(name));
    const Output one = Const(y.shape().rank() == 0 ? named : Here(), 1, BaseType(y.dtype()));
    return y.shape().rank() == 0 ? one : ops::Fill(named, ops::Shape(Here(), y), one);
  }

  // The sum of what has come to `e`; none where nothing has.
  Gradient Sum(const Endpoint& e) {
    std::vector<Gradient>& list = Slot(e);
    if (list.empty()) return {};
    if (list.size() > 1) list = {gradients::Aggregate(Here(), list)};
    return list[0];
  }

  // Gradients flow through the node at `at`.
  Status Step(size_t at) {
    Node& node = *order_[at];
    std::vector<Gradient> grads(static_cast<size_t>(node.num_outputs()));
    bool any = false;
    for (int i = 0; i < node.num_outputs(); ++i) {
      const Endpoint e{&node, i};
      if (Stopped(e)) continue;
      Gradient& grad = grads[static_cast<size_t>(i)] = Sum(e);
      any = any || !grad.none();
    }
    if (!any || !scope_.ok()) return OkStatus();
    if (const auto loop = loops_.find(&node); loop != loops_.end()) {
      return Blame(
          at, Cat("it is part of the loop of frame '", loop->second, "', and loops of frames are not differentiated"));
    }
    const Rule rule = RuleOf(node, scope_.graph()->registry());
    if (!rule.missing.empty()) return Blame(at, rule.missing, Code::kNotFound);
    if (rule.fn == nullptr) return OkStatus();

    std::vector<bool> wanted;
    for (const Endpoint& e : node.inputs()) wanted.push_back(Live(e));
    Scope scope = scope_.NewSubScope(Cat(node.name(), "_grad"));
    if (!node.device().empty()) scope = scope.WithDevice(node.device());
    GradientContext context(scope, node, std::move(grads), wanted, at_.where());
    rule.fn(context);
    if (!scope_.ok()) return OkStatus();
    if (!context.status().ok()) return Blame(at, context.status().message(), context.status().code());
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Gradient& grad = context.results()[i];
      const Endpoint& e = node.inputs()[i];
      if (grad.none() || !wanted[i]) continue;
      if (const std::string wrong = Misfit(grad, e); !wrong.empty()) {
        return Blame(at, Cat("its gradient function gives input ", i, " a gradient of ", wrong),
                     Code::kInvalidArgument);
      }
      Slot(e).push_back(grad);
      int32_t& through = through_[static_cast<size_t>(position_[static_cast<size_t>(e.node->id())])];
      if (through == kUnseen) through = static_cast<int32_t>(at);
    }
    return OkStatus();
  }

  // "" where the gradient fits the tensor, else what it has and what is expected.
  std::string Misfit(const Gradient& grad, const Endpoint& e) const {
    const DType type = ValueType(e);
    const DType found = BaseType(grad.sparse() ? grad.slices().values.dtype() : grad.dense().dtype());
    if (type != DType::kInvalid && type != DType::kVariant && found != type) {
      return Cat("dtype ", DTypeName(found), ", expected ", DTypeName(type), " like '", NameOf(e), "'");
    }
    if (grad.sparse() || Compatible(grad.dense().shape(), ValueShape(e))) return "";
    const DimTable& dims = scope_.graph()->dims();
    return Cat("shape ", dims.ToString(grad.dense().shape()), ", expected ", dims.ToString(ValueShape(e)), " like '",
               NameOf(e), "'");
  }

  // The error for the node at `at`: `why`, and the way from an x to a y.
  Status Blame(size_t at, std::string_view why, Code code = Code::kUnimplemented) const {
    std::vector<std::string> names;
    for (size_t up = at;;) {
      const Node* next = nullptr;
      for (const Endpoint& e : order_[up]->inputs()) {
        if (!Live(e)) continue;
        names.push_back(e.node->name());
        if (!IsTarget(e)) next = e.node;
        break;
      }
      if (next == nullptr || names.size() > order_.size()) break;
      up = static_cast<size_t>(position_[static_cast<size_t>(next->id())]);
    }
    std::reverse(names.begin(), names.end());
    for (auto down = static_cast<int32_t>(at); down >= 0; down = through_[static_cast<size_t>(down)]) {
      names.push_back(order_[static_cast<size_t>(down)]->name());
    }
    constexpr size_t kShown = 8;  // at either end
    if (names.size() > 2 * kShown + 1) {
      const auto from = names.begin() + kShown, to = names.end() - kShown;
      *from = Cat("(", to - from, " more)");
      names.erase(from + 1, to);
    }
    const Node& node = *order_[at];
    return Status(code, Cat("no gradient: ", why, "; on the path ", Join(names, " -> ")), node.name(),
                  node.op().name());
  }

  Gradient ResultOf(const Output& x) {
    const Endpoint e = x.endpoint();
    if (position_[static_cast<size_t>(e.node->id())] >= 0) {
      Gradient sum = Sum(e);
      if (!sum.none()) return sum;
    }
    if (options_.unconnected == GradientOptions::Unconnected::kNone) return {};
    if (BaseType(x.dtype()) != DType::kResource) return ops::ZerosLike(Here(), x);
    const Output zero = Const(Here(), 0, ValueType(e));
    return ops::Fill(Here(), ops::VariableShape(Here(), x), zero);
  }

  const At at_;
  const std::vector<Output>&ys_, &xs_;
  const GradientOptions& options_;
  Scope scope_;

  std::vector<Endpoint> stopped_, targets_;   // sorted
  std::vector<int32_t> position_;             // by node id: the place in order_
  std::vector<Node*> order_;                  // inputs first
  std::vector<char> active_;                  // by place, as all that follow
  std::map<const Node*, std::string> loops_;  // the frame's name
  std::vector<int32_t> through_;              // the user through which the first gradient came
  std::vector<size_t> first_slot_;            // of output 0
  std::vector<std::vector<Gradient>> slots_;  // what has come to each output
};

}  // namespace

std::vector<Gradient> Gradients(At at, const std::vector<Output>& ys, const std::vector<Output>& xs,
                                const GradientOptions& options) {
  return Differentiation(at, ys, xs, options).Run();
}

}  // namespace millrace
