#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "millrace/ops/registry/effects.h"
#include "millrace/ops/user/user_ops_hash.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/plan/code.h"
#include "millrace/runtime/plan/loaded_plan.h"
#include "millrace/runtime/plan/variables.h"

namespace millrace::exec {
namespace {

using plan::StepKind;
using plan::Storage;

std::string ValueName(const plan::Block& block, uint32_t v) {
  const std::string& name = block.values[v].name;
  return name.empty() ? Cat("value ", v) : Cat("'", name, "'");
}

Status IndexError(std::string_view what, uint64_t found, size_t limit) {
  return InvalidArgument(Cat(what, ": expected an index below ", limit, ", found ", found));
}

}  // namespace

class Loader {
 public:
  Loader(plan::Plan plan, std::shared_ptr<Environment> environment, std::shared_ptr<const void> keep_alive)
      : loaded_(new LoadedPlan()) {
    loaded_->plan_ = std::move(plan);
    loaded_->environment_ = std::move(environment);
    loaded_->keep_alive_ = std::move(keep_alive);
  }

  Result<std::shared_ptr<const LoadedPlan>> Run() {
    MR_RETURN_IF_ERROR(CheckTables());
    MR_RETURN_IF_ERROR(LoadConstants());
    MR_RETURN_IF_ERROR(FindDevices());
    // Every block is checked before the first kernel or variable is made.
    loaded_->blocks_.resize(plan().blocks.size());
    for (size_t b = 0; b < plan().blocks.size(); ++b) {
      const plan::Block& block = plan().blocks[b];
      Status status = CheckValues(block, &loaded_->blocks_[b]);
      if (status.ok()) status = LoadSteps(block, static_cast<uint32_t>(b), &loaded_->blocks_[b]);
      if (!status.ok()) {
        if (!status.node().empty() || block.name.empty()) return status;
        return Status(status.code(), Cat("block '", block.name, "': ", status.message()));
      }
    }
    MR_RETURN_IF_ERROR(CheckSignatures());
    MR_RETURN_IF_ERROR(CheckNesting());
    for (size_t r = 0; r < plan().resources.size(); ++r) {
      const plan::Resource& resource = plan().resources[r];
      if (resource_memory_[r] != kNone) {
        MR_RETURN_IF_ERROR(
            environment().PlaceResource(resource.container, resource.name, loaded_->devices_[resource_memory_[r]]));
      }
      MR_ASSIGN_OR_RETURN(std::shared_ptr<Resource> made, FindOrMakeResource(environment().resources(), resource));
      loaded_->resources_.push_back(std::move(made));
    }
    loaded_->code_ = LoadCode(plan(), environment().code_maker());
    for (LoadedBlock& block : loaded_->blocks_) MR_RETURN_IF_ERROR(MakeKernels(&block));
    return std::shared_ptr<const LoadedPlan>(std::move(loaded_));
  }

 private:
  const plan::Plan& plan() const { return loaded_->plan_; }
  Environment& environment() const { return *loaded_->environment_; }
  uint32_t host() const { return loaded_->host_; }

  Status FindDevices() {
    std::vector<Device*>& devices = loaded_->devices_;
    for (const plan::DeviceRef& ref : plan().devices) {
      Result<Device*> device = environment().FindDevice(ref.kind, ref.ordinal);
      if (!device.ok()) return Status(device.status().code(), Cat("the plan needs ", device.status().message()));
      devices.push_back(*device);
    }
    const auto host = std::find(devices.begin(), devices.end(), &environment().host());
    loaded_->host_ = static_cast<uint32_t>(host - devices.begin());
    if (host == devices.end()) devices.push_back(&environment().host());
    resource_memory_.assign(plan().resources.size(), kNone);
    return OkStatus();
  }

  std::string DeviceText(uint32_t memory) const {
    const Device& device = *loaded_->devices_[memory];
    return Cat(device.kind(), ":", device.ordinal());
  }
  // Whether who works in one memory reads and writes the other.
  bool Shares(uint32_t a, uint32_t b) const {
    return loaded_->devices_[a] == loaded_->devices_[b] || (loaded_->OnHost(a) && loaded_->OnHost(b));
  }

  // The elements of a resource are in one memory, whoever uses them.
  Status PlaceResource(uint32_t resource, uint32_t memory) {
    uint32_t& there = resource_memory_[resource];
    if (there == kNone) there = memory;
    if (Shares(there, memory)) return OkStatus();
    return InvalidArgument(Cat("variable '", plan().resources[resource].name, "': expected a step on ",
                               DeviceText(there), ", as before, found one on ", DeviceText(memory)));
  }

  // Puts a constant into memory that is not the host's.
  Status UploadConstant(uint32_t constant, uint32_t memory) {
    Buffer& buffer = loaded_->device_constants_[{constant, memory}];
    if (buffer) return OkStatus();
    const TensorView& view = loaded_->constant_views_[constant];
    Device& device = *loaded_->devices_[memory];
    MR_ASSIGN_OR_RETURN(buffer, device.allocator().Allocate(view.bytes()));
    MR_ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, device.NewStream());
    MR_RETURN_IF_ERROR(stream->CopyFromHost(Buffer::Borrow(view.data, view.bytes()), buffer));
    return stream->Synchronize();
  }

