#include "millrace/ops/array/scatter_slices.h"

#include <complex>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/proto/value/strings.h"

namespace millrace::array {
namespace {

template <typename T>
using Held = std::conditional_t<reduce::kIsSmallFloat<T>, float, reduce::Accumulator<T>>;

template <ScatterWay kWay, typename T>
T Combine(T a, T b) {
  using A = Held<T>;
  if constexpr (kWay == ScatterWay::kAdd) {
    return static_cast<T>(reduce::Plus(static_cast<A>(a), static_cast<A>(b)));
  } else if constexpr (kWay == ScatterWay::kSub) {
    return static_cast<T>(static_cast<A>(static_cast<A>(a) - static_cast<A>(b)));
  } else if constexpr (kWay == ScatterWay::kMul) {
    return static_cast<T>(reduce::Times(static_cast<A>(a), static_cast<A>(b)));
  } else if constexpr (kWay == ScatterWay::kDiv) {
    if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_signed_v<T>) {
        if (b == T(-1)) return static_cast<T>(A(0) - static_cast<A>(a));
      }
      return static_cast<T>(a / b);
    } else {
      return static_cast<T>(static_cast<A>(a) / static_cast<A>(b));
    }
  } else if constexpr (reduce::kIsComplex<T>) {
    return a;
  } else {
    const auto x = static_cast<std::conditional_t<reduce::kIsSmallFloat<T>, float, T>>(a);
    const auto y = static_cast<std::conditional_t<reduce::kIsSmallFloat<T>, float, T>>(b);
    return (kWay == ScatterWay::kMin ? y < x : y > x) ? b : a;
  }
}

// body(begin, end) for pieces of the `count` slices.
template <typename Body>
Status EachSlice(Checkpoint* checkpoint, int64_t count, int64_t inner, const Body& body) {
  if (checkpoint == nullptr) {
    body(int64_t{0}, count);
    return OkStatus();
  }
  return checkpoint->Each(count, 10 + static_cast<double>(inner), body) ? OkStatus() : Checkpoint::Stopped();
}

template <ScatterWay kWay, typename T, typename Offsets>
Status CombineSlices(T* target, const Offsets& offset_of, int64_t count, int64_t inner, const T* updates, bool scalar,
                     Checkpoint* checkpoint) {
  return EachSlice(checkpoint, count, inner, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* to = target + offset_of(i);
      const T* from = scalar ? updates : updates + i * inner;
      for (int64_t k = 0; k < inner; ++k) to[k] = Combine<kWay>(to[k], from[scalar ? 0 : k]);
    }
  });
}

}  // namespace

Status ScatterSlices(ScatterWay way, const TensorView& target, const TensorView& indices, int64_t count, int depth,
                     const TensorView& updates, Checkpoint* checkpoint) {
  const Ints strides = StridesOf(target.shape());
  int64_t inner = 1;
  for (int k = depth; k < target.rank; ++k) inner *= target.dim(k);
  for (int64_t i = 0; i < count; ++i) {
    for (int k = 0; k < depth; ++k) {
      const int64_t index = IntAt(indices, i * depth + k);
      if (index < 0 || index >= target.dim(k)) {
        return InvalidArgument(
            Cat("indices[", i, "] holds ", index, " at ", k, ", which is not in [0, ", target.dim(k), ")"));
      }
    }
  }
  if (count == 0 || inner == 0) return OkStatus();
  const bool scalar = updates.rank == 0 && updates.num_elements != count * inner;
  if (!scalar && updates.num_elements != count * inner) {
    return InvalidArgument(Cat("updates should have ", count * inner, " elements, found ", updates.num_elements));
  }
  const auto offset_of = [&](int64_t i) {
    int64_t at = 0;
    for (int k = 0; k < depth; ++k) at += IntAt(indices, i * depth + k) * strides[static_cast<size_t>(k)];
    return at;
  };
  if (way == ScatterWay::kUpdate) {
    Status status;
    DispatchWord(target.dtype, [&]<typename W>() {
      W* to = static_cast<W*>(target.data);
      const W* from = static_cast<const W*>(updates.data);
      status = EachSlice(checkpoint, count, inner, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          if (scalar) std::fill_n(to + offset_of(i), inner, *from);
          else std::copy_n(from + i * inner, inner, to + offset_of(i));
        }
      });
    });
    return status;
  }
  return VisitType(target.dtype, NumberTypes(), [&]<typename T>() -> Status {
    T* to = target.as<T>();
    const T* from = updates.as<T>();
    switch (way) {
      case ScatterWay::kAdd:
        return CombineSlices<ScatterWay::kAdd>(to, offset_of, count, inner, from, scalar, checkpoint);
      case ScatterWay::kSub:
        return CombineSlices<ScatterWay::kSub>(to, offset_of, count, inner, from, scalar, checkpoint);
      case ScatterWay::kMul:
        return CombineSlices<ScatterWay::kMul>(to, offset_of, count, inner, from, scalar, checkpoint);
      case ScatterWay::kDiv:
        if constexpr (std::is_integral_v<T>) {
          for (const T v : updates.elements<T>()) {
            if (v == 0) return InvalidArgument("division by zero");
          }
        }
        return CombineSlices<ScatterWay::kDiv>(to, offset_of, count, inner, from, scalar, checkpoint);
      case ScatterWay::kMin:
      case ScatterWay::kMax:
        if constexpr (reduce::kIsComplex<T>) {
          return Unimplemented("complex numbers have no order");
        } else if (way == ScatterWay::kMin) {
          return CombineSlices<ScatterWay::kMin>(to, offset_of, count, inner, from, scalar, checkpoint);
        } else {
          return CombineSlices<ScatterWay::kMax>(to, offset_of, count, inner, from, scalar, checkpoint);
        }
      case ScatterWay::kUpdate:
        break;
    }
    return OkStatus();
  });
}

}  // namespace millrace::array
