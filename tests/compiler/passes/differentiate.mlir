// RUN: millrace-opt --passes=infer-shapes,differentiate,refine-shapes,dce --split %s | FileCheck %s
// RUN: not millrace-opt --passes=differentiate --split %S/Inputs/no-gradient.mlir 2>&1 | FileCheck %s --check-prefix=BAD

// The gradient's operations stand where the node stood, with the feed's symbols.
// CHECK: graph.dims = ["'x.0'"]
module attributes {graph.dims = ["'x.0'"]} {
  // CHECK: @run(%[[X:.*]]: tensor<?x3xf32, #graph.dims<d0>>
  func.func @run(%x: tensor<?x3xf32, #graph.dims<d0>>) -> tensor<*xf32> {
    // CHECK: %[[Y:.*]] = "graph.Tanh"(%[[X]])
    %y = "graph.Tanh"(%x) {T = f32} : (tensor<?x3xf32, #graph.dims<d0>>) -> tensor<*xf32>
    // CHECK: %[[ONES:.*]] = "graph.Fill"
    // CHECK: %[[D:.*]] = "graph.TanhGrad"(%[[Y]], %[[ONES]]){{.*}} -> tensor<?x3xf32, #graph.dims<d0>>
    // CHECK-NOT: graph.Gradients
    %d = "graph.Gradients"(%y, %x) {Tys = [f32], Tgrads = [], Txs = [f32], Tdxs = [f32]} : (tensor<*xf32>, tensor<?x3xf32, #graph.dims<d0>>) -> tensor<*xf32>
    // CHECK: return %[[D]]
    return %d : tensor<*xf32>
  }
}
// -----
// Second order: the first gradient is there when the second one is expanded.
// CHECK-LABEL: @second
func.func @second(%x: tensor<f32>, %dy: tensor<f32>) -> tensor<*xf32> {
  %y = "graph.Exp"(%x) {T = f32} : (tensor<f32>) -> tensor<*xf32>
  %d = "graph.Gradients"(%y, %dy, %x) {Tys = [f32], Tgrads = [f32], Txs = [f32], Tdxs = [f32]} : (tensor<*xf32>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  // CHECK-NOT: graph.Gradients
  %dd = "graph.Gradients"(%d, %dy, %x) {Tys = [f32], Tgrads = [f32], Txs = [f32], Tdxs = [f32]} : (tensor<*xf32>, tensor<f32>, tensor<f32>) -> tensor<*xf32>
  // CHECK: return %{{.*}} : tensor<f32>
  return %dd : tensor<*xf32>
}
// -----
// A reference stands for its value; an x that no y depends on gets zeros.
// CHECK-LABEL: @variables
func.func @variables() -> (tensor<*xf32>, tensor<*xf32>) {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<2xindex>, shared_name = "w"} : () -> !graph.ref<tensor<2xf32>>
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<3xindex>, shared_name = "v"} : () -> !graph.ref<tensor<3xf32>>
  %r = "graph.read"(%w) : (!graph.ref<tensor<2xf32>>) -> tensor<2xf32>
  %y = "graph.Square"(%r) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %x = "graph.read"(%w) : (!graph.ref<tensor<2xf32>>) -> tensor<2xf32>
  %z = "graph.read"(%v) : (!graph.ref<tensor<3xf32>>) -> tensor<3xf32>
  // CHECK: "graph.ZerosLike"
  %d:2 = "graph.Gradients"(%y, %x, %z) {Tys = [f32], Tgrads = [], Txs = [f32, f32], Tdxs = [f32, f32]} : (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  // CHECK: return %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<3xf32>
  return %d#0, %d#1 : tensor<*xf32>, tensor<*xf32>
}
// -----
// Who waited for the node waits for its gradients, and they for what it waited for.
// CHECK: @order(%{{.*}}: tensor<f32>, %[[DY:.*]]: tensor<f32>)
func.func @order(%x: tensor<f32>, %dy: tensor<f32>) -> (tensor<*xf32>, !graph.control) {
  // CHECK: %[[W:.*]] = "graph.VariableV2"
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "w"} : () -> !graph.ref<tensor<f32>>
  // CHECK: %[[A:.*]]:2 = "graph.Assign"
  %a:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %r = "graph.read"(%w, %a#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  // CHECK: %[[READ:.*]] = "graph.read"(%[[W]], %[[A]]#1)
  %y = "graph.Mul"(%x, %r, %a#1) {T = f32} : (tensor<f32>, tensor<f32>, !graph.control) -> tensor<f32>
  // CHECK: %[[D:.*]]:2 = "graph.Mul"(%[[DY]], %[[READ]], %[[A]]#1)
  // CHECK: %[[DONE:.*]] = "graph.NoOp"(%[[A]]#1, %[[D]]#1)
  %d:2 = "graph.Gradients"(%y, %dy, %x, %a#1) {Tys = [f32], Tgrads = [f32], Txs = [f32], Tdxs = [f32]} : (tensor<f32>, tensor<f32>, tensor<f32>, !graph.control) -> (tensor<*xf32>, !graph.control)
  // CHECK: return %[[D]]#0, %[[DONE]]
  return %d#0, %d#1 : tensor<*xf32>, !graph.control
}
// -----
// Which gradient function an operation wants is a note; it ends here.
// CHECK-LABEL: @note
func.func @note(%x: tensor<f32>) -> (tensor<f32>, tensor<*xf32>) {
  // CHECK: "graph.Exp"(%{{.*}}) {T = f32} :
  %y = "graph.Exp"(%x) {T = f32, graph.gradient = "Neg"} : (tensor<f32>) -> tensor<f32>
  // The gradient of Neg, not of Exp.
  // CHECK: "graph.Neg"
  %d = "graph.Gradients"(%y, %x) {Tys = [f32], Tgrads = [], Txs = [f32], Tdxs = [f32]} : (tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return %y, %d : tensor<f32>, tensor<*xf32>
}

// BAD: node 'rows' (GatherV2): no gradient: {{.*}}; on the path {{.*}}h -> rows
