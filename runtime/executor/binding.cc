#include "millrace/runtime/executor/binding.h"

#include <algorithm>
#include <cstring>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/strings.h"

namespace millrace::exec {

using plan::DimOp;
using plan::Storage;

std::string DimsText(bool has_rank, std::span<const int64_t> dims) {
  return has_rank ? Shape(dims).ToString() : Shape::UnknownRank().ToString();
}

bool InferOutput::known() const { return has_rank && std::find(dims.begin(), dims.end(), -1) == dims.end(); }

namespace {

constexpr size_t kMaxElements = 256;  // of an integer tensor that shape functions look into
// Below this many bytes moved in all, handing steps to other threads costs more
// than it gains.
constexpr double kParallelBytes = 1 << 19;
constexpr size_t kParallelSteps = 64;
constexpr double kParallelGain = 1.2;  // all the work over the longest path
constexpr double kStepBytes = 256;     // what a step costs by itself, as bytes

size_t Align(size_t bytes) { return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment; }

SymShape SymShapeOf(bool has_rank, std::span<const int64_t> dims) {
  if (!has_rank) return SymShape();
  std::vector<Dim> out;
  out.reserve(dims.size());
  for (int64_t d : dims) out.push_back(d < 0 ? Dim::Unknown() : Dim(d));
  return SymShape(std::move(out));
}

bool ElementsOf(const TensorView& view, SymTensor* out) {
  if (view.rank > 1 || view.data == nullptr || static_cast<size_t>(view.num_elements) > kMaxElements) return false;
  if (view.dtype != DType::kInt32 && view.dtype != DType::kInt64) return false;
  out->scalar = view.rank == 0;
  for (int64_t i = 0; i < view.num_elements; ++i) {
    out->elements.push_back(
        SymElement::Number(view.dtype == DType::kInt32 ? view.as<int32_t>()[i] : view.as<int64_t>()[i]));
  }
  return true;
}

}  // namespace

Status InferStep(const LoadedStep& step, std::span<const InferInput> inputs, std::vector<InferOutput>* outputs) {
  std::vector<InferenceContext::Input> infos(inputs.size());
  std::deque<SymTensor> elements;
  std::deque<SymShape> handles;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InferInput& in = inputs[i];
    InferenceContext::Input& info = infos[i];
    info.dtype = in.dtype;
    info.shape = SymShapeOf(in.has_rank, in.dims);
    info.constant = in.contents;
    info.elements = in.elements;
    if (info.elements == nullptr && in.contents != nullptr) {
      SymTensor found;
      if (ElementsOf(*in.contents, &found)) info.elements = &elements.emplace_back(std::move(found));
    }
    if (in.resource != nullptr) {
      info.handle_dtype = BaseType(in.resource->dtype);
      info.handle_shape = &handles.emplace_back(SymShapeOf(!in.resource->unknown_rank, in.resource->dims));
      if (IsRef(in.dtype)) info.shape = *info.handle_shape;
    }
  }
  DimTable table;
  InferenceContext context(step.def->attrs, std::move(infos), static_cast<int>(step.num_outputs), table);
  context.set_running();
  MR_RETURN_IF_ERROR(step.op->shape_fn()(context));
  outputs->assign(step.num_outputs, {});
  for (size_t i = 0; i < step.num_outputs; ++i) {
    const InferenceContext::Output& from = context.outputs()[i];
    InferOutput& to = (*outputs)[i];
    to.has_rank = from.shape.has_rank;
    for (Dim d : from.shape.dims) to.dims.push_back(d.known() ? d.value() : -1);
    to.has_elements = from.has_elements && std::all_of(from.elements.elements.begin(), from.elements.elements.end(),
                                                       [](const SymElement& e) { return e.known(); });
    if (to.has_elements) to.elements = from.elements;
  }
  return OkStatus();
}

class Binder {
 public:
  Binder(const LoadedPlan& plan, uint32_t block, const plan::Signature* signature, const Binding* outer)
      : plan_(plan.plan()),
        loaded_(plan),
        block_(plan.blocks()[block]),
        signature_(signature),
        outer_(outer),
        binding_(new Binding()) {}

