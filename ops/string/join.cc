// StringJoin.
#include <algorithm>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Scalars go with any shape.
Status JoinShape(InferenceContext& ctx) {
  SymShape out;
  bool scalars = true;
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (ctx.input(i).rank() == 0) continue;
    scalars = false;
    if (ctx.input(i).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(out, ctx.input(i), &out));
  }
  // An input of unknown rank may be a scalar or not.
  ctx.set_output(0, scalars ? SymShape::Scalar() : std::move(out));
  return OkStatus();
}

class StringJoin final : public Kernel {
 public:
  explicit StringJoin(const KernelInit& init) : separator_(init.attr<std::string>("separator")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView* shape = &ctx.input(0);
    for (int i = 0; i < ctx.num_inputs(); ++i) {
      if (ctx.input(i).rank > 0) {
        if (shape->rank > 0 && !std::ranges::equal(shape->shape(), ctx.input(i).shape())) {
          return InvalidArgument(Cat("inputs should have one shape, found ", array::DimsText(shape->shape()), " and ",
                                     array::DimsText(ctx.input(i).shape())));
        }
        shape = &ctx.input(i);
      }
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, shape->shape()));
    const TensorView& out = ctx.output(0);
    Checkpoint checkpoint(ctx);
    for (int64_t k = 0; k < out.num_elements; ++k) {
      std::string& text = out.as<std::string>()[k];
      if (checkpoint.Reached(static_cast<double>(100 * ctx.num_inputs()))) return Checkpoint::Stopped();
      text.clear();
      for (int i = 0; i < ctx.num_inputs(); ++i) {
        const TensorView& input = ctx.input(i);
        if (i > 0) text.append(separator_);
        text.append(input.as<std::string>()[input.rank == 0 ? 0 : k]);
      }
    }
    return OkStatus();
  }

 private:
  const std::string separator_;
};

}  // namespace

namespace families {
void string_join(Registry& registry) {
  registry.Define("StringJoin")
      .Input("inputs: N * string")
      .Output("output: string")
      .Attr("N: int >= 0")
      .Attr("separator: string = ''")
      .Doc("The inputs' texts one after the other.")
      .Shape(JoinShape)
      .NoGradient("text")
      .Kernel("CPU", NewKernel<StringJoin>);
}
}  // namespace families
}  // namespace millrace
