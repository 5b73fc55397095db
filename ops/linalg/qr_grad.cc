// The gradient of Qr.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/linalg_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

Output AdjointProduct(GradientContext& g, const Output& x, const Output& y) {
  return ops::BatchMatMulV2(g, x, y, {.adj_x = true});
}
Output ProductAdjoint(GradientContext& g, const Output& x, const Output& y) {
  return ops::BatchMatMulV2(g, x, y, {.adj_y = true});
}

// Of a = q r with as many rows as columns, or more: (dq + q s) r^-H, where s is
// Hermitian with the upper triangle (of the diagonal the real part) of
// dr r^H - q^H dq.
Output Tall(GradientContext& g, const Output& q, const Output& r, const Output& dq, const Output& dr) {
  const Output m = ProductAdjoint(g, dr, r) - AdjointProduct(g, q, dq);
  const Output adjoint = ProductAdjoint(g, r, dr) - AdjointProduct(g, dq, q);
  const Output diagonals = ops::MatrixBandPart(g, m, 0, 0) + ops::MatrixBandPart(g, adjoint, 0, 0);
  const Output s = ops::MatrixBandPart(g, m, 0, -1) + ops::MatrixBandPart(g, adjoint, -1, 0) - diagonals * 0.5;
  const Output identity = ops::MatrixDiag(g, ops::OnesLike(g, ops::MatrixDiagPart(g, r)));
  const Output inverse = ops::MatrixTriangularSolve(g, r, identity, {.lower = false, .adjoint = true});
  return ops::BatchMatMulV2(g, dq + ops::BatchMatMulV2(g, q, s), inverse);
}

// The first k columns, or all but these.
Output First(GradientContext& g, const Output& x, const Output& k) {
  return ops::StridedSlice(g, x, {0, 0}, ops::Pack(g, {0, k}), {1, 1}, {.ellipsis_mask = 1});
}
Output Rest(GradientContext& g, const Output& x, const Output& k) {
  return ops::StridedSlice(g, x, ops::Pack(g, {0, k}), {0, 0}, {1, 1}, {.end_mask = 2, .ellipsis_mask = 1});
}

void QrGradient(GradientContext& g) {
  // Extents of the matrices, or -1.
  int64_t m = -1, n = -1;
  if (const SymShape& shape = g.input().shape(); shape.rank() >= 2) {
    const Dim rows = shape.dims[shape.dims.size() - 2], columns = shape.dims.back();
    if (rows.known()) m = rows.value();
    if (columns.known()) n = columns.value();
  }
  const bool known = m >= 0 && n >= 0;
  if (g.attr<bool>("full_matrices") && !(known && m <= n)) {
    return g.Fail("the columns of a full q that the matrix does not reach may be any: there is no gradient");
  }
  const Output q = g.output(0), r = g.output(1), dq = g.grad(0), dr = g.grad(1);
  if (known && m >= n) return g.set(0, Tall(g, q, r, dq, dr));
  // [x y] = q [u v] with u square: y is q v, so that its part flows through q too.
  const Output k = ops::StridedSlice(g, ops::Shape(g, r), {-2}, {-1}, {1}, {.shrink_axis_mask = 1});
  const Output y = Rest(g, g.input(), k), dv = Rest(g, dr, k);
  const Output dx = Tall(g, q, First(g, r, k), dq + ProductAdjoint(g, y, dv), First(g, dr, k));
  g.set(0, ops::ConcatV2(g, {dx, ops::BatchMatMulV2(g, q, dv)}, -1));
}

}  // namespace

namespace gradients {

void qr(GradientTable& t) { t.Define("Qr", QrGradient); }

}  // namespace gradients
}  // namespace millrace
