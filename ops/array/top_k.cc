// TopK, TopKV2: the largest elements of each row.
#include <algorithm>
#include <numeric>
#include <vector>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status SetShapes(InferenceContext& ctx, Dim k) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  if (k.known() && out.dims.back().known() && out.dims.back().value() < k.value()) {
    return InvalidArgument(
        Cat("rows should have at least k = ", k.value(), " elements, found ", out.dims.back().value()));
  }
  out.dims.back() = k;
  ctx.set_output(0, out);
  ctx.set_output(1, std::move(out));
  return OkStatus();
}
Status TopKShape(InferenceContext& ctx) { return SetShapes(ctx, Dim(ctx.attr<int64_t>("k"))); }
Status TopKV2Shape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  Dim k;
  std::vector<SymElement> elements;
  if (array::IntElements(ctx, 1, &elements) && elements.size() == 1) {
    if (elements[0].known() && elements[0].number < 0) {
      return InvalidArgument(Cat("k must not be negative, found ", elements[0].number));
    }
    k = elements[0].dim();
  }
  return SetShapes(ctx, k);
}

// Before another: larger, or equal and first; a NaN comes after all numbers.
template <typename T>
bool Before(const T* x, int64_t a, int64_t b) {
  using H = std::conditional_t<reduce::kIsSmallFloat<T>, float, T>;
  const H u = static_cast<H>(x[a]), v = static_cast<H>(x[b]);
  if (u > v) return true;
  if (u < v) return false;
  if (u != v && (u == u) != (v == v)) return u == u;
  return a < b;
}

// As std::partial_sort, with a look now and then. False where the run is to stop.
template <typename Less>
bool SortFirst(std::vector<int64_t>& order, int64_t k, const Less& less, Checkpoint& checkpoint) {
  const auto begin = order.begin(), middle = begin + k;
  const auto n = static_cast<int64_t>(order.size());
  std::make_heap(begin, middle, less);
  const bool chosen = checkpoint.Each(n - k, 8, [&](int64_t first, int64_t last) {
    for (auto at = middle + first; at != middle + last; ++at) {
      if (!less(*at, *begin)) continue;
      std::pop_heap(begin, middle, less);
      std::swap(*(middle - 1), *at);
      std::push_heap(begin, middle, less);
    }
  });
  return chosen && checkpoint.Each(k, 100, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) std::pop_heap(begin, middle - i, less);
  });
}

template <typename T, typename Index>
void Choose(KernelContext& ctx, int64_t k) {
  const TensorView& x = ctx.input(0);
  const int64_t n = x.dim(x.rank - 1), rows = n == 0 ? 0 : x.num_elements / n;
  T* values = ctx.output_wanted(0) ? ctx.output(0).as<T>() : nullptr;
  Index* indices = ctx.output_wanted(1) ? ctx.output(1).as<Index>() : nullptr;
  const double cycles = 8.0 * static_cast<double>(n) + 40.0 * static_cast<double>(k);
  ctx.ParallelFor(rows, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    Checkpoint checkpoint(ctx);
    for (int64_t r = begin; r < end; ++r) {
      const T* row = x.as<T>() + r * n;
      std::iota(order.begin(), order.end(), 0);
      const auto before = [row](int64_t a, int64_t b) { return Before(row, a, b); };
      if (!SortFirst(order, k, before, checkpoint)) return;
      for (int64_t i = 0; i < k; ++i) {
        const int64_t at = order[static_cast<size_t>(i)];
        if (values != nullptr) values[r * k + i] = row[at];
        if (indices != nullptr) indices[r * k + i] = static_cast<Index>(at);
      }
    }
  });
}

Status RunTopKOf(KernelContext& ctx, int64_t k) {
  const TensorView& x = ctx.input(0);
  if (x.rank < 1 || k < 0 || k > x.dim(x.rank - 1)) {
    return InvalidArgument(
        Cat("k should be in [0, last dimension] of shape ", array::DimsText(x.shape()), ", found ", k));
  }
  Ints dims = array::IntsOf(x.shape());
  dims.back() = k;
  for (int i = 0; i < 2; ++i) MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, SpanOf(dims)));
  if (k == 0) return OkStatus();
  const DType index_type = ctx.output(1).dtype;
  const auto run = [&]<typename T>() {
    if (index_type == DType::kInt64) Choose<T, int64_t>(ctx, k);
    else if (index_type == DType::kInt16) Choose<T, int16_t>(ctx, k);
    else Choose<T, int32_t>(ctx, k);
    return Checkpoint::Outcome(ctx);
  };
  return VisitType(x.dtype, RealTypes(), run);
}

class TopK final : public Kernel {
 public:
  explicit TopK(const KernelInit& init) : k_(init.attr<int64_t>("k")) {}
  Status Run(KernelContext& ctx) const override { return RunTopKOf(ctx, k_); }

 private:
  const int64_t k_;
};
Status RunTopKV2(KernelContext& ctx) { return RunTopKOf(ctx, array::IntAt(ctx.input(1), 0)); }

}  // namespace

namespace families {
void array_top_k(Registry& registry) {
  registry.Define("TopK")
      .Input("input: T")
      .Output("values: T")
      .Output("indices: int32")
      .Attr("k: int >= 0")
      .Attr("sorted: bool = true")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Deprecated(7, "Use TopKV2 instead")
      .Doc("The k largest elements of each row, in falling order, and where they are; the first of equals first.")
      .Shape(TopKShape)
      .Kernel("CPU", NewKernel<TopK>);
  registry.Define("TopKV2")
      .Input("input: T")
      .Input("k: Tk")
      .Output("values: T")
      .Output("indices: index_type")
      .Attr("sorted: bool = true")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Attr("Tk: {int16, int32, int64} = DT_INT32")
      .Attr("index_type: {int16, int32, int64} = DT_INT32")
      .Doc("The k largest elements of each row, in falling order, and where they are; the first of equals first.")
      .Shape(TopKV2Shape)
      .Kernel("CPU", MakeKernel<RunTopKV2>);
}
}  // namespace families
}  // namespace millrace
