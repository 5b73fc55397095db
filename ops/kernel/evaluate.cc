#include "millrace/ops/kernel/evaluate.h"

#include <algorithm>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// The plainest KernelContext: serial, no state.
class EvaluateContext final : public KernelContext {
 public:
  EvaluateContext(std::span<const Tensor> inputs, std::vector<DType> types,
                  const std::vector<InferenceContext::Output>& inferred, Allocator& allocator,
                  const std::function<bool()>& cancelled)
      : types_(std::move(types)),
        tensors_(types_.size()),
        views_(types_.size()),
        allocator_(allocator),
        cancelled_(cancelled) {
    for (const Tensor& t : inputs) input_views_.push_back(t.view());
    for (const InferenceContext::Output& output : inferred) allowed_.push_back(output.shape.ToShape());
    wanted_all_ = std::make_unique<bool[]>(types_.size());
    std::fill_n(wanted_all_.get(), types_.size(), true);
    for (size_t i = 0; i < types_.size(); ++i) views_[i].dtype = types_[i];
    num_inputs_ = static_cast<int>(inputs.size());
    num_outputs_ = static_cast<int>(types_.size());
    inputs_ = input_views_.data();
    outputs_ = views_.data();
    wanted_ = wanted_all_.get();
  }

  Status AllocateKnown() {
    for (int i = 0; i < num_outputs_; ++i) {
      const Shape& shape = allowed_[static_cast<size_t>(i)];
      if (shape.IsFullyKnown()) MR_RETURN_IF_ERROR(AllocateOutput(i, shape.dims()));
    }
    return OkStatus();
  }

  Status AllocateOutput(int i, std::span<const int64_t> dims) override {
    MR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::New(types_[static_cast<size_t>(i)], Shape(dims), allocator_));
    return SetOutput(i, std::move(tensor));
  }
  Status SetOutput(int i, Tensor tensor) override {
    const auto k = static_cast<size_t>(i);
    if (tensor.dtype() != types_[k] || !allowed_[k].IsCompatibleWith(tensor.shape())) {
      return InvalidArgument(Cat("output ", i, ": expected ", DTypeName(types_[k]), " ", allowed_[k].ToString(),
                                 ", found ", DTypeName(tensor.dtype()), " ", tensor.shape().ToString()));
    }
    tensors_[k] = std::move(tensor);
    views_[k] = tensors_[k].view();
    return OkStatus();
  }
  Result<Resource*> resource(int i) override {
    return FailedPrecondition(Cat("input ", i, ": there is no resource behind it outside of a session"));
  }
  Status SetOutputResource(int i, std::shared_ptr<Resource>) override {
    return FailedPrecondition(Cat("output ", i, ": resources are made in sessions only"));
  }
  Result<void*> Scratch(size_t bytes) override {
    MR_ASSIGN_OR_RETURN(scratch_, allocator_.Allocate(bytes));
    return scratch_.data();
  }
  Allocator& allocator() override { return allocator_; }
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) override {
    block = std::max<int64_t>(block, 1);
    for (int64_t begin = 0; begin < total && !cancelled();) {
      const int64_t end = total - begin > block ? begin + block : total;
      body(begin, end, 0);
      begin = end;
    }
  }
  int workers() const override { return 1; }
  bool cancelled() const override { return cancelled_ && cancelled_(); }

  Status Take(std::vector<Tensor>* outputs) {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (!tensors_[i].valid()) return Internal(Cat("the kernel left output ", i, " out"));
    }
    *outputs = std::move(tensors_);
    return OkStatus();
  }

 private:
  std::vector<DType> types_;
  std::vector<Shape> allowed_;
  std::vector<Tensor> tensors_;  // never resized: views point into it
  std::vector<TensorView> input_views_, views_;
  std::unique_ptr<bool[]> wanted_all_;
  Buffer scratch_;
  Allocator& allocator_;
  const std::function<bool()>& cancelled_;
};

Status EvaluateNode(const Op& op, const AttrMap& given, std::span<const Tensor> inputs, std::vector<Tensor>* outputs,
                    Allocator& allocator, const std::function<bool()>& cancelled) {
  if (op.has_effects()) return FailedPrecondition("the op has effects: it runs in sessions only");
  AttrMap attrs = given;
  MR_RETURN_IF_ERROR(CompleteAttrs(op, &attrs));
  std::vector<DType> input_types, output_types;
  MR_RETURN_IF_ERROR(ArgumentTypes(op.signature(), attrs, &input_types, &output_types));
  if (input_types.size() != inputs.size()) {
    return InvalidArgument(Cat("expected ", input_types.size(), " inputs, found ", inputs.size()));
  }
  std::vector<TensorView> views;
  views.reserve(inputs.size());
  std::vector<InferenceContext::Input> infos(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype() != BaseType(input_types[i])) {
      return InvalidArgument(
          Cat("input ", i, ": expected ", DTypeName(input_types[i]), ", found ", DTypeName(inputs[i].dtype())));
    }
    views.push_back(inputs[i].view());
    infos[i].dtype = inputs[i].dtype();
    infos[i].shape = SymShape(inputs[i].shape());
    infos[i].constant = &views.back();
  }
  DimTable table;
  InferenceContext inference(attrs, std::move(infos), static_cast<int>(output_types.size()), table);
  MR_RETURN_IF_ERROR(op.shape_fn()(inference));

  const KernelDef* kernel_def = op.FindKernel("CPU", attrs);
  if (kernel_def == nullptr) {
    std::vector<std::string> types;
    for (DType t : input_types) types.push_back(DTypeName(t));
    return Unimplemented(Cat("there is no CPU kernel for inputs of types (", Join(types, ", "), ")"));
  }
  std::vector<const TensorView*> constants(inputs.size(), nullptr);
  const KernelInit init("", attrs, input_types, output_types, std::move(constants), nullptr);
  const FlushDenormals flush;
  MR_ASSIGN_OR_RETURN(const std::unique_ptr<Kernel> kernel, kernel_def->factory(init));
  EvaluateContext context(inputs, std::move(output_types), inference.outputs(), allocator, cancelled);
  MR_RETURN_IF_ERROR(context.AllocateKnown());
  MR_RETURN_IF_ERROR(kernel->Run(context));
  // Blocks may have been left out.
  if (context.cancelled()) return Cancelled("the evaluation was cancelled");
  return context.Take(outputs);
}

}  // namespace

Status Evaluate(const Op& op, const AttrMap& attrs, std::span<const Tensor> inputs, std::vector<Tensor>* outputs,
                Allocator& allocator, const std::function<bool()>& cancelled) {
  return EvaluateNode(op, attrs, inputs, outputs, allocator, cancelled).At("", op.name());
}

}  // namespace millrace
