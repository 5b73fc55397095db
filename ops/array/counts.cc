// Bincount, DenseBincount, Bucketize: how many of each, and which one.
#include <algorithm>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status SizeDim(InferenceContext& ctx, Dim* size) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  std::vector<SymElement> elements;
  if (array::IntElements(ctx, 1, &elements) && elements.size() == 1) {
    if (elements[0].known() && elements[0].number < 0) {
      return InvalidArgument(Cat("size must not be negative, found ", elements[0].number));
    }
    *size = elements[0].dim();
  }
  return OkStatus();
}

Status BincountShape(InferenceContext& ctx) {
  Dim size;
  MR_RETURN_IF_ERROR(SizeDim(ctx, &size));
  ctx.set_output(0, SymShape({size}));
  return OkStatus();
}

Status DenseBincountShape(InferenceContext& ctx) {
  Dim size;
  MR_RETURN_IF_ERROR(SizeDim(ctx, &size));
  const SymShape& input = ctx.input(0);
  if (input.rank() > 2) return InvalidArgument(Cat("the input should have at most 2 dimensions, found ", input.rank()));
  if (input.rank() == 2) ctx.set_output(0, SymShape({input.dims[0], size}));
  else if (input.has_rank) ctx.set_output(0, SymShape({size}));
  return OkStatus();
}

// Rows of `values` are counted apart: each row has `size` bins.
template <typename T>
Status CountRows(const TensorView& values, int64_t rows, int64_t size, const TensorView& weights, bool binary,
                 T* bins) {
  const int64_t columns = rows == 0 ? 0 : values.num_elements / rows;
  if (weights.num_elements != 0 && weights.num_elements != values.num_elements) {
    return InvalidArgument(
        Cat("weights should be empty or have ", values.num_elements, " elements, found ", weights.num_elements));
  }
  for (int64_t i = 0; i < values.num_elements; ++i) {
    const int64_t v = array::IntAt(values, i);
    if (v < 0) return InvalidArgument(Cat("values must not be negative, found ", v));
    if (v >= size) continue;
    T& bin = bins[i / columns * size + v];
    if (binary) bin = T(1);
    else bin = static_cast<T>(bin + (weights.num_elements != 0 ? weights.as<T>()[i] : T(1)));
  }
  return OkStatus();
}

Status RunCount(KernelContext& ctx, bool by_row, bool binary) {
  const TensorView &values = ctx.input(0), &weights = ctx.input(2);
  const int64_t size = array::IntAt(ctx.input(1), 0);
  if (size < 0) return InvalidArgument(Cat("size must not be negative, found ", size));
  Ints dims;
  if (by_row && values.rank == 2) dims.push_back(values.dim(0));
  dims.push_back(size);
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
  const int64_t rows = dims.size() == 2 ? dims[0] : 1;
  switch (out.dtype) {
    case DType::kFloat:
      return CountRows<float>(values, rows, size, weights, binary, out.as<float>());
    case DType::kDouble:
      return CountRows<double>(values, rows, size, weights, binary, out.as<double>());
    case DType::kInt32:
      return CountRows<uint32_t>(values, rows, size, weights, binary, out.as<uint32_t>());
    case DType::kInt64:
      return CountRows<uint64_t>(values, rows, size, weights, binary, out.as<uint64_t>());
    default:
      return Unimplemented(Cat("no kernel for ", DTypeName(out.dtype)));
  }
}
Status BucketizeShape(InferenceContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

Status RunBincount(KernelContext& ctx) { return RunCount(ctx, false, false); }

class DenseBincount final : public Kernel {
 public:
  explicit DenseBincount(const KernelInit& init) : binary_(init.attr<bool>("binary_output")) {}
  Status Run(KernelContext& ctx) const override { return RunCount(ctx, true, binary_); }

 private:
  const bool binary_;
};

class Bucketize final : public Kernel {
 public:
  explicit Bucketize(const KernelInit& init) : boundaries_(init.attr<ListValue>("boundaries").f) {}
  Status Run(KernelContext& ctx) const override {
    if (!std::is_sorted(boundaries_.begin(), boundaries_.end())) return InvalidArgument("boundaries must not fall");
    const TensorView& x = ctx.input(0);
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
    int32_t* out = ctx.output(0).as<int32_t>();
    const auto run = [&]<typename T>() {
      for (int64_t i = 0; i < x.num_elements; ++i) {
        const T v = x.as<T>()[i];
        out[i] = static_cast<int32_t>(
            std::upper_bound(boundaries_.begin(), boundaries_.end(), v, [](T a, float b) { return a < b; }) -
            boundaries_.begin());
      }
      return OkStatus();
    };
    return VisitType(x.dtype, Types<float, double, int32_t, int64_t>(), run);
  }

 private:
  const std::vector<float> boundaries_;
};

}  // namespace

namespace families {
void array_counts(Registry& registry) {
  registry.Define("Bincount")
      .Input("arr: int32")
      .Input("size: int32")
      .Input("weights: T")
      .Output("bins: T")
      .Attr("T: {int32, int64, float, double}")
      .Doc("How often each number below `size` is there, or the sum of its weights.")
      .Shape(BincountShape)
      .NoGradient("its result counts")
      .Kernel("CPU", MakeKernel<RunBincount>);
  registry.Define("DenseBincount")
      .Input("input: Tidx")
      .Input("size: Tidx")
      .Input("weights: T")
      .Output("output: T")
      .Attr("Tidx: {int32, int64}")
      .Attr("T: {int32, int64, float, double}")
      .Attr("binary_output: bool = false")
      .Doc("How often each number below `size` is there, row by row.")
      .Shape(DenseBincountShape)
      .NoGradient("its result counts")
      .Kernel("CPU", NewKernel<DenseBincount>);
  registry.Define("Bucketize")
      .Input("input: T")
      .Output("output: int32")
      .Attr("T: {int32, int64, float, double}")
      .Attr("boundaries: list(float)")
      .Doc("Which of the ranges between the boundaries each element is in.")
      .Shape(BucketizeShape)
      .NoGradient("its result is an index")
      .Kernel("CPU", NewKernel<Bucketize>);
}
}  // namespace families
}  // namespace millrace