  Result<std::shared_ptr<const Binding>> Run(std::span<const TensorView> arguments) {
    const size_t n = block_.values.size();
    binding_->values_.resize(n);
    binding_->elements_.resize(n);
    binding_->steps_.resize(block_.steps.size());
    planned_.resize(n);
    MR_RETURN_IF_ERROR(BindArguments(arguments));
    EvaluateExprs();
    for (uint32_t v = 0; v < n; ++v) {
      if (block_.values[v].def == nullptr) continue;
      PlannedDims(v);
      switch (block_.values[v].storage) {
        case Storage::kFeed:
          MR_RETURN_IF_ERROR(BindFeed(v, arguments));
          break;
        case Storage::kConstant:
          MR_RETURN_IF_ERROR(BindConstant(v));
          break;
        case Storage::kDims:
          // Where extents that do not fit leave no value here, the step at which
          // they meet is to blame, if it is of this plan: it comes first.
          if (Status status = BindExtents(v); !status.ok()) {
            if (extents_.ok()) extents_ = std::move(status);
            SetOpen(v, planned_[v].has_rank, planned_[v].dims);
          }
          break;
        default:
          break;
      }
    }
    MR_RETURN_IF_ERROR(LayOutSlots());
    for (uint32_t v = 0; v < n; ++v) {
      const LoadedValue& value = block_.values[v];
      if (value.storage == Storage::kFeed || value.storage == Storage::kConstant || value.storage == Storage::kDims) {
        MR_RETURN_IF_ERROR(BindAliases(v));
      }
    }
    // Bytes that steps touch stand for their work: in all, and along the longest
    // path. Side branches that weigh nothing are not worth another thread.
    double moved = 0, longest = 0;
    std::vector<double> before(block_.steps.size(), 0);
    bool open = false;
    for (uint32_t s = 0; s < block_.steps.size(); ++s) {
      Status status = BindStep(s);
      if (!status.ok()) return status.At(block_.steps[s].def->node, block_.steps[s].def->op);
      const LoadedStep& step = block_.steps[s];
      double work = kStepBytes;
      for (uint32_t i = 0; i < step.num_inputs + step.num_outputs; ++i) {
        const uint32_t v = block_.positions[step.first + i];
        work += static_cast<double>(binding_->values_[v].bytes);
        open |= !binding_->values_[v].known && block_.values[block_.values[v].root].storage != Storage::kResource;
      }
      moved += work;
      longest = std::max(longest, before[s] + work);
      for (uint32_t k = step.successors_begin; k < step.successors_end; ++k) {
        double& path = before[block_.successors[k]];
        path = std::max(path, before[s] + work);
      }
    }
    MR_RETURN_IF_ERROR(extents_);
    binding_->parallel_ = !block_.is_chain && moved > kParallelGain * longest &&
                          (moved >= kParallelBytes || (open && block_.steps.size() >= kParallelSteps));
    return std::shared_ptr<const Binding>(std::move(binding_));
  }

 private:
  struct Planned {
    bool has_rank = false;
    bool known = false;
    std::vector<int64_t> dims;  // -1 unknown
    uint32_t bad = kNone;       // an expression of it has no value: its number
  };

  std::string NameOf(uint32_t v) const {
    const plan::Value* def = block_.values[v].def;
    return def != nullptr && !def->name.empty() ? Cat("'", def->name, "'") : Cat("value ", v);
  }