  // Sees to it that input `i` is where the step reads it: `memory`. Constants are
  // put there; anything else has to be there.
  Status PlaceInput(size_t i, uint32_t memory, LoadedBlock* block, uint32_t* input) {
    const LoadedValue& value = block->values[*input];
    const LoadedValue& root = block->values[value.root];
    if (root.storage == Storage::kResource) return PlaceResource(root.index, memory);
    if (Shares(root.memory, memory)) return OkStatus();
    if (value.storage == Storage::kConstant && value.root == *input && !IsObject(value.dtype)) {
      MR_RETURN_IF_ERROR(UploadConstant(value.index, memory));
      uint32_t& moved = moved_constants_[{block, *input, memory}];
      if (moved == 0) {
        const LoadedValue original = value;
        moved = AddHidden(block, original.dtype, Storage::kResource, kNone);
        LoadedValue& copy = block->values[moved];
        copy.def = original.def;
        copy.storage = Storage::kConstant;
        copy.index = original.index;
        copy.memory = memory;
      }
      *input = moved;
      return OkStatus();
    }
    return InvalidArgument(Cat("input ", i, " (", value.def != nullptr ? ValueName(*block->def, *input) : "hidden",
                               "): expected on ", DeviceText(memory), ", it is on ", DeviceText(root.memory)));
  }

  Status CheckTables() {
    const plan::Plan& p = plan();
    if (environment().no_code() && !p.code.empty()) {
      return FailedPrecondition(Cat("the plan carries compiled code (", p.code.size(), " pieces), which was refused"));
    }
    for (size_t i = 0; i < p.exprs.size(); ++i) {
      const plan::DimExpr& e = p.exprs[i];
      if (e.op > plan::DimOp::kBroadcast) return InvalidArgument(Cat("expression ", i, ": unknown operation"));
      if (e.op == plan::DimOp::kConstant) continue;
      if (e.op == plan::DimOp::kSymbol) {
        if (e.value < 0 || static_cast<size_t>(e.value) >= p.symbols.size()) {
          return IndexError(Cat("expression ", i, ": symbol"), static_cast<uint64_t>(e.value), p.symbols.size());
        }
        continue;
      }
      if (e.a >= i || e.b >= i) {
        return InvalidArgument(Cat("expression ", i, ": expected operands before it, found ", e.a, " and ", e.b));
      }
    }
    MR_RETURN_IF_ERROR(CheckUserOps());
    for (const plan::Resource& r : p.resources) {
      const auto bad = [&](const std::string& what) { return InvalidArgument(Cat("resource '", r.name, "': ", what)); };
      if (!IsValid(r.dtype)) return bad(Cat("unknown dtype ", static_cast<int32_t>(r.dtype)));
      if (r.dims.size() > static_cast<size_t>(Shape::kMaxRank)) {
        return bad(Cat("expected a rank up to ", Shape::kMaxRank, ", found ", r.dims.size()));
      }
      for (int64_t d : r.dims) {
        if (d < -1) return bad(Cat("expected an extent, or -1, found ", d));
      }
    }
    return OkStatus();
  }

  // Ops of the user's own mean here what they meant where the plan was made. One
  // that is not there at all is named where its step is loaded.
  Status CheckUserOps() {
    const std::set<std::string> ops = UserOps(plan());
    for (const std::string& op : ops) {
      if (environment().registry().Find(op) == nullptr) return OkStatus();
    }
    const uint64_t found = UserOpsHash(ops, environment().registry());
    if (found == plan().user_ops_hash) return OkStatus();
    return FailedPrecondition(
        Cat("the plan was made with other definitions of the ops it uses beside the built-in ones (",
            ops.empty() ? "none here" : Join(ops, ", "), "): expected hash ", plan().user_ops_hash, ", found ", found));
  }

  Status LoadConstants() {
    loaded_->owned_constants_.reserve(plan().constants.size());
    for (const plan::Constant& constant : plan().constants) {
      Status status = LoadConstant(constant);
      if (!status.ok()) return Status(status.code(), Cat("constant '", constant.name, "': ", status.message()));
    }
    return OkStatus();
  }

  Status LoadConstant(const plan::Constant& constant) {
    if (!IsValid(constant.dtype) || IsRef(constant.dtype)) {
      return InvalidArgument(Cat("expected a plain dtype, found number ", static_cast<int32_t>(constant.dtype)));
    }
    if (constant.dims.size() > static_cast<size_t>(Shape::kMaxRank)) {
      return InvalidArgument(Cat("expected a rank up to ", Shape::kMaxRank, ", found ", constant.dims.size()));
    }
    const std::optional<size_t> bytes = TensorBytes(constant.dtype, constant.dims);
    const std::optional<int64_t> elements = Shape(constant.dims).NumElements();
    if (!bytes || !elements)
      return InvalidArgument(Cat("shape ", Shape(constant.dims).ToString(), " is no shape of a tensor"));
    TensorView view;
    view.dtype = constant.dtype;
    view.rank = static_cast<int>(constant.dims.size());
    view.dims = constant.dims.data();
    view.num_elements = *elements;
    if (constant.dtype == DType::kString) {
      if (constant.strings.size() != static_cast<size_t>(view.num_elements)) {
        return InvalidArgument(Cat("expected ", view.num_elements, " strings, found ", constant.strings.size()));
      }
      MR_ASSIGN_OR_RETURN(Tensor strings, Tensor::New(DType::kString, Shape(constant.dims), environment().allocator()));
      std::copy(constant.strings.begin(), constant.strings.end(), strings.elements<std::string>().begin());
      view.data = strings.data();
      loaded_->owned_constants_.push_back(std::move(strings));
    } else if (IsObject(constant.dtype)) {
      return Unimplemented(Cat("a constant of dtype ", DTypeName(constant.dtype)));
    } else {
      if (constant.content.size() != *bytes) {
        return InvalidArgument(Cat("expected ", *bytes, " bytes, found ", constant.content.size()));
      }
      view.data = const_cast<char*>(constant.content.data());
      const size_t alignment = std::min<size_t>(ElementSize(constant.dtype), 8);
      if (*bytes > 0 && reinterpret_cast<uintptr_t>(view.data) % alignment != 0) {
        MR_ASSIGN_OR_RETURN(Tensor copy, Tensor::New(constant.dtype, Shape(constant.dims), environment().allocator()));
        std::memcpy(copy.data(), constant.content.data(), *bytes);
        view.data = copy.data();
        loaded_->owned_constants_.push_back(std::move(copy));
      }
    }
    loaded_->constant_views_.push_back(view);
    return OkStatus();
  }

