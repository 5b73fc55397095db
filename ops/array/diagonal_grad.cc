// Gradients of ops on diagonals.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void DiagGradient(GradientContext& g) { g.set(0, ops::DiagPart(g, g.grad())); }
void DiagPartGradient(GradientContext& g) { g.set(0, ops::Diag(g, g.grad())); }
void MatrixDiagGradient(GradientContext& g) { g.set(0, ops::MatrixDiagPart(g, g.grad())); }

void MatrixDiagPartGradient(GradientContext& g) {
  const Output x = g.input();
  const SymShape& shape = x.shape();
  const int rank = shape.rank();
  if (rank >= 2) {
    const Dim rows = shape.dims[static_cast<size_t>(rank) - 2], columns = shape.dims[static_cast<size_t>(rank) - 1];
    if (!rows.unknown() && rows == columns) return g.set(0, ops::MatrixDiag(g, g.grad()));
  }
  g.set(0, ops::MatrixSetDiag(g, ops::ZerosLike(g, x), g.grad()));
}

void MatrixSetDiagGradient(GradientContext& g) {
  g.set(0, ops::MatrixSetDiag(g, g.grad(), ops::ZerosLike(g, g.input(1))));
  g.set(1, ops::MatrixDiagPart(g, g.grad()));
}

void MatrixBandPartGradient(GradientContext& g) { g.set(0, ops::MatrixBandPart(g, g.grad(), g.input(1), g.input(2))); }

// The same for several diagonals; padding gets and gives nothing.
void MatrixDiagV3Gradient(GradientContext& g) {
  g.set(0, ops::MatrixDiagPartV3(g, g.grad(), g.input(1), 0, {.align = g.attr<std::string>("align")}));
}

void MatrixDiagPartV3Gradient(GradientContext& g) {
  const std::string& align = g.attr<std::string>("align");
  g.set(0, ops::MatrixSetDiagV3(g, ops::ZerosLike(g, g.input()), g.grad(), g.input(1), {.align = align}));
}

void MatrixSetDiagV3Gradient(GradientContext& g) {
  const std::string& align = g.attr<std::string>("align");
  const Output k = g.input(2);
  g.set(0, ops::MatrixSetDiagV3(g, g.grad(), ops::ZerosLike(g, g.input(1)), k, {.align = align}));
  g.set(1, ops::MatrixDiagPartV3(g, g.grad(), k, 0, {.align = align}));
}

}  // namespace

namespace gradients {

void array_diagonal(GradientTable& t) {
  t.Define("Diag", DiagGradient);
  t.Define("DiagPart", DiagPartGradient);
  t.Define("MatrixBandPart", MatrixBandPartGradient);
  t.Define("MatrixDiag", MatrixDiagGradient);
  t.Define("MatrixDiagPart", MatrixDiagPartGradient);
  t.Define("MatrixDiagPartV3", MatrixDiagPartV3Gradient);
  t.Define("MatrixDiagV3", MatrixDiagV3Gradient);
  t.Define("MatrixSetDiag", MatrixSetDiagGradient);
  t.Define("MatrixSetDiagV3", MatrixSetDiagV3Gradient);
}

}  // namespace gradients
}  // namespace millrace
