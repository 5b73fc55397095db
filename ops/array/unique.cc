// Unique and its relatives, ListDiff: values by equality.
#include <complex>
#include <cstring>
#include <string>
#include <vector>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

// Equal values have equal hashes: 0 and -0 are equal, a NaN equals nothing.
template <typename T>
uint64_t HashOf(const T& v) {
  if constexpr (std::is_same_v<T, std::string>) {
    uint64_t h = v.size();
    size_t i = 0;
    for (; i + 8 <= v.size(); i += 8) {
      uint64_t word;
      std::memcpy(&word, v.data() + i, 8);
      h = Mix(h, word);
    }
    uint64_t rest = 0;
    std::memcpy(&rest, v.data() + i, v.size() - i);
    return Mix(h, rest);
  } else if constexpr (std::is_integral_v<T>) {
    return Mix(1, static_cast<uint64_t>(v));
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return HashOf(static_cast<float>(v));
  } else if constexpr (std::is_floating_point_v<T>) {
    const double d = v == 0 ? 0.0 : static_cast<double>(v);
    return Mix(1, std::bit_cast<uint64_t>(d));
  } else {
    return Mix(HashOf(v.real()), HashOf(v.imag()));
  }
}

// The input as [outer, items, inner]: item k is everything at position k.
template <typename T>
struct Items {
  const T* data;
  int64_t outer, count, inner;

  const T& at(int64_t item, int64_t o, int64_t i) const { return data[(o * count + item) * inner + i]; }
  uint64_t Hash(int64_t item) const {
    uint64_t h = 7;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < inner; ++i) h = Mix(h, HashOf(at(item, o, i)));
    }
    return h;
  }
  // To find one among the others, about.
  double Cycles() const { return 40 + 10.0 * static_cast<double>(outer * inner); }
  static bool Equal(const Items& a, int64_t x, const Items& b, int64_t y) {
    for (int64_t o = 0; o < a.outer; ++o) {
      for (int64_t i = 0; i < a.inner; ++i) {
        if (!(a.at(x, o, i) == b.at(y, o, i))) return false;
      }
    }
    return true;
  }
};

// Items that were seen, by open addressing; at most `capacity` of them.
template <typename T>
class ItemSet {
 public:
  explicit ItemSet(const Items<T>& items) : items_(items) {
    size_t size = 16;
    while (size < static_cast<size_t>(items.count) * 2) size *= 2;
    slots_.assign(size, {-1, 0});
  }
  // The number of the item that equals `item` of `from`; -1 where there is none.
  int64_t Find(const Items<T>& from, int64_t item) const {
    for (size_t s = Start(from, item);; s = (s + 1) & (slots_.size() - 1)) {
      if (slots_[s].item < 0) return -1;
      if (Items<T>::Equal(items_, slots_[s].item, from, item)) return slots_[s].number;
    }
  }
  // Number of the item, which becomes `next` where it is new.
  int64_t Insert(int64_t item, int64_t next) {
    for (size_t s = Start(items_, item);; s = (s + 1) & (slots_.size() - 1)) {
      if (slots_[s].item < 0) {
        slots_[s] = {item, next};
        return next;
      }
      if (Items<T>::Equal(items_, slots_[s].item, items_, item)) return slots_[s].number;
    }
  }

 private:
  struct Slot {
    int64_t item, number;
  };
  size_t Start(const Items<T>& from, int64_t item) const { return from.Hash(item) & (slots_.size() - 1); }
  Items<T> items_;
  std::vector<Slot> slots_;
};

template <typename F>
Status DispatchValues(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat:
      return f.template operator()<float>();
    case DType::kDouble:
      return f.template operator()<double>();
    case DType::kHalf:
      return f.template operator()<Half>();
    case DType::kBfloat16:
      return f.template operator()<BFloat16>();
    case DType::kBool:
    case DType::kInt8:
    case DType::kUint8:
    case DType::kQint8:
    case DType::kQuint8:
      return f.template operator()<uint8_t>();
    case DType::kInt16:
    case DType::kUint16:
    case DType::kQint16:
    case DType::kQuint16:
      return f.template operator()<uint16_t>();
    case DType::kInt32:
    case DType::kUint32:
    case DType::kQint32:
      return f.template operator()<uint32_t>();
    case DType::kInt64:
    case DType::kUint64:
      return f.template operator()<uint64_t>();
    case DType::kComplex64:
      return f.template operator()<std::complex<float>>();
    case DType::kComplex128:
      return f.template operator()<std::complex<double>>();
    case DType::kString:
      return f.template operator()<std::string>();
    default:
      return Unimplemented(Cat("no kernel for ", DTypeName(dtype)));
  }
}

