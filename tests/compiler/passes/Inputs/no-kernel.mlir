func.func @run(%p: tensor<!graph.string>, %n: tensor<1x!graph.string>, %x: tensor<f32>) -> tensor<*xf32> {
  "graph.SaveV2"(%p, %n, %n, %x) {dtypes = [f32]} : (tensor<!graph.string>, tensor<1x!graph.string>, tensor<1x!graph.string>, tensor<f32>) -> () loc("first")
  %r = "graph.RestoreV2"(%p, %n, %n) {dtypes = [f32]} : (tensor<!graph.string>, tensor<1x!graph.string>, tensor<1x!graph.string>) -> tensor<*xf32> loc("second")
  return %r : tensor<*xf32>
}