  // Values by themselves: storage, indices, dtypes, aliases.
  Status CheckValues(const plan::Block& block, LoadedBlock* out) {
    const plan::Plan& p = plan();
    out->def = &block;
    const size_t n = block.values.size();
    if (n >= kNone / 2) return InvalidArgument(Cat("expected fewer values, found ", n));
    out->values.resize(n);
    for (const plan::Slot& slot : block.slots) {
      if (slot.bytes >= p.exprs.size()) return IndexError("slot: expression", slot.bytes, p.exprs.size());
    }
    for (uint32_t i = 0; i < n; ++i) {
      const plan::Value& def = block.values[i];
      LoadedValue& value = out->values[i];
      value = {
          .def = &def, .dtype = def.dtype, .storage = def.storage, .index = def.index, .root = i, .memory = host()};
      const auto bad = [&](const std::string& what) { return InvalidArgument(Cat(ValueName(block, i), ": ", what)); };
      const auto index_below = [&](std::string_view what, size_t limit) {
        return def.index < limit ? OkStatus() : bad(Cat("expected a ", what, " below ", limit, ", found ", def.index));
      };
      if (!IsValid(def.dtype)) return bad(Cat("unknown dtype ", static_cast<int32_t>(def.dtype)));
      if (def.dims.size() > static_cast<size_t>(Shape::kMaxRank)) {
        return bad(Cat("expected a rank up to ", Shape::kMaxRank, ", found ", def.dims.size()));
      }
      if (def.unknown_rank && !def.dims.empty()) return bad("expected no dims where the rank is unknown");
      for (uint32_t d : def.dims) {
        if (d != kNone && d >= p.exprs.size()) return bad(Cat("dimension: expression ", d, " of ", p.exprs.size()));
      }
      for (uint32_t e : def.elements) {
        if (e >= p.exprs.size()) return bad(Cat("element: expression ", e, " of ", p.exprs.size()));
      }
      switch (def.storage) {
        case Storage::kFeed:
          if (IsRef(def.dtype)) return bad("a reference cannot be fed");
          MR_RETURN_IF_ERROR(index_below("argument", block.arguments.size()));
          if (block.arguments[def.index] != i) {
            return bad(Cat("expected to be argument ", def.index, ", which is value ", block.arguments[def.index]));
          }
          break;
        case Storage::kConstant:
          MR_RETURN_IF_ERROR(index_below("constant", p.constants.size()));
          if (p.constants[def.index].dtype != def.dtype) {
            return bad(Cat("expected dtype ", DTypeName(def.dtype), ", found ", DTypeName(p.constants[def.index].dtype),
                           " in the constant"));
          }
          break;
        case Storage::kSlot:
          MR_RETURN_IF_ERROR(index_below("slot", block.slots.size()));
          if (IsObject(def.dtype) || IsRef(def.dtype)) {
            return bad(Cat("expected a plain dtype in a slot, found ", DTypeName(def.dtype)));
          }
          if (def.unknown_rank || std::count(def.dims.begin(), def.dims.end(), kNone) != 0) {
            return bad("expected known dims in a slot");
          }
          break;
        case Storage::kLate:
          if (IsRef(def.dtype)) return bad("a reference cannot be late");
          value.late = out->num_late++;
          break;
        case Storage::kResource:
          MR_RETURN_IF_ERROR(index_below("resource", p.resources.size()));
          if (!IsRef(def.dtype) && def.dtype != DType::kResource) {
            return bad(Cat("expected a reference or a handle, found ", DTypeName(def.dtype)));
          }
          break;
        case Storage::kAlias:
          MR_RETURN_IF_ERROR(index_below("value", n));
          if (block.values[def.index].dtype != def.dtype) {
            return bad(Cat("expected dtype ", DTypeName(def.dtype), ", found ",
                           DTypeName(block.values[def.index].dtype), " in ", ValueName(block, def.index)));
          }
          break;
        case Storage::kDims:
          if (def.dtype != DType::kInt32 && def.dtype != DType::kInt64) {
            return bad(Cat("expected int32 or int64 for extents, found ", DTypeName(def.dtype)));
          }
          if (def.unknown_rank || def.dims.size() > 1 || (def.dims.empty() && def.elements.size() != 1) ||
              (!def.dims.empty() && def.dims[0] == kNone)) {
            return bad("expected a scalar or a vector of known length for extents");
          }
          break;
        default:
          return bad(Cat("unknown storage ", static_cast<int>(def.storage)));
      }
    }
    for (uint32_t i = 0; i < block.arguments.size(); ++i) {
      const uint32_t v = block.arguments[i];
      if (v >= n) return IndexError(Cat("argument ", i), v, n);
      if (block.values[v].storage != Storage::kFeed || block.values[v].index != i) {
        return InvalidArgument(Cat("argument ", i, ": ", ValueName(block, v), " is not fed by it"));
      }
    }
    return ResolveAliases(block, out);
  }

