// Shapes of tensors as tensors, and tensors under other shapes.
#include <algorithm>
#include <limits>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// The elements of an integer tensor stay what they are under another shape.
void KeepElements(InferenceContext& c) {
  const SymShape& shape = c.outputs()[0].shape;
  if (!shape.has_rank || shape.rank() > 1) return;
  if (std::optional<SymTensor> elements = IntegerElements(c, 0)) {
    elements->scalar = shape.rank() == 0;
    if (elements->scalar && elements->elements.size() != 1) return;
    c.set_elements(0, *std::move(elements));
  }
}

void ShapeOf(InferenceContext& c, int i) {
  const SymShape& in = c.input(i);
  if (!in.has_rank) {
    c.set_output(i, SymShape::Unknown(1));
    return;
  }
  c.set_output(i, SymShape({Dim(in.rank())}));
  SymTensor elements;
  for (Dim d : in.dims) elements.elements.push_back(SymElement::Of(d));
  c.set_elements(i, std::move(elements));
}

Status ShapeShape(InferenceContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) ShapeOf(c, i);
  return OkStatus();
}

Status SizeShape(InferenceContext& c) {
  c.set_output(0, SymShape::Scalar());
  if (!c.input(0).has_rank) return OkStatus();
  Dim size = 1;
  for (Dim d : c.input(0).dims) size = c.dims().Mul(size, d);
  if (!size.unknown()) c.set_elements(0, SymTensor{true, {SymElement::Of(size)}});
  return OkStatus();
}

Status RankShape(InferenceContext& c) {
  c.set_output(0, SymShape::Scalar());
  if (c.input(0).has_rank) c.set_elements(0, SymTensor{true, {SymElement::Number(c.input(0).rank())}});
  return OkStatus();
}

// Writes `value` as element `i` of an int32 or int64 tensor.
Status Write(const TensorView& out, int64_t i, int64_t value) {
  if (out.dtype == DType::kInt64) {
    out.as<int64_t>()[i] = value;
    return OkStatus();
  }
  if (value > std::numeric_limits<int32_t>::max()) {
    return InvalidArgument(Cat("expected a number that int32 can hold, found ", value, ": ask for int64"));
  }
  out.as<int32_t>()[i] = static_cast<int32_t>(value);
  return OkStatus();
}

Status RunShape(KernelContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (!ctx.output_wanted(i)) continue;
    const TensorView& in = ctx.input(i);
    const int64_t rank = in.rank;
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, {&rank, 1}));
    for (int d = 0; d < in.rank; ++d) MR_RETURN_IF_ERROR(Write(ctx.output(i), d, in.dim(d)));
  }
  return OkStatus();
}

Status RunSize(KernelContext& ctx) {
  return ctx.output_wanted(0) ? Write(ctx.output(0), 0, ctx.input(0).num_elements) : OkStatus();
}
Status RunRank(KernelContext& ctx) {
  return ctx.output_wanted(0) ? Write(ctx.output(0), 0, ctx.input(0).rank) : OkStatus();
}

// Product of the extents, unknown where one is; InvalidArgument where it overflows.
Status CountElements(InferenceContext& c, const std::vector<Dim>& dims, Dim* count) {
  *count = 1;
  bool unknown = false;
  for (Dim d : dims) {
    unknown = unknown || d.unknown();
    const Dim before = *count;
    *count = c.dims().Mul(before, d);
    if (before.known() && d.known() && count->unknown()) {
      return InvalidArgument(
          Cat("expected a shape of fewer than 2^63 elements, found ", c.dims().ToString(SymShape(dims))));
    }
  }
  if (unknown && count->symbolic()) *count = Dim();
  return OkStatus();
}

// The extent that stands for -1 in `extents` for a tensor of shape `from`. Where
// an extent is 0 the tensor is empty, and the other dimensions decide, as far as
// they can. Nothing where no extent fits.
std::optional<int64_t> InferredExtent(std::span<const int64_t> from, std::span<const int64_t> extents) {
  const bool empty = std::find(extents.begin(), extents.end(), 0) != extents.end();
  int64_t rest = 1, count = 1;
  bool skipped = false;
  for (int64_t e : extents) {
    if (e > 0 && __builtin_mul_overflow(rest, e, &rest)) return std::nullopt;
  }
  for (int64_t e : from) {
    if (e == 0 && empty) skipped = true;
    else if (__builtin_mul_overflow(count, e, &count)) return std::nullopt;
  }
  // A shape of no elements is for a tensor of none.
  if (skipped != empty || (!skipped && count % rest != 0)) return std::nullopt;
  return count / rest;
}

