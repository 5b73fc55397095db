func.func @one(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}