  Status ResolveAliases(const plan::Block& block, LoadedBlock* out) {
    const uint32_t n = static_cast<uint32_t>(block.values.size());
    // 0: not visited, 1: on the present path, 2: done.
    std::vector<uint8_t> state(n, 0);
    std::vector<uint32_t> path, order;
    for (uint32_t i = 0; i < n; ++i) {
      uint32_t v = i;
      while (block.values[v].storage == Storage::kAlias && state[v] == 0) {
        state[v] = 1;
        path.push_back(v);
        v = block.values[v].index;
      }
      if (state[v] == 1) return InvalidArgument(Cat(ValueName(block, v), ": is an alias of itself"));
      const uint32_t root = out->values[v].root;
      while (!path.empty()) {
        out->values[path.back()].root = root;
        state[path.back()] = 2;
        order.push_back(path.back());
        path.pop_back();
      }
    }
    out->alias_begin.assign(n + 1, 0);
    for (uint32_t v : order) ++out->alias_begin[out->values[v].root + 1];
    for (uint32_t i = 0; i < n; ++i) out->alias_begin[i + 1] += out->alias_begin[i];
    out->aliases.resize(order.size());
    std::vector<uint32_t> fill(out->alias_begin.begin(), out->alias_begin.end() - 1);
    for (uint32_t v : order) out->aliases[fill[out->values[v].root]++] = v;
    return OkStatus();
  }

  uint32_t AddHidden(LoadedBlock* block, DType dtype, Storage storage, uint32_t producer) {
    const uint32_t v = static_cast<uint32_t>(block->values.size());
    LoadedValue value;
    value.dtype = dtype;
    value.storage = storage;
    value.root = v;
    value.producer = producer;
    if (storage != Storage::kResource) value.late = block->num_late++;
    block->values.push_back(value);
    block->alias_begin.push_back(block->alias_begin.back());
    return v;
  }

  Status LoadSteps(const plan::Block& def, uint32_t number, LoadedBlock* block) {
    const uint32_t num_steps = static_cast<uint32_t>(def.steps.size());
    block->steps.resize(num_steps);
    block->slot_memory.assign(def.slots.size(), host());
    std::vector<std::vector<uint32_t>> before(num_steps);
    std::vector<bool> wanted;
    // Of each slot: the value in it now, and the steps that use it.
    std::vector<uint32_t> in_slot(def.slots.size(), kNone);
    std::vector<std::vector<uint32_t>> slot_users(def.slots.size());
    for (uint32_t s = 0; s < num_steps; ++s) {
      Status status = LoadStep(def, number, s, block, &before[s], &wanted, &in_slot, &slot_users);
      if (!status.ok()) return status.At(def.steps[s].node, def.steps[s].op);
    }
    for (uint32_t v : def.results) {
      if (v >= def.values.size()) return IndexError("result", v, def.values.size());
      LoadedValue& root = block->values[block->values[v].root];
      if (NeedsProducer(root) && root.producer == kNone) {
        return InvalidArgument(Cat("result ", ValueName(def, v), ": no step produces it"));
      }
      if (root.storage == Storage::kSlot && in_slot[root.index] != block->values[v].root) {
        return InvalidArgument(
            Cat("result ", ValueName(def, v), ": its slot ", root.index, " is used again before the end"));
      }
      if (root.storage == Storage::kResource) MR_RETURN_IF_ERROR(PlaceResource(root.index, host()));
      else if (!loaded_->OnHost(root.memory)) {
        return InvalidArgument(Cat("result ", ValueName(def, v), ": expected on ", DeviceText(host()), ", it is on ",
                                   DeviceText(root.memory)));
      }
      if (root.late != kNone) ++root.late_uses;
    }
    block->late_uses.resize(block->num_late);
    for (const LoadedValue& value : block->values) {
      if (value.late != kNone) block->late_uses[value.late] = value.late_uses;
    }
    block->wanted = std::make_unique<bool[]>(wanted.size());
    std::copy(wanted.begin(), wanted.end(), block->wanted.get());
    LinkSteps(&before, block);
    GroupReads(block);
    IndexUses(block);
    return OkStatus();
  }

  static bool NeedsProducer(const LoadedValue& root) {
    return root.storage == Storage::kSlot || root.storage == Storage::kLate;
  }

