// Diag, DiagPart, MatrixDiag, MatrixDiagPart, MatrixSetDiag, MatrixBandPart.
#include <array>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status DiagShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  const std::vector<Dim> half = out.dims;
  out.dims.insert(out.dims.end(), half.begin(), half.end());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunDiag(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  Ints dims = array::IntsOf(x.shape());
  const Ints half = dims;
  dims.insert(dims.end(), half.begin(), half.end());
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
  const int64_t n = x.num_elements, one = 1, step = n + 1;
  array::StridedCopy(ctx, out.dtype, {&n, 1}, x.data, {&one, 1}, out.data, {&step, 1});
  return OkStatus();
}

Status DiagPartShape(InferenceContext& ctx) {
  const SymShape& x = ctx.input(0);
  if (!x.has_rank) return OkStatus();
  if (x.rank() == 0 || x.rank() % 2 != 0)
    return InvalidArgument(Cat("the rank should be even and positive, found ", x.rank()));
  const auto middle = x.dims.begin() + x.rank() / 2;
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.Merge(SymShape(std::vector<Dim>(x.dims.begin(), middle)),
                               SymShape(std::vector<Dim>(middle, x.dims.end())), &out));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunDiagPart(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  const int half = x.rank / 2;
  bool fits = x.rank > 0 && x.rank % 2 == 0;
  for (int k = 0; fits && k < half; ++k) fits = x.dim(k) == x.dim(half + k);
  if (!fits) return InvalidArgument(Cat("a shape twice over is expected, found ", array::DimsText(x.shape())));
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape().first(static_cast<size_t>(half))));
  const TensorView& out = ctx.output(0);
  const int64_t n = array::Product(x.shape().first(static_cast<size_t>(half))), one = 1, step = n + 1;
  array::StridedCopy(ctx, out.dtype, {&n, 1}, x.data, {&step, 1}, out.data, {&one, 1});
  return OkStatus();
}

Status MatrixDiagShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  out.dims.push_back(out.dims.back());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// Copies between diagonals [batch, n] and those of matrices [batch, rows, columns].
void CopyDiagonals(KernelContext& ctx, DType dtype, int64_t batch, int64_t rows, int64_t columns, void* diagonal,
                   void* matrices, bool into_matrices) {
  const int64_t n = std::min(rows, columns);
  const std::array<int64_t, 2> dims{batch, n}, small{n, 1}, large{rows * columns, columns + 1};
  if (into_matrices) array::StridedCopy(ctx, dtype, dims, diagonal, small, matrices, large);
  else array::StridedCopy(ctx, dtype, dims, matrices, large, diagonal, small);
}

Status RunMatrixDiag(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  if (x.rank < 1) return InvalidArgument("the input must have at least one dimension");
  Ints dims = array::IntsOf(x.shape());
  const int64_t n = dims.back();
  dims.push_back(n);
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
  if (n > 0) CopyDiagonals(ctx, x.dtype, x.num_elements / n, n, n, x.data, out.data, true);
  return OkStatus();
}

Status MatrixDiagPartShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  const Dim columns = out.dims.back();
  out.dims.pop_back();
  out.dims.back() = ctx.dims().Min(out.dims.back(), columns);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunMatrixDiagPart(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  if (x.rank < 2) return InvalidArgument("the input must have at least two dimensions");
  Ints dims = array::IntsOf(x.shape());
  const int64_t rows = x.dim(x.rank - 2), columns = x.dim(x.rank - 1);
  dims.pop_back();
  dims.back() = std::min(rows, columns);
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  if (x.num_elements > 0) {
    CopyDiagonals(ctx, x.dtype, x.num_elements / (rows * columns), rows, columns, ctx.output(0).data, x.data, false);
  }
  return OkStatus();
}

Status MatrixSetDiagShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 1));
  const SymShape &x = ctx.input(0), &diagonal = ctx.input(1);
  if (x.has_rank && diagonal.has_rank) {
    SymShape expected = x;
    const Dim columns = expected.dims.back();
    expected.dims.pop_back();
    expected.dims.back() = ctx.dims().Min(expected.dims.back(), columns);
    MR_RETURN_IF_ERROR(ctx.Merge(expected, diagonal, &expected));
  }
  ctx.set_output(0, x);
  return OkStatus();
}

