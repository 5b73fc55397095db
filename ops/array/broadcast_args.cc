// BroadcastArgs, BroadcastGradientArgs: NumPy's rules on shapes that are data.
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;

template <typename T>
void StoreInts(const TensorView& out, const Ints& values) {
  for (size_t i = 0; i < values.size(); ++i) out.as<T>()[i] = static_cast<T>(values[i]);
}
Status SetInts(KernelContext& ctx, int i, const Ints& values) {
  if (!ctx.output_wanted(i)) return OkStatus();
  const int64_t count = static_cast<int64_t>(values.size());
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, {&count, 1}));
  const TensorView& out = ctx.output(i);
  if (out.dtype == DType::kInt32) StoreInts<int32_t>(out, values);
  else StoreInts<int64_t>(out, values);
  return OkStatus();
}

// The k-th extent from the end, 1 beyond the first.
template <typename Values>
int64_t FromEnd(const Values& v, size_t k) {
  return k < v.size() ? v[v.size() - 1 - k] : 1;
}

template <typename Values>
Status Broadcast(const Values& a, const Values& b, Ints* out) {
  const size_t rank = std::max(a.size(), b.size());
  out->assign(rank, 1);
  for (size_t k = 0; k < rank; ++k) {
    const int64_t x = FromEnd(a, k), y = FromEnd(b, k);
    if (x != y && x != 1 && y != 1) {
      return InvalidArgument(Cat("shapes ", array::DimsText({a.data(), a.size()}), " and ",
                                 array::DimsText({b.data(), b.size()}), " do not broadcast"));
    }
    (*out)[rank - 1 - k] = x == 1 ? y : x;
  }
  return OkStatus();
}

// Which dimensions of the result each operand's gradient is summed over. Equal
// shapes have none, even where both have extent 1.
template <typename Values>
Status GradientAxes(const Values& a, const Values& b, Ints* first, Ints* second) {
  Ints out;
  MR_RETURN_IF_ERROR(Broadcast(a, b, &out));
  if (a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin())) return OkStatus();
  const size_t rank = out.size();
  for (size_t i = 0; i < rank; ++i) {
    const size_t k = rank - 1 - i;
    if (FromEnd(a, k) == 1) first->push_back(static_cast<int64_t>(i));
    if (FromEnd(b, k) == 1) second->push_back(static_cast<int64_t>(i));
  }
  return OkStatus();
}

Status BroadcastArgsShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape &a = ctx.input(0), &b = ctx.input(1);
  SymShape out = SymShape::Unknown(1);
  if (a.has_rank && b.has_rank) {
    if (a.dims[0].known() && b.dims[0].known()) out.dims[0] = Dim(std::max(a.dims[0].value(), b.dims[0].value()));
    else out.dims[0] = ctx.dims().Max(a.dims[0], b.dims[0]);
  }
  ctx.set_output(0, std::move(out));
  std::vector<SymElement> x, y;
  if (!array::IntElements(ctx, 0, &x) || !array::IntElements(ctx, 1, &y)) return OkStatus();
  SymShape sx = SymShape::Scalar(), sy = SymShape::Scalar(), both;
  for (const SymElement& e : x) sx.dims.push_back(e.dim());
  for (const SymElement& e : y) sy.dims.push_back(e.dim());
  MR_RETURN_IF_ERROR(BroadcastShapes(ctx.dims(), sx, sy, &both));
  SymTensor elements;
  for (const Dim d : both.dims) elements.elements.push_back(SymElement::Of(d));
  ctx.set_elements(0, std::move(elements));
  return OkStatus();
}

Status RunBroadcastArgs(KernelContext& ctx) {
  Ints out;
  MR_RETURN_IF_ERROR(Broadcast(array::ReadInts(ctx.input(0)), array::ReadInts(ctx.input(1)), &out));
  return SetInts(ctx, 0, out);
}

void SetAxes(InferenceContext& ctx, int i, const Ints& axes) {
  ctx.set_output(i, SymShape({Dim(static_cast<int64_t>(axes.size()))}));
  SymTensor elements;
  for (const int64_t a : axes) elements.elements.push_back(SymElement::Number(a));
  ctx.set_elements(i, std::move(elements));
}

// Decided here where numbers decide; where a symbol may turn out to be 1, only
// the run can tell.
Status BroadcastGradientArgsShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  ctx.set_output(0, SymShape::Unknown(1));
  ctx.set_output(1, SymShape::Unknown(1));
  std::vector<SymElement> x, y;
  if (!array::IntElements(ctx, 0, &x) || !array::IntElements(ctx, 1, &y)) return OkStatus();
  const auto decided = [](const SymElement& e) { return e.kind != SymElement::Kind::kUnknown; };
  if (x == y && std::ranges::all_of(x, decided)) {
    SetAxes(ctx, 0, {});
    SetAxes(ctx, 1, {});
    return OkStatus();
  }
  Ints a, b, first, second;
  for (const SymElement& e : x) {
    if (!e.known()) return OkStatus();
    a.push_back(e.number);
  }
  for (const SymElement& e : y) {
    if (!e.known()) return OkStatus();
    b.push_back(e.number);
  }
  MR_RETURN_IF_ERROR(GradientAxes(a, b, &first, &second));
  SetAxes(ctx, 0, first);
  SetAxes(ctx, 1, second);
  return OkStatus();
}

Status RunBroadcastGradientArgs(KernelContext& ctx) {
  Ints first, second;
  MR_RETURN_IF_ERROR(GradientAxes(array::ReadInts(ctx.input(0)), array::ReadInts(ctx.input(1)), &first, &second));
  MR_RETURN_IF_ERROR(SetInts(ctx, 0, first));
  return SetInts(ctx, 1, second);
}

}  // namespace

namespace families {
void array_broadcast_args(Registry& registry) {
  registry.Define("BroadcastArgs")
      .Input("s0: T")
      .Input("s1: T")
      .Output("r0: T")
      .Attr("T: {int32, int64} = DT_INT32")
      .Doc("The shape that two shapes broadcast to.")
      .Shape(BroadcastArgsShape)
      .NoGradient("its inputs are shapes")
      .Kernel("CPU", MakeKernel<RunBroadcastArgs>);
  registry.Define("BroadcastGradientArgs")
      .Input("s0: T")
      .Input("s1: T")
      .Output("r0: T")
      .Output("r1: T")
      .Attr("T: {int32, int64} = DT_INT32")
      .Doc("The dimensions over which the gradients of two broadcast operands are summed.")
      .Shape(BroadcastGradientArgsShape)
      .NoGradient("its inputs are shapes")
      .Kernel("CPU", MakeKernel<RunBroadcastGradientArgs>);
}
}  // namespace families
}  // namespace millrace
