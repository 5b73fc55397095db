// RUN: millrace-opt --passes=propagate-layout --split %s | FileCheck %s

// CHECK-LABEL: @two
func.func @two(%x: tensor<1x3x8x8xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x4x2x4xf32> {
  // CHECK: %[[P:.*]] = "graph.Const"() {{.*}}dense<[0, 2, 3, 1]>
  // CHECK: %[[T:.*]] = "graph.Transpose"(%arg0, %[[P]]) {{.*}} -> tensor<1x8x8x3xf32>
  // CHECK: %[[C:.*]] = "graph.Conv2D"(%[[T]], %arg1) {{.*}}data_format = "NHWC", dilations = [1, 1, 2, 1], explicit_paddings = [0, 0, 1, 2, 3, 4, 0, 0], padding = "EXPLICIT", strides = [1, 2, 1, 1]{{.*}} -> tensor<1x5x11x4xf32>
  // CHECK: %[[B:.*]] = "graph.Transpose"(%[[C]], %{{.*}}) {{.*}} -> tensor<1x4x5x11xf32>
  // CHECK: %[[U:.*]] = "graph.Transpose"(%[[B]]
  // CHECK: "graph.MaxPool"(%[[U]]) {{.*}}data_format = "NHWC"{{.*}}ksize = [1, 2, 3, 1]
  // CHECK: %[[R:.*]] = "graph.Transpose"
  // CHECK: return %[[R]]
  %c = "graph.Conv2D"(%x, %w) {T = f32, strides = [1, 1, 2, 1], padding = "EXPLICIT", explicit_paddings = [0, 0, 0, 0, 1, 2, 3, 4], data_format = "NCHW", dilations = [1, 1, 1, 2], use_cudnn_on_gpu = true} : (tensor<1x3x8x8xf32>, tensor<3x3x3x4xf32>) -> tensor<1x4x5x11xf32>
  %m = "graph.MaxPool"(%c) {T = f32, ksize = [1, 1, 2, 3], strides = [1, 1, 2, 2], padding = "VALID", explicit_paddings = [], data_format = "NCHW"} : (tensor<1x4x5x11xf32>) -> tensor<1x4x2x4xf32>
  return %m : tensor<1x4x2x4xf32>
}
// -----
// Two transposes cost more than one kernel gains.
// CHECK-LABEL: @one
func.func @one(%x: tensor<1x4x4x4xf32>) -> tensor<1x4x2x2xf32> {
  // CHECK-NOT: Transpose
  // CHECK: "graph.AvgPool"
  %m = "graph.AvgPool"(%x) {T = f32, ksize = [1, 1, 2, 2], strides = [1, 1, 2, 2], padding = "VALID", data_format = "NCHW"} : (tensor<1x4x4x4xf32>) -> tensor<1x4x2x2xf32>
  return %m : tensor<1x4x2x2xf32>
}
// -----
// The extents of an image are permuted with it, expressions too.
module attributes {graph.dims = ["'x.0'"]} {
  // CHECK-LABEL: @sizes
  func.func @sizes(%g: tensor<?x4x2x2xf32, #graph.dims<d0>>, %w: tensor<1x1x3x4xf32>) -> (tensor<?x3x2x2xf32, #graph.dims<d0>>, tensor<?x4x4x4xf32, #graph.dims<d0>>) {
    // CHECK: %[[S:.*]] = "graph.dims"() {elements = #graph.dims<d0, 2, 2, 3>}
    // CHECK: "graph.Conv2DBackpropInput"(%[[S]]
    // CHECK: %[[A:.*]] = "graph.dims"() {elements = #graph.dims<d0, 4, 4, 4>}
    // CHECK: "graph.AvgPoolGrad"(%[[A]]
    %s = "graph.dims"() {elements = #graph.dims<d0, 3, 2, 2>} : () -> tensor<4xi32>
    %a = "graph.dims"() {elements = #graph.dims<d0, 4, 4, 4>} : () -> tensor<4xi32>
    %x = "graph.Conv2DBackpropInput"(%s, %w, %g) {T = f32, strides = [1, 1, 1, 1], padding = "VALID", explicit_paddings = [], data_format = "NCHW", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<4xi32>, tensor<1x1x3x4xf32>, tensor<?x4x2x2xf32, #graph.dims<d0>>) -> tensor<?x3x2x2xf32, #graph.dims<d0>>
    %y = "graph.AvgPoolGrad"(%a, %g) {T = f32, ksize = [1, 1, 2, 2], strides = [1, 1, 2, 2], padding = "VALID", data_format = "NCHW"} : (tensor<4xi32>, tensor<?x4x2x2xf32, #graph.dims<d0>>) -> tensor<?x4x4x4xf32, #graph.dims<d0>>
    return %x, %y : tensor<?x3x2x2xf32, #graph.dims<d0>>, tensor<?x4x4x4xf32, #graph.dims<d0>>
  }
}
// -----
// The mean over a batch is a sum in the order of the layout.
// CHECK-LABEL: @training
func.func @training(%x: tensor<1x2x4x4xf32>, %s: tensor<2xf32>, %e: tensor<0xf32>) -> tensor<1x2x1x1xf32> {
  // CHECK-NOT: Transpose
  // CHECK: return
  %n:6 = "graph.FusedBatchNormV3"(%x, %s, %s, %e, %e) {T = f32, U = f32, data_format = "NCHW", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = true} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<0xf32>, tensor<0xf32>) -> (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<0xf32>)
  %p = "graph.AvgPool"(%n#0) {T = f32, ksize = [1, 1, 2, 2], strides = [1, 1, 2, 2], padding = "VALID", data_format = "NCHW"} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %q = "graph.AvgPool"(%p) {T = f32, ksize = [1, 1, 2, 2], strides = [1, 1, 2, 2], padding = "VALID", data_format = "NCHW"} : (tensor<1x2x2x2xf32>) -> tensor<1x2x1x1xf32>
  return %q : tensor<1x2x1x1xf32>
}