Status RunMatrixSetDiag(KernelContext& ctx) {
  const TensorView &x = ctx.input(0), &diagonal = ctx.input(1);
  if (x.rank < 2) return InvalidArgument("the input must have at least two dimensions");
  Ints expected = array::IntsOf(x.shape());
  const int64_t rows = x.dim(x.rank - 2), columns = x.dim(x.rank - 1);
  expected.pop_back();
  expected.back() = std::min(rows, columns);
  if (!std::ranges::equal(SpanOf(expected), diagonal.shape())) {
    return InvalidArgument(Cat("the diagonal should have shape ", array::DimsText(SpanOf(expected)), ", found ",
                               array::DimsText(diagonal.shape())));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
  array::CopyElements(ctx, x.dtype, x.data, ctx.output(0).data, x.num_elements);
  if (x.num_elements > 0) {
    CopyDiagonals(ctx, x.dtype, x.num_elements / (rows * columns), rows, columns, diagonal.data, ctx.output(0).data,
                  true);
  }
  return OkStatus();
}

Status BandShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

Status RunBand(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  if (x.rank < 2) return InvalidArgument("the input must have at least two dimensions");
  const int64_t rows = x.dim(x.rank - 2), columns = x.dim(x.rank - 1);
  int64_t lower = array::IntAt(ctx.input(1), 0), upper = array::IntAt(ctx.input(2), 0);
  if (lower > rows || upper > columns) {
    return InvalidArgument(
        Cat("num_lower and num_upper must be at most ", rows, " and ", columns, ", found ", lower, " and ", upper));
  }
  if (lower < 0) lower = rows;
  if (upper < 0) upper = columns;
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
  const TensorView& out = ctx.output(0);
  if (x.num_elements == 0) return OkStatus();
  array::DispatchWord(x.dtype, [&]<typename W>() {
    const W* from = static_cast<const W*>(x.data);
    W* to = static_cast<W*>(out.data);
    for (int64_t r = 0; r < x.num_elements / columns; ++r) {
      const int64_t row = r % rows;
      const int64_t first = std::clamp<int64_t>(row - lower, 0, columns);
      const int64_t last = std::clamp<int64_t>(row + upper + 1, first, columns);
      std::fill_n(to + r * columns, first, W{});
      std::copy(from + r * columns + first, from + r * columns + last, to + r * columns + first);
      std::fill_n(to + r * columns + last, columns - last, W{});
    }
  });
  return OkStatus();
}

}  // namespace

namespace families {
void array_diagonal(Registry& registry) {
  registry.Define("Diag")
      .Input("diagonal: T")
      .Output("output: T")
      .Attr("T: {bfloat16, half, float, double, int32, int64, complex64, complex128}")
      .Doc("A tensor with the input on its diagonal, zero elsewhere.")
      .Shape(DiagShape)
      .Kernel("CPU", MakeKernel<RunDiag>);
  registry.Define("DiagPart")
      .Input("input: T")
      .Output("diagonal: T")
      .Attr("T: {bfloat16, half, float, double, int32, int64, complex64, complex128}")
      .Doc("The diagonal of a tensor whose shape is there twice.")
      .Shape(DiagPartShape)
      .Kernel("CPU", MakeKernel<RunDiagPart>);
  registry.Define("MatrixDiag")
      .Input("diagonal: T")
      .Output("output: T")
      .Attr("T: type")
      .Doc("Matrices with the input's rows on their diagonals.")
      .Shape(MatrixDiagShape)
      .Kernel("CPU", MakeKernel<RunMatrixDiag>);
  registry.Define("MatrixDiagPart")
      .Input("input: T")
      .Output("diagonal: T")
      .Attr("T: type")
      .Doc("The diagonals of matrices.")
      .Shape(MatrixDiagPartShape)
      .Kernel("CPU", MakeKernel<RunMatrixDiagPart>);
  registry.Define("MatrixSetDiag")
      .Input("input: T")
      .Input("diagonal: T")
      .Output("output: T")
      .Attr("T: type")
      .Doc("Matrices with other diagonals.")
      .Shape(MatrixSetDiagShape)
      .Kernel("CPU", MakeKernel<RunMatrixSetDiag>);
  registry.Define("MatrixBandPart")
      .Input("input: T")
      .Input("num_lower: Tindex")
      .Input("num_upper: Tindex")
      .Output("band: T")
      .Attr("T: type")
      .Attr("Tindex: {int32, int64} = DT_INT64")
      .Doc("Matrices with zeros outside a band around the diagonal.")
      .Shape(BandShape)
      .Kernel("CPU", MakeKernel<RunBand>);
}
}  // namespace families
}  // namespace millrace
