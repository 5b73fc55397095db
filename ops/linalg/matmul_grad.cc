// Gradients of matrix products.
#include "millrace/ops/builder/linalg_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/linalg/batch_gradient.h"

namespace millrace {
namespace {

struct Products {
  Output by_a, by_b;
};

// Of a product of `a` and `b`, each transposed as it says, whose gradient is `g`:
// product(x, y, transpose x, transpose y) makes one.
template <typename Product>
Products ByFactors(const Output& a, const Output& b, bool a_transposed, bool b_transposed, const Output& g,
                   const Product& product) {
  return {a_transposed ? product(b, g, b_transposed, true) : product(g, b, false, !b_transposed),
          b_transposed ? product(g, a, true, a_transposed) : product(a, g, !a_transposed, false)};
}

void MatMulGradient(GradientContext& g) {
  // Transposing does not conjugate here.
  const Products by =
      ByFactors(g.Conj(g.input(0)), g.Conj(g.input(1)), g.attr<bool>("transpose_a"), g.attr<bool>("transpose_b"),
                g.grad(), [&](const Output& x, const Output& y, bool tx, bool ty) {
                  return ops::MatMul(g, x, y, {.transpose_a = tx, .transpose_b = ty});
                });
  g.set(0, by.by_a);
  g.set(1, by.by_b);
}

template <typename Product>
Products BatchProducts(GradientContext& g, const Product& product) {
  return ByFactors(g.input(0), g.input(1), g.attr<bool>("adj_x"), g.attr<bool>("adj_y"), g.grad(), product);
}

void BatchMatMulGradient(GradientContext& g) {
  const Products by = BatchProducts(g, [&](const Output& x, const Output& y, bool tx, bool ty) {
    return ops::BatchMatMul(g, x, y, {.adj_x = tx, .adj_y = ty});
  });
  g.set(0, by.by_a);
  g.set(1, by.by_b);
}

void BatchMatMulV2Gradient(GradientContext& g) {
  const Products by = BatchProducts(g, [&](const Output& x, const Output& y, bool tx, bool ty) {
    return ops::BatchMatMulV2(g, x, y, {.adj_x = tx, .adj_y = ty});
  });
  linalg::SetBatchGradients(g, by.by_a, by.by_b);
}

void BatchMatMulV3Gradient(GradientContext& g) {
  // Each gradient in the dtype of its factor.
  const DType types[] = {g.type("Ta"), g.type("Tb")};
  int factor = 0;
  const Products by = BatchProducts(g, [&](const Output& x, const Output& y, bool tx, bool ty) {
    return ops::BatchMatMulV3(g, x, y, types[factor++], {.adj_x = tx, .adj_y = ty});
  });
  linalg::SetBatchGradients(g, by.by_a, by.by_b);
}

}  // namespace

namespace gradients {

void matmul(GradientTable& t) {
  t.Define("MatMul", MatMulGradient);
  t.Define("BatchMatMul", BatchMatMulGradient);
  t.Define("BatchMatMulV2", BatchMatMulV2Gradient);
  t.Define("BatchMatMulV3", BatchMatMulV3Gradient);
}

}  // namespace gradients
}  // namespace millrace
