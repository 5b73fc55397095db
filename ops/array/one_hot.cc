// OneHot.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Where the new dimension goes: -1 is last.
Status OneHotAxis(int64_t attr, int rank, int* axis) {
  if (attr < -1 || attr > rank) return InvalidArgument(Cat("axis must be in [-1, ", rank, "], found ", attr));
  *axis = static_cast<int>(attr < 0 ? rank : attr);
  return OkStatus();
}

Status OneHotShape(InferenceContext& ctx) {
  for (int i = 1; i < 4; ++i) MR_RETURN_IF_ERROR(ctx.WithRank(i, 0));
  if (ctx.attr<int64_t>("axis") < -1) return InvalidArgument("axis must be at least -1");
  Dim depth;
  if (const auto known = array::IntScalar(ctx, 1)) {
    if (*known < 0) return InvalidArgument(Cat("depth must not be negative, found ", *known));
    depth = Dim(*known);
  } else if (const SymTensor* elements = ctx.elements(1); elements != nullptr && !elements->elements.empty()) {
    depth = elements->elements[0].dim();
  }
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  int axis = 0;
  MR_RETURN_IF_ERROR(OneHotAxis(ctx.attr<int64_t>("axis"), out.rank(), &axis));
  out.dims.insert(out.dims.begin() + axis, depth);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

class OneHot final : public Kernel {
 public:
  explicit OneHot(const KernelInit& init) : axis_(init.attr<int64_t>("axis")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& indices = ctx.input(0);
    const int64_t depth = array::IntAt(ctx.input(1), 0);
    if (depth < 0) return InvalidArgument(Cat("depth must not be negative, found ", depth));
    int axis = 0;
    MR_RETURN_IF_ERROR(OneHotAxis(axis_, indices.rank, &axis));
    Ints dims = array::IntsOf(indices.shape());
    dims.insert(dims.begin() + axis, depth);
    if (!ElementCount(SpanOf(dims))) {
      return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    const TensorView& out = ctx.output(0);
    array::FillElements(ctx, out.dtype, ctx.input(3).data, out.data, out.num_elements);
    int64_t inner = 1;
    for (int k = axis; k < indices.rank; ++k) inner *= indices.dim(k);
    array::DispatchWord(out.dtype, [&]<typename W>() {
      const W on = *static_cast<const W*>(ctx.input(2).data);
      W* o = static_cast<W*>(out.data);
      for (int64_t i = 0; i < indices.num_elements; ++i) {
        const int64_t index = array::IntAt(indices, i);
        if (index >= 0 && index < depth) o[(i / inner * depth + index) * inner + i % inner] = on;
      }
    });
    return OkStatus();
  }

 private:
  const int64_t axis_;
};

}  // namespace

namespace families {
void array_one_hot(Registry& registry) {
  registry.Define("OneHot")
      .Input("indices: TI")
      .Input("depth: int32")
      .Input("on_value: T")
      .Input("off_value: T")
      .Output("output: T")
      .Attr("axis: int = -1")
      .Attr("T: type")
      .Attr("TI: {uint8, int8, int32, int64} = DT_INT64")
      .Doc(
          "on_value where the new dimension's position is the index, off_value elsewhere; an index out of range has no "
          "place.")
      .Shape(OneHotShape)
      .NoGradient("the reference takes on_value and off_value for constants")
      .Kernel("CPU", NewKernel<OneHot>);
}
}  // namespace families
}  // namespace millrace
