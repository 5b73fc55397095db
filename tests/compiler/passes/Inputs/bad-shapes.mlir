func.func @bad(%m: tensor<2x3xf32>, %w: tensor<4x4xf32>) -> tensor<*xf32> {
  %b = "graph.MatMul"(%m, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<2x3xf32>, tensor<4x4xf32>) -> tensor<*xf32> loc("product")
  return %b : tensor<*xf32>
}
