#include "millrace/ops/train/update_many.h"

#include <memory>
#include <vector>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace train {

bool IsUpdate(const Op& op) {
  if (!op.has_effects()) return false;
  int variables = 0;
  for (const Effect& effect : op.effects()) {
    if (effect.kind != Effect::Kind::kWrite || effect.input != variables++) return false;
  }
  const OpDefValue& signature = op.signature();
  const auto is_one = [](const ArgDef& arg) { return arg.number_attr.empty() && arg.type_list_attr.empty(); };
  for (const ArgDef& arg : signature.inputs) {
    const bool is_variable = &arg - signature.inputs.data() < variables;
    if (!is_one(arg) || is_variable != (arg.is_ref || arg.type == DType::kResource)) return false;
  }
  for (const ArgDef& arg : signature.outputs) {
    if (!is_one(arg) || !arg.is_ref) return false;
  }
  return signature.outputs.size() <= 1 && Registry::BuiltIn().Find(op.name()) == &op;
}

namespace {

// A node's attributes, checked.
struct Updates {
  const Op* op = nullptr;
  AttrMap attrs;                       // of each update
  std::vector<DType> inputs, outputs;  // likewise
  std::vector<std::string> nodes;
};

Result<Updates> ReadUpdates(const AttrMap& attrs) {
  const FuncValue& update = *attrs.find("update")->second.get<FuncValue>();
  Updates found;
  found.op = Registry::BuiltIn().Find(update.name);
  if (found.op == nullptr || !IsUpdate(*found.op)) {
    return InvalidArgument(Cat("attribute 'update': expected an op that writes variables, found '", update.name, "'"));
  }
  if (update.attrs != nullptr) found.attrs = *update.attrs;
  MR_RETURN_IF_ERROR(CompleteAttrs(*found.op, &found.attrs));
  MR_RETURN_IF_ERROR(ArgumentTypes(found.op->signature(), found.attrs, &found.inputs, &found.outputs));
  found.nodes = attrs.find("nodes")->second.get<ListValue>()->s;
  const std::vector<DType>& types = attrs.find("Tin")->second.get<ListValue>()->type;
  if (types.size() != found.nodes.size() * found.inputs.size()) {
    return InvalidArgument(Cat("attribute 'Tin': expected ", found.inputs.size(), " inputs for each of ",
                               found.nodes.size(), " nodes, found ", types.size()));
  }
  for (size_t i = 0; i < types.size(); ++i) {
    const DType expected = found.inputs[i % found.inputs.size()];
    if (types[i] == expected) continue;
    return InvalidArgument(Cat("input ", i, ": expected ", DTypeName(expected), ", found ", DTypeName(types[i])));
  }
  return found;
}

// Every update's inputs fit each other.
Status UpdateManyShape(InferenceContext& ctx) {
  MR_ASSIGN_OR_RETURN(const Updates updates, ReadUpdates(ctx.attrs()));
  const size_t inputs = updates.inputs.size();
  for (size_t n = 0; n < updates.nodes.size(); ++n) {
    std::vector<InferenceContext::Input> own;
    for (size_t i = 0; i < inputs; ++i) own.push_back(ctx.input_info(static_cast<int>(n * inputs + i)));
    InferenceContext one(updates.attrs, std::move(own), static_cast<int>(updates.outputs.size()), ctx.dims());
    if (ctx.running()) one.set_running();
    MR_RETURN_IF_ERROR(updates.op->shape_fn()(one).At(updates.nodes[n], updates.op->name()));
  }
  return OkStatus();
}

// What one of the updates sees: its own inputs, an output that nobody wants, and
// no other thread, as all of them together are hardly worth one.
class OneUpdate final : public KernelContext {
 public:
  OneUpdate(KernelContext& whole, int first, int inputs, int outputs) : whole_(whole), first_(first) {
    num_inputs_ = inputs;
    num_outputs_ = outputs;
    inputs_ = &whole.input(first);
    outputs_ = &kNothing;
    wanted_ = &kUnwanted;
  }

  Status AllocateOutput(int, std::span<const int64_t>) override { return NoOutput(); }
  Status SetOutput(int, Tensor) override { return NoOutput(); }
  Status SetOutputResource(int, std::shared_ptr<Resource>) override { return NoOutput(); }
  Result<Resource*> resource(int i) override { return whole_.resource(first_ + i); }
  Result<void*> Scratch(size_t bytes) override { return whole_.Scratch(bytes); }
  Allocator& allocator() override { return whole_.allocator(); }
  void ParallelFor(int64_t total, int64_t, absl::FunctionRef<void(int64_t, int64_t, int)> body) override {
    if (total > 0) body(0, total, 0);
  }
  int workers() const override { return 1; }
  bool cancelled() const override { return whole_.cancelled(); }

 private:
  static constexpr TensorView kNothing{};
  static constexpr bool kUnwanted = false;
  static Status NoOutput() { return Internal("an update has no outputs"); }

  KernelContext& whole_;
  const int first_;
};

class UpdateMany final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
    MR_ASSIGN_OR_RETURN(Updates updates, ReadUpdates(init.attrs()));
    const KernelDef* kernel = updates.op->FindKernel("CPU", updates.attrs);
    if (kernel == nullptr) {
      return Unimplemented(Cat("op '", updates.op->name(), "' has no kernel for CPU with these types"));
    }
    const KernelInit one(updates.nodes[0], updates.attrs, updates.inputs, updates.outputs,
                         std::vector<const TensorView*>(updates.inputs.size(), nullptr), init.resources());
    MR_ASSIGN_OR_RETURN(std::unique_ptr<Kernel> made, kernel->factory(one));
    return std::unique_ptr<Kernel>(new UpdateMany(std::move(made), updates));
  }

  Status Run(KernelContext& ctx) const override {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      OneUpdate one(ctx, static_cast<int>(i) * inputs_, inputs_, outputs_);
      if (Status status = update_->Run(one); !status.ok()) return status.At(nodes_[i], op_);
    }
    return OkStatus();
  }

 private:
  UpdateMany(std::unique_ptr<Kernel> update, const Updates& updates)
      : update_(std::move(update)),
        op_(updates.op->name()),
        nodes_(updates.nodes),
        inputs_(static_cast<int>(updates.inputs.size())),
        outputs_(static_cast<int>(updates.outputs.size())) {}

  const std::unique_ptr<Kernel> update_;
  const std::string op_;
  const std::vector<std::string> nodes_;
  const int inputs_, outputs_;  // of one update
};

}  // namespace
}  // namespace train

namespace families {
void train_update_many(Registry& registry) {
  registry.Define(std::string(train::kUpdateManyOp))
      .Input("inputs: Tin")
      .Attr("Tin: list(type) >= 1")
      .Attr("update: func")
      .Attr("nodes: list(string) >= 1")
      .Stateful()
      .Doc(
          "What many nodes of the op `update` do, as one step.\nThe inputs of one node after the other. The compiler "
          "makes such nodes; no graph holds them.")
      .Shape(train::UpdateManyShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", train::UpdateMany::New);
}
}  // namespace families
}  // namespace millrace
