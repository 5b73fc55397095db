#include "millrace/ops/math/equality.h"

#include <algorithm>
#include <string>

#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"

namespace millrace {

extern const Expression kEqual, kNotEqual;

namespace math {
namespace {

bool Broadcasts(const TensorView& a, const TensorView& b) {
  for (int i = 1; i <= std::min(a.rank, b.rank); ++i) {
    const int64_t x = a.dims[a.rank - i], y = b.dims[b.rank - i];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

// Equal and NotEqual where shapes may differ: one answer for all then.
class Lenient final : public Kernel {
 public:
  Lenient(std::unique_ptr<Kernel> kernel, bool unequal) : kernel_(std::move(kernel)), unequal_(unequal) {}

  Status Run(KernelContext& ctx) const override {
    if (Broadcasts(ctx.input(0), ctx.input(1))) return kernel_->Run(ctx);
    *ctx.output(0).as<bool>() = unequal_;
    return OkStatus();
  }

 private:
  const std::unique_ptr<Kernel> kernel_;
  const bool unequal_;
};

Result<std::unique_ptr<Kernel>> MaybeLenient(Result<std::unique_ptr<Kernel>> kernel, const KernelInit& init,
                                             bool unequal) {
  if (!kernel.ok() || init.attr<bool>("incompatible_shape_error")) return kernel;
  return std::unique_ptr<Kernel>(new Lenient(std::move(kernel).value(), unequal));
}

template <bool kUnequal>
Status CompareStrings(KernelContext& ctx) {
  const TensorView operands[] = {ctx.input(0), ctx.input(1)};
  const std::string *x = operands[0].as<std::string>(), *y = operands[1].as<std::string>();
  bool* out = ctx.output(0).as<bool>();
  ForEachBroadcast(operands, ctx.output(0),
                   [&](int64_t i, const int64_t* at) { out[i] = (x[at[0]] != y[at[1]]) == kUnequal; });
  return OkStatus();
}

}  // namespace

Status EqualityShape(InferenceContext& c) {
  SymShape out;
  const Status status = BroadcastShapes(c.dims(), c.input(0), c.input(1), &out);
  if (c.attr<bool>("incompatible_shape_error")) {
    MR_RETURN_IF_ERROR(status);
  } else if (!status.ok()) {
    out = SymShape::Scalar();
  } else if (!c.input(0).FullyKnown() || !c.input(1).FullyKnown()) {
    out = SymShape();  // nothing is certain before the run
  }
  c.set_output(0, std::move(out));
  return OkStatus();
}

Result<std::unique_ptr<Kernel>> NewEqual(const KernelInit& init) {
  return MaybeLenient(NewElementwise(kEqual, init), init, false);
}
Result<std::unique_ptr<Kernel>> NewNotEqual(const KernelInit& init) {
  return MaybeLenient(NewElementwise(kNotEqual, init), init, true);
}
Result<std::unique_ptr<Kernel>> NewStringEqual(const KernelInit& init) {
  return MaybeLenient(MakeKernel<CompareStrings<false>>(init), init, false);
}
Result<std::unique_ptr<Kernel>> NewStringNotEqual(const KernelInit& init) {
  return MaybeLenient(MakeKernel<CompareStrings<true>>(init), init, true);
}

}  // namespace math
}  // namespace millrace
