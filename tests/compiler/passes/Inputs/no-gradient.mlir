func.func @bad(%x: tensor<2x3xf32>, %i: tensor<*xi32>) -> tensor<*xf32> {
  %a = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
  %h = "graph.Exp"(%x) {T = f32} : (tensor<2x3xf32>) -> tensor<2x3xf32> loc("h")
  %g = "graph.GatherV2"(%h, %i, %a) {Taxis = i32, Tindices = i32, Tparams = f32, batch_dims = -1} : (tensor<2x3xf32>, tensor<*xi32>, tensor<i32>) -> tensor<*xf32> loc("rows")
  %d = "graph.Gradients"(%g, %x) {Tys = [f32], Tgrads = [], Txs = [f32], Tdxs = [f32]} : (tensor<*xf32>, tensor<2x3xf32>) -> tensor<*xf32> loc("late")
  return %d : tensor<*xf32>
}
