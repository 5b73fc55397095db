// Choices: Select, SelectV2, ClipByValue.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/math/selection.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

struct SelectFn {
  template <class M, class S>
  MILLRACE_INLINE static auto Of(M condition, S t, S e) {
    return Select(condition, t, e);
  }
};
// The bounds in this order: where they cross, the lower one is the result.
struct ClipFn {
  template <class S>
  MILLRACE_INLINE static auto Of(S x, S low, S high) {
    const S y = Max2(low, Min2(high, x));
    // A chosen denormal is flushed, whatever instruction chose it.
    if constexpr (S::kFloating) return Canonical(y);
    else return y;
  }
};

MILLRACE_ISA_NAMESPACE_END

// Elements of one size are chosen by one body.
#define MILLRACE_SELECT_BODIES                                                                                     \
  Choice<SelectFn, uint8_t, int8_t, uint8_t, bool>, Choice<SelectFn, uint16_t, int16_t, uint16_t, Half, BFloat16>, \
      Choice<SelectFn, uint32_t, int32_t, uint32_t, float>,                                                        \
      Choice<SelectFn, uint64_t, int64_t, uint64_t, double, std::complex<float>>,                                  \
      ScalarSig<SelectFn, std::complex<double>, bool, std::complex<double>, std::complex<double>>
MILLRACE_EXPRESSION(Select, {1}, MILLRACE_SELECT_BODIES)
MILLRACE_EXPRESSION(SelectRows, ({.factory = math::NewSelect}), MILLRACE_SELECT_BODIES)
MILLRACE_EXPRESSION(ClipByValue, {1}, Ternary<ClipFn, MILLRACE_REAL_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void select(Registry& r) {
  const auto define = [&](const char* name) {
    OpBuilder b = r.Define(name);
    b.Input("condition: bool").Input("t: T").Input("e: T").Output("output: T").Attr("T: type");
    return b;
  };
  define("Select")
      .Doc(
          "t where the condition holds, else e.\nThe condition has the shape of t and e, or is a scalar, or a vector "
          "that chooses rows.")
      .Shape(math::SelectShape)
      .Elementwise(&kSelectRows)
      .Kernel("CPU", math::NewStringSelect, {{"T", {DType::kString}}});
  define("SelectV2")
      .Doc("t where the condition holds, else e, with broadcasting.")
      .Shape(math::SelectV2Shape)
      .Elementwise(&kSelect)
      .Kernel("CPU", math::NewStringSelectV2, {{"T", {DType::kString}}});
  r.Define("ClipByValue")
      .Input("t: T")
      .Input("clip_value_min: T")
      .Input("clip_value_max: T")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64}")
      .Doc("t brought between the two bounds, each a scalar or of t's shape.")
      .Shape(math::ClipShape)
      .Elementwise(&kClipByValue);
}

}  // namespace millrace::families
#endif