  Status LoadStep(const plan::Block& block_def, uint32_t number, uint32_t s, LoadedBlock* block,
                  std::vector<uint32_t>* before, std::vector<bool>* wanted, std::vector<uint32_t>* in_slot,
                  std::vector<std::vector<uint32_t>>* slot_users) {
    const plan::Step& def = block_def.steps[s];
    LoadedStep& step = block->steps[s];
    step.def = &def;
    step.first = static_cast<uint32_t>(block->positions.size());
    if (def.device >= plan().devices.size()) return IndexError("device", def.device, plan().devices.size());
    step.device = loaded_->devices_[def.device];
    step.memory = def.device;
    for (uint32_t a : def.after) {
      if (a >= s) return InvalidArgument(Cat("waits for step ", a, ", expected one before step ", s));
      before->push_back(a);
    }
    // Inputs: there, and made by an earlier step. A control-only input has no value.
    std::vector<uint32_t> inputs;
    for (uint32_t v : def.inputs) {
      if (v == kNone) continue;
      if (v >= block_def.values.size()) return IndexError("input", v, block_def.values.size());
      const LoadedValue& root = block->values[block->values[v].root];
      if (NeedsProducer(root)) {
        if (root.producer == kNone) {
          return InvalidArgument(Cat("input ", ValueName(block_def, v), ": no earlier step produces it"));
        }
        before->push_back(root.producer);
      }
      if (root.storage == Storage::kSlot) {
        const uint32_t now = (*in_slot)[root.index];
        if (now != block->values[v].root) {
          return InvalidArgument(Cat("input ", ValueName(block_def, v), ": its slot ", root.index, " already holds ",
                                     ValueName(block_def, now)));
        }
        (*slot_users)[root.index].push_back(s);
      }
      inputs.push_back(v);
    }
    std::vector<DType> input_types, output_types;
    MR_RETURN_IF_ERROR(LoadAction(def, number, block, inputs, &step, &input_types, &output_types));

    step.derefs_begin = static_cast<uint32_t>(block->derefs.size());
    if (step.action != Action::kRead) {
      if (inputs.size() != input_types.size()) {
        return InvalidArgument(Cat("expected ", input_types.size(), " inputs, found ", inputs.size()));
      }
      for (size_t i = 0; i < inputs.size(); ++i) {
        const LoadedValue& value = block->values[inputs[i]];
        if (value.dtype == input_types[i]) continue;
        if (IsRef(value.dtype) && BaseType(value.dtype) == input_types[i]) {
          // A reference where a plain tensor is wanted: the step reads the variable.
          const uint32_t resource = block->values[value.root].index;
          const uint32_t hidden = AddHidden(block, input_types[i], Storage::kLate, s);
          block->values[hidden].late_uses = 1;
          MR_RETURN_IF_ERROR(PlaceResource(resource, step.memory));
          block->values[hidden].memory = IsObject(input_types[i]) ? host() : step.memory;
          block->derefs.push_back({resource, hidden, kNone});
          inputs[i] = hidden;
          continue;
        }
        return InvalidArgument(Cat("input ", i, " (", ValueName(block_def, inputs[i]), "): expected ",
                                   DTypeName(input_types[i]), ", found ", DTypeName(value.dtype)));
      }
    }
    for (size_t i = 0; i < inputs.size(); ++i)
      MR_RETURN_IF_ERROR(PlaceInput(i, InputMemory(step, i, *block, inputs[i]), block, &inputs[i]));
    step.num_inputs = static_cast<uint32_t>(inputs.size());
    block->positions.insert(block->positions.end(), inputs.begin(), inputs.end());
    wanted->insert(wanted->end(), inputs.size(), true);

    if (def.outputs.size() != output_types.size()) {
      return InvalidArgument(Cat("expected ", output_types.size(), " outputs, found ", def.outputs.size()));
    }
    step.num_outputs = static_cast<uint32_t>(output_types.size());
    for (size_t i = 0; i < output_types.size(); ++i) {
      uint32_t v = def.outputs[i];
      if (v == kNone) {
        const Storage storage = IsRef(output_types[i]) || output_types[i] == DType::kResource ? Storage::kResource
                                : IsObject(output_types[i])                                   ? Storage::kLate
                                                                                              : Storage::kSlot;
        v = AddHidden(block, output_types[i], storage, s);
        block->values[v].memory = OutputMemory(step, i, output_types[i]);
        wanted->push_back(false);
      } else {
        if (v >= block_def.values.size()) return IndexError("output", v, block_def.values.size());
        LoadedValue& value = block->values[v];
        const auto bad = [&](const std::string& what) {
          return InvalidArgument(Cat("output ", i, " (", ValueName(block_def, v), "): ", what));
        };
        if (value.dtype != output_types[i]) {
          return bad(Cat("expected ", DTypeName(output_types[i]), ", found ", DTypeName(value.dtype)));
        }
        if (value.storage != Storage::kResource) {
          if (!NeedsProducer(value)) return bad("expected a slot or a late value");
          if (value.producer != kNone) return bad(Cat("step ", value.producer, " produces it already"));
          value.producer = s;
          value.memory = OutputMemory(step, i, output_types[i]);
        }
        if (value.storage == Storage::kSlot) {
          // What is in a slot says where the slot is.
          if (const uint32_t before_it = (*in_slot)[value.index];
              before_it != kNone && block->values[before_it].memory != value.memory) {
            return bad(Cat("expected a slot on ", DeviceText(value.memory), ", slot ", value.index, " is on ",
                           DeviceText(block->values[before_it].memory)));
          }
          std::vector<uint32_t>& users = (*slot_users)[value.index];
          for (uint32_t u : users) {
            if (u != s) before->push_back(u);
          }
          users.assign(1, s);
          (*in_slot)[value.index] = v;
          block->slot_memory[value.index] = value.memory;
        }
        wanted->push_back(true);
      }
      block->positions.push_back(v);
    }
    if (step.action == Action::kRead) {
      // The planned output is the snapshot itself.
      block->derefs.push_back({block->values[block->values[inputs[0]].root].index, block->positions.back(), kNone});
    }
    step.derefs_end = static_cast<uint32_t>(block->derefs.size());

    // Late values that this step uses, each once.
    step.releases_begin = static_cast<uint32_t>(block->releases.size());
    for (uint32_t v : inputs) {
      const uint32_t root = block->values[v].root;
      if (block->values[root].late == kNone || block->values[root].storage != Storage::kLate) continue;
      const auto begin = block->releases.begin() + step.releases_begin;
      if (std::find(begin, block->releases.end(), root) != block->releases.end()) continue;
      block->releases.push_back(root);
      if (block->values[root].def != nullptr) ++block->values[root].late_uses;
    }
    step.releases_end = static_cast<uint32_t>(block->releases.size());
    step.has_late = step.releases_end != step.releases_begin || step.derefs_end != step.derefs_begin ||
                    step.action != Action::kKernel;
    for (uint32_t i = 0; i < step.num_outputs; ++i) {
      const uint32_t v = block->positions[step.first + step.num_inputs + i];
      if (block->values[v].storage == Storage::kLate) step.has_late = true;
    }
    return OkStatus();
  }

