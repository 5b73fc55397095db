// VariableV2, Variable, VarHandleOp and what asks about them; whole-value reads
// and writes.
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// An older graph's scalar shape may mean that none was given; import settles
// that, so here an attribute's shape is the variable's.
SymShape AttrShape(const InferenceContext& ctx) { return SymShape(ctx.attr<ShapeValue>("shape").shape); }

Status VariableShapeFn(InferenceContext& ctx) {
  ctx.set_output(0, AttrShape(ctx));
  ctx.set_handle(0, BaseType(ctx.attr<DType>("dtype")), AttrShape(ctx));
  return OkStatus();
}

// `Variable` of old graphs: an empty list of dims says nothing.
Status OldVariableShape(InferenceContext& ctx) {
  SymShape shape = AttrShape(ctx);
  if (shape.rank() == 0) shape = SymShape();
  ctx.set_handle(0, BaseType(ctx.attr<DType>("dtype")), shape);
  ctx.set_output(0, std::move(shape));
  return OkStatus();
}

Status HandleShape(InferenceContext& ctx) {
  ctx.set_output(0, SymShape::Scalar());
  ctx.set_handle(0, ctx.attr<DType>("dtype"), AttrShape(ctx));
  return OkStatus();
}

class MakeVariable final : public Kernel {
 public:
  explicit MakeVariable(std::shared_ptr<Resource> variable) : variable_(std::move(variable)) {}
  static Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
    if (init.resources() == nullptr) return FailedPrecondition("no place to keep variables");
    const std::string& shared = init.attr<std::string>("shared_name");
    MR_ASSIGN_OR_RETURN(std::shared_ptr<Resource> variable,
                        LookupOrCreateVariable(*init.resources(), init.attr<std::string>("container"),
                                               shared.empty() ? init.node() : std::string_view(shared),
                                               init.attr<DType>("dtype"), init.attr<ShapeValue>("shape").shape));
    return std::unique_ptr<Kernel>(new MakeVariable(std::move(variable)));
  }
  Status Run(KernelContext& ctx) const override { return ctx.SetOutputResource(0, variable_); }

 private:
  const std::shared_ptr<Resource> variable_;
};

Status RunIsInitialized(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0));
  *ctx.output(0).as<bool>() = variable->initialized();
  return OkStatus();
}

Status RunDisableCopyOnRead(KernelContext& ctx) { return VariableInput(ctx, 0).status(); }

Status RunReadVariable(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0));
  MR_ASSIGN_OR_RETURN(Tensor value, variable->Snapshot());
  return ctx.SetOutput(0, std::move(value));
}

// What is known of the variable behind input 0; also what it is declared with.
SymShape HandleShapeOf(const InferenceContext& ctx, int i) {
  const InferenceContext::Input& input = ctx.input_info(i);
  if (input.handle_shape != nullptr) return *input.handle_shape;
  return IsRef(input.dtype) ? input.shape : SymShape();
}

Status ReadShape(InferenceContext& ctx) {
  const InferenceContext::Input& handle = ctx.input_info(0);
  const DType dtype = ctx.attr<DType>("dtype");
  if (handle.handle_dtype != DType::kInvalid && handle.handle_dtype != dtype) {
    return InvalidArgument(Cat("the variable holds ", DTypeName(handle.handle_dtype), ", expected ", DTypeName(dtype)));
  }
  ctx.set_output(0, HandleShapeOf(ctx, 0));
  return OkStatus();
}

Status CheckHandleType(const InferenceContext& ctx) {
  const InferenceContext::Input& handle = ctx.input_info(0);
  const DType dtype = ctx.attr<DType>("dtype");
  if (handle.handle_dtype != DType::kInvalid && handle.handle_dtype != dtype) {
    return InvalidArgument(Cat("the variable holds ", DTypeName(handle.handle_dtype), ", found ", DTypeName(dtype)));
  }
  return OkStatus();
}

Status AssignHandleShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(CheckHandleType(ctx));
  SymShape merged;
  return ctx.Merge(HandleShapeOf(ctx, 0), ctx.input(1), &merged);
}

Status AssignRefShape(InferenceContext& ctx) {
  const SymShape& value = ctx.input(1);
  if (!ctx.attr<bool>("validate_shape")) {
    ctx.set_output(0, value);
    return OkStatus();
  }
  SymShape merged;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0), value, &merged));
  ctx.set_output(0, std::move(merged));
  return OkStatus();
}

class Assign final : public Kernel {
 public:
  explicit Assign(const KernelInit& init) : validate_shape_(init.attr<bool>("validate_shape")) {}
  Status Run(KernelContext& ctx) const override {
    MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0, ctx.input(1).dtype));
    return variable->Assign(ctx.input(1), validate_shape_);
  }

 private:
  const bool validate_shape_;
};

Status RunDestroy(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0));
  variable->Clear();
  return OkStatus();
}

Status VariableShapeShape(InferenceContext& ctx) {
  const SymShape shape = HandleShapeOf(ctx, 0);
  if (!shape.has_rank) {
    ctx.set_output(0, SymShape::Unknown(1));
    return OkStatus();
  }
  ctx.set_output(0, SymShape({Dim(shape.rank())}));
  SymTensor elements;
  for (const Dim d : shape.dims) elements.elements.push_back(SymElement::Of(d));
  if (shape.FullyKnown()) ctx.set_elements(0, std::move(elements));
  return OkStatus();
}