void StoreInt(const TensorView& out, int64_t i, int64_t v) {
  if (out.dtype == DType::kInt32) out.as<int32_t>()[i] = static_cast<int32_t>(v);
  else out.as<int64_t>()[i] = v;
}

// y, idx and, where there is a third output, the counts.
template <typename T>
Status FindUnique(KernelContext& ctx, const Items<T>& items, int axis) {
  ItemSet<T> set(items);
  std::vector<int64_t> number(static_cast<size_t>(items.count)), first, times;
  Checkpoint checkpoint(ctx);
  for (int64_t i = 0; i < items.count; ++i) {
    if (checkpoint.Reached(items.Cycles())) return Checkpoint::Stopped();
    const int64_t next = static_cast<int64_t>(first.size());
    const int64_t n = set.Insert(i, next);
    if (n == next) {
      first.push_back(i);
      times.push_back(0);
    }
    ++times[static_cast<size_t>(n)];
    number[static_cast<size_t>(i)] = n;
  }
  const int64_t unique = static_cast<int64_t>(first.size());
  if (ctx.output_wanted(0)) {
    Ints dims = array::IntsOf(ctx.input(0).shape());
    dims[static_cast<size_t>(axis)] = unique;
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    T* y = ctx.output(0).template as<T>();
    for (int64_t o = 0; o < items.outer; ++o) {
      for (const int64_t f : first) {
        for (int64_t i = 0; i < items.inner; ++i) *y++ = items.at(f, o, i);
      }
    }
  }
  if (ctx.output_wanted(1)) {
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 1, {&items.count, 1}));
    for (int64_t i = 0; i < items.count; ++i) StoreInt(ctx.output(1), i, number[static_cast<size_t>(i)]);
  }
  if (ctx.num_outputs() > 2 && ctx.output_wanted(2)) {
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 2, {&unique, 1}));
    for (int64_t i = 0; i < unique; ++i) StoreInt(ctx.output(2), i, times[static_cast<size_t>(i)]);
  }
  return OkStatus();
}

Status RunUniqueAlong(KernelContext& ctx, int axis) {
  const TensorView& x = ctx.input(0);
  int64_t outer = 1, inner = 1;
  for (int k = 0; k < axis; ++k) outer *= x.dim(k);
  for (int k = axis + 1; k < x.rank; ++k) inner *= x.dim(k);
  return DispatchValues(
      x.dtype, [&]<typename T>() { return FindUnique<T>(ctx, Items<T>{x.as<T>(), outer, x.dim(axis), inner}, axis); });
}

Status RunUnique(KernelContext& ctx) {
  if (ctx.input(0).rank != 1) return InvalidArgument(Cat("x should have rank 1, found ", ctx.input(0).rank));
  return RunUniqueAlong(ctx, 0);
}

// Input 1 names the axis, or is empty for a vector.
Status RunUniqueV2(KernelContext& ctx) {
  const TensorView& axes = ctx.input(1);
  if (axes.num_elements > 1)
    return InvalidArgument(Cat("axis should have at most 1 element, found ", axes.num_elements));
  if (axes.num_elements == 0) {
    if (ctx.input(0).rank != 1) return InvalidArgument("x should have rank 1 where no axis is given");
    return RunUniqueAlong(ctx, 0);
  }
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(axes, 0), ctx.input(0).rank, "axis", &axis));
  return RunUniqueAlong(ctx, axis);
}

Status UniqueShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  ctx.set_output(0, SymShape::Unknown(1));
  ctx.set_output(1, ctx.input(0).has_rank ? ctx.input(0) : SymShape::Unknown(1));
  if (ctx.num_outputs() > 2) ctx.set_output(2, SymShape::Unknown(1));
  return OkStatus();
}

Status UniqueV2Shape(InferenceContext& ctx) {
  const SymShape& x = ctx.input(0);
  ctx.set_output(1, SymShape::Unknown(1));
  if (ctx.num_outputs() > 2) ctx.set_output(2, SymShape::Unknown(1));
  const auto axes = array::IntConstant(ctx, 1);
  if (!x.has_rank) return OkStatus();
  SymShape y = SymShape::Unknown(x.rank());
  if (axes) {
    int axis = 0;
    if (axes->empty()) {
      MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
    } else {
      if (axes->size() > 1) return InvalidArgument(Cat("axis should have at most 1 element, found ", axes->size()));
      MR_RETURN_IF_ERROR(array::NormalizeAxis((*axes)[0], x.rank(), "axis", &axis));
    }
    y = x;
    y.dims[static_cast<size_t>(axis)] = Dim();
    ctx.set_output(1, SymShape({x.dims[static_cast<size_t>(axis)]}));
  }
  ctx.set_output(0, std::move(y));
  return OkStatus();
}