Status ReshapeShape(InferenceContext& c) {
  SymShape shape;
  MR_RETURN_IF_ERROR(c.InputAsShape(1, &shape));
  const std::optional<SymTensor> given = IntegerElements(c, 1);
  if (given && given->scalar) return InvalidArgument("input 1: expected a vector of extents, found a scalar");
  if (!shape.has_rank) return OkStatus();
  int inferred = -1;
  bool open = !given.has_value() && !shape.dims.empty();
  Dim rest = 1;  // elements, but for the extent that is inferred
  if (given) {
    std::vector<Dim> others;
    for (size_t d = 0; d < shape.dims.size(); ++d) {
      const SymElement& e = given->elements[d];
      if (e.known() && e.number == -1) {
        if (inferred >= 0) {
          return InvalidArgument(Cat("input 1: expected at most one extent of -1, found it at ", inferred, " and ", d));
        }
        inferred = static_cast<int>(d);
      } else {
        open = open || shape.dims[d].unknown();
        others.push_back(shape.dims[d]);
      }
    }
    MR_RETURN_IF_ERROR(CountElements(c, others, &rest));
  }
  Dim count;
  if (c.input(0).has_rank) MR_RETURN_IF_ERROR(CountElements(c, c.input(0).dims, &count));
  const auto mismatch = [&] {
    std::vector<std::string> extents;
    for (const SymElement& e : given->elements) extents.push_back(c.dims().ToString(e));
    return InvalidArgument(
        Cat("expected a shape for the input's ", count.value(), " elements, found [", Join(extents, ", "), "]"));
  };
  if (inferred >= 0 && !open && !count.unknown() && !rest.unknown()) {
    Dim& extent = shape.dims[static_cast<size_t>(inferred)];
    if (rest.known() && c.input(0).FullyKnown()) {
      std::vector<int64_t> from, extents;
      for (Dim d : c.input(0).dims) from.push_back(d.value());
      for (const SymElement& e : given->elements) extents.push_back(e.number);
      const std::optional<int64_t> found = InferredExtent(from, extents);
      if (!found) return mismatch();
      extent = Dim(*found);
    } else if (rest == Dim(0)) {
      // The run says.
    } else {
      extent = c.dims().FloorDiv(count, rest);
      // A symbol in the divisor: the run refuses 0 with the node's name.
      if (extent.unknown()) extent = c.dims().FloorDiv(count, c.dims().Max(rest, 1));
    }
  } else if (inferred < 0 && !open && count.known() && rest.known() && count != rest) {
    return given ? mismatch() : InvalidArgument(Cat("expected one element for a scalar, found ", count.value()));
  }
  c.set_output(0, std::move(shape));
  KeepElements(c);
  return OkStatus();
}

Status SqueezeShape(InferenceContext& c) {
  const SymShape& in = c.input(0);
  if (!in.has_rank) return OkStatus();
  const std::vector<int64_t>& axes = c.attr<ListValue>("squeeze_dims").i;
  const int rank = in.rank();
  std::vector<bool> squeezed(in.dims.size(), false);
  for (int64_t axis : axes) {
    int a = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(axis, rank, "squeeze_dims", &a));
    const Dim d = in.dims[static_cast<size_t>(a)];
    if (d.known() && d.value() != 1) {
      return InvalidArgument(Cat("expected extent 1 at dimension ", a, " to squeeze, found ", d.value()));
    }
    squeezed[static_cast<size_t>(a)] = true;
  }
  std::vector<Dim> dims;
  for (size_t d = 0; d < in.dims.size(); ++d) {
    if (axes.empty()) {
      // Whether an open extent is 1, and goes, is not known before the run.
      if (!in.dims[d].known()) return OkStatus();
      squeezed[d] = in.dims[d].value() == 1;
    }
    if (!squeezed[d]) dims.push_back(in.dims[d]);
  }
  c.set_output(0, SymShape(std::move(dims)));
  KeepElements(c);
  return OkStatus();
}

Status ExpandDimsShape(InferenceContext& c) {
  if (c.input(1).has_rank && c.input(1).rank() > 1) {
    return InvalidArgument(Cat("input 1: expected a scalar, found shape ", c.dims().ToString(c.input(1))));
  }
  if (const std::optional<SymTensor> axis = IntegerElements(c, 1); axis && axis->elements.size() != 1) {
    return InvalidArgument(Cat("input 1: expected one axis, found ", axis->elements.size()));
  }
  const SymShape& in = c.input(0);
  if (!in.has_rank) return OkStatus();
  const SymElement axis = IntegerScalar(c, 1);
  if (!axis.known()) {
    c.set_output(0, SymShape::Unknown(in.rank() + 1));
    return OkStatus();
  }
  int at = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(axis.number, in.rank() + 1, "axis", &at));
  std::vector<Dim> dims = in.dims;
  dims.insert(dims.begin() + at, Dim(1));
  c.set_output(0, SymShape(std::move(dims)));
  KeepElements(c);
  return OkStatus();
}