  Status BindArguments(std::span<const TensorView> arguments) {
    const size_t expected = block_.def->arguments.size();
    if (arguments.size() != expected) {
      return InvalidArgument(Cat("expected ", expected, " feeds, found ", arguments.size()));
    }
    for (const TensorView& a : arguments) {
      binding_->key_.push_back(a.rank);
      binding_->key_.insert(binding_->key_.end(), a.dims, a.dims + a.rank);
    }
    if (outer_ != nullptr) {
      binding_->symbols_ = outer_->symbols_;
      binding_->symbol_bound_ = outer_->symbol_bound_;
    } else {
      binding_->symbols_.assign(plan_.symbols.size(), 0);
      binding_->symbol_bound_.assign(plan_.symbols.size(), 0);
    }
    if (signature_ == nullptr) return OkStatus();
    std::vector<const plan::Feed*> bound_by(plan_.symbols.size(), nullptr);
    for (size_t i = 0; i < arguments.size(); ++i) {
      const plan::Feed& feed = signature_->feeds[i];
      const TensorView& a = arguments[i];
      const auto bad = [&] {
        return InvalidArgument(Cat("feed '", feed.name, "': expected shape ", DimsText(!feed.unknown_rank, feed.dims),
                                   ", found ", DimsText(true, a.shape())));
      };
      if (feed.unknown_rank) continue;
      if (static_cast<size_t>(a.rank) != feed.dims.size()) return bad();
      for (int d = 0; d < a.rank; ++d) {
        const int64_t extent = feed.dims[static_cast<size_t>(d)];
        if (extent >= 0 && extent != a.dims[d]) return bad();
        const uint32_t symbol = feed.symbols.empty() ? kNone : feed.symbols[static_cast<size_t>(d)];
        if (symbol == kNone) continue;
        if (bound_by[symbol] != nullptr && binding_->symbols_[symbol] != a.dims[d]) {
          return InvalidArgument(Cat("feed '", feed.name, "', dimension ", d, " (", plan_.symbols[symbol].name,
                                     "): expected ", binding_->symbols_[symbol], " as in feed '",
                                     bound_by[symbol]->name, "', found ", a.dims[d]));
        }
        bound_by[symbol] = &feed;
        binding_->symbols_[symbol] = a.dims[d];
        binding_->symbol_bound_[symbol] = 1;
      }
    }
    return OkStatus();
  }

  // Every expression that has a value; why not is told where one is needed.
  void EvaluateExprs() {
    const size_t n = plan_.exprs.size();
    exprs_.assign(n, 0);
    valid_.assign(n, 0);
    for (size_t i = 0; i < n; ++i) {
      const plan::DimExpr& e = plan_.exprs[i];
      int64_t& out = exprs_[i];
      if (e.op == DimOp::kConstant) {
        out = e.value;
        valid_[i] = 1;
        continue;
      }
      if (e.op == DimOp::kSymbol) {
        out = binding_->symbols_[static_cast<size_t>(e.value)];
        valid_[i] = binding_->symbol_bound_[static_cast<size_t>(e.value)];
        continue;
      }
      if (!valid_[e.a] || !valid_[e.b]) continue;
      valid_[i] = Apply(e.op, exprs_[e.a], exprs_[e.b], &out);
    }
  }

  static bool Apply(DimOp op, int64_t a, int64_t b, int64_t* out) {
    const auto floor_div = [](int64_t x, int64_t y) { return x / y - ((x % y != 0) && ((x < 0) != (y < 0))); };
    const bool divides = b != 0 && !(a == INT64_MIN && b == -1);
    switch (op) {
      case DimOp::kAdd:
        return !__builtin_add_overflow(a, b, out);
      case DimOp::kSub:
        return !__builtin_sub_overflow(a, b, out);
      case DimOp::kMul:
        return !__builtin_mul_overflow(a, b, out);
      case DimOp::kFloorDiv:
        if (divides) *out = floor_div(a, b);
        return divides;
      case DimOp::kCeilDiv:
        if (divides) *out = floor_div(a, b) + (a % b != 0);
        return divides;
      case DimOp::kMod:
        if (divides) *out = a - b * floor_div(a, b);
        return divides;
      case DimOp::kMax:
        *out = std::max(a, b);
        return true;
      case DimOp::kMin:
        *out = std::min(a, b);
        return true;
      case DimOp::kBroadcast:
        *out = b == 1 ? a : b;
        return a == b || a == 1 || b == 1;
      default:
        return false;
    }
  }

  void PlannedDims(uint32_t v) {
    const plan::Value& def = *block_.values[v].def;
    Planned& planned = planned_[v];
    planned.has_rank = !def.unknown_rank;
    planned.known = planned.has_rank;
    for (uint32_t d : def.dims) {
      int64_t extent = -1;
      if (d != kNone) {
        if (valid_[d] && exprs_[d] >= 0) extent = exprs_[d];
        else planned.bad = d;
      }
      planned.known &= extent >= 0;
      planned.dims.push_back(extent);
    }
  }

  Status BadExpr(uint32_t v) const {
    const uint32_t e = planned_[v].bad;
    const plan::DimExpr& expr = plan_.exprs[e];
    if (valid_[e]) return InvalidArgument(Cat(NameOf(v), ": expected an extent, found ", exprs_[e]));
    if (expr.op != DimOp::kSymbol && valid_[expr.a] && valid_[expr.b]) {
      if (expr.op == DimOp::kBroadcast) {
        return InvalidArgument(
            Cat(NameOf(v), ": extents ", exprs_[expr.a], " and ", exprs_[expr.b], " cannot be broadcast"));
      }
      return InvalidArgument(
          Cat(NameOf(v), ": arithmetic on extents ", exprs_[expr.a], " and ", exprs_[expr.b], " has no result"));
    }
    return InvalidArgument(Cat(NameOf(v), ": a dimension depends on what the feeds do not decide"));
  }

