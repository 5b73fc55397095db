// RUN: millrace-opt --passes=fuse-epilogues,dce --split %s | FileCheck %s

// CHECK-LABEL: @bias_relu
func.func @bias_relu(%x: tensor<?x2xf32>, %w: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  // CHECK-NEXT: %[[R:.*]] = "graph._FusedMatMul"(%arg0, %arg1, %arg2)
  // CHECK-SAME: fused_ops = ["BiasAdd", "Relu"]
  // CHECK-SAME: num_args = 1 : i64
  // CHECK-NEXT: return %[[R]]
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %a = "graph.BiasAdd"(%p, %b) {T = f32, data_format = "NHWC"} : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %r = "graph.Relu"(%a) {T = f32} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}
// -----
// A constant along the channels is a bias; a tensor of the same shape a residual.
module attributes {graph.dims = ["'x.0'"]} {
  // CHECK-LABEL: @residual
  func.func @residual(%x: tensor<?x4x4x2xf32, #graph.dims<d0>>, %w: tensor<1x1x2x2xf32>) -> tensor<?x4x4x2xf32, #graph.dims<d0>> {
    // CHECK: %[[B:.*]] = "graph.Const"() {{.*}}dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
    // CHECK-NEXT: "graph._FusedConv2D"(%arg0, %arg1, %[[B]], %arg0)
    // CHECK-SAME: fused_ops = ["BiasAdd", "Add", "Relu6"]
    // CHECK-SAME: num_args = 2 : i64
    %c = "graph.Const"() {dtype = f32, value = dense<[[[[1.0, 2.0]]]]> : tensor<1x1x1x2xf32>} : () -> tensor<1x1x1x2xf32>
    %p = "graph.Conv2D"(%x, %w) {T = f32, strides = [1, 1, 1, 1], padding = "SAME", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<?x4x4x2xf32, #graph.dims<d0>>, tensor<1x1x2x2xf32>) -> tensor<?x4x4x2xf32, #graph.dims<d0>>
    %a = "graph.AddV2"(%c, %p) {T = f32} : (tensor<1x1x1x2xf32>, tensor<?x4x4x2xf32, #graph.dims<d0>>) -> tensor<?x4x4x2xf32, #graph.dims<d0>>
    %s = "graph.AddV2"(%a, %x) {T = f32} : (tensor<?x4x4x2xf32, #graph.dims<d0>>, tensor<?x4x4x2xf32, #graph.dims<d0>>) -> tensor<?x4x4x2xf32, #graph.dims<d0>>
    %r = "graph.Relu6"(%s) {T = f32} : (tensor<?x4x4x2xf32, #graph.dims<d0>>) -> tensor<?x4x4x2xf32, #graph.dims<d0>>
    return %r : tensor<?x4x4x2xf32, #graph.dims<d0>>
  }
}
// -----
// A vector that is added to the rows is a bias, wherever it comes from.
// CHECK-LABEL: @vector
func.func @vector(%x: tensor<?x2xf32>, %w: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  // CHECK-NEXT: "graph._FusedMatMul"(%arg0, %arg1, %arg2)
  // CHECK-SAME: fused_ops = ["BiasAdd"]
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %a = "graph.AddV2"(%b, %p) {T = f32} : (tensor<3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return %a : tensor<?x3xf32>
}
// -----
// CHECK-LABEL: @depthwise
func.func @depthwise(%x: tensor<1x4x4x2xf32>, %w: tensor<3x3x2x1xf32>, %b: tensor<2xf32>) -> tensor<1x4x4x2xf32> {
  // CHECK-NEXT: "graph._FusedDepthwiseConv2dNative"
  %p = "graph.DepthwiseConv2dNative"(%x, %w) {T = f32, strides = [1, 1, 1, 1], padding = "SAME", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1]} : (tensor<1x4x4x2xf32>, tensor<3x3x2x1xf32>) -> tensor<1x4x4x2xf32>
  %a = "graph.BiasAdd"(%p, %b) {T = f32, data_format = "NHWC"} : (tensor<1x4x4x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  return %a : tensor<1x4x4x2xf32>
}
// -----
// Left alone: the product is also a result; half rounds at every node; an
// addition that broadcasts is no residual; a heavy activation may join a cluster.
// CHECK-LABEL: @alone
func.func @alone(%x: tensor<?x2xf32>, %w: tensor<2x3xf32>, %b: tensor<3xf32>, %h: tensor<2x2xf16>, %hb: tensor<2xf16>, %y: tensor<2x3xf32>, %z: tensor<3x3xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x2xf16>, tensor<2x3xf32>) {
  // CHECK-NOT: _Fused
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %a = "graph.BiasAdd"(%p, %b) {T = f32, data_format = "NHWC"} : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %q = "graph.MatMul"(%h, %h) {T = f16, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<2x2xf16>, tensor<2x2xf16>) -> tensor<2x2xf16>
  %c = "graph.BiasAdd"(%q, %hb) {T = f16, data_format = "NHWC"} : (tensor<2x2xf16>, tensor<2xf16>) -> tensor<2x2xf16>
  %n = "graph.Tanh"(%y) {T = f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %m = "graph.MatMul"(%y, %z) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
  %t = "graph.Tanh"(%m) {T = f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %r = "graph.Mul"(%n, %t) {T = f32} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %p, %a, %c, %r : tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x2xf16>, tensor<2x3xf32>
}
// -----
// No bias: the activation alone. A number that is added is a bias for all.
// CHECK-LABEL: @no_bias
func.func @no_bias(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: %[[T:.*]] = "graph._FusedMatMul"(%arg0, %arg0)
  // CHECK-SAME: fused_ops = ["Tanh"]
  // CHECK-SAME: num_args = 0 : i64
  // CHECK: %[[B:.*]] = "graph.Const"() {{.*}}dense<2.000000e+00> : tensor<2xf32>
  // CHECK: "graph._FusedMatMul"(%[[T]], %arg0, %[[B]])
  // CHECK-SAME: fused_ops = ["BiasAdd", "Relu"]
  %c = "graph.Const"() {dtype = f32, value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
  %p = "graph.MatMul"(%x, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %t = "graph.Tanh"(%p) {T = f32} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %q = "graph.MatMul"(%t, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = "graph.AddV2"(%q, %c) {T = f32} : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %r = "graph.Relu"(%a) {T = f32} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}
