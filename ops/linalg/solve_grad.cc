// Gradients of inverses, determinants, solvers and Cholesky's factor.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/linalg_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/linalg/batch_gradient.h"

namespace millrace {
namespace {

// Products x y, x^H y and x y^H.
Output Product(GradientContext& g, const Output& x, const Output& y) { return ops::BatchMatMulV2(g, x, y); }
Output AdjointProduct(GradientContext& g, const Output& x, const Output& y) {
  return ops::BatchMatMulV2(g, x, y, {.adj_x = true});
}
Output ProductAdjoint(GradientContext& g, const Output& x, const Output& y) {
  return ops::BatchMatMulV2(g, x, y, {.adj_y = true});
}

void InverseGradient(GradientContext& g) {
  const Output y = g.output(), dy = g.grad();
  // -y^H dy y^H; of the adjoint's inverse -y dy^H y.
  g.set(0, g.attr<bool>("adjoint") ? -Product(g, y, AdjointProduct(g, dy, y))
                                   : -AdjointProduct(g, y, ProductAdjoint(g, dy, y)));
}

// factors[..., 1, 1] times the adjoint of the inverse of the input.
Output TimesInverse(GradientContext& g, const Output& factors) {
  const Output inverse = ops::MatrixInverse(g, g.input(), {.adjoint = true});
  return ops::ExpandDims(g, ops::ExpandDims(g, factors, -1), -1) * inverse;
}
// As in the original, which does not conjugate a complex determinant.
void DeterminantGradient(GradientContext& g) { g.set(0, TimesInverse(g, g.grad() * g.output())); }
// The sign does not move.
void LogDeterminantGradient(GradientContext& g) { g.set(0, TimesInverse(g, g.grad(1))); }

void SolveGradient(GradientContext& g) {
  const bool adjoint = g.attr<bool>("adjoint");
  const Output x = g.output();
  const Output by_rhs = ops::MatrixSolve(g, g.input(0), g.grad(), {.adjoint = !adjoint});
  g.set(0, adjoint ? -ProductAdjoint(g, x, by_rhs) : -ProductAdjoint(g, by_rhs, x));
  g.set(1, by_rhs);
}

void TriangularSolveGradient(GradientContext& g) {
  const bool adjoint = g.attr<bool>("adjoint"), lower = g.attr<bool>("lower");
  const Output x = g.output();
  const Output by_rhs = ops::MatrixTriangularSolve(g, g.input(0), g.grad(), {.lower = lower, .adjoint = !adjoint});
  const Output by_matrix = adjoint ? -ProductAdjoint(g, x, by_rhs) : -ProductAdjoint(g, by_rhs, x);
  linalg::SetBatchGradients(
      g, lower ? ops::MatrixBandPart(g, by_matrix, -1, 0) : ops::MatrixBandPart(g, by_matrix, 0, -1), by_rhs);
}

// Half of l^-H (p + p^H) l^-1, where p is the lower triangle of l^H dl with half
// of its diagonal.
void CholeskyGradient(GradientContext& g) {
  const Output l = g.output(), dl = g.grad();
  const Output p = AdjointProduct(g, l, dl), q = AdjointProduct(g, dl, l);  // q is p's adjoint
  const Output diagonals = ops::MatrixBandPart(g, p, 0, 0) + ops::MatrixBandPart(g, q, 0, 0);
  const Output both = ops::MatrixBandPart(g, p, -1, 0) + ops::MatrixBandPart(g, q, 0, -1) - diagonals * 0.5;
  const Output inverse = ops::MatrixInverse(g, l);
  g.set(0, AdjointProduct(g, inverse, Product(g, both, inverse)) * 0.5);
}

}  // namespace

namespace gradients {

void solve(GradientTable& t) {
  t.Define("MatrixInverse", InverseGradient);
  t.Define("MatrixDeterminant", DeterminantGradient);
  t.Define("LogMatrixDeterminant", LogDeterminantGradient);
  t.Define("MatrixSolve", SolveGradient);
  t.Define("MatrixTriangularSolve", TriangularSolveGradient);
  t.Define("Cholesky", CholeskyGradient);
}

}  // namespace gradients
}  // namespace millrace
