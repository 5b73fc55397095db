// Control flow of the first kind: Switch and Merge, and the frames of loops. No
// kernels: what is left of these nodes at a run is an error of the compiler.
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

// One of the inputs comes out: what all of them agree in is known.
Status MergeShape(InferenceContext& c) {
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

// The data comes out on one side or on the other.
Status SwitchShape(InferenceContext& c) {
  const InferenceContext::Input& data = c.input_info(0);
  for (int i = 0; i < 2; ++i) {
    c.set_output(i, data.shape);
    if (data.handle_shape != nullptr) c.set_handle(i, data.handle_dtype, *data.handle_shape);
  }
  return OkStatus();
}

// Each op has a twin for references.
struct Kind {
  const char* prefix;
  const char* type;
};
constexpr Kind kKinds[] = {{"", "T"}, {"Ref", "Ref(T)"}};

OpBuilder Define(Registry& registry, const Kind& kind, std::string_view name, std::string_view doc) {
  return registry.Define(std::string(kind.prefix).append(name)).Doc(doc);
}

}  // namespace

namespace families {

void control_frames(Registry& registry) {
  for (const Kind& kind : kKinds) {
    const std::string type = kind.type;
    const bool refs = *kind.prefix != '\0';
    OpBuilder either =
        Define(registry, kind, "Switch", "The data to the output that the predicate says, nothing to the other.");
    either.Input("data: " + type)
        .Input("pred: bool")
        .Output("output_false: " + type)
        .Output("output_true: " + type)
        .Attr("T: type")
        .Shape(SwitchShape);
    if (refs) either.AllowsUninitializedInput();
    Define(registry, kind, "Merge", "The first of the inputs that is there, and its number.")
        .Input(refs ? "inputs: Ref(N * T)" : "inputs: N * T")
        .Output("output: " + type)
        .Output("value_index: int32")
        .Attr("T: type")
        .Attr("N: int >= 1")
        .Shape(MergeShape);
    Define(registry, kind, "Enter", "Brings a tensor into the frame of a loop.")
        .Input("data: " + type)
        .Output("output: " + type)
        .Attr("T: type")
        .Attr("frame_name: string")
        .Attr("is_constant: bool = false")
        .Attr("parallel_iterations: int = 10")
        .Shape(shape_fns::Unchanged);
    Define(registry, kind, "NextIteration", "Hands a tensor to the next iteration of its loop.")
        .Input("data: " + type)
        .Output("output: " + type)
        .Attr("T: type")
        .Shape(shape_fns::Unchanged);
    Define(registry, kind, "Exit", "Brings a tensor out of the frame of its loop.")
        .Input("data: " + type)
        .Output("output: " + type)
        .Attr("T: type")
        .Shape(shape_fns::Unchanged);
  }
  registry.Define("LoopCond")
      .Input("input: bool")
      .Output("output: bool")
      .Doc("What decides whether its loop goes on.")
      .Shape(shape_fns::Unchanged)
      .NoGradient("it is a decision");
}

}  // namespace families
}  // namespace millrace
