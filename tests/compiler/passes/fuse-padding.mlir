// RUN: millrace-opt --passes=fuse-padding --split %s | FileCheck %s

// CHECK-LABEL: @pad
func.func @pad(%x: tensor<1x4x4x1xf32>) -> tensor<1x2x2x1xf32> {
  // CHECK-NOT: "graph.Pad"
  // CHECK: "graph.Conv2D"(%arg0, %{{.*}}) {{.*}}explicit_paddings = [0, 0, 0, 1, 0, 1, 0, 0], padding = "EXPLICIT"
  %a = "graph.Const"() {dtype = i32, value = dense<[[0, 0], [0, 1], [0, 1], [0, 0]]> : tensor<4x2xi32>} : () -> tensor<4x2xi32>
  %w = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<3x3x1x1xf32>} : () -> tensor<3x3x1x1xf32>
  %p = "graph.Pad"(%x, %a) {T = f32, Tpaddings = i32} : (tensor<1x4x4x1xf32>, tensor<4x2xi32>) -> tensor<1x5x5x1xf32>
  %c = "graph.Conv2D"(%p, %w) {T = f32, strides = [1, 2, 2, 1], padding = "VALID", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<1x5x5x1xf32>, tensor<3x3x1x1xf32>) -> tensor<1x2x2x1xf32>
  return %c : tensor<1x2x2x1xf32>
}
// -----
// Channels are no border of the image.
// CHECK-LABEL: @channels
func.func @channels(%x: tensor<1x5x5x1xf32>) -> tensor<1x2x2x1xf32> {
  // CHECK: "graph.Pad"
  %a = "graph.Const"() {dtype = i32, value = dense<[[0, 0], [0, 0], [0, 0], [0, 1]]> : tensor<4x2xi32>} : () -> tensor<4x2xi32>
  %w = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<3x3x2x1xf32>} : () -> tensor<3x3x2x1xf32>
  %p = "graph.Pad"(%x, %a) {T = f32, Tpaddings = i32} : (tensor<1x5x5x1xf32>, tensor<4x2xi32>) -> tensor<1x5x5x2xf32>
  %c = "graph.Conv2D"(%p, %w) {T = f32, strides = [1, 2, 2, 1], padding = "VALID", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<1x5x5x2xf32>, tensor<3x3x2x1xf32>) -> tensor<1x2x2x1xf32>
  return %c : tensor<1x2x2x1xf32>
}
// -----
// Zero times infinity is not zero.
// CHECK-LABEL: @infinite
func.func @infinite(%x: tensor<1x4x4x1xf32>) -> tensor<1x2x2x1xf32> {
  // CHECK: "graph.Pad"
  %a = "graph.Const"() {dtype = i32, value = dense<[[0, 0], [0, 1], [0, 1], [0, 0]]> : tensor<4x2xi32>} : () -> tensor<4x2xi32>
  %w = "graph.Const"() {dtype = f32, value = dense<0x7F800000> : tensor<3x3x1x1xf32>} : () -> tensor<3x3x1x1xf32>
  %p = "graph.Pad"(%x, %a) {T = f32, Tpaddings = i32} : (tensor<1x4x4x1xf32>, tensor<4x2xi32>) -> tensor<1x5x5x1xf32>
  %c = "graph.Conv2D"(%p, %w) {T = f32, strides = [1, 2, 2, 1], padding = "VALID", explicit_paddings = [], data_format = "NHWC", dilations = [1, 1, 1, 1], use_cudnn_on_gpu = true} : (tensor<1x5x5x1xf32>, tensor<3x3x1x1xf32>) -> tensor<1x2x2x1xf32>
  return %c : tensor<1x2x2x1xf32>
}
