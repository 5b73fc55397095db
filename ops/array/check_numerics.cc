// CheckNumerics.
#include <atomic>
#include <cstring>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// W holds an element's bits, `kExponent` those that are all set in an infinity or
// a NaN; a NaN has others below them.
template <typename W, W kExponent>
struct Bits {
  static constexpr W kMantissa = (kExponent & (~kExponent + 1)) - 1;

  // Copies, and says what it met: bit 0 an infinity, bit 1 a NaN.
  static unsigned Copy(const void* from, void* to, int64_t begin, int64_t end) {
    const W* in = static_cast<const W*>(from);
    W* out = static_cast<W*>(to);
    unsigned nan = 0, infinity = 0;
    for (int64_t i = begin; i < end; ++i) {
      const W bits = in[i];
      const bool special = (bits & kExponent) == kExponent;
      const bool more = (bits & kMantissa) != 0;
      nan |= static_cast<unsigned>(special & more);
      infinity |= static_cast<unsigned>(special & !more);
      out[i] = bits;
    }
    return infinity | nan << 1;
  }
};

class CheckNumerics final : public Kernel {
 public:
  explicit CheckNumerics(const KernelInit& init) : message_(init.attr<std::string>("message")) {}
  Status Run(KernelContext& ctx) const override {
    switch (ctx.input(0).dtype) {
      case DType::kHalf:
        return Check<Bits<array::Word16, 0x7c00>>(ctx);
      case DType::kBfloat16:
        return Check<Bits<array::Word16, 0x7f80>>(ctx);
      case DType::kFloat:
        return Check<Bits<array::Word32, 0x7f800000>>(ctx);
      default:
        return Check<Bits<array::Word64, 0x7ff0000000000000>>(ctx);
    }
  }

 private:
  template <typename B>
  Status Check(KernelContext& ctx) const {
    const TensorView& input = ctx.input(0);
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, input.shape()));
    void* const to = ctx.output(0).data;
    std::atomic<unsigned> met = 0;
    ctx.ParallelFor(input.num_elements, 16384, [&](int64_t begin, int64_t end, int) {
      if (const unsigned here = B::Copy(input.data, to, begin, end); here != 0) met |= here;
    });
    if (met == 0) return OkStatus();
    const char* what = met == 1 ? "Inf" : met == 2 ? "NaN" : "Inf and NaN";
    return InvalidArgument(Cat(message_, " : Tensor had ", what, " values"));
  }

  const std::string message_;
};

}  // namespace

namespace families {
void array_check_numerics(Registry& registry) {
  registry.Define("CheckNumerics")
      .Input("tensor: T")
      .Output("output: T")
      .Attr("T: {bfloat16, half, float, double}")
      .Attr("message: string")
      .Stateful()
      .Doc("Its input; an error that begins with `message` where an element is no number or infinite.")
      .Shape(shape_fns::Unchanged)
      .Kernel("CPU", NewKernel<CheckNumerics>);
}
}  // namespace families
}  // namespace millrace
