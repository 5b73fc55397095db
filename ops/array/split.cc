// Split, SplitV: one tensor cut along an axis.
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

Status SplitShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 0));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 1));
  SymShape each = ctx.input(1);
  if (!each.has_rank) return OkStatus();
  const int64_t parts = ctx.num_outputs();
  if (const std::optional<int64_t> wanted = array::IntScalar(ctx, 0)) {
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, each.rank(), "split_dim", &axis));
    Dim& d = each.dims[static_cast<size_t>(axis)];
    if (d.known() && d.value() % parts != 0) {
      return InvalidArgument(
          Cat("dimension ", axis, " of size ", d.value(), " does not split into ", parts, " equal parts"));
    }
    d = ctx.dims().FloorDiv(d, Dim(parts));
  } else {
    each = SymShape::Unknown(each.rank());
  }
  for (int i = 0; i < parts; ++i) ctx.set_output(i, each);
  return OkStatus();
}

Status SplitVShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  SymShape each = ctx.input(0);
  const int64_t parts = ctx.num_outputs();
  const SymShape& sizes_shape = ctx.input(1);
  if (sizes_shape.rank() == 1) {
    Dim count;
    MR_RETURN_IF_ERROR(ctx.Merge(sizes_shape.dims[0], Dim(parts), &count));
  }
  if (!each.has_rank) return OkStatus();
  const std::optional<int64_t> wanted = array::IntScalar(ctx, 2);
  if (!wanted) {
    for (int i = 0; i < parts; ++i) ctx.set_output(i, SymShape::Unknown(each.rank()));
    return OkStatus();
  }
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, each.rank(), "split_dim", &axis));
  const Dim whole = each.dims[static_cast<size_t>(axis)];
  std::vector<Dim> sizes(static_cast<size_t>(parts));
  std::vector<SymElement> elements;
  if (array::IntElements(ctx, 1, &elements) && elements.size() == sizes.size()) {
    int open = -1;
    Dim sum(0);
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (elements[i].known() && elements[i].number == -1) {
        if (open >= 0) return InvalidArgument("at most one entry of size_splits may be -1");
        open = static_cast<int>(i);
        continue;
      }
      if (elements[i].known() && elements[i].number < 0) {
        return InvalidArgument(Cat("size_splits must not be negative, found ", elements[i].number, " at ", i));
      }
      sizes[i] = elements[i].dim();
      sum = ctx.dims().Add(sum, sizes[i]);
    }
    if (sum.known() && whole.known() && (open < 0 ? sum.value() != whole.value() : sum.value() > whole.value())) {
      return InvalidArgument(Cat("size_splits sum to ", sum.value(), ", expected ", open < 0 ? "" : "at most ",
                                 whole.value(), ", the size of dimension ", axis));
    }
    if (open >= 0) sizes[static_cast<size_t>(open)] = ctx.dims().Sub(whole, sum);
  } else if (parts == 1) {
    sizes[0] = whole;
  }
  for (int i = 0; i < parts; ++i) {
    each.dims[static_cast<size_t>(axis)] = sizes[static_cast<size_t>(i)];
    ctx.set_output(i, each);
  }
  return OkStatus();
}

Status CutInto(KernelContext& ctx, const TensorView& value, int axis, std::span<const int64_t> sizes) {
  int64_t outer = 1, inner = 1;
  for (int k = 0; k < axis; ++k) outer *= value.dim(k);
  for (int k = axis + 1; k < value.rank; ++k) inner *= value.dim(k);
  const int64_t line = value.dim(axis) * inner;
  Ints dims = array::IntsOf(value.shape());
  int64_t at = 0;
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    const int64_t run = sizes[static_cast<size_t>(i)] * inner;
    if (ctx.output_wanted(i)) {
      dims[static_cast<size_t>(axis)] = sizes[static_cast<size_t>(i)];
      MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, SpanOf(dims)));
      array::StridedCopy(ctx, value.dtype, std::array{outer, run}, array::ElementAt(value.data, value.dtype, at),
                         std::array{line, int64_t{1}}, ctx.output(i).data, std::array{run, int64_t{1}});
    }
    at += run;
  }
  return OkStatus();
}

Status RunSplit(KernelContext& ctx) {
  const TensorView& value = ctx.input(1);
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(0), 0), value.rank, "split_dim", &axis));
  const int64_t parts = ctx.num_outputs();
  if (value.dim(axis) % parts != 0) {
    return InvalidArgument(
        Cat("dimension ", axis, " of size ", value.dim(axis), " does not split into ", parts, " equal parts"));
  }
  const Ints sizes(static_cast<size_t>(parts), value.dim(axis) / parts);
  return CutInto(ctx, value, axis, SpanOf(sizes));
}

Status RunSplitV(KernelContext& ctx) {
  const TensorView& value = ctx.input(0);
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(2), 0), value.rank, "split_dim", &axis));
  Ints sizes = array::ReadInts(ctx.input(1));
  if (sizes.size() != static_cast<size_t>(ctx.num_outputs())) {
    return InvalidArgument(Cat("size_splits should have ", ctx.num_outputs(), " entries, found ", sizes.size()));
  }
  const int64_t whole = value.dim(axis);
  int64_t sum = 0, *open = nullptr;
  for (int64_t& s : sizes) {
    if (s == -1 && open == nullptr) {
      open = &s;
      continue;
    }
    if (s < 0 || s > whole - sum) {
      return InvalidArgument(
          Cat("size_splits ", array::DimsText(SpanOf(sizes)), " do not fit dimension ", axis, " of size ", whole));
    }
    sum += s;
  }
  if (open != nullptr) *open = whole - sum;
  else if (sum != whole) {
    return InvalidArgument(Cat("size_splits sum to ", sum, ", expected ", whole, ", the size of dimension ", axis));
  }
  return CutInto(ctx, value, axis, SpanOf(sizes));
}

}  // namespace

namespace families {
void array_split(Registry& registry) {
  registry.Define("Split")
      .Input("split_dim: int32")
      .Input("value: T")
      .Output("output: num_split * T")
      .Attr("num_split: int >= 1")
      .Attr("T: type")
      .Doc("Equal parts along an axis.")
      .Shape(SplitShape)
      .Kernel("CPU", MakeKernel<RunSplit>);
  registry.Define("SplitV")
      .Input("value: T")
      .Input("size_splits: Tlen")
      .Input("split_dim: int32")
      .Output("output: num_split * T")
      .Attr("num_split: int >= 1")
      .Attr("T: type")
      .Attr("Tlen: {int8, int32, int64} = DT_INT64")
      .Doc("Parts of given sizes along an axis; one size may be -1, the rest.")
      .Shape(SplitVShape)
      .Kernel("CPU", MakeKernel<RunSplitV>);
}
}  // namespace families
}  // namespace millrace