  // Where a step reads an input and leaves an output.
  uint32_t InputMemory(const LoadedStep& step, size_t i, const LoadedBlock& block, uint32_t v) const {
    switch (step.action) {
      case Action::kCopy:
        return block.MemoryOf(v);  // from wherever it is
      case Action::kIf:
      case Action::kWhile:
      case Action::kCall:
        return host();
      default:
        break;
    }
    const bool on_host =
        (IsObject(block.values[v].dtype) && block.values[v].storage != Storage::kResource) ||
        (step.kernel_def != nullptr && std::count(step.kernel_def->host_inputs.begin(),
                                                  step.kernel_def->host_inputs.end(), static_cast<int>(i)) != 0);
    return on_host ? host() : step.memory;
  }
  uint32_t OutputMemory(const LoadedStep& step, size_t i, DType dtype) const {
    if (step.action == Action::kIf || step.action == Action::kWhile || step.action == Action::kCall) return host();
    const bool on_host = IsObject(dtype) || (step.kernel_def != nullptr &&
                                             std::count(step.kernel_def->host_outputs.begin(),
                                                        step.kernel_def->host_outputs.end(), static_cast<int>(i)) != 0);
    return on_host ? host() : step.memory;
  }

  // What the step is, and the dtypes of its arguments.
  Status LoadAction(const plan::Step& def, uint32_t number, LoadedBlock* block, const std::vector<uint32_t>& inputs,
                    LoadedStep* step, std::vector<DType>* input_types, std::vector<DType>* output_types) {
    const auto type_of = [&](uint32_t v) { return block->values[v].dtype; };
    const auto reads_variable = [&] {
      return inputs.size() == 1 && (IsRef(type_of(inputs[0])) || type_of(inputs[0]) == DType::kResource) &&
             def.outputs.size() == 1 && def.outputs[0] != kNone && def.outputs[0] < block->def->values.size() &&
             block->values[def.outputs[0]].storage == Storage::kLate &&
             block->values[block->values[inputs[0]].root].storage == Storage::kResource;
    };
    switch (def.kind) {
      case StepKind::kKernel:
        if ((def.op == "Identity" || def.op == "ReadVariableOp") && reads_variable()) break;
        return LoadKernelStep(def, step, input_types, output_types);
      case StepKind::kCopy:
        if (reads_variable()) break;
        if (inputs.size() != 1 || def.outputs.size() != 1) {
          return InvalidArgument(
              Cat("a copy: expected one input and one output, found ", inputs.size(), " and ", def.outputs.size()));
        }
        step->action = Action::kCopy;
        input_types->assign(1, BaseType(type_of(inputs[0])));
        output_types->assign(1, BaseType(type_of(inputs[0])));
        return OkStatus();
      case StepKind::kIf:
      case StepKind::kWhile:
      case StepKind::kCall:
        return LoadBlockStep(def, number, block, inputs, step, input_types, output_types);
      case StepKind::kStackPush:
      case StepKind::kStackPop:
        return Unimplemented("stack steps are not run yet");
      default:
        return InvalidArgument(Cat("unknown kind of step ", static_cast<int>(def.kind)));
    }
    step->action = Action::kRead;
    output_types->assign(1, BaseType(plan().resources[block->values[block->values[inputs[0]].root].index].dtype));
    return OkStatus();
  }

  Status LoadKernelStep(const plan::Step& def, LoadedStep* step, std::vector<DType>* input_types,
                        std::vector<DType>* output_types) {
    step->op = environment().registry().Find(def.op);
    if (step->op == nullptr) return Unimplemented(Cat("op '", def.op, "' is not known to this build"));
    // Shape functions and kernels take for granted that attributes are there and
    // of their kind.
    AttrMap& attrs = const_cast<plan::Step&>(def).attrs;
    MR_RETURN_IF_ERROR(CompleteAttrs(*step->op, &attrs));
    MR_RETURN_IF_ERROR(ArgumentTypes(step->op->signature(), attrs, input_types, output_types));
    if (step->op->shape_fn() == nullptr) return Internal(Cat("op '", def.op, "' has no shape function"));
    step->kernel_def = step->op->FindKernel(step->device->kind(), attrs);
    if (step->kernel_def == nullptr) {
      return Unimplemented(Cat("op '", def.op, "' has no kernel for ", step->device->kind(), " with these types"));
    }
    return OkStatus();
  }

