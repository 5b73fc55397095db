// Sum.
#include "millrace/ops/reduce/engine.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

template <typename T>
struct SumOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.12 * sizeof(T);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) { return reduce::Plus(a, b); }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

Status SumShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(reduce::ReductionShape(ctx));
  // The sum of a vector of extents.
  std::vector<SymElement> elements;
  if (ctx.input(0).rank() == 1 && ctx.outputs()[0].shape.rank() == 0 && array::IsIndexType(ctx.input_info(0).dtype) &&
      array::IntElements(ctx, 0, &elements)) {
    Dim sum(0);
    for (const SymElement& e : elements) sum = ctx.dims().Add(sum, e.dim());
    if (!sum.unknown()) ctx.set_elements(0, SymTensor{true, {SymElement::Of(sum)}});
  }
  return OkStatus();
}

}  // namespace

namespace families {
void reduce_sum(Registry& registry) {
  registry.Define("Sum")
      .Input("input: T")
      .Input("reduction_indices: Tidx")
      .Output("output: T")
      .Attr("keep_dims: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The sum over some dimensions. Integers wrap.")
      .Shape(SumShape)
      .Kernel("CPU",
              reduce::NewReduction<SumOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                                   uint16_t, uint32_t, uint64_t, std::complex<float>, std::complex<double>>);
}
}  // namespace families
}  // namespace millrace
