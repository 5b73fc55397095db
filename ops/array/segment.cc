// SegmentSum ... and UnsortedSegmentSum ...: rows reduced by number.
#include <limits>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

enum class Way { kSum, kProd, kMax, kMin, kMean };

// What rows are combined in.
template <typename T, Way kWay>
using Held = std::conditional_t<reduce::kIsSmallFloat<T>, float,
                                std::conditional_t<kWay == Way::kMax || kWay == Way::kMin, T, reduce::Accumulator<T>>>;

template <Way kWay, typename A>
A Combine(A a, A b) {
  if constexpr (kWay == Way::kSum || kWay == Way::kMean) return reduce::Plus(a, b);
  else if constexpr (kWay == Way::kProd) return reduce::Times(a, b);
  else if constexpr (kWay == Way::kMax) return b > a || b != b ? b : a;
  else return b < a || b != b ? b : a;
}
// The neutral element; of Max and Min the limit of the type, not infinity.
template <Way kWay, typename T, typename A>
A Initial() {
  if constexpr (kWay == Way::kSum || kWay == Way::kMean) return A(0);
  else if constexpr (kWay == Way::kProd) return A(1);
  else if constexpr (std::is_same_v<T, Half>) return kWay == Way::kMax ? -65504.0f : 65504.0f;
  else if constexpr (std::is_same_v<T, BFloat16>) {
    const float largest = static_cast<float>(BFloat16::FromBits(0x7f7f));
    return kWay == Way::kMax ? -largest : largest;
  } else {
    return kWay == Way::kMax ? std::numeric_limits<A>::lowest() : std::numeric_limits<A>::max();
  }
}

// data is [rows, inner]; rows with a negative id are dropped. `empty` fills
// segments without rows.
template <typename T, Way kWay>
Status ReduceSegments(KernelContext& ctx, const TensorView& data, const TensorView& ids, int64_t segments,
                      int64_t inner, T empty) {
  using A = Held<T, kWay>;
  const int64_t rows = ids.num_elements, size = segments * inner;
  const TensorView& out = ctx.output(0);
  if (size == 0) return OkStatus();
  MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(static_cast<size_t>(size) * sizeof(A) +
                                                 static_cast<size_t>(segments) * sizeof(int64_t)));
  int64_t* const count = static_cast<int64_t*>(scratch);
  A* const acc = reinterpret_cast<A*>(count + segments);
  std::fill_n(count, segments, 0);
  for (int64_t r = 0; r < rows; ++r) {
    if (const int64_t id = array::IntAt(ids, r); id >= 0) ++count[id];
  }
  // Columns are independent: each thread walks all rows in order.
  const double cycles = 2.0 * static_cast<double>(rows) + static_cast<double>(segments);
  const T* x = data.as<T>();
  T* o = out.as<T>();
  ctx.ParallelFor(inner, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t s = 0; s < segments; ++s) {
      std::fill(acc + s * inner + begin, acc + s * inner + end, Initial<kWay, T, A>());
    }
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t id = array::IntAt(ids, r);
      if (id < 0) continue;
      A* into = acc + id * inner;
      for (int64_t c = begin; c < end; ++c) into[c] = Combine<kWay>(into[c], static_cast<A>(x[r * inner + c]));
    }
    for (int64_t s = 0; s < segments; ++s) {
      for (int64_t c = begin; c < end; ++c) {
        A v = acc[s * inner + c];
        if (count[s] == 0) {
          o[s * inner + c] = empty;
          continue;
        }
        if constexpr (kWay == Way::kMean) {
          if constexpr (std::is_integral_v<T>) v = static_cast<A>(static_cast<T>(v) / static_cast<T>(count[s]));
          else if constexpr (reduce::kIsComplex<A>) v = v / static_cast<typename A::value_type>(count[s]);
          else v = v / static_cast<A>(count[s]);
        }
        o[s * inner + c] = static_cast<T>(v);
      }
    }
  });
  return OkStatus();
}

// Complex numbers have no order.
template <Way kWay>
using TypesOf = std::conditional_t<kWay == Way::kMax || kWay == Way::kMin, RealTypes, NumberTypes>;

Status UnsortedShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  const SymShape &data = ctx.input(0), &ids = ctx.input(1);
  Dim segments;
  std::vector<SymElement> count;
  if (array::IntElements(ctx, 2, &count) && count.size() == 1) {
    if (count[0].known() && count[0].number < 0) {
      return InvalidArgument(Cat("num_segments must not be negative, found ", count[0].number));
    }
    segments = count[0].dim();
  }
  if (!data.has_rank || !ids.has_rank) return OkStatus();
  if (data.rank() < ids.rank()) {
    return InvalidArgument(
        Cat("data should start with the shape of segment_ids (rank ", ids.rank(), "), found rank ", data.rank()));
  }
  SymShape head(std::vector<Dim>(data.dims.begin(), data.dims.begin() + ids.rank()));
  MR_RETURN_IF_ERROR(ctx.Merge(head, ids, &head));
  SymShape out(std::vector<Dim>{segments});
  out.dims.insert(out.dims.end(), data.dims.begin() + ids.rank(), data.dims.end());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

