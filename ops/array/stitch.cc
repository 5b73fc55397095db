// DynamicStitch, ParallelDynamicStitch, DynamicPartition: rows by number.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Inputs: N indices, then N data; data[i] has the shape of indices[i], then that
// of a row.
Status StitchShape(InferenceContext& ctx) {
  const int n = ctx.num_inputs() / 2;
  bool all_known = true, row_known = false;
  int64_t most = -1;
  SymShape row;
  for (int i = 0; i < n; ++i) {
    const SymShape &indices = ctx.input(i), &data = ctx.input(n + i);
    if (const auto values = array::IntConstant(ctx, i)) {
      for (const int64_t v : *values) {
        if (v < 0) return InvalidArgument(Cat("indices must not be negative, found ", v));
        most = std::max(most, v);
      }
    } else {
      all_known = false;
    }
    if (!indices.has_rank || !data.has_rank) continue;
    if (data.rank() < indices.rank()) {
      return InvalidArgument(Cat("data ", i, " should start with the shape of its indices (rank ", indices.rank(),
                                 "), found rank ", data.rank()));
    }
    SymShape head(std::vector<Dim>(data.dims.begin(), data.dims.begin() + indices.rank()));
    MR_RETURN_IF_ERROR(ctx.Merge(head, indices, &head));
    const SymShape rest(std::vector<Dim>(data.dims.begin() + indices.rank(), data.dims.end()));
    MR_RETURN_IF_ERROR(ctx.Merge(row, rest, &row));
    row_known = true;
  }
  if (!row_known) return OkStatus();
  SymShape out = std::move(row);
  out.dims.insert(out.dims.begin(), all_known ? Dim(most + 1) : Dim());
  if (all_known && out.rank() == 1 && most < Shape::kMaxRank && array::IsIndexType(ctx.input_info(n).dtype)) {
    SymTensor merged;
    merged.elements.resize(static_cast<size_t>(most + 1));
    bool known = true;
    std::vector<SymElement> values;
    for (int i = 0; known && i < n; ++i) {
      const auto at = array::IntConstant(ctx, i);
      known = array::IntElements(ctx, n + i, &values) && values.size() == at->size();
      for (size_t k = 0; known && k < values.size(); ++k) merged.elements[static_cast<size_t>((*at)[k])] = values[k];
    }
    if (known) ctx.set_elements(0, std::move(merged));
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunStitch(KernelContext& ctx) {
  const int n = ctx.num_inputs() / 2;
  int64_t most = -1, row = 1;
  Ints dims{0};
  for (int i = 0; i < n; ++i) {
    const TensorView &indices = ctx.input(i), &data = ctx.input(n + i);
    bool fits = data.rank >= indices.rank && data.rank - indices.rank == ctx.input(n).rank - ctx.input(0).rank;
    for (int k = 0; fits && k < indices.rank; ++k) fits = data.dim(k) == indices.dim(k);
    for (int k = indices.rank; fits && k < data.rank; ++k) {
      const int64_t d = data.dim(k);
      if (i == 0) {
        dims.push_back(d);
        row *= d;
      } else {
        fits = d == dims[static_cast<size_t>(k - indices.rank + 1)];
      }
    }
    if (!fits) {
      return InvalidArgument(Cat("data ", i, " of shape ", array::DimsText(data.shape()),
                                 " does not fit its indices of shape ", array::DimsText(indices.shape())));
    }
    for (int64_t k = 0; k < indices.num_elements; ++k) {
      const int64_t index = indices.as<int32_t>()[k];
      if (index < 0) return InvalidArgument(Cat("indices must not be negative, found ", index));
      most = std::max(most, index);
    }
  }
  dims[0] = most + 1;
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  // Rows that nobody names are zero.
  array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
  for (int i = 0; i < n; ++i) {
    const TensorView &indices = ctx.input(i), &data = ctx.input(n + i);
    for (int64_t k = 0; k < indices.num_elements; ++k) {
      array::CopySerial(out.dtype, array::ElementAt(data.data, out.dtype, k * row),
                        array::ElementAt(out.data, out.dtype, indices.as<int32_t>()[k] * row), row);
    }
  }
  return OkStatus();
}

Status PartitionShape(InferenceContext& ctx) {
  const SymShape &data = ctx.input(0), &partitions = ctx.input(1);
  if (!data.has_rank || !partitions.has_rank) return OkStatus();
  if (data.rank() < partitions.rank()) {
    return InvalidArgument(
        Cat("data should start with the shape of partitions (rank ", partitions.rank(), "), found rank ", data.rank()));
  }
  SymShape head(std::vector<Dim>(data.dims.begin(), data.dims.begin() + partitions.rank()));
  MR_RETURN_IF_ERROR(ctx.Merge(head, partitions, &head));
  SymShape each(std::vector<Dim>{Dim()});
  each.dims.insert(each.dims.end(), data.dims.begin() + partitions.rank(), data.dims.end());
  for (int i = 0; i < ctx.num_outputs(); ++i) ctx.set_output(i, each);
  return OkStatus();
}

Status RunPartition(KernelContext& ctx) {
  const TensorView &data = ctx.input(0), &partitions = ctx.input(1);
  const int n = ctx.num_outputs();
  bool fits = data.rank >= partitions.rank;
  for (int k = 0; fits && k < partitions.rank; ++k) fits = data.dim(k) == partitions.dim(k);
  if (!fits) {
    return InvalidArgument(Cat("data of shape ", array::DimsText(data.shape()),
                               " should start with the shape of partitions, ", array::DimsText(partitions.shape())));
  }
  Ints counts(static_cast<size_t>(n), 0);
  for (int64_t i = 0; i < partitions.num_elements; ++i) {
    const int32_t p = partitions.as<int32_t>()[i];
    if (p < 0 || p >= n) return InvalidArgument(Cat("partitions[", i, "] = ", p, " is not in [0, ", n, ")"));
    ++counts[static_cast<size_t>(p)];
  }
  Ints dims{0};
  int64_t row = 1;
  for (int k = partitions.rank; k < data.rank; ++k) {
    dims.push_back(data.dim(k));
    row *= data.dim(k);
  }
  for (int p = 0; p < n; ++p) {
    dims[0] = counts[static_cast<size_t>(p)];
    if (ctx.output_wanted(p)) MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, p, SpanOf(dims)));
  }
  Ints at(static_cast<size_t>(n), 0);
  for (int64_t i = 0; i < partitions.num_elements; ++i) {
    const int32_t p = partitions.as<int32_t>()[i];
    const int64_t to = at[static_cast<size_t>(p)]++;
    if (!ctx.output_wanted(p)) continue;
    array::CopySerial(data.dtype, array::ElementAt(data.data, data.dtype, i * row),
                      array::ElementAt(ctx.output(p).data, data.dtype, to * row), row);
  }
  return OkStatus();
}

}  // namespace

namespace families {
void array_stitch(Registry& registry) {
  registry.Define("DynamicStitch")
      .Input("indices: N * int32")
      .Input("data: N * T")
      .Output("merged: T")
      .Attr("N: int >= 1")
      .Attr("T: type")
      .Doc("merged[indices[i][k]] = data[i][k]; the last of equals wins.")
      .Shape(StitchShape)
      .Kernel("CPU", MakeKernel<RunStitch>);
  registry.Define("ParallelDynamicStitch")
      .Input("indices: N * int32")
      .Input("data: N * T")
      .Output("merged: T")
      .Attr("N: int >= 1")
      .Attr("T: type")
      .Doc("merged[indices[i][k]] = data[i][k].")
      .Shape(StitchShape)
      .Kernel("CPU", MakeKernel<RunStitch>);
  registry.Define("DynamicPartition")
      .Input("data: T")
      .Input("partitions: int32")
      .Output("outputs: num_partitions * T")
      .Attr("num_partitions: int >= 1")
      .Attr("T: type")
      .Doc("The rows of data, each in the output that `partitions` says.")
      .Shape(PartitionShape)
      .Kernel("CPU", MakeKernel<RunPartition>);
}
}  // namespace families
}  // namespace millrace
