// RUN: millrace-opt --passes=fold-batch-norm,dce --split %s | FileCheck %s

// As frozen networks write it: product * scale + offset.
// CHECK-LABEL: @matmul
func.func @matmul(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // CHECK: %[[W:.*]] = "graph.Const"() {{.*}}dense<{{\[}}[2.000000e+00, -6.000000e+00], [6.000000e+00, -1.200000e+01]]>
  // CHECK: %[[P:.*]] = "graph.MatMul"(%arg0, %[[W]])
  // CHECK: %[[B:.*]] = "graph.Const"() {{.*}}dense<[1.100000e+01, 2.200000e+01]>
  // CHECK: %[[R:.*]] = "graph.BiasAdd"(%[[P]], %[[B]])
  // CHECK-NEXT: return %[[R]]
  %w = "graph.Const"() {dtype = f32, value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %s = "graph.Const"() {dtype = f32, value = dense<[2.0, -3.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %o = "graph.Const"() {dtype = f32, value = dense<[[11.0, 22.0]]> : tensor<1x2xf32>} : () -> tensor<1x2xf32>
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %m = "graph.Mul"(%p, %s) {T = f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %a = "graph.AddV2"(%m, %o) {T = f32} : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  return %a : tensor<?x2xf32>
}
// -----
// The rows of a transposed matrix are its channels.
// CHECK-LABEL: @transposed
func.func @transposed(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // CHECK: dense<{{\[}}[2.000000e+00, 4.000000e+00], [-9.000000e+00, -1.200000e+01]]>
  %w = "graph.Const"() {dtype = f32, value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %s = "graph.Const"() {dtype = f32, value = dense<[2.0, -3.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = true} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %m = "graph.Mul"(%s, %p) {T = f32} : (tensor<2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %m : tensor<?x2xf32>
}
// -----
// Inference with constant statistics: (product - 3) / sqrt(4) * 2 + 10.
// CHECK-LABEL: @fused
func.func @fused(%x: tensor<?x4x4x1xf32>) -> tensor<?x4x4x1xf32> {
  // CHECK: dense<5.000000e+00> : tensor<1x1x1x1xf32>
  // CHECK: "graph.Conv2D"
  // CHECK-NEXT: dense<7.000000e+00> : tensor<1xf32>
  // CHECK-NEXT: "graph.BiasAdd"
  // CHECK-NEXT: return
  %w = "graph.Const"() {dtype = f32, value = dense<5.0> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %scale = "graph.Const"() {dtype = f32, value = dense<2.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %offset = "graph.Const"() {dtype = f32, value = dense<10.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %mean = "graph.Const"() {dtype = f32, value = dense<3.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %variance = "graph.Const"() {dtype = f32, value = dense<4.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %p = "graph.Conv2D"(%x, %w) {T = f32, strides = [1, 1, 1, 1], padding = "SAME", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<?x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<?x4x4x1xf32>
  %n:6 = "graph.FusedBatchNormV3"(%p, %scale, %offset, %mean, %variance) {T = f32, U = f32, epsilon = 0.0 : f32, exponential_avg_factor = 1.0 : f32, data_format = "NHWC", is_training = false} : (tensor<?x4x4x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> (tensor<?x4x4x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<*xf32>)
  return %n#0 : tensor<?x4x4x1xf32>
}
// -----
// Left alone: the product has another use; the factor is no constant; nothing is
// scaled; a factor is not finite.
// CHECK-LABEL: @alone
func.func @alone(%x: tensor<?x2xf32>, %v: tensor<2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  // CHECK-NOT: "graph.BiasAdd"
  %w = "graph.Const"() {dtype = f32, value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %s = "graph.Const"() {dtype = f32, value = dense<[2.0, -3.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %inf = "graph.Const"() {dtype = f32, value = dense<[2.0, 0x7F800000]> : tensor<2xf32>} : () -> tensor<2xf32>
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %a = "graph.Mul"(%p, %s) {T = f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %q = "graph.MatMul"(%a, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %b = "graph.Mul"(%q, %v) {T = f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %r = "graph.MatMul"(%b, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %c = "graph.AddV2"(%r, %s) {T = f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %t = "graph.MatMul"(%c, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %d = "graph.Mul"(%t, %inf) {T = f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %p, %a, %b, %c, %d : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
// -----
// An axis is a constant too, of fewer bytes than a factor.
// CHECK-LABEL: @axis
func.func @axis(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // CHECK: "graph.MatMul"
  // CHECK: "graph.Cumsum"
  %w = "graph.Const"() {dtype = f32, value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : () -> tensor<2x2xf32>
  %i = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
  %p = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %c = "graph.Cumsum"(%p, %i) {T = f32, Tidx = i32, exclusive = false, reverse = false} : (tensor<?x2xf32>, tensor<i32>) -> tensor<?x2xf32>
  return %c : tensor<?x2xf32>
}
