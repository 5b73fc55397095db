// AssignAdd, AssignSub and their forms for handles.
#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

template <bool kAdd, typename T>
void Apply(KernelContext& ctx, T* to, const T* from, int64_t n) {
  using A = std::conditional_t<reduce::kIsSmallFloat<T>, float, reduce::Accumulator<T>>;
  ctx.ParallelFor(n, BlockFor(1), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const A a = static_cast<A>(to[i]), b = static_cast<A>(from[i]);
      to[i] = static_cast<T>(static_cast<A>(kAdd ? a + b : a - b));
    }
  });
}

// A variable behind a handle that was never assigned does not exist yet, which
// is another error than reading a reference too early.
template <bool kAdd, Code kMissing>
Status RunAssignArithmetic(KernelContext& ctx) {
  const TensorView& value = ctx.input(1);
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0, value.dtype));
  VariableUpdate update;
  MR_RETURN_IF_ERROR(update.Lock({&variable, 1}, kMissing));
  if (!std::ranges::equal(update.value(0).shape(), value.shape())) {
    return InvalidArgument(Cat("variable '", variable->name(), "' has shape ", array::DimsText(update.value(0).shape()),
                               ", found ", array::DimsText(value.shape())));
  }
  MR_RETURN_IF_ERROR(update.MakeMutable(0));
  const TensorView target = update.value(0);
  const auto run = [&]<typename T>() {
    Apply<kAdd>(ctx, target.as<T>(), value.as<T>(), value.num_elements);
    return OkStatus();
  };
  return VisitType(value.dtype, NumberTypes(), run);
}

Status RefShape(InferenceContext& ctx) {
  SymShape merged;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0), ctx.input(1), &merged));
  ctx.set_output(0, std::move(merged));
  return OkStatus();
}

Status ResourceShape(InferenceContext& ctx) {
  const InferenceContext::Input& handle = ctx.input_info(0);
  if (handle.handle_dtype != DType::kInvalid && handle.handle_dtype != ctx.attr<DType>("dtype")) {
    return InvalidArgument(
        Cat("the variable holds ", DTypeName(handle.handle_dtype), ", found ", DTypeName(ctx.attr<DType>("dtype"))));
  }
  SymShape merged;
  return handle.handle_shape == nullptr ? OkStatus() : ctx.Merge(*handle.handle_shape, ctx.input(1), &merged);
}

}  // namespace

namespace families {
void state_assign_arithmetic(Registry& registry) {
  constexpr Code kUninitialized = Code::kFailedPrecondition, kMissing = Code::kNotFound;
  registry.Define("AssignAdd")
      .Input("ref: Ref(T)")
      .Input("value: T")
      .Output("output_ref: Ref(T)")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("use_locking: bool = false")
      .Doc("Adds the value to the variable.")
      .Shape(RefShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunAssignArithmetic<true, kUninitialized>>);
  registry.Define("AssignSub")
      .Input("ref: Ref(T)")
      .Input("value: T")
      .Output("output_ref: Ref(T)")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("use_locking: bool = false")
      .Doc("Subtracts the value from the variable.")
      .Shape(RefShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunAssignArithmetic<false, kUninitialized>>);
  registry.Define("AssignAddVariableOp")
      .Input("resource: resource")
      .Input("value: dtype")
      .Attr("dtype: type")
      .Stateful()
      .Doc("Adds the value to the variable behind the handle.")
      .Shape(ResourceShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunAssignArithmetic<true, kMissing>>);
  registry.Define("AssignSubVariableOp")
      .Input("resource: resource")
      .Input("value: dtype")
      .Attr("dtype: type")
      .Stateful()
      .Doc("Subtracts the value from the variable behind the handle.")
      .Shape(ResourceShape)
      .NoGradient("a write of state")
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunAssignArithmetic<false, kMissing>>);
}
}  // namespace families
}  // namespace millrace
