#include "millrace/ops/registry/inference.h"

namespace millrace::shape_fns {

Status Unchanged(InferenceContext& c) {
  c.set_output(0, c.input(0));
  if (const SymTensor* elements = c.elements(0)) c.set_elements(0, *elements);
  const InferenceContext::Input& in = c.input_info(0);
  if (in.handle_shape != nullptr) c.set_handle(0, in.handle_dtype, *in.handle_shape);
  return OkStatus();
}

Status ScalarOutput(InferenceContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) c.set_output(i, SymShape::Scalar());
  return OkStatus();
}

Status UnknownOutputs(InferenceContext&) { return OkStatus(); }

Status BroadcastBinary(InferenceContext& c) {
  SymShape out;
  MR_RETURN_IF_ERROR(BroadcastShapes(c.dims(), c.input(0), c.input(1), &out));
  c.set_output(0, std::move(out));
  return OkStatus();
}

Status MergeInputs(InferenceContext& c) {
  SymShape out;
  for (int i = 0; i < c.num_inputs(); ++i) MR_RETURN_IF_ERROR(c.Merge(out, c.input(i), &out));
  c.set_output(0, std::move(out));
  return OkStatus();
}

Status NoOutputs(InferenceContext&) { return OkStatus(); }

}  // namespace millrace::shape_fns