  Status LoadBlockStep(const plan::Step& def, uint32_t number, LoadedBlock* block, const std::vector<uint32_t>& inputs,
                       LoadedStep* step, std::vector<DType>* input_types, std::vector<DType>* output_types) {
    const bool is_if = def.kind == StepKind::kIf, is_while = def.kind == StepKind::kWhile;
    const size_t expected = is_if || is_while ? 2 : 1;
    if (def.blocks.size() != expected) {
      return InvalidArgument(Cat("expected ", expected, " blocks, found ", def.blocks.size()));
    }
    // Blocks nest: an inner one has a larger number, so no block runs itself.
    for (uint32_t b : def.blocks) {
      if (b >= plan().blocks.size()) return IndexError("block", b, plan().blocks.size());
      if (b <= number) {
        return InvalidArgument(Cat("block ", b, ": expected one after block ", number, ", which runs it"));
      }
    }
    const auto types_of = [](const plan::Block& b, const std::vector<uint32_t>& values, std::vector<DType>* types) {
      for (uint32_t v : values) {
        if (v >= b.values.size()) return IndexError(Cat("block '", b.name, "'"), v, b.values.size());
        types->push_back(b.values[v].dtype);
      }
      return OkStatus();
    };
    const auto same = [](std::string_view what, const std::vector<DType>& a, const std::vector<DType>& b) {
      if (a == b) return OkStatus();
      std::vector<std::string> expected_names, found_names;
      for (DType t : a) expected_names.push_back(DTypeName(t));
      for (DType t : b) found_names.push_back(DTypeName(t));
      return InvalidArgument(
          Cat(what, ": expected (", Join(expected_names, ", "), "), found (", Join(found_names, ", "), ")"));
    };
    std::vector<std::vector<DType>> arguments(expected), results(expected);
    for (size_t i = 0; i < expected; ++i) {
      const plan::Block& b = plan().blocks[def.blocks[i]];
      MR_RETURN_IF_ERROR(types_of(b, b.arguments, &arguments[i]));
      MR_RETURN_IF_ERROR(types_of(b, b.results, &results[i]));
    }
    for (const auto& types : {arguments, results}) {
      for (const auto& list : types) {
        for (DType t : list) {
          if (IsRef(t)) return Unimplemented("references as arguments or results of a block");
        }
      }
    }
    input_types->clear();
    if (is_if) {
      step->action = Action::kIf;
      if (inputs.empty()) return InvalidArgument("expected a predicate as input 0, found no inputs");
      MR_RETURN_IF_ERROR(same("arguments of the two branches", arguments[0], arguments[1]));
      MR_RETURN_IF_ERROR(same("results of the two branches", results[0], results[1]));
      input_types->push_back(BaseType(block->values[inputs[0]].dtype));
      *output_types = results[0];
    } else if (is_while) {
      step->action = Action::kWhile;
      MR_RETURN_IF_ERROR(same("arguments of condition and body", arguments[0], arguments[1]));
      MR_RETURN_IF_ERROR(same("arguments and results of the body", arguments[1], results[1]));
      MR_RETURN_IF_ERROR(same("result of the condition", {DType::kBool}, results[0]));
      *output_types = results[1];
    } else {
      step->action = Action::kCall;
      *output_types = results[0];
    }
    input_types->insert(input_types->end(), arguments[0].begin(), arguments[0].end());
    for (uint32_t v : def.outputs) {
      if (v != kNone && v < block->def->values.size() && block->values[v].storage == Storage::kSlot) {
        return InvalidArgument(Cat("output ", ValueName(*block->def, v), ": expected a late value of a block's step"));
      }
    }
    return OkStatus();
  }

  // Successor lists and counters from the lists of predecessors.
  static void LinkSteps(std::vector<std::vector<uint32_t>>* before, LoadedBlock* block) {
    const uint32_t n = static_cast<uint32_t>(block->steps.size());
    std::vector<uint32_t> count(n + 1, 0);
    block->is_chain = true;
    for (uint32_t s = 0; s < n; ++s) {
      std::vector<uint32_t>& list = (*before)[s];
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      block->steps[s].pending = static_cast<uint32_t>(list.size());
      for (uint32_t p : list) ++count[p];
      if (s > 0 && (list.empty() || list.back() != s - 1)) block->is_chain = false;
    }
    uint32_t total = 0;
    for (uint32_t s = 0; s < n; ++s) {
      block->steps[s].successors_begin = block->steps[s].successors_end = total;
      total += count[s];
    }
    block->successors.resize(total);
    for (uint32_t s = 0; s < n; ++s) {
      for (uint32_t p : (*before)[s]) block->successors[block->steps[p].successors_end++] = s;
    }
  }

  // Reads of one variable see one value, unless a write of this block comes
  // between: reads behind the same writes form a group.
  static void GroupReads(LoadedBlock* block) {
    std::map<uint32_t, std::vector<uint32_t>> reads;  // resource: derefs
    std::vector<uint32_t> step_of(block->derefs.size());
    for (uint32_t s = 0; s < block->steps.size(); ++s) {
      for (uint32_t d = block->steps[s].derefs_begin; d < block->steps[s].derefs_end; ++d) {
        reads[block->derefs[d].resource].push_back(d);
        step_of[d] = s;
      }
    }
    std::erase_if(reads, [](const auto& entry) { return entry.second.size() < 2; });
    if (reads.empty()) return;
    std::map<uint32_t, std::vector<uint32_t>> writers;  // resource: steps
    for (uint32_t s = 0; s < block->steps.size(); ++s) {
      const LoadedStep& step = block->steps[s];
      if (step.op == nullptr) continue;
      VisitAccesses(*step.op, step.def->attrs, [&](int input, bool write) {
        if (!write || static_cast<uint32_t>(input) >= step.num_inputs) return;
        const uint32_t v = block->positions[step.first + static_cast<uint32_t>(input)];
        const LoadedValue& root = block->values[block->values[v].root];
        if (root.storage == Storage::kResource) writers[root.index].push_back(s);
      });
    }
    // Steps that come after the write that is looked at hold its number.
    std::vector<uint32_t> after(block->steps.size(), kNone), work;
    for (const auto& [resource, list] : reads) {
      // By the set of writes that come before.
      std::vector<std::vector<uint32_t>> behind(list.size());
      for (uint32_t w : writers[resource]) {
        work.assign(1, w);
        while (!work.empty()) {
          const LoadedStep& step = block->steps[work.back()];
          work.pop_back();
          for (uint32_t k = step.successors_begin; k < step.successors_end; ++k) {
            uint32_t& mark = after[block->successors[k]];
            if (mark == w) continue;
            mark = w;
            work.push_back(block->successors[k]);
          }
        }
        for (size_t i = 0; i < list.size(); ++i) {
          if (after[step_of[list[i]]] == w) behind[i].push_back(w);
        }
      }
      std::map<std::vector<uint32_t>, uint32_t> groups;
      for (size_t i = 0; i < list.size(); ++i) {
        const auto [it, added] = groups.emplace(behind[i], static_cast<uint32_t>(block->group_sizes.size()));
        if (added) block->group_sizes.push_back(0);
        block->derefs[list[i]].group = it->second;
        ++block->group_sizes[it->second];
      }
    }
  }

