#include "millrace/ops/math/definitions.h"

#include "millrace/proto/value/strings.h"

namespace millrace::math {

Status SameShape(InferenceContext& c) {
  c.set_output(0, c.input(0));
  return OkStatus();
}

OpBuilder DefineUnary(Registry& r, std::string name, std::string_view types) {
  OpBuilder b = r.Define(std::move(name));
  b.Input("x: T").Output("y: T").Attr(Cat("T: ", types)).Shape(SameShape);
  return b;
}

OpBuilder DefineBinary(Registry& r, std::string name, std::string_view types) {
  OpBuilder b = r.Define(std::move(name));
  b.Input("x: T").Input("y: T").Output("z: T").Attr(Cat("T: ", types));
  b.Shape(shape_fns::BroadcastBinary);
  return b;
}

OpBuilder DefineResultGradient(Registry& r, std::string name, std::string_view types) {
  OpBuilder b = r.Define(std::move(name));
  b.Input("y: T").Input("dy: T").Output("z: T").Attr(Cat("T: ", types));
  b.Shape(shape_fns::MergeInputs);
  return b;
}

}  // namespace millrace::math
