// Ops that hand their input on: IdentityN, Snapshot, DeepCopy, GuaranteeConst,
// EnsureShape, Bitcast.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status EachUnchanged(InferenceContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    ctx.set_output(i, ctx.input(i));
    if (const SymTensor* elements = ctx.elements(i)) ctx.set_elements(i, *elements);
  }
  return OkStatus();
}

Status RunCopy(KernelContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    const TensorView& input = ctx.input(i);
    if (!ctx.output_wanted(i)) continue;
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, input.shape()));
    array::CopyElements(ctx, input.dtype, input.data, ctx.output(i).data, input.num_elements);
  }
  return OkStatus();
}

Status EnsureShapeShape(InferenceContext& ctx) {
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0), SymShape(ctx.attr<ShapeValue>("shape").shape), &out));
  ctx.set_output(0, std::move(out));
  if (const SymTensor* elements = ctx.elements(0)) ctx.set_elements(0, *elements);
  return OkStatus();
}

class EnsureShape final : public Kernel {
 public:
  explicit EnsureShape(const KernelInit& init) : shape_(init.attr<ShapeValue>("shape").shape) {}
  Status Run(KernelContext& ctx) const override {
    const Shape found(ctx.input(0).shape());
    if (!shape_.IsCompatibleWith(found)) {
      return InvalidArgument(Cat("expected shape ", shape_.ToString(), ", found ", found.ToString()));
    }
    return RunCopy(ctx);
  }

 private:
  const Shape shape_;
};

// A smaller type gets a last dimension, a larger one takes it away.
Status BitcastShape(InferenceContext& ctx) {
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  const int64_t from = static_cast<int64_t>(ElementSize(ctx.attr<DType>("T")));
  const int64_t to = static_cast<int64_t>(ElementSize(ctx.attr<DType>("type")));
  if (from == 0 || to == 0) return InvalidArgument("the types have no fixed size");
  if (from > to) {
    out.dims.push_back(Dim(from / to));
  } else if (from < to) {
    if (out.rank() == 0) return InvalidArgument("a scalar cannot be read as a larger type");
    Dim last;
    MR_RETURN_IF_ERROR(ctx.Merge(out.dims.back(), Dim(to / from), &last));
    out.dims.pop_back();
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunBitcast(KernelContext& ctx) {
  const TensorView& input = ctx.input(0);
  Ints dims = array::IntsOf(input.shape());
  const int64_t from = static_cast<int64_t>(ElementSize(input.dtype));
  const int64_t to = static_cast<int64_t>(ElementSize(ctx.output(0).dtype));
  if (from > to) {
    dims.push_back(from / to);
  } else if (from < to) {
    if (dims.empty() || dims.back() != to / from) {
      return InvalidArgument(
          Cat("the last dimension should be ", to / from, ", found shape ", array::DimsText(input.shape())));
    }
    dims.pop_back();
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  array::CopyElements(ctx, DType::kUint8, input.data, ctx.output(0).data, static_cast<int64_t>(input.bytes()));
  return OkStatus();
}

}  // namespace

namespace families {
void array_copies(Registry& registry) {
  registry.Define("IdentityN")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: list(type) >= 1")
      .Doc("Its inputs.")
      .Shape(EachUnchanged)
      .Kernel("CPU", MakeKernel<RunCopy>);
  registry.Define("Snapshot")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Doc("A copy of its input.")
      .Shape(EachUnchanged)
      .NoGradient("the reference has none")
      .Kernel("CPU", MakeKernel<RunCopy>);
  registry.Define("DeepCopy")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: type")
      .Stateful()
      .Doc("A copy of its input.")
      .Shape(EachUnchanged)
      .NoGradient("the reference has none")
      .Kernel("CPU", MakeKernel<RunCopy>);
  registry.Define("GuaranteeConst")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Stateful()
      .Doc("Its input, which the caller says is constant.")
      .Shape(EachUnchanged)
      .NoGradient("the reference has none")
      .Kernel("CPU", MakeKernel<RunCopy>);
  registry.Define("EnsureShape")
      .Input("input: T")
      .Output("output: T")
      .Attr("shape: shape")
      .Attr("T: type")
      .Doc("Its input; an error where it does not have the shape.")
      .Shape(EnsureShapeShape)
      .Kernel("CPU", NewKernel<EnsureShape>);
  registry.Define("Bitcast")
      .Input("input: T")
      .Output("output: type")
      .Attr(
          "T: {bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, "
          "complex128, qint8, quint8, qint16, quint16, qint32}")
      .Attr(
          "type: {bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, "
          "complex128, qint8, quint8, qint16, quint16, qint32}")
      .Doc("The same bytes as another type.")
      .Shape(BitcastShape)
      .NoGradient("bits have no gradient")
      .Kernel("CPU", MakeKernel<RunBitcast>);
}
}  // namespace families
}  // namespace millrace