  static void IndexUses(LoadedBlock* block) {
    const size_t n = block->values.size();
    block->use_begin.assign(n + 1, 0);
    for (uint32_t v : block->positions) ++block->use_begin[v + 1];
    for (size_t i = 0; i < n; ++i) block->use_begin[i + 1] += block->use_begin[i];
    block->uses.resize(block->positions.size());
    std::vector<uint32_t> fill(block->use_begin.begin(), block->use_begin.end() - 1);
    for (uint32_t p = 0; p < block->positions.size(); ++p) block->uses[fill[block->positions[p]]++] = p;
  }

  Status CheckSignatures() {
    const plan::Plan& p = plan();
    for (const plan::Signature& signature : p.signatures) {
      const auto bad = [&](const std::string& what) {
        return InvalidArgument(Cat("signature '", signature.name, "': ", what));
      };
      if (signature.block >= p.blocks.size()) {
        return bad(Cat("expected a block below ", p.blocks.size(), ", found ", signature.block));
      }
      const plan::Block& block = p.blocks[signature.block];
      if (signature.feeds.size() != block.arguments.size()) {
        return bad(Cat("expected ", block.arguments.size(), " feeds, found ", signature.feeds.size()));
      }
      if (signature.fetches.size() != block.results.size()) {
        return bad(Cat("expected ", block.results.size(), " fetches, found ", signature.fetches.size()));
      }
      for (size_t i = 0; i < signature.feeds.size(); ++i) {
        const plan::Feed& feed = signature.feeds[i];
        const plan::Value& value = block.values[block.arguments[i]];
        if (feed.dtype != value.dtype) {
          return bad(
              Cat("feed '", feed.name, "': expected ", DTypeName(value.dtype), ", found ", DTypeName(feed.dtype)));
        }
        if (feed.dims.size() > static_cast<size_t>(Shape::kMaxRank) || (feed.unknown_rank && !feed.dims.empty()) ||
            (!feed.symbols.empty() && feed.symbols.size() != feed.dims.size())) {
          return bad(Cat("feed '", feed.name, "': dims and symbols disagree"));
        }
        for (uint32_t s : feed.symbols) {
          if (s != kNone && s >= p.symbols.size()) {
            return bad(Cat("feed '", feed.name, "': expected a symbol below ", p.symbols.size(), ", found ", s));
          }
        }
      }
    }
    return OkStatus();
  }

  // Blocks run on the caller's stack, so they may not nest without end. LoadStep
  // has seen to it that a block runs only blocks of larger numbers.
  Status CheckNesting() {
    std::vector<int> depth(plan().blocks.size(), 1);
    for (size_t b = depth.size(); b-- > 0;) {
      for (const plan::Step& step : plan().blocks[b].steps) {
        for (uint32_t inner : step.blocks) {
          if (inner < depth.size()) depth[b] = std::max(depth[b], depth[inner] + 1);
        }
      }
      if (depth[b] > plan::kMaxNesting) {
        return InvalidArgument(Cat("block '", plan().blocks[b].name, "': expected at most ", plan::kMaxNesting,
                                   " blocks inside each other, found more"));
      }
    }
    return OkStatus();
  }

  Status MakeKernels(LoadedBlock* block) {
    for (LoadedStep& step : block->steps) {
      if (step.action != Action::kKernel) continue;
      std::vector<DType> input_types, output_types;
      std::vector<const TensorView*> constants;
      for (uint32_t i = 0; i < step.num_inputs; ++i) {
        const LoadedValue& value = block->values[block->positions[step.first + i]];
        input_types.push_back(value.dtype);
        const LoadedValue& root = block->values[value.root];
        constants.push_back(value.storage == Storage::kConstant ? &loaded_->constant_views_[root.index] : nullptr);
      }
      for (uint32_t i = 0; i < step.num_outputs; ++i) {
        output_types.push_back(block->values[block->positions[step.first + step.num_inputs + i]].dtype);
      }
      const KernelInit init(step.def->node, step.def->attrs, std::move(input_types), std::move(output_types),
                            std::move(constants), &environment().resources(), &environment().registry(),
                            loaded_->code_.get());
      Result<std::unique_ptr<Kernel>> made = step.kernel_def->factory(init);
      if (!made.ok()) return made.status().At(step.def->node, step.def->op);
      step.kernel = std::move(*made);
    }
    return OkStatus();
  }

  std::shared_ptr<LoadedPlan> loaded_;
  std::vector<uint32_t> resource_memory_;  // of each resource; kNone while nothing touches it
  // Of a block's constant, the value that is it on another device; 0: none yet.
  std::map<std::tuple<const LoadedBlock*, uint32_t, uint32_t>, uint32_t> moved_constants_;
};

Result<std::shared_ptr<const LoadedPlan>> LoadedPlan::Load(plan::Plan plan, std::shared_ptr<Environment> environment,
                                                           std::shared_ptr<const void> keep_alive) {
  return Loader(std::move(plan), std::move(environment), std::move(keep_alive)).Run();
}

}  // namespace millrace::exec