// The elements in their order; inference has made the shape, or the inputs do.
Status CopyTo(KernelContext& ctx, std::span<const int64_t> dims) {
  const TensorView& in = ctx.input(0);
  if (!ctx.output_wanted(0)) return OkStatus();
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, dims));
  const DType dtype = in.dtype;
  void* const to = ctx.output(0).data;
  if (to == in.data) return OkStatus();
  ctx.ParallelFor(in.num_elements, BlockFor(static_cast<double>(array::MemorySize(dtype)) / 8),
                  [&](int64_t begin, int64_t end, int) {
                    array::CopySerial(dtype, array::ElementAt(static_cast<const void*>(in.data), dtype, begin),
                                      array::ElementAt(to, dtype, begin), end - begin);
                  });
  return OkStatus();
}

Status RunReshape(KernelContext& ctx) {
  const TensorView& in = ctx.input(0);
  array::Ints dims = array::ReadInts(ctx.input(1));
  int inferred = -1;
  int64_t count = 1;
  bool good = true;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] == -1 && inferred < 0) inferred = static_cast<int>(d);
    else good = good && dims[d] >= 0 && !__builtin_mul_overflow(count, dims[d], &count);
  }
  if (inferred >= 0 && good) {
    const std::optional<int64_t> extent = InferredExtent(in.shape(), array::SpanOf(dims));
    good = extent && !__builtin_mul_overflow(count, *extent, &count);
    if (good) dims[static_cast<size_t>(inferred)] = *extent;
  }
  if (!good || count != in.num_elements) {
    return InvalidArgument(Cat("expected a shape for the input's ", in.num_elements, " elements, found ",
                               array::DimsText(array::SpanOf(dims))));
  }
  return CopyTo(ctx, array::SpanOf(dims));
}

class SqueezeKernel final : public Kernel {
 public:
  explicit SqueezeKernel(const KernelInit& init) : axes_(init.attr<ListValue>("squeeze_dims").i) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView& in = ctx.input(0);
    array::Ints dims;
    for (int d = 0; d < in.rank; ++d) {
      bool asked = axes_.empty();
      for (int64_t axis : axes_) asked = asked || (axis < 0 ? axis + in.rank : axis) == d;
      if (!asked || in.dim(d) != 1) dims.push_back(in.dim(d));
    }
    return CopyTo(ctx, array::SpanOf(dims));
  }

 private:
  std::vector<int64_t> axes_;
};

Status RunExpandDims(KernelContext& ctx) {
  const TensorView& in = ctx.input(0);
  if (ctx.input(1).num_elements != 1) {
    return InvalidArgument(Cat("input 1: expected one axis, found ", ctx.input(1).num_elements));
  }
  int at = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(1), 0), in.rank + 1, "axis", &at));
  array::Ints dims = array::IntsOf(in.shape());
  dims.insert(dims.begin() + at, 1);
  return CopyTo(ctx, array::SpanOf(dims));
}

}  // namespace

namespace families {

void array_reshape(Registry& registry) {
  registry.Define("Shape")
      .Input("input: T")
      .Output("output: out_type")
      .Attr("T: type")
      .Attr("out_type: {int32, int64} = DT_INT32")
      .Doc("The extents of a tensor.")
      .Shape(ShapeShape)
      .NoGradient("does not depend on the elements")
      .Kernel("CPU", MakeKernel<RunShape>);
  registry.Define("ShapeN")
      .Input("input: N * T")
      .Output("output: N * out_type")
      .Attr("N: int >= 1")
      .Attr("T: type")
      .Attr("out_type: {int32, int64} = DT_INT32")
      .Doc("The extents of several tensors.")
      .Shape(ShapeShape)
      .NoGradient("does not depend on the elements")
      .Kernel("CPU", MakeKernel<RunShape>);
  registry.Define("Size")
      .Input("input: T")
      .Output("output: out_type")
      .Attr("T: type")
      .Attr("out_type: {int32, int64} = DT_INT32")
      .Doc("The number of elements.")
      .Shape(SizeShape)
      .NoGradient("does not depend on the elements")
      .Kernel("CPU", MakeKernel<RunSize>);
  registry.Define("Rank")
      .Input("input: T")
      .Output("output: int32")
      .Attr("T: type")
      .Doc("The number of dimensions.")
      .Shape(RankShape)
      .NoGradient("does not depend on the elements")
      .Kernel("CPU", MakeKernel<RunRank>);
  registry.Define("Reshape")
      .Input("tensor: T")
      .Input("shape: Tshape")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tshape: {int32, int64} = DT_INT32")
      .Doc("The elements under another shape; one extent may be -1 and is inferred.")
      .Shape(ReshapeShape)
      .Kernel("CPU", MakeKernel<RunReshape>);
  registry.Define("Squeeze")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("squeeze_dims: list(int) >= 0 = []")
      .Doc("Without the dimensions of extent 1: all of them, or those that are named.")
      .Shape(SqueezeShape)
      .Kernel("CPU", NewKernel<SqueezeKernel>);
  registry.Define("ExpandDims")
      .Input("input: T")
      .Input("dim: Tdim")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tdim: {int32, int64} = DT_INT32")
      .Doc("With one more dimension of extent 1.")
      .Shape(ExpandDimsShape)
      .Kernel("CPU", MakeKernel<RunExpandDims>);
}

}  // namespace families
}  // namespace millrace