  Status SetKnown(uint32_t v, std::vector<int64_t> dims) {
    BoundValue& bound = binding_->values_[v];
    const DType dtype = block_.values[v].dtype;
    const std::optional<size_t> bytes = TensorBytes(dtype, dims);
    const std::optional<int64_t> elements = Shape(dims).NumElements();
    if (!bytes || !elements) {
      return InvalidArgument(
          Cat(NameOf(v), ": shape ", Shape(dims).ToString(), " of ", DTypeName(dtype), " is too large"));
    }
    bound.known = true;
    bound.rank = static_cast<int>(dims.size());
    bound.num_elements = *elements;
    bound.bytes = *bytes;
    bound.dims = binding_->dims_.emplace_back(std::move(dims)).data();
    return OkStatus();
  }

  void SetOpen(uint32_t v, bool has_rank, std::vector<int64_t> dims) {
    BoundValue& bound = binding_->values_[v];
    bound.known = false;
    bound.rank = has_rank ? static_cast<int>(dims.size()) : -1;
    bound.dims = binding_->dims_.emplace_back(std::move(dims)).data();
  }

  // The planned dims agree with what was found, as far as both are known.
  Status Agree(uint32_t v, bool has_rank, std::span<const int64_t> found) const {
    const Planned& planned = planned_[v];
    if (!has_rank || !planned.has_rank) return OkStatus();
    bool same = found.size() == planned.dims.size();
    for (size_t i = 0; same && i < found.size(); ++i) {
      same = found[i] < 0 || planned.dims[i] < 0 || found[i] == planned.dims[i];
    }
    if (same) return OkStatus();
    return InvalidArgument(Cat(NameOf(v), ": expected shape ", DimsText(true, planned.dims), " by the plan, found ",
                               DimsText(true, found)));
  }

  Status BindFeed(uint32_t v, std::span<const TensorView> arguments) {
    const TensorView& a = arguments[block_.values[v].index];
    MR_RETURN_IF_ERROR(Agree(v, true, a.shape()));
    return SetKnown(v, {a.dims, a.dims + a.rank});
  }

  Status BindConstant(uint32_t v) {
    const TensorView& c = loaded_.constant(block_.values[v].index);
    MR_RETURN_IF_ERROR(Agree(v, true, c.shape()));
    MR_RETURN_IF_ERROR(SetKnown(v, {c.dims, c.dims + c.rank}));
    binding_->values_[v].data = loaded_.ConstantData(block_.values[v].index, block_.values[v].memory);
    return OkStatus();
  }

  Status BindExtents(uint32_t v) {
    const plan::Value& def = *block_.values[v].def;
    if (!planned_[v].known) return BadExpr(v);
    if (!def.dims.empty() && planned_[v].dims[0] != static_cast<int64_t>(def.elements.size())) {
      return InvalidArgument(
          Cat(NameOf(v), ": expected ", planned_[v].dims[0], " extents, found ", def.elements.size()));
    }
    MR_RETURN_IF_ERROR(SetKnown(v, planned_[v].dims));
    std::vector<int64_t>& memory = binding_->extents_.emplace_back(std::max<size_t>(def.elements.size(), 1));
    auto elements = std::make_unique<SymTensor>();
    elements->scalar = def.dims.empty();
    for (size_t i = 0; i < def.elements.size(); ++i) {
      const uint32_t e = def.elements[i];
      if (!valid_[e]) {
        planned_[v].bad = e;
        return BadExpr(v);
      }
      elements->elements.push_back(SymElement::Number(exprs_[e]));
      if (def.dtype == DType::kInt64) {
        memory[i] = exprs_[e];
      } else {
        if (exprs_[e] < INT32_MIN || exprs_[e] > INT32_MAX) {
          return InvalidArgument(Cat(NameOf(v), ": expected an int32, found ", exprs_[e]));
        }
        reinterpret_cast<int32_t*>(memory.data())[i] = static_cast<int32_t>(exprs_[e]);
      }
    }
    binding_->values_[v].data = memory.data();
    binding_->elements_[v] = std::move(elements);
    return OkStatus();
  }

