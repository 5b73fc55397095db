#include "millrace/ops/reduce/layout.h"

#include "millrace/proto/value/strings.h"

namespace millrace::reduce {
namespace {

template <typename Axes>
Status MarkAxes(const Axes& axes, int rank, absl::InlinedVector<bool, 8>* reduced) {
  reduced->assign(static_cast<size_t>(rank), false);
  for (const int64_t a : axes) {
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(a, rank, "a reduced axis", &axis));
    if ((*reduced)[static_cast<size_t>(axis)]) return InvalidArgument(Cat("axis ", axis, " is reduced twice"));
    (*reduced)[static_cast<size_t>(axis)] = true;
  }
  return OkStatus();
}

}  // namespace

Status MakeLayout(const TensorView& input, const TensorView& axes, bool keep_dims, Layout* layout) {
  absl::InlinedVector<bool, 8> reduced;
  MR_RETURN_IF_ERROR(MarkAxes(array::ReadInts(axes), input.rank, &reduced));
  const Ints strides = array::StridesOf(input.shape());
  struct Tagged {
    Group group;
    bool reduced;
  };
  absl::InlinedVector<Tagged, 8> groups;
  for (int k = 0; k < input.rank; ++k) {
    const size_t i = static_cast<size_t>(k);
    if (!reduced[i]) layout->output_dims.push_back(input.dim(k));
    else if (keep_dims) layout->output_dims.push_back(1);
    if (input.dim(k) == 1) continue;
    if (!groups.empty() && groups.back().reduced == reduced[i]) {
      groups.back().group = {groups.back().group.extent * input.dim(k), strides[i]};
    } else {
      groups.push_back({{input.dim(k), strides[i]}, reduced[i]});
    }
  }
  if (!groups.empty()) {
    layout->inner = groups.back().group;
    layout->inner_reduced = groups.back().reduced;
    groups.pop_back();
  }
  for (const Tagged& t : groups) {
    (t.reduced ? layout->reduced : layout->kept).push_back(t.group);
    (t.reduced ? layout->reduced_count : layout->kept_count) *= t.group.extent;
  }
  return OkStatus();
}

Status ReductionShape(InferenceContext& ctx) {
  const SymShape& input = ctx.input(0);
  const bool keep_dims = ctx.attr<bool>("keep_dims");
  const std::optional<std::vector<int64_t>> axes = array::IntConstant(ctx, 1);
  if (!input.has_rank) return OkStatus();
  if (!axes) {
    // No axes at all leaves the input; a known number of them gives the rank.
    const SymShape& operand = ctx.input(1);
    if (keep_dims) {
      ctx.set_output(0, SymShape::Unknown(input.rank()));
    } else if (operand.rank() == 1 && operand.dims[0].known() && operand.dims[0].value() <= input.rank()) {
      ctx.set_output(0, SymShape::Unknown(input.rank() - static_cast<int>(operand.dims[0].value())));
    } else if (operand.rank() == 0 && input.rank() > 0) {
      ctx.set_output(0, SymShape::Unknown(input.rank() - 1));
    }
    return OkStatus();
  }
  absl::InlinedVector<bool, 8> reduced;
  MR_RETURN_IF_ERROR(MarkAxes(*axes, input.rank(), &reduced));
  SymShape out = SymShape::Scalar();
  for (size_t k = 0; k < input.dims.size(); ++k) {
    if (!reduced[k]) out.dims.push_back(input.dims[k]);
    else if (keep_dims) out.dims.push_back(Dim(1));
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status FoldShape(InferenceContext& ctx, Dim (DimTable::*combine)(Dim, Dim), Dim initial) {
  MR_RETURN_IF_ERROR(ReductionShape(ctx));
  std::vector<SymElement> elements;
  if (ctx.input(0).rank() != 1 || ctx.outputs()[0].shape.rank() != 0) return OkStatus();
  if (!array::IsIndexType(ctx.input_info(0).dtype) || !array::IntElements(ctx, 0, &elements)) return OkStatus();
  Dim result = initial;
  for (const SymElement& e : elements) result = (ctx.dims().*combine)(result, e.dim());
  if (!result.unknown()) ctx.set_elements(0, SymTensor{true, {SymElement::Of(result)}});
  return OkStatus();
}

}  // namespace millrace::reduce
