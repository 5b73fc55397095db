// What every graph has: constants, placeholders, identities, assertions.
#include <cstring>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status ConstShape(InferenceContext& c) {
  const TensorValue& value = *c.attr<std::shared_ptr<const TensorValue>>("value");
  const DType dtype = c.attr<DType>("dtype");
  if (value.dtype != dtype) {
    return InvalidArgument(
        Cat("attribute 'value': expected a tensor of ", DTypeName(dtype), ", found ", DTypeName(value.dtype)));
  }
  c.set_output(0, SymShape(value.shape));
  const std::optional<int64_t> count = value.shape.NumElements();
  if ((dtype != DType::kInt32 && dtype != DType::kInt64) || value.shape.rank() > 1 || !count ||
      *count > kMaxSymElements) {
    return OkStatus();
  }
  MR_ASSIGN_OR_RETURN(const Bytes bytes, DenseBytes(value, kMaxSymElements * sizeof(int64_t)));
  SymTensor elements;
  elements.scalar = value.shape.rank() == 0;
  for (int64_t i = 0; i < *count; ++i) {
    int64_t number = 0;
    if (dtype == DType::kInt64) {
      std::memcpy(&number, bytes.data() + i * 8, 8);
    } else {
      int32_t narrow = 0;
      std::memcpy(&narrow, bytes.data() + i * 4, 4);
      number = narrow;
    }
    elements.elements.push_back(SymElement::Number(number));
  }
  c.set_elements(0, std::move(elements));
  return OkStatus();
}

class ConstKernel final : public Kernel {
 public:
  explicit ConstKernel(Tensor value) : value_(std::move(value)) {}
  Status Run(KernelContext& ctx) const override { return ctx.SetOutput(0, value_); }

 private:
  Tensor value_;
};

Result<std::unique_ptr<Kernel>> NewConst(const KernelInit& init) {
  MR_ASSIGN_OR_RETURN(Tensor value,
                      Tensor::FromValue(*init.attr<std::shared_ptr<const TensorValue>>("value"), HostAllocator()));
  return std::unique_ptr<Kernel>(new ConstKernel(std::move(value)));
}

Status PlaceholderShape(InferenceContext& c) {
  c.set_output(0, SymShape(c.attr<ShapeValue>("shape").shape));
  return OkStatus();
}

// The default must fit; a feed may have any shape that fits.
Status PlaceholderWithDefaultShape(InferenceContext& c) {
  const SymShape shape(c.attr<ShapeValue>("shape").shape);
  SymShape merged;
  MR_RETURN_IF_ERROR(c.Merge(c.input(0), shape, &merged));
  c.set_output(0, shape);
  return OkStatus();
}

Status RunIdentity(KernelContext& ctx) {
  const TensorView& in = ctx.input(0);
  if (!ctx.output_wanted(0)) return OkStatus();
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, in.shape()));
  void* const to = ctx.output(0).data;
  if (to == in.data) return OkStatus();
  const DType dtype = in.dtype;
  const auto size = static_cast<double>(array::MemorySize(dtype));
  ctx.ParallelFor(in.num_elements, BlockFor(size / 8), [&](int64_t begin, int64_t end, int) {
    array::CopySerial(dtype, array::ElementAt(static_cast<const void*>(in.data), dtype, begin),
                      array::ElementAt(to, dtype, begin), end - begin);
  });
  return OkStatus();
}

Status RunNoOp(KernelContext&) { return OkStatus(); }

Status AssertShape(InferenceContext& c) { return c.WithRank(0, 0); }

void AppendElement(std::string& out, const TensorView& t, int64_t i) {
  switch (t.dtype) {
    case DType::kFloat:
      out += Cat(t.as<float>()[i]);
      break;
    case DType::kDouble:
      out += Cat(t.as<double>()[i]);
      break;
    case DType::kHalf:
      out += Cat(static_cast<float>(t.as<Half>()[i]));
      break;
    case DType::kBfloat16:
      out += Cat(static_cast<float>(t.as<BFloat16>()[i]));
      break;
    case DType::kBool:
      out += Cat(t.as<bool>()[i]);
      break;
    case DType::kString:
      out += t.as<std::string>()[i];
      break;
    default:
      if (IsInteger(t.dtype)) out += Cat(array::IntAt(t, i));
      else out += DTypeName(t.dtype);
  }
}

