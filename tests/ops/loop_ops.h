// A registry with the ops of v1 control flow: the built-in one has none of them.
#pragma once

#include <memory>

#include "millrace/ops/registry/op.h"

namespace millrace {

inline Status MergeShape(InferenceContext& c) {
  SymShape shape = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) {
    const SymShape& other = c.input(i);
    if (!shape.has_rank || other.rank() != shape.rank()) {
      shape = SymShape();
      break;
    }
    for (size_t d = 0; d < shape.dims.size(); ++d) {
      if (shape.dims[d] != other.dims[d]) shape.dims[d] = Dim();
    }
  }
  c.set_output(0, shape);
  c.set_output(1, SymShape::Scalar());
  return OkStatus();
}

inline Status SwitchShape(InferenceContext& c) {
  c.set_output(0, c.input(0));
  c.set_output(1, c.input(0));
  return OkStatus();
}

inline std::unique_ptr<Registry> WithLoops() {
  auto registry = Registry::Extending();
  registry->Define("Merge")
      .Input("inputs: N * T")
      .Output("output: T")
      .Output("value_index: int32")
      .Attr("T: type")
      .Attr("N: int >= 1")
      .Shape(MergeShape);
  registry->Define("Switch")
      .Input("data: T")
      .Input("pred: bool")
      .Output("output_false: T")
      .Output("output_true: T")
      .Attr("T: type")
      .Shape(SwitchShape);
  for (const char* name : {"NextIteration", "Exit"}) {
    registry->Define(name).Input("data: T").Output("output: T").Attr("T: type").Shape(shape_fns::Unchanged);
  }
  registry->Define("Enter")
      .Input("data: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("frame_name: string")
      .Attr("is_constant: bool = false")
      .Attr("parallel_iterations: int = 10")
      .Shape(shape_fns::Unchanged);
  registry->Define("LoopCond").Input("input: bool").Output("output: bool").Shape(shape_fns::Unchanged);
  return registry;
}

}  // namespace millrace
