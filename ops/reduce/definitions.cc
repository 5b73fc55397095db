#include "millrace/ops/reduce/definitions.h"

#include "millrace/ops/reduce/engine.h"

namespace millrace::reduce {
namespace {

class Reduction final : public Kernel {
 public:
  Reduction(const Loops& loops, bool keep_dims) : loops_(loops), keep_dims_(keep_dims) {}
  Status Run(KernelContext& ctx) const override {
    Layout layout;
    MR_RETURN_IF_ERROR(MakeLayout(ctx.input(0), ctx.input(1), keep_dims_, &layout));
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, array::SpanOf(layout.output_dims)));
    return Reduce(ctx, loops_, layout, ctx.input(0).data, ctx.output(0).data);
  }

 private:
  const Loops& loops_;
  const bool keep_dims_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> NewReduction(const KernelInit& init, const Loops* loops) {
  if (loops == nullptr) return Unimplemented("no kernel for this type");
  return std::unique_ptr<Kernel>(new Reduction(*loops, init.attr<bool>("keep_dims")));
}

OpBuilder DefineReduction(Registry& registry, std::string name, std::string_view types) {
  OpBuilder b = registry.Define(std::move(name));
  const bool truth = types.empty();
  b.Input(truth ? "input: bool" : "input: T").Input("reduction_indices: Tidx");
  b.Output(truth ? "output: bool" : "output: T").Attr("keep_dims: bool = false");
  if (!truth) b.Attr(types);
  b.Attr("Tidx: {int32, int64} = DT_INT32").Shape(ReductionShape);
  return b;
}

}  // namespace millrace::reduce
