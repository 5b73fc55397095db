// Prod, EuclideanNorm.
#include <cmath>

#include "millrace/ops/reduce/engine.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

template <typename T>
struct ProdOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.2 * sizeof(T);
  static Acc Initial() { return Acc(1); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) { return reduce::Times(a, b); }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

template <typename T>
struct NormOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.2 * sizeof(T);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) {
    if constexpr (reduce::kIsComplex<T>) return Acc(std::norm(x));
    else return reduce::Times(static_cast<Acc>(x), static_cast<Acc>(x));
  }
  static Acc Combine(Acc a, Acc b) { return reduce::Plus(a, b); }
  static T Finish(Acc a, int64_t) {
    if constexpr (reduce::kIsComplex<T>) return T(std::sqrt(a.real()));
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(std::sqrt(static_cast<double>(static_cast<T>(a))));
    else return static_cast<T>(std::sqrt(a));
  }
};

Status ProdShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(reduce::ReductionShape(ctx));
  // The product of a shape: a number of elements.
  std::vector<SymElement> elements;
  if (ctx.input(0).rank() == 1 && ctx.outputs()[0].shape.rank() == 0 && array::IsIndexType(ctx.input_info(0).dtype) &&
      array::IntElements(ctx, 0, &elements)) {
    Dim product(1);
    for (const SymElement& e : elements) product = ctx.dims().Mul(product, e.dim());
    if (!product.unknown()) ctx.set_elements(0, SymTensor{true, {SymElement::Of(product)}});
  }
  return OkStatus();
}

}  // namespace

namespace families {
void reduce_prod(Registry& registry) {
  registry.Define("Prod")
      .Input("input: T")
      .Input("reduction_indices: Tidx")
      .Output("output: T")
      .Attr("keep_dims: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The product over some dimensions. Integers wrap.")
      .Shape(ProdShape)
      .Kernel("CPU",
              reduce::NewReduction<ProdOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                                   uint16_t, uint32_t, uint64_t, std::complex<float>, std::complex<double>>);
  registry.Define("EuclideanNorm")
      .Input("input: T")
      .Input("reduction_indices: Tidx")
      .Output("output: T")
      .Attr("keep_dims: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The square root of the sum of squares over some dimensions.")
      .Shape(reduce::ReductionShape)
      .Kernel("CPU",
              reduce::NewReduction<NormOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                                   uint16_t, uint32_t, uint64_t, std::complex<float>, std::complex<double>>);
}
}  // namespace families
}  // namespace millrace
