// RUN: millrace-opt --passes=infer-shapes --split %s | FileCheck %s
// RUN: not millrace-opt --passes=infer-shapes --split %S/Inputs/bad-shapes.mlir 2>&1 | FileCheck %s --check-prefix=BAD

// CHECK: graph.dims = ["'x.0'", "'t.0'", "d0 broadcast d1"]
module attributes {graph.dims = ["'x.0'", "'t.0'"]} {
  // CHECK: -> (tensor<?xf32, #graph.dims<d2>>, tensor<?x4xf32, #graph.dims<d0>>)
  func.func @run(%x: tensor<?xf32, #graph.dims<d0>>, %t: tensor<?xf32, #graph.dims<d1>>, %m: tensor<?x3xf32, #graph.dims<d0>>, %w: tensor<3x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
    // Two open dimensions that meet stay undecided.
    %a = "graph.Mul"(%x, %t) {T = f32} : (tensor<?xf32, #graph.dims<d0>>, tensor<?xf32, #graph.dims<d1>>) -> tensor<*xf32>
    %b = "graph.MatMul"(%m, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x3xf32, #graph.dims<d0>>, tensor<3x4xf32>) -> tensor<*xf32>
    // CHECK: graph.elements = [#graph.dims<d0, 4>]
    %s = "graph.Shape"(%b) {T = f32, out_type = i32} : (tensor<*xf32>) -> tensor<*xi32>
    return %a, %b : tensor<*xf32>, tensor<*xf32>
  }
}
// -----
// A shape that only the run knows stays open.
// CHECK-LABEL: @late
func.func @late(%x: tensor<4xf32>, %s: tensor<2xi32>) -> tensor<*xf32> {
  // CHECK: "graph.Reshape"{{.*}} -> tensor<?x?xf32>
  %a = "graph.Reshape"(%x, %s) {T = f32, Tshape = i32} : (tensor<4xf32>, tensor<2xi32>) -> tensor<*xf32>
  return %a : tensor<*xf32>
}

// BAD: node 'product' (MatMul)
