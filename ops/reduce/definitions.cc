#include "millrace/ops/reduce/definitions.h"

namespace millrace::reduce {

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
