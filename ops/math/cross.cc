// Cross: products of vectors in space.
#include <algorithm>

#include "millrace/ops/math/definitions.h"
#include "millrace/ops/math/types.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Both operands have one shape, whose last extent is 3.
Status CrossShape(InferenceContext& c) {
  SymShape shape;
  MR_RETURN_IF_ERROR(c.Merge(c.input(0), c.input(1), &shape));
  c.set_output(0, shape);
  if (!shape.has_rank) return OkStatus();
  if (shape.rank() == 0) return InvalidArgument("inputs 0 and 1 are scalars, expected vectors of 3 elements");
  const Dim last = shape.dims.back();
  if (last.known() && last != Dim(3)) {
    return InvalidArgument(Cat("the last dimension of inputs 0 and 1 is ", last.value(), ", expected 3"));
  }
  return OkStatus();
}

template <typename T>
void CrossAs(const TensorView& a, const TensorView& b, const TensorView& out, int64_t begin, int64_t end) {
  using A = reduce::Accumulator<T>;
  const T *x = a.as<T>(), *y = b.as<T>();
  T* z = out.as<T>();
  for (int64_t v = 3 * begin; v < 3 * end; v += 3) {
    const auto difference = [&](int64_t i, int64_t j) {
      return static_cast<T>(static_cast<A>(reduce::Times(static_cast<A>(x[v + i]), static_cast<A>(y[v + j])) -
                                           reduce::Times(static_cast<A>(x[v + j]), static_cast<A>(y[v + i]))));
    };
    // Read before anything is written: the result may lie where an operand was.
    const T first = difference(1, 2), second = difference(2, 0), third = difference(0, 1);
    z[v] = first, z[v + 1] = second, z[v + 2] = third;
  }
}

template <typename... T>
Status RunCrossOf(KernelContext& ctx) {
  const TensorView &a = ctx.input(0), &b = ctx.input(1), &out = ctx.output(0);
  if (!std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end())) {
    return InvalidArgument("inputs 0 and 1 differ in their shapes");
  }
  if (a.rank == 0 || a.dim(a.rank - 1) != 3) return InvalidArgument("the last dimension of the inputs is not 3");
  ctx.ParallelFor(a.num_elements / 3, BlockFor(6), [&](int64_t begin, int64_t end, int) {
    ((a.dtype == kDTypeOf<T> ? CrossAs<T>(a, b, out, begin, end) : void()), ...);
  });
  return OkStatus();
}

}  // namespace

namespace families {

void cross(Registry& r) {
  r.Define("Cross")
      .Input("a: T")
      .Input("b: T")
      .Output("product: T")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Doc("The cross product of vectors of 3 elements, which lie along the last dimension.\nIntegers wrap.")
      .Shape(CrossShape)
      .Kernel("CPU", MakeKernel<RunCrossOf<MILLRACE_REAL_TYPES>>);
}

}  // namespace families
}  // namespace millrace
