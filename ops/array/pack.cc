// Pack, Unpack: a new axis.
#include <array>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status PackShape(InferenceContext& ctx) {
  SymShape each = ctx.input(0);
  for (int i = 1; i < ctx.num_inputs(); ++i) MR_RETURN_IF_ERROR(ctx.Merge(each, ctx.input(i), &each));
  if (!each.has_rank) return OkStatus();
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(ctx.attr<int64_t>("axis"), each.rank() + 1, "axis", &axis));
  if (each.rank() == 0 && array::IsIndexType(ctx.input_info(0).dtype)) {
    SymTensor all;
    std::vector<SymElement> one;
    for (int i = 0; i < ctx.num_inputs(); ++i) {
      array::IntElements(ctx, i, &one);
      all.elements.push_back(one.empty() ? SymElement{} : one[0]);
    }
    ctx.set_elements(0, std::move(all));
  }
  each.dims.insert(each.dims.begin() + axis, Dim(ctx.num_inputs()));
  ctx.set_output(0, std::move(each));
  return OkStatus();
}

// `parts` tensors against one: the part as [outer, inner], the whole as
// [outer, parts, inner].
struct Axis {
  int64_t outer = 1, inner = 1;
  Axis(std::span<const int64_t> whole, int axis) {
    for (int k = 0; k < static_cast<int>(whole.size()); ++k) {
      if (k < axis) outer *= whole[static_cast<size_t>(k)];
      if (k > axis) inner *= whole[static_cast<size_t>(k)];
    }
  }
};

class Pack final : public Kernel {
 public:
  explicit Pack(const KernelInit& init) : axis_(init.attr<int64_t>("axis")) {}
  Status Run(KernelContext& ctx) const override {
    const int64_t parts = ctx.num_inputs();
    Ints whole = array::IntsOf(ctx.input(0).shape());
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(axis_, static_cast<int64_t>(whole.size()) + 1, "axis", &axis));
    whole.insert(whole.begin() + axis, parts);
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(whole)));
    const Axis at(SpanOf(whole), axis);
    const TensorView& out = ctx.output(0);
    for (int64_t i = 0; i < parts; ++i) {
      array::StridedCopy(ctx, out.dtype, std::array{at.outer, at.inner}, ctx.input(static_cast<int>(i)).data,
                         std::array{at.inner, int64_t{1}}, array::ElementAt(out.data, out.dtype, i * at.inner),
                         std::array{parts * at.inner, int64_t{1}});
    }
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

Status UnpackShape(InferenceContext& ctx) {
  SymShape each = ctx.input(0);
  if (!each.has_rank) return OkStatus();
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(ctx.attr<int64_t>("axis"), each.rank(), "axis", &axis));
  Dim count;
  MR_RETURN_IF_ERROR(ctx.Merge(each.dims[static_cast<size_t>(axis)], Dim(ctx.attr<int64_t>("num")), &count));
  each.dims.erase(each.dims.begin() + axis);
  std::vector<SymElement> elements;
  const bool known = each.rank() == 0 && array::IsIndexType(ctx.input_info(0).dtype) &&
                     array::IntElements(ctx, 0, &elements) && elements.size() == static_cast<size_t>(ctx.num_outputs());
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    ctx.set_output(i, each);
    if (known) ctx.set_elements(i, SymTensor{true, {elements[static_cast<size_t>(i)]}});
  }
  return OkStatus();
}

class Unpack final : public Kernel {
 public:
  explicit Unpack(const KernelInit& init) : axis_(init.attr<int64_t>("axis")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& whole = ctx.input(0);
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(axis_, whole.rank, "axis", &axis));
    const int64_t parts = whole.dim(axis);
    if (parts != ctx.num_outputs()) {
      return InvalidArgument(Cat("expected ", ctx.num_outputs(), " entries along axis ", axis, ", found ", parts));
    }
    const Axis at(whole.shape(), axis);
    Ints each = array::IntsOf(whole.shape());
    each.erase(each.begin() + axis);
    for (int64_t i = 0; i < parts; ++i) {
      if (!ctx.output_wanted(static_cast<int>(i))) continue;
      MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, static_cast<int>(i), SpanOf(each)));
      array::StridedCopy(ctx, whole.dtype, std::array{at.outer, at.inner},
                         array::ElementAt(whole.data, whole.dtype, i * at.inner),
                         std::array{parts * at.inner, int64_t{1}}, ctx.output(static_cast<int>(i)).data,
                         std::array{at.inner, int64_t{1}});
    }
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

}  // namespace

namespace families {
void array_pack(Registry& registry) {
  registry.Define("Pack")
      .Input("values: N * T")
      .Output("output: T")
      .Attr("N: int >= 1")
      .Attr("T: type")
      .Attr("axis: int = 0")
      .Doc("Stacks tensors of one shape along a new axis.")
      .Shape(PackShape)
      .Kernel("CPU", NewKernel<Pack>);
  registry.Define("Unpack")
      .Input("value: T")
      .Output("output: num * T")
      .Attr("num: int >= 0")
      .Attr("T: type")
      .Attr("axis: int = 0")
      .Doc("The entries along an axis, as tensors of their own.")
      .Shape(UnpackShape)
      .Kernel("CPU", NewKernel<Unpack>);
}
}  // namespace families
}  // namespace millrace