class AssertKernel final : public Kernel {
 public:
  explicit AssertKernel(const KernelInit& init) : summarize_(init.attr<int64_t>("summarize")) {}

  Status Run(KernelContext& ctx) const override {
    if (ctx.input(0).scalar<bool>()) return OkStatus();
    std::string message = "assertion failed:";
    for (int i = 1; i < ctx.num_inputs(); ++i) {
      const TensorView& t = ctx.input(i);
      // A negative limit means all; a message never needs more than this.
      const int64_t limit = std::min<int64_t>(summarize_ < 0 ? t.num_elements : summarize_, 1000);
      message += " [";
      for (int64_t k = 0; k < t.num_elements && k < limit; ++k) {
        if (k > 0) message += ' ';
        AppendElement(message, t, k);
      }
      message += t.num_elements > limit ? "...]" : "]";
    }
    return InvalidArgument(std::move(message));
  }

 private:
  int64_t summarize_;
};

}  // namespace

namespace families {

void array_core(Registry& registry) {
  registry.Define("Const")
      .Output("output: dtype")
      .Attr("value: tensor")
      .Attr("dtype: type")
      .Doc("A tensor that the graph holds.")
      .Shape(ConstShape)
      .NoGradient("a constant")
      .Kernel("CPU", NewConst);
  registry.Define("Placeholder")
      .Output("output: dtype")
      .Attr("dtype: type")
      .Attr("shape: shape = {unknown_rank: true}")
      .Doc("A tensor that a run feeds.")
      .Shape(PlaceholderShape)
      .NoGradient("an input of the graph");
  registry.Define("PlaceholderV2")
      .Output("output: dtype")
      .Attr("dtype: type")
      .Attr("shape: shape")
      .Doc("A tensor that a run feeds.")
      .Deprecated(23, "Placeholder now behaves the same as PlaceholderV2.")
      .Shape(PlaceholderShape)
      .NoGradient("an input of the graph");
  registry.Define("PlaceholderWithDefault")
      .Input("input: dtype")
      .Output("output: dtype")
      .Attr("dtype: type")
      .Attr("shape: shape")
      .Doc("The input where a run feeds nothing else.")
      .Shape(PlaceholderWithDefaultShape)
      .Kernel("CPU", MakeKernel<RunIdentity>);
  for (const char* name : {"Identity", "StopGradient"}) {
    OpBuilder op = registry.Define(name);
    op.Input("input: T").Output("output: T").Attr("T: type").Shape(shape_fns::Unchanged);
    op.Kernel("CPU", MakeKernel<RunIdentity>);
    if (std::string_view(name) == "Identity") {
      op.Doc("The input.");
    } else {
      op.Doc("The input; no gradient passes.").NoGradient("stops the gradient on purpose");
    }
  }
  registry.Define("PreventGradient")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("message: string = ''")
      .Doc("The input; asking for a gradient through it is an error.")
      .Shape(shape_fns::Unchanged)
      .NoGradient("refuses on purpose")
      .Kernel("CPU", MakeKernel<RunIdentity>);
  registry.Define("NoOp")
      .Doc("Does nothing; a place for control inputs to meet.")
      .Shape(shape_fns::NoOutputs)
      .NoGradient("has no outputs")
      .Kernel("CPU", MakeKernel<RunNoOp>);
  registry.Define("Assert")
      .Input("condition: bool")
      .Input("data: T")
      .Attr("T: list(type) >= 1")
      .Attr("summarize: int = 3")
      .Doc("An error with the data in its text unless the condition is true.")
      .Stateful()
      .Outside()
      .Shape(AssertShape)
      .NoGradient("has no outputs")
      .Kernel("CPU", NewKernel<AssertKernel>);
}

}  // namespace families
}  // namespace millrace
