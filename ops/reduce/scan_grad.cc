// Gradients of scans: scans the other way.
#include <limits>

#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

template <typename Attrs>
Attrs Backwards(const GradientContext& g) {
  return {.exclusive = g.attr<bool>("exclusive"), .reverse = !g.attr<bool>("reverse")};
}

void CumsumGradient(GradientContext& g) {
  g.set(0, ops::Cumsum(g, g.grad(), g.input(1), Backwards<ops::CumsumAttrs>(g)));
}

// Each element is a factor of the products after it. As in the original it is not
// right where one is zero, and complex numbers are not conjugated.
void CumprodGradient(GradientContext& g) {
  const Output sum = ops::Cumsum(g, g.output() * g.grad(), g.input(1), Backwards<ops::CumsumAttrs>(g));
  g.set(0, ops::DivNoNan(g, sum, g.input()));
}

double Lowest(DType type) {
  switch (type) {
    case DType::kDouble:
      return std::numeric_limits<double>::lowest();
    case DType::kFloat:
      return std::numeric_limits<float>::lowest();
    case DType::kHalf:
      return -65504;
    default:  // bfloat16
      return -0x1.fep127;
  }
}

// grad exp(x - y) summed, by its logarithm: parts of either sign on their own.
// What has the other sign has the lowest number for its logarithm, not -inf, which
// would come back as a NaN in second order.
void LogsumexpGradient(GradientContext& g) {
  const Output x = g.input(), y = g.output(), grad = g.grad();
  const auto part = [&](const Output& counts, const Output& size) {
    const Output log = ops::SelectV2(g, counts, ops::Log(g, size), Lowest(g.type()));
    return ops::Exp(g,
                    ops::CumulativeLogsumexp(g, log - y, g.input(1), Backwards<ops::CumulativeLogsumexpAttrs>(g)) + x);
  };
  g.set(0, part(grad > 0, grad) - part(grad < 0, -grad));
}

}  // namespace

namespace gradients {

void reduce_scan(GradientTable& t) {
  t.Define("Cumsum", CumsumGradient);
  t.Define("Cumprod", CumprodGradient);
  t.Define("CumulativeLogsumexp", LogsumexpGradient);
}

}  // namespace gradients
}  // namespace millrace
