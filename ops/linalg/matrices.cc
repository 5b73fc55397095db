#include "millrace/ops/linalg/matrices.h"

namespace millrace::linalg {

Status SquareMatrices(InferenceContext& ctx, int i, Dim* n) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(i, 2));
  const SymShape& a = ctx.input(i);
  return a.has_rank ? ctx.Merge(a.dims[a.dims.size() - 2], a.dims.back(), n) : OkStatus();
}

Status SquareShape(InferenceContext& ctx) {
  Dim n;
  MR_RETURN_IF_ERROR(SquareMatrices(ctx, 0, &n));
  SymShape out = ctx.input(0);
  if (out.has_rank) out.dims[out.dims.size() - 2] = out.dims.back() = n;
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

}  // namespace millrace::linalg
