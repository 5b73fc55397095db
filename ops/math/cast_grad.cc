// The gradient of Cast.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

// Integers end the way.
void CastGradient(GradientContext& g) {
  const auto passes = [](DType t) { return IsFloating(t) || IsComplex(t); };
  const DType from = g.type("SrcT");
  if (passes(from) && passes(g.type("DstT"))) g.set(0, ops::Cast(g, g.grad(), from));
}

}  // namespace

namespace gradients {

void cast(GradientTable& t) { t.Define("Cast", CastGradient); }

}  // namespace gradients

}  // namespace millrace