  Status LayOutSlots() {
    binding_->arena_bytes_.assign(loaded_.devices().size(), 0);
    for (size_t i = 0; i < block_.def->slots.size(); ++i) {
      const uint32_t e = block_.def->slots[i].bytes;
      // A slot whose size has no value belongs to a step that fails at the check
      // of its shapes.
      const int64_t bytes = valid_[e] && exprs_[e] >= 0 ? exprs_[e] : -1;
      slot_bytes_.push_back(bytes);
      size_t& at = binding_->arena_bytes_[block_.slot_memory[i]];
      slot_offsets_.push_back(at);
      if (bytes > 0) MR_RETURN_IF_ERROR(Reserve(static_cast<size_t>(bytes), &at));
    }
    return OkStatus();
  }

  static Status Reserve(size_t bytes, size_t* at) {
    constexpr size_t kLimit = size_t{1} << 48;
    if (bytes > kLimit || *at > kLimit - bytes) {
      return ResourceExhausted(
          Cat("the run's memory: expected at most ", kLimit, " bytes, found ", bytes, " more than ", *at));
    }
    *at += Align(bytes);
    return OkStatus();
  }

  Status BindAliases(uint32_t root) {
    for (uint32_t v : block_.AliasesOf(root)) {
      const BoundValue& from = binding_->values_[block_.values[v].index];
      const Planned& planned = planned_[v];
      if (planned.bad != kNone) return BadExpr(v);
      const std::span<const int64_t> from_dims(from.dims, from.rank < 0 ? 0 : static_cast<size_t>(from.rank));
      if (planned.known) {
        MR_RETURN_IF_ERROR(SetKnown(v, planned.dims));
      } else if (from.known) {
        MR_RETURN_IF_ERROR(Agree(v, true, from_dims));
        MR_RETURN_IF_ERROR(SetKnown(v, {from_dims.begin(), from_dims.end()}));
      } else {
        SetOpen(v, planned.has_rank, planned.dims);
      }
      BoundValue& to = binding_->values_[v];
      if (to.known && from.known && to.num_elements != from.num_elements) {
        return InvalidArgument(Cat(NameOf(v), ": shape ", DimsText(true, {to.dims, static_cast<size_t>(to.rank)}),
                                   " cannot hold the elements of ", NameOf(block_.values[v].index), " of shape ",
                                   DimsText(true, from_dims)));
      }
      to.data = from.data;
      to.offset = from.offset;
    }
    return OkStatus();
  }

  // A value that a step makes: what inference found, against the plan.
  Status BindOutput(uint32_t v, const InferOutput& found, StepState* state) {
    const LoadedValue& value = block_.values[v];
    Planned& planned = planned_[v];
    if (value.storage == Storage::kResource) return OkStatus();
    if (planned.bad != kNone) return BadExpr(v);
    MR_RETURN_IF_ERROR(Agree(v, found.has_rank, found.dims));
    if (found.known()) {
      MR_RETURN_IF_ERROR(SetKnown(v, found.dims));
    } else {
      state->infer_at_run = true;
      state->slow = true;
      if (planned.known) MR_RETURN_IF_ERROR(SetKnown(v, planned.dims));
      else SetOpen(v, found.has_rank || planned.has_rank, found.has_rank ? found.dims : planned.dims);
    }
    if (found.has_elements) binding_->elements_[v] = std::make_unique<SymTensor>(found.elements);
    BoundValue& bound = binding_->values_[v];
    if (value.storage == Storage::kSlot) {
      if (value.def != nullptr) {
        if (!bound.known) return InvalidArgument(Cat(NameOf(v), ": expected known dims for a value in a slot"));
        const int64_t room = slot_bytes_[value.index];
        if (room < 0 || bound.bytes > static_cast<size_t>(room)) {
          return InvalidArgument(Cat(NameOf(v), ": expected a slot of at least ", bound.bytes, " bytes, found ", room));
        }
        bound.offset = slot_offsets_[value.index];
      } else if (bound.known) {
        size_t& at = binding_->arena_bytes_[value.memory];
        bound.offset = at;
        MR_RETURN_IF_ERROR(Reserve(bound.bytes, &at));
      } else {
        state->slow = true;
      }
    }
    return BindAliases(v);
  }

