// All phases together: what is left of shape arithmetic and a bias.
// RUN: millrace-opt --phases=infer,differentiate,simplify,place,fuse,schedule %s | FileCheck %s

module attributes {graph.dims = ["'x.0'"]} {
  // CHECK: func.func @run(%arg0: tensor<?x3xf32, #graph.dims<d0>>)
  // CHECK-SAME: -> tensor<?x2x2xf32, #graph.dims<d0>>
  func.func @run(%x: tensor<?x3xf32, #graph.dims<d0>>) -> tensor<*xf32> {
    // CHECK-DAG: %[[W:.*]] = "graph.Const"() {{.*}}tensor<3x4xf32>
    // CHECK-DAG: %[[B:.*]] = "graph.Const"() {{.*}}tensor<4xf32>
    // CHECK: %[[P:.*]] = "graph._FusedMatMul"(%arg0, %[[W]], %[[B]]) {{.*}}plan.step = 0
    // CHECK-NEXT: %[[R:.*]] = "graph.alias"(%[[P]])
    // CHECK-NEXT: return %[[R]]
    %w = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<3x4xf32>} : () -> tensor<3x4xf32>
    %b = "graph.Const"() {dtype = f32, value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>} : () -> tensor<4xf32>
    %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x3xf32, #graph.dims<d0>>, tensor<3x4xf32>) -> tensor<*xf32>
    %a = "graph.BiasAdd"(%p, %b) {T = f32, data_format = "NHWC"} : (tensor<*xf32>, tensor<4xf32>) -> tensor<*xf32>
    %s = "graph.Shape"(%x) {T = f32, out_type = i32} : (tensor<?x3xf32, #graph.dims<d0>>) -> tensor<2xi32>
    %0 = "graph.Const"() {dtype = i32, value = dense<0> : tensor<1xi32>} : () -> tensor<1xi32>
    %1 = "graph.Const"() {dtype = i32, value = dense<1> : tensor<1xi32>} : () -> tensor<1xi32>
    %n = "graph.StridedSlice"(%s, %0, %1, %1) {Index = i32, T = i32, begin_mask = 0 : i64, ellipsis_mask = 0 : i64, end_mask = 0 : i64, new_axis_mask = 0 : i64, shrink_axis_mask = 1 : i64} : (tensor<2xi32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<i32>
    %2 = "graph.Const"() {dtype = i32, value = dense<2> : tensor<i32>} : () -> tensor<i32>
    %t = "graph.Pack"(%n, %2, %2) {N = 3 : i64, T = i32, axis = 0 : i64} : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<*xi32>
    %r = "graph.Reshape"(%a, %t) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<*xi32>) -> tensor<*xf32>
    return %r : tensor<*xf32>
  }
}
