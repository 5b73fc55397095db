// The checkpoint ops that exported graphs carry beside what they compute. They
// are definitions: such nodes import, and are an error where a run reaches them.
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

constexpr std::string_view kFiles = "it works on files";

// Tensor i has the shape that its entry of input 2 (shape_and_slices) says,
// which is text: unknown here.
Status RestoreShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 0));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 1));
  return shape_fns::UnknownOutputs(ctx);
}
Status SaveShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 0));
  return ctx.WithRank(1, 1);
}

}  // namespace

namespace families {
void state_checkpoint(Registry& registry) {
  registry.Define("Save")
      .Input("filename: string")
      .Input("tensor_names: string")
      .Input("data: T")
      .Attr("T: list(type) >= 1")
      .Stateful()
      .Doc("Writes tensors to a file of the old format.")
      .Shape(SaveShape)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("SaveSlices")
      .Input("filename: string")
      .Input("tensor_names: string")
      .Input("shapes_and_slices: string")
      .Input("data: T")
      .Attr("T: list(type) >= 1")
      .Stateful()
      .Doc("Writes slices of tensors to a file of the old format.")
      .Shape(SaveShape)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("SaveV2")
      .Input("prefix: string")
      .Input("tensor_names: string")
      .Input("shape_and_slices: string")
      .Input("tensors: dtypes")
      .Attr("dtypes: list(type) >= 1")
      .Stateful()
      .Doc("Writes tensors to a checkpoint.")
      .Shape(SaveShape)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("Restore")
      .Input("file_pattern: string")
      .Input("tensor_name: string")
      .Output("tensor: dt")
      .Attr("dt: type")
      .Attr("preferred_shard: int = -1")
      .Stateful()
      .Doc("Reads a tensor from a checkpoint.")
      .Shape(shape_fns::UnknownOutputs)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("RestoreSlice")
      .Input("file_pattern: string")
      .Input("tensor_name: string")
      .Input("shape_and_slice: string")
      .Output("tensor: dt")
      .Attr("dt: type")
      .Attr("preferred_shard: int = -1")
      .Stateful()
      .Doc("Reads a slice of a tensor from a checkpoint.")
      .Shape(shape_fns::UnknownOutputs)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("RestoreV2")
      .Input("prefix: string")
      .Input("tensor_names: string")
      .Input("shape_and_slices: string")
      .Output("tensors: dtypes")
      .Attr("dtypes: list(type) >= 1")
      .Stateful()
      .Doc("Reads tensors from a checkpoint.")
      .Shape(RestoreShape)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("MergeV2Checkpoints")
      .Input("checkpoint_prefixes: string")
      .Input("destination_prefix: string")
      .Attr("delete_old_dirs: bool = true")
      .Attr("allow_missing_files: bool = false")
      .Stateful()
      .Doc("Makes one checkpoint of several.")
      .Shape(shape_fns::NoOutputs)
      .NoGradient(kFiles)
      .Outside();
  registry.Define("ShardedFilename")
      .Input("basename: string")
      .Input("shard: int32")
      .Input("num_shards: int32")
      .Output("filename: string")
      .Doc("The name of a shard's file.")
      .Shape(shape_fns::ScalarOutput)
      .NoGradient("text");
  registry.Define("ShardedFilespec")
      .Input("basename: string")
      .Input("num_shards: int32")
      .Output("filename: string")
      .Doc("The pattern of all shards' files.")
      .Shape(shape_fns::ScalarOutput)
      .NoGradient("text");
}
}  // namespace families
}  // namespace millrace