  Status BindStep(uint32_t s) {
    const LoadedStep& step = block_.steps[s];
    StepState& state = binding_->steps_[s];
    state.slow = step.has_late;
    const std::span<const uint32_t> in(block_.positions.data() + step.first, step.num_inputs);
    const std::span<const uint32_t> out(block_.positions.data() + step.first + step.num_inputs, step.num_outputs);
    for (uint32_t d = step.derefs_begin; d < step.derefs_end; ++d) {
      const plan::Resource& resource = plan_.resources[block_.derefs[d].resource];
      InferOutput content;
      content.has_rank = !resource.unknown_rank;
      content.dims = resource.dims;
      const uint32_t v = block_.derefs[d].value;
      StepState ignored;
      MR_RETURN_IF_ERROR(BindOutput(v, content, &ignored));
    }
    switch (step.action) {
      case Action::kRead:
        return OkStatus();
      case Action::kCopy: {
        const BoundValue& from = binding_->values_[in[0]];
        InferOutput found;
        found.has_rank = from.rank >= 0;
        found.dims.assign(from.dims, from.dims + std::max(from.rank, 0));
        return BindOutput(out[0], found, &state);
      }
      case Action::kIf:
      case Action::kWhile:
      case Action::kCall:
        for (uint32_t v : out) MR_RETURN_IF_ERROR(BindOutput(v, InferOutput(), &state));
        return OkStatus();
      case Action::kKernel:
        break;
    }
    std::vector<InferInput> inputs(in.size());
    std::vector<TensorView> contents(in.size());
    for (size_t i = 0; i < in.size(); ++i) {
      const LoadedValue& value = block_.values[in[i]];
      const BoundValue& bound = binding_->values_[in[i]];
      InferInput& input = inputs[i];
      input.dtype = value.dtype;
      input.has_rank = bound.rank >= 0;
      input.dims = {bound.dims, static_cast<size_t>(std::max(bound.rank, 0))};
      input.elements = binding_->elements_[in[i]].get();
      const LoadedValue& root = block_.values[value.root];
      if (bound.known && bound.data != nullptr) {
        // What the host can read: of a constant that is elsewhere too, its own copy.
        void* data = value.storage == Storage::kConstant ? loaded_.constant(value.index).data : bound.data;
        contents[i] = {data, value.dtype, bound.rank, bound.dims, bound.num_elements};
        input.contents = &contents[i];
      }
      if (root.storage == Storage::kResource && root.index != kNone) input.resource = &plan_.resources[root.index];
    }
    // A shape function may be sure of its output and yet not have seen all that
    // it checks: an input of open dims is checked again when it is there.
    for (uint32_t v : in) {
      if (block_.values[block_.values[v].root].storage == Storage::kResource || binding_->values_[v].known) continue;
      state.infer_at_run = state.slow = true;
    }
    std::vector<InferOutput> outputs;
    MR_RETURN_IF_ERROR(InferStep(step, inputs, &outputs));
    for (size_t i = 0; i < out.size(); ++i) {
      if (const Planned& planned = planned_[out[i]]; planned.bad != kNone) {
        // As with extents above: they may meet in a later step.
        if (extents_.ok()) extents_ = BadExpr(out[i]).At(step.def->node, step.def->op);
        SetOpen(out[i], planned.has_rank, planned.dims);
        continue;
      }
      MR_RETURN_IF_ERROR(BindOutput(out[i], outputs[i], &state));
    }
    return OkStatus();
  }

  const plan::Plan& plan_;
  const LoadedPlan& loaded_;
  const LoadedBlock& block_;
  const plan::Signature* signature_;
  const Binding* outer_;
  std::shared_ptr<Binding> binding_;
  std::vector<Planned> planned_;
  Status extents_;  // the first error of extents whose step is not found yet
  std::vector<int64_t> exprs_;
  std::vector<uint8_t> valid_;
  std::vector<int64_t> slot_bytes_;
  std::vector<size_t> slot_offsets_;
};

Result<std::shared_ptr<const Binding>> Binding::Make(const LoadedPlan& plan, uint32_t block,
                                                     const plan::Signature* signature,
                                                     std::span<const TensorView> arguments, const Binding* outer) {
  return Binder(plan, block, signature, outer).Run(arguments);
}

}  // namespace millrace::exec
