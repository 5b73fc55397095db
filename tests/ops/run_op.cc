#include "millrace/tests/ops/run_op.h"

#include <cstring>
#include <deque>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

class Context final : public KernelContext {
 public:
  Context(const std::vector<Tensor>& inputs, const std::vector<DType>& output_types, int threads, Allocator& allocator)
      : pool_(threads),
        allocator_(allocator),
        types_(output_types),
        tensors_(output_types.size()),
        output_views_(output_types.size()) {
    for (const Tensor& t : inputs) input_views_.push_back(t.view());
    wanted_storage_.assign(output_types.size(), 1);
    num_inputs_ = static_cast<int>(inputs.size());
    num_outputs_ = static_cast<int>(output_types.size());
    inputs_ = input_views_.data();
    outputs_ = output_views_.data();
    wanted_ = reinterpret_cast<const bool*>(wanted_storage_.data());
  }
  Status AllocateOutput(int i, std::span<const int64_t> dims) override {
    MR_ASSIGN_OR_RETURN(Tensor t, Tensor::New(types_[static_cast<size_t>(i)], Shape(dims), allocator_));
    return SetOutput(i, std::move(t));
  }
  Status SetOutput(int i, Tensor tensor) override {
    tensors_[static_cast<size_t>(i)] = std::move(tensor);
    output_views_[static_cast<size_t>(i)] = tensors_[static_cast<size_t>(i)].view();
    return OkStatus();
  }
  Result<Resource*> resource(int) override { return Unimplemented("no resources here"); }
  Status SetOutputResource(int, std::shared_ptr<Resource>) override { return Unimplemented("no resources here"); }
  Result<void*> Scratch(size_t bytes) override {
    // Dirty, so that a kernel that counts on zeros is found out.
    MR_ASSIGN_OR_RETURN(scratch_, allocator_.Allocate(bytes));
    std::memset(scratch_.data(), 0xff, bytes);
    return scratch_.data();
  }
  Allocator& allocator() override { return allocator_; }
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) override {
    pool_.ParallelFor(total, block, body);
  }
  int workers() const override { return pool_.threads(); }
  bool cancelled() const override {
    const int64_t look = looks_ != nullptr ? ++*looks_ : 0;
    return cancelled_ || look >= cancelled_from_;
  }
  void SetCancelled(const OpCall& call) {
    cancelled_ = call.cancelled;
    cancelled_from_ = call.cancelled_from;
    looks_ = call.looks;
  }
  void SetUnwanted(int i) {
    wanted_storage_[static_cast<size_t>(i)] = 0;
    tensors_[static_cast<size_t>(i)] = Tensor();
    output_views_[static_cast<size_t>(i)].data = nullptr;
  }
  std::vector<Tensor> TakeOutputs() { return std::move(tensors_); }

 private:
  ThreadPool pool_;
  Allocator& allocator_;
  bool cancelled_ = false;
  int64_t cancelled_from_ = INT64_MAX;
  std::atomic<int64_t>* looks_ = nullptr;
  std::vector<DType> types_;
  std::vector<Tensor> tensors_;
  std::vector<TensorView> input_views_, output_views_;
  std::vector<char> wanted_storage_;
  Buffer scratch_;
};

// The elements of small integer tensors, as inference knows them.
const SymTensor* Elements(const Tensor& t, std::deque<SymTensor>* store) {
  if (t.shape().rank() > 1 || t.num_elements() > 64) return nullptr;
  SymTensor elements;
  elements.scalar = t.shape().rank() == 0;
  if (t.dtype() == DType::kInt32) {
    for (const int32_t v : t.elements<int32_t>()) elements.elements.push_back(SymElement::Number(v));
  } else if (t.dtype() == DType::kInt64) {
    for (const int64_t v : t.elements<int64_t>()) elements.elements.push_back(SymElement::Number(v));
  } else {
    return nullptr;
  }
  store->push_back(std::move(elements));
  return &store->back();
}

}  // namespace

Result<std::vector<Tensor>> RunOp(const Registry& registry, const OpCall& call) {
  const Op* op = registry.Find(call.op);
  if (op == nullptr) return NotFound(Cat("no op '", call.op, "'"));
  AttrMap attrs = call.attrs;
  MR_RETURN_IF_ERROR(CompleteAttrs(*op, &attrs));
  std::vector<DType> input_types, output_types;
  MR_RETURN_IF_ERROR(ArgumentTypes(op->signature(), attrs, &input_types, &output_types));
  if (input_types.size() != call.inputs.size()) {
    return InvalidArgument(Cat("expected ", input_types.size(), " inputs, found ", call.inputs.size()));
  }
  std::deque<SymTensor> elements;
  std::deque<TensorView> views;
  std::vector<InferenceContext::Input> infos;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const Tensor& t = call.inputs[i];
    if (t.dtype() != input_types[i]) {
      return InvalidArgument(
          Cat("input ", i, ": expected ", DTypeName(input_types[i]), ", found ", DTypeName(t.dtype())));
    }
    views.push_back(t.view());
    InferenceContext::Input info;
    info.dtype = t.dtype();
    info.shape = SymShape(t.shape());
    info.elements = Elements(t, &elements);
    info.constant = &views.back();
    infos.push_back(info);
  }
  DimTable table;
  InferenceContext inference(attrs, infos, static_cast<int>(output_types.size()), table);
  MR_RETURN_IF_ERROR(op->shape_fn()(inference));

  const KernelDef* def = op->FindKernel("CPU", attrs);
  if (def == nullptr) return Unimplemented(Cat("no kernel of ", call.op, " for these types"));
  std::vector<const TensorView*> constants(call.inputs.size(), nullptr);
  for (size_t i = 0; i < call.constants.size(); ++i) {
    if (call.constants[i]) constants[i] = &views[i];
  }
  const KernelInit init("node", attrs, input_types, output_types, constants, nullptr, &registry, call.code);
  MR_ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, def->factory(init));
  std::vector<Tensor> inputs = call.inputs;
  for (const auto& [o, i] : call.in_place) {
    Tensor& input = inputs[static_cast<size_t>(i)];
    MR_ASSIGN_OR_RETURN(Tensor copy, Tensor::New(input.dtype(), input.shape(), *call.allocator));
    std::memcpy(copy.data(), input.data(), input.bytes());
    input = std::move(copy);
  }
  Context context(inputs, output_types, call.threads, *call.allocator);
  for (int i = 0; i < inference.num_outputs(); ++i) {
    const SymShape& shape = inference.outputs()[static_cast<size_t>(i)].shape;
    if (!shape.FullyKnown()) continue;  // the kernel allocates
    MR_RETURN_IF_ERROR(context.AllocateOutput(i, shape.ToShape().dims()));
  }
  context.SetCancelled(call);
  for (const auto& [o, i] : call.in_place) {
    const Tensor& input = inputs[static_cast<size_t>(i)];
    const DType type = output_types[static_cast<size_t>(o)];
    MR_RETURN_IF_ERROR(context.SetOutput(o, Tensor(type, input.shape(), input.buffer())));
  }
  for (const int o : call.unwanted) context.SetUnwanted(o);
  MR_RETURN_IF_ERROR(kernel->Run(context));
  return context.TakeOutputs();
}

}  // namespace millrace
