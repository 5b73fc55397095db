// Transpose, ConjugateTranspose, InvertPermutation.
#include <complex>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Checks that `perm` is a permutation of 0 to rank-1; negative entries count
// from the end.
template <typename Vector>
Status NormalizePermutation(Vector& perm, int64_t rank) {
  if (static_cast<int64_t>(perm.size()) != rank) {
    return InvalidArgument(Cat("perm should have ", rank, " entries, found ", perm.size()));
  }
  absl::InlinedVector<bool, 8> seen(perm.size(), false);
  for (int64_t& p : perm) {
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(p, rank, "an entry of perm", &axis));
    if (seen[static_cast<size_t>(axis)]) return InvalidArgument(Cat("perm names dimension ", axis, " twice"));
    seen[static_cast<size_t>(axis)] = true;
    p = axis;
  }
  return OkStatus();
}

Status TransposeShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape& x = ctx.input(0);
  std::optional<std::vector<int64_t>> perm = array::IntConstant(ctx, 1);
  int64_t rank = x.rank();
  if (ctx.input(1).rank() == 1 && ctx.input(1).dims[0].known()) {
    const int64_t n = ctx.input(1).dims[0].value();
    if (rank >= 0 && n != rank) return InvalidArgument(Cat("perm should have ", rank, " entries, found ", n));
    if (n > Shape::kMaxRank) return InvalidArgument(Cat("perm has ", n, " entries, more than a tensor has dimensions"));
    rank = n;
  }
  if (rank < 0) return OkStatus();
  SymShape out = SymShape::Unknown(static_cast<int>(rank));
  if (perm) {
    MR_RETURN_IF_ERROR(NormalizePermutation(*perm, rank));
    if (x.has_rank) {
      for (size_t k = 0; k < out.dims.size(); ++k) out.dims[k] = x.dims[static_cast<size_t>((*perm)[k])];
    }
  } else if (rank <= 1 && x.has_rank) {
    out = x;
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunTranspose(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  Ints perm = array::ReadInts(ctx.input(1));
  MR_RETURN_IF_ERROR(NormalizePermutation(perm, x.rank));
  const Ints strides = array::StridesOf(x.shape());
  Ints dims(perm.size()), from(perm.size());
  for (size_t k = 0; k < perm.size(); ++k) {
    dims[k] = x.dims[perm[k]];
    from[k] = strides[static_cast<size_t>(perm[k])];
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const Ints to = array::StridesOf(SpanOf(dims));
  array::StridedCopy(ctx, x.dtype, SpanOf(dims), x.data, SpanOf(from), ctx.output(0).data, SpanOf(to));
  return OkStatus();
}

template <typename T>
void Conjugate(const TensorView& t) {
  for (std::complex<T>& v : t.elements<std::complex<T>>()) v = std::conj(v);
}

Status RunConjugateTranspose(KernelContext& ctx) {
  MR_RETURN_IF_ERROR(RunTranspose(ctx));
  const TensorView& out = ctx.output(0);
  if (out.dtype == DType::kComplex64) Conjugate<float>(out);
  if (out.dtype == DType::kComplex128) Conjugate<double>(out);
  return OkStatus();
}

Status InvertPermutationShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  ctx.set_output(0, ctx.input(0).has_rank ? ctx.input(0) : SymShape::Unknown(1));
  if (std::optional<std::vector<int64_t>> x = array::IntConstant(ctx, 0)) {
    SymTensor inverse;
    inverse.elements.resize(x->size());
    for (size_t i = 0; i < x->size(); ++i) {
      const int64_t v = (*x)[i];
      if (v < 0 || v >= static_cast<int64_t>(x->size())) return OkStatus();  // the kernel says what is wrong
      inverse.elements[static_cast<size_t>(v)] = SymElement::Number(static_cast<int64_t>(i));
    }
    ctx.set_elements(0, std::move(inverse));
  }
  return OkStatus();
}

template <typename T>
Status Invert(const TensorView& x, const TensorView& y) {
  const T n = static_cast<T>(x.num_elements);
  for (T& v : y.elements<T>()) v = -1;
  for (T i = 0; i < n; ++i) {
    const T v = x.as<T>()[i];
    if (v < 0 || v >= n) return InvalidArgument(Cat("element ", i, " must be in [0, ", n, "), found ", v));
    if (y.as<T>()[v] != -1) return InvalidArgument(Cat(v, " is there twice"));
    y.as<T>()[v] = i;
  }
  return OkStatus();
}

Status RunInvertPermutation(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
  return x.dtype == DType::kInt32 ? Invert<int32_t>(x, ctx.output(0)) : Invert<int64_t>(x, ctx.output(0));
}

}  // namespace

namespace families {
void array_transpose(Registry& registry) {
  registry.Define("Transpose")
      .Input("x: T")
      .Input("perm: Tperm")
      .Output("y: T")
      .Attr("T: type")
      .Attr("Tperm: {int32, int64} = DT_INT32")
      .Doc("Dimension k of the result is dimension perm[k] of x.")
      .Shape(TransposeShape)
      .Kernel("CPU", MakeKernel<RunTranspose>);
  registry.Define("ConjugateTranspose")
      .Input("x: T")
      .Input("perm: Tperm")
      .Output("y: T")
      .Attr("T: type")
      .Attr("Tperm: {int32, int64} = DT_INT32")
      .Doc("Transpose, and the complex conjugate of each element.")
      .Shape(TransposeShape)
      .Kernel("CPU", MakeKernel<RunConjugateTranspose>);
  registry.Define("InvertPermutation")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: {int32, int64} = DT_INT32")
      .Doc("y[x[i]] = i.")
      .Shape(InvertPermutationShape)
      .NoGradient("its input is a permutation")
      .Kernel("CPU", MakeKernel<RunInvertPermutation>);
}
}  // namespace families
}  // namespace millrace