Status ListDiffShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  ctx.set_output(0, SymShape::Unknown(1));
  ctx.set_output(1, SymShape::Unknown(1));
  return OkStatus();
}

Status RunListDiff(KernelContext& ctx) {
  const TensorView &x = ctx.input(0), &y = ctx.input(1);
  return DispatchValues(x.dtype, [&]<typename T>() -> Status {
    const Items<T> from{x.as<T>(), 1, x.num_elements, 1}, without{y.as<T>(), 1, y.num_elements, 1};
    ItemSet<T> set(without);
    Checkpoint checkpoint(ctx);
    for (int64_t i = 0; i < y.num_elements; ++i) {
      if (checkpoint.Reached(without.Cycles())) return Checkpoint::Stopped();
      set.Insert(i, i);
    }
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < x.num_elements; ++i) {
      if (checkpoint.Reached(from.Cycles())) return Checkpoint::Stopped();
      if (set.Find(from, i) < 0) kept.push_back(i);
    }
    const int64_t count = static_cast<int64_t>(kept.size());
    if (ctx.output_wanted(0)) {
      MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, {&count, 1}));
      for (int64_t i = 0; i < count; ++i) ctx.output(0).template as<T>()[i] = x.as<T>()[kept[static_cast<size_t>(i)]];
    }
    if (ctx.output_wanted(1)) {
      MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 1, {&count, 1}));
      for (int64_t i = 0; i < count; ++i) StoreInt(ctx.output(1), i, kept[static_cast<size_t>(i)]);
    }
    return OkStatus();
  });
}

}  // namespace

namespace families {
void array_unique(Registry& registry) {
  registry.Define("Unique")
      .Input("x: T")
      .Output("y: T")
      .Output("idx: out_idx")
      .Attr("T: type")
      .Attr("out_idx: {int32, int64} = DT_INT32")
      .Doc("The different values, in order of their first places, and which of them each element is.")
      .Shape(UniqueShape)
      .NoGradient("its result is a choice")
      .Kernel("CPU", MakeKernel<RunUnique>);
  registry.Define("UniqueWithCounts")
      .Input("x: T")
      .Output("y: T")
      .Output("idx: out_idx")
      .Output("count: out_idx")
      .Attr("T: type")
      .Attr("out_idx: {int32, int64} = DT_INT32")
      .Doc("Unique, and how often each value is there.")
      .Shape(UniqueShape)
      .NoGradient("its result is a choice")
      .Kernel("CPU", MakeKernel<RunUnique>);
  registry.Define("UniqueV2")
      .Input("x: T")
      .Input("axis: Taxis")
      .Output("y: T")
      .Output("idx: out_idx")
      .Attr("T: type")
      .Attr("Taxis: {int32, int64} = DT_INT64")
      .Attr("out_idx: {int32, int64} = DT_INT32")
      .Doc("The different slices along an axis.")
      .Shape(UniqueV2Shape)
      .NoGradient("its result is a choice")
      .Kernel("CPU", MakeKernel<RunUniqueV2>);
  registry.Define("UniqueWithCountsV2")
      .Input("x: T")
      .Input("axis: Taxis")
      .Output("y: T")
      .Output("idx: out_idx")
      .Output("count: out_idx")
      .Attr("T: type")
      .Attr("Taxis: {int32, int64} = DT_INT64")
      .Attr("out_idx: {int32, int64} = DT_INT32")
      .Doc("The different slices along an axis, and how often each is there.")
      .Shape(UniqueV2Shape)
      .NoGradient("its result is a choice")
      .Kernel("CPU", MakeKernel<RunUniqueV2>);
  registry.Define("ListDiff")
      .Input("x: T")
      .Input("y: T")
      .Output("out: T")
      .Output("idx: out_idx")
      .Attr("T: type")
      .Attr("out_idx: {int32, int64} = DT_INT32")
      .Doc("The elements of x that are not in y, and where they are.")
      .Shape(ListDiffShape)
      .NoGradient("its result is a choice")
      .Kernel("CPU", MakeKernel<RunListDiff>);
}
}  // namespace families
}  // namespace millrace
