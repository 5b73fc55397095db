// InTopK and InTopKV2: whether the class is among the k likeliest of its row.
#include <cmath>

#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

// Ties count as in; a row with NaN or infinity, or a class that is not there, is
// never.
bool InTopK(const float* row, int64_t classes, int64_t target, int64_t k) {
  if (target < 0 || target >= classes) return false;
  int64_t better = 0;
  for (int64_t i = 0; i < classes; ++i) {
    if (!std::isfinite(row[i])) return false;
    if (row[i] > row[target]) ++better;
  }
  return better < k;
}

template <typename T>
class InTopKKernel final : public Kernel {
 public:
  explicit InTopKKernel(const KernelInit& init) : k_(init.num_inputs() > 2 ? 0 : init.attr<int64_t>("k")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& x = ctx.input(0);
    const int64_t classes = x.dim(1), k = ctx.num_inputs() > 2 ? int64_t{*ctx.input(2).as<T>()} : k_;
    const T* const targets = ctx.input(1).as<T>();
    bool* const out = ctx.output(0).as<bool>();
    ctx.ParallelFor(x.dim(0), BlockFor(2.0 * static_cast<double>(classes)), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) out[i] = InTopK(x.as<float>() + i * classes, classes, targets[i], k);
    });
    return OkStatus();
  }

 private:
  int64_t k_;
};

Status InTopKShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  if (ctx.num_inputs() > 2) MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  Dim rows;
  if (ctx.input(0).has_rank) rows = ctx.input(0).dims[0];
  if (ctx.input(1).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(rows, ctx.input(1).dims[0], &rows));
  ctx.set_output(0, SymShape({rows}));
  return OkStatus();
}

}  // namespace

namespace families {

void in_top_k(Registry& registry) {
  for (const bool second : {false, true}) {
    OpBuilder op = registry.Define(second ? "InTopKV2" : "InTopK");
    op.Input("predictions: float").Input("targets: T");
    if (second) op.Input("k: T");
    op.Output("precision: bool");
    if (!second) op.Attr("k: int");
    op.Attr("T: {int32, int64} = DT_INT32")
        .Doc(
            "For each row whether the class of `targets` is among its k largest predictions. Ties count as in; a row "
            "with NaN or infinity, or a class out of range, never.")
        .Shape(InTopKShape)
        .NoGradient("its result is a truth value")
        .Kernel("CPU", NewKernel<InTopKKernel<int32_t>>, {{"T", {DType::kInt32}}})
        .Kernel("CPU", NewKernel<InTopKKernel<int64_t>>, {{"T", {DType::kInt64}}});
  }
}

}  // namespace families
}  // namespace millrace
