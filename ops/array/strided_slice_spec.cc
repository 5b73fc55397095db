#include "millrace/ops/array/strided_slice_spec.h"

#include <algorithm>
#include <limits>

#include "millrace/proto/value/strings.h"

namespace millrace::array {
namespace {

int64_t Mask(const AttrMap& attrs, std::string_view name) {
  const auto it = attrs.find(name);
  const int64_t* v = it == attrs.end() ? nullptr : it->second.get<int64_t>();
  return v == nullptr ? 0 : *v;
}

bool Bit(int64_t mask, size_t i) { return i < 63 && ((mask >> i) & 1) != 0; }

// What an input dimension is indexed by: entry `sparse` of the specification, or
// nothing (-1: taken whole).
struct Layout {
  std::vector<int> sparse;           // one an input dimension
  std::vector<SliceResult> results;  // before dimensions are shrunk away
};

Status MakeLayout(const StridedSliceMasks& masks, size_t entries, int rank, Layout* layout) {
  if (masks.ellipsis != 0 && (masks.ellipsis & (masks.ellipsis - 1)) != 0) {
    return InvalidArgument("a strided slice may have one ellipsis");
  }
  if (entries > 63) return InvalidArgument(Cat("a strided slice has at most 63 entries, found ", entries));
  int taken = 0;  // input dimensions that have an entry of their own
  bool has_ellipsis = false;
  for (size_t i = 0; i < entries; ++i) {
    if (Bit(masks.ellipsis, i)) has_ellipsis = true;
    else if (!Bit(masks.new_axis, i)) ++taken;
  }
  if (taken > rank) {
    return InvalidArgument(Cat("the strided slice indexes ", taken, " dimensions, the input has ", rank));
  }
  const int whole = rank - taken;
  int at = 0;
  const auto take_whole = [&] {
    for (int k = 0; k < whole; ++k) {
      layout->results.push_back({at++});
      layout->sparse.push_back(-1);
    }
  };
  for (size_t i = 0; i < entries; ++i) {
    if (Bit(masks.ellipsis, i)) {
      take_whole();
    } else if (Bit(masks.new_axis, i)) {
      layout->results.push_back({-1});
    } else {
      layout->results.push_back({at++});
      layout->sparse.push_back(static_cast<int>(i));
    }
  }
  if (!has_ellipsis) take_whole();
  return OkStatus();
}

// One dimension with known numbers.
Status MakeDimension(const StridedSliceMasks& masks, size_t i, int dim, int64_t extent, int64_t begin, int64_t end,
                     int64_t stride, SliceDimension* out) {
  if (stride == 0) return InvalidArgument(Cat("strides[", i, "] must not be 0"));
  if (Bit(masks.shrink_axis, i)) {
    if (stride < 0) return InvalidArgument("a dimension that is indexed by one number must have a positive stride");
    const int64_t at = Bit(masks.begin, i) ? 0 : begin;
    const int64_t index = at < 0 ? at + extent : at;
    if (index < 0 || index >= extent) {
      return InvalidArgument(Cat("slice index ", at, " of dimension ", dim, " is out of bounds"));
    }
    *out = {index, 1, 1, true};
    return OkStatus();
  }
  // Positions run over [low, high]; the end is one past the last in either direction.
  const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? extent : extent - 1;
  const auto place = [&](int64_t v) { return std::clamp(v < 0 ? v + extent : v, low, high); };
  const int64_t first = Bit(masks.begin, i) ? (stride > 0 ? low : high) : place(begin);
  const int64_t last = Bit(masks.end, i) ? (stride > 0 ? high : low) : place(end);
  const int64_t length = last - first;
  int64_t count = 0;
  if (length != 0 && (length < 0) == (stride < 0)) {
    count = length / stride + (length % stride != 0 ? 1 : 0);
  }
  *out = {first, stride, count, false};
  return OkStatus();
}

}  // namespace

StridedSliceMasks::StridedSliceMasks(const AttrMap& attrs)
    : begin(Mask(attrs, "begin_mask")),
      end(Mask(attrs, "end_mask")),
      ellipsis(Mask(attrs, "ellipsis_mask")),
      new_axis(Mask(attrs, "new_axis_mask")),
      shrink_axis(Mask(attrs, "shrink_axis_mask")) {
  // A new axis wins over a shrunk one.
  shrink_axis &= ~new_axis;
}

Ints StridedSliceSpec::ResultDims() const {
  Ints out;
  for (const SliceResult& r : results) out.push_back(r.from < 0 ? 1 : dims[static_cast<size_t>(r.from)].count);
  return out;
}

Status MakeStridedSlice(const StridedSliceMasks& masks, std::span<const int64_t> begin, std::span<const int64_t> end,
                        std::span<const int64_t> strides, std::span<const int64_t> input_dims, StridedSliceSpec* spec) {
  if (begin.size() != end.size() || begin.size() != strides.size()) {
    return InvalidArgument(Cat("begin, end and strides should have as many elements, found ", begin.size(), ", ",
                               end.size(), " and ", strides.size()));
  }
  Layout layout;
  MR_RETURN_IF_ERROR(MakeLayout(masks, begin.size(), static_cast<int>(input_dims.size()), &layout));
  spec->dims.resize(input_dims.size());
  for (size_t k = 0; k < input_dims.size(); ++k) {
    if (layout.sparse[k] < 0) {
      spec->dims[k] = {0, 1, input_dims[k], false};
      continue;
    }
    const size_t i = static_cast<size_t>(layout.sparse[k]);
    MR_RETURN_IF_ERROR(
        MakeDimension(masks, i, static_cast<int>(k), input_dims[k], begin[i], end[i], strides[i], &spec->dims[k]));
  }
  spec->results.clear();
  for (const SliceResult& r : layout.results) {
    if (r.from < 0 || !spec->dims[static_cast<size_t>(r.from)].shrink) spec->results.push_back(r);
  }
  return OkStatus();
}

namespace {

// The extent of a dimension that is cut from `begin` to `end`; unknown where
// symbols leave it open.
Status InferDimension(DimTable& table, const StridedSliceMasks& masks, size_t i, int dim, Dim extent,
                      const SymElement& begin, const SymElement& end, const SymElement& stride, Dim* out,
                      std::optional<SliceDimension>* exact) {
  *out = Dim();
  const bool shrink = Bit(masks.shrink_axis, i);
  const bool open_begin = Bit(masks.begin, i), open_end = Bit(masks.end, i);
  if (stride.known() && stride.number == 0) return InvalidArgument(Cat("strides[", i, "] must not be 0"));
  const bool needs_end = !shrink && !open_end;
  if (extent.known() && stride.known() && (open_begin || begin.known()) && (!needs_end || end.known())) {
    SliceDimension d;
    MR_RETURN_IF_ERROR(MakeDimension(masks, i, dim, extent.value(), begin.number, end.number, stride.number, &d));
    *out = Dim(d.count);
    *exact = d;
    return OkStatus();
  }
  if (shrink) {
    if (stride.known() && stride.number < 0) {
      return InvalidArgument("a dimension that is indexed by one number must have a positive stride");
    }
    *out = Dim(1);
    return OkStatus();
  }
  if (!stride.known()) return OkStatus();
  const int64_t s = stride.number;
  const bool from_start = open_begin || (begin.known() && begin.number == 0);
  if (s > 0) {
    // [a:b] with both counted from the same side does not depend on the extent
    // but for clamping, so where the extent is open it stays open.
    // An end or begin below 0 counts from the extent.
    const auto from_extent = [&](const SymElement& e) {
      return table.Max(Dim(0), table.Apply(plan::DimOp::kAdd, SymElement::Of(extent), e).dim());
    };
    // A number, or an expression whose sign is known.
    const auto from_either_side = [&](const SymElement& e) {
      if (e.known() && e.number < 0) return from_extent(e);
      return table.NeverNegative(e) ? table.Min(e.dim(), extent) : Dim();
    };
    const Dim first = from_start ? Dim(0) : from_either_side(begin);
    const Dim last = open_end ? extent : from_either_side(end);
    Dim length = last;
    if (!(first.known() && first.value() == 0)) length = table.Max(Dim(0), table.Sub(last, first));
    *out = s == 1 ? length : table.CeilDiv(length, Dim(s));
  } else if (open_begin && open_end) {
    if (s == -1) *out = extent;
    else if (s != std::numeric_limits<int64_t>::min()) *out = table.CeilDiv(extent, Dim(-s));
  }
  return OkStatus();
}

}  // namespace

Status InferStridedSlice(DimTable& table, const StridedSliceMasks& masks, const SymShape& input,
                         std::span<const SymElement> begin, std::span<const SymElement> end,
                         std::span<const SymElement> strides, SymShape* result, std::optional<TakenElements>* taken) {
  *result = SymShape();
  taken->reset();
  if (!input.has_rank) return OkStatus();
  Layout layout;
  MR_RETURN_IF_ERROR(MakeLayout(masks, begin.size(), input.rank(), &layout));
  std::vector<Dim> counts(input.dims.size());
  for (size_t k = 0; k < input.dims.size(); ++k) {
    if (layout.sparse[k] < 0) {
      counts[k] = input.dims[k];
      if (input.rank() == 1 && input.dims[0].known()) *taken = TakenElements{0, 1, input.dims[0].value(), false};
      continue;
    }
    const size_t i = static_cast<size_t>(layout.sparse[k]);
    std::optional<SliceDimension> exact;
    MR_RETURN_IF_ERROR(InferDimension(table, masks, i, static_cast<int>(k), input.dims[k], begin[i], end[i], strides[i],
                                      &counts[k], &exact));
    if (exact && input.rank() == 1) *taken = TakenElements{exact->begin, exact->stride, exact->count, exact->shrink};
  }
  result->has_rank = true;
  for (const SliceResult& r : layout.results) {
    if (r.from < 0) {
      result->dims.push_back(Dim(1));
      continue;
    }
    const int sparse = layout.sparse[static_cast<size_t>(r.from)];
    if (sparse >= 0 && Bit(masks.shrink_axis, static_cast<size_t>(sparse))) continue;
    result->dims.push_back(counts[static_cast<size_t>(r.from)]);
  }
  // A new axis around elements is no longer a vector or scalar of them.
  if (*taken && result->rank() != ((*taken)->scalar ? 0 : 1)) taken->reset();
  return OkStatus();
}

}  // namespace millrace::array