template <Way kWay>
Status RunUnsorted(KernelContext& ctx) {
  const TensorView &data = ctx.input(0), &ids = ctx.input(1);
  const int64_t segments = array::IntAt(ctx.input(2), 0);
  if (segments < 0) return InvalidArgument(Cat("num_segments must not be negative, found ", segments));
  bool fits = data.rank >= ids.rank;
  for (int k = 0; fits && k < ids.rank; ++k) fits = data.dim(k) == ids.dim(k);
  if (!fits) {
    return InvalidArgument(Cat("data of shape ", array::DimsText(data.shape()),
                               " should start with the shape of segment_ids, ", array::DimsText(ids.shape())));
  }
  for (int64_t i = 0; i < ids.num_elements; ++i) {
    const int64_t id = array::IntAt(ids, i);
    if (id >= segments) return InvalidArgument(Cat("segment_ids[", i, "] = ", id, " is not below ", segments));
  }
  Ints dims{segments};
  int64_t inner = 1;
  for (int k = ids.rank; k < data.rank; ++k) {
    dims.push_back(data.dim(k));
    inner *= data.dim(k);
  }
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  return VisitType(data.dtype, TypesOf<kWay>(), [&]<typename T>() {
    const T empty = static_cast<T>(Initial<kWay, T, Held<T, kWay>>());
    return ReduceSegments<T, kWay>(ctx, data, ids, segments, inner, empty);
  });
}

Status SortedShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  const SymShape& ids = ctx.input(1);
  if (ids.has_rank) {
    Dim rows;
    MR_RETURN_IF_ERROR(ctx.Merge(out.dims[0], ids.dims[0], &rows));
  }
  const auto values = array::IntConstant(ctx, 1);
  out.dims[0] = values ? Dim(values->empty()
                                 ? 0
                                 : std::clamp<int64_t>(values->back(), -1, std::numeric_limits<int64_t>::max() - 1) + 1)
                       : Dim();
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// Ids do not fall; gaps become 0 (1 for products).
template <Way kWay>
Status RunSorted(KernelContext& ctx) {
  const TensorView &data = ctx.input(0), &ids = ctx.input(1);
  if (data.rank < 1 || data.dim(0) != ids.num_elements) {
    return InvalidArgument(Cat("segment_ids should have as many elements as data has rows, found ", ids.num_elements,
                               " for shape ", array::DimsText(data.shape())));
  }
  int64_t last = -1;
  for (int64_t i = 0; i < ids.num_elements; ++i) {
    const int64_t id = array::IntAt(ids, i);
    if (id < 0 || id < last || id == std::numeric_limits<int64_t>::max()) {
      return InvalidArgument(Cat("segment_ids must not be negative nor fall, found ", id, " after ", last, " at ", i));
    }
    last = id;
  }
  Ints dims = array::IntsOf(data.shape());
  dims[0] = last + 1;
  int64_t inner = 1;
  for (int k = 1; k < data.rank; ++k) inner *= data.dim(k);
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  return VisitType(data.dtype, TypesOf<kWay>(), [&]<typename T>() {
    const T empty = static_cast<T>(kWay == Way::kProd ? Held<T, kWay>(1) : Held<T, kWay>(0));
    return ReduceSegments<T, kWay>(ctx, data, ids, last + 1, inner, empty);
  });
}

}  // namespace

namespace families {
void array_segment(Registry& registry) {
  registry.Define("UnsortedSegmentSum")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Input("num_segments: Tnumsegments")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tindices: {int16, int32, int64}")
      .Attr("Tnumsegments: {int32, int64} = DT_INT32")
      .Doc("out[s] is the sum of the rows with id s; negative ids are dropped.")
      .Shape(UnsortedShape)
      .Kernel("CPU", MakeKernel<RunUnsorted<Way::kSum>>);
  registry.Define("UnsortedSegmentProd")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Input("num_segments: Tnumsegments")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Attr("Tnumsegments: {int32, int64} = DT_INT32")
      .Doc("out[s] is the product of the rows with id s; negative ids are dropped.")
      .Shape(UnsortedShape)
      .Kernel("CPU", MakeKernel<RunUnsorted<Way::kProd>>);
  registry.Define("UnsortedSegmentMax")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Input("num_segments: Tnumsegments")
      .Output("output: T")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Attr("Tnumsegments: {int32, int64} = DT_INT32")
      .Doc("out[s] is the largest of the rows with id s; the lowest value of the type where there are none.")
      .Shape(UnsortedShape)
      .Kernel("CPU", MakeKernel<RunUnsorted<Way::kMax>>);
  registry.Define("UnsortedSegmentMin")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Input("num_segments: Tnumsegments")
      .Output("output: T")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Attr("Tnumsegments: {int32, int64} = DT_INT32")
      .Doc("out[s] is the smallest of the rows with id s; the highest value of the type where there are none.")
      .Shape(UnsortedShape)
      .Kernel("CPU", MakeKernel<RunUnsorted<Way::kMin>>);
  registry.Define("SegmentSum")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Doc("out[s] is the sum of the rows with id s; ids do not fall.")
      .Shape(SortedShape)
      .Kernel("CPU", MakeKernel<RunSorted<Way::kSum>>);
  registry.Define("SegmentMean")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Doc("out[s] is the mean of the rows with id s; ids do not fall.")
      .Shape(SortedShape)
      .Kernel("CPU", MakeKernel<RunSorted<Way::kMean>>);
  registry.Define("SegmentProd")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Doc("out[s] is the product of the rows with id s; ids do not fall.")
      .Shape(SortedShape)
      .Kernel("CPU", MakeKernel<RunSorted<Way::kProd>>);
  registry.Define("SegmentMax")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Output("output: T")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Doc("out[s] is the largest of the rows with id s, 0 where there are none; ids do not fall.")
      .Shape(SortedShape)
      .Kernel("CPU", MakeKernel<RunSorted<Way::kMax>>);
  registry.Define("SegmentMin")
      .Input("data: T")
      .Input("segment_ids: Tindices")
      .Output("output: T")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Attr("Tindices: {int32, int64}")
      .Doc("out[s] is the smallest of the rows with id s, 0 where there are none; ids do not fall.")
      .Shape(SortedShape)
      .Kernel("CPU", MakeKernel<RunSorted<Way::kMin>>);
}
}  // namespace families
}  // namespace millrace