Status RunVariableShape(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0));
  MR_ASSIGN_OR_RETURN(const Tensor value, variable->Snapshot());
  const int64_t rank = value.shape().rank();
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, {&rank, 1}));
  const TensorView& out = ctx.output(0);
  for (int i = 0; i < rank; ++i) {
    if (out.dtype == DType::kInt32) out.as<int32_t>()[i] = static_cast<int32_t>(value.shape().dim(i));
    else out.as<int64_t>()[i] = value.shape().dim(i);
  }
  return OkStatus();
}

}  // namespace

namespace families {
void state_variable(Registry& registry) {
  registry.Define("VariableV2")
      .Output("ref: Ref(dtype)")
      .Attr("shape: shape")
      .Attr("dtype: type")
      .Attr("container: string = ''")
      .Attr("shared_name: string = ''")
      .Stateful()
      .Doc("A reference to the variable of that name.")
      .Shape(VariableShapeFn)
      .NoGradient("it has no inputs")
      .Creates()
      .Kernel("CPU", MakeVariable::New);
  registry.Define("Variable")
      .Output("ref: Ref(dtype)")
      .Attr("shape: shape")
      .Attr("dtype: type")
      .Attr("container: string = ''")
      .Attr("shared_name: string = ''")
      .Stateful()
      .Doc("A reference to the variable of that name; the old form.")
      .Shape(OldVariableShape)
      .NoGradient("it has no inputs")
      .Creates()
      .Kernel("CPU", MakeVariable::New);
  registry.Define("VarHandleOp")
      .Output("resource: resource")
      .Attr("container: string = ''")
      .Attr("shared_name: string = ''")
      .Attr("debug_name: string = ''")
      .Attr("dtype: type")
      .Attr("shape: shape")
      .Attr("allowed_devices: list(string) = []")
      .Stateful()
      .Doc("A handle of the variable of that name.")
      .Shape(HandleShape)
      .NoGradient("it has no inputs")
      .Creates()
      .Kernel("CPU", MakeVariable::New);
  registry.Define("IsVariableInitialized")
      .Input("ref: Ref(dtype)")
      .Output("is_initialized: bool")
      .Attr("dtype: type")
      .AllowsUninitializedInput()
      .Doc("Whether the variable has a value.")
      .Shape(shape_fns::ScalarOutput)
      .NoGradient("it answers a question")
      .Reads(0)
      .Kernel("CPU", MakeKernel<RunIsInitialized>);
  registry.Define("VarIsInitializedOp")
      .Input("resource: resource")
      .Output("is_initialized: bool")
      .Stateful()
      .Doc("Whether the variable behind the handle has a value.")
      .Shape(shape_fns::ScalarOutput)
      .NoGradient("it answers a question")
      .Reads(0)
      .Kernel("CPU", MakeKernel<RunIsInitialized>);
  registry.Define("ReadVariableOp")
      .Input("resource: resource")
      .Output("value: dtype")
      .Attr("dtype: type")
      .Stateful()
      .Doc("The variable's value now.")
      .Shape(ReadShape)
      .Reads(0)
      .Kernel("CPU", MakeKernel<RunReadVariable>);
  registry.Define("Assign")
      .Input("ref: Ref(T)")
      .Input("value: T")
      .Output("output_ref: Ref(T)")
      .Attr("T: type")
      .Attr("validate_shape: bool = true")
      .Attr("use_locking: bool = true")
      .AllowsUninitializedInput()
      .Doc("Replaces the variable's value.")
      .Shape(AssignRefShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", NewKernel<Assign>);
  registry.Define("AssignVariableOp")
      .Input("resource: resource")
      .Input("value: dtype")
      .Attr("dtype: type")
      .Attr("validate_shape: bool = false")
      .Stateful()
      .Doc("Replaces the value of the variable behind the handle.")
      .Shape(AssignHandleShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", NewKernel<Assign>);
  registry.Define("DisableCopyOnRead")
      .Input("resource: resource")
      .Stateful()
      .Doc("Says that the variable's reads need no copies of their own; here none makes one.")
      .Shape(shape_fns::NoOutputs)
      .NoGradient("it has no outputs")
      .Reads(0)
      .Kernel("CPU", MakeKernel<RunDisableCopyOnRead>);
  registry.Define("DestroyResourceOp")
      .Input("resource: resource")
      .Attr("ignore_lookup_error: bool = true")
      .Stateful()
      .Doc("Takes the variable's value away.")
      .Shape(shape_fns::NoOutputs)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunDestroy>);
  registry.Define("VariableShape")
      .Input("input: resource")
      .Output("output: out_type")
      .Attr("out_type: {int32, int64} = DT_INT32")
      .Stateful()
      .Doc("The shape of the variable's value.")
      .Shape(VariableShapeShape)
      .NoGradient("its result is a shape")
      .Reads(0)
      .Kernel("CPU", MakeKernel<RunVariableShape>);
}
}  // namespace families
}  // namespace millrace
