// RUN: millrace-opt --passes=hoist-pool-gradients,dce --split %s | FileCheck %s

// CHECK-LABEL: @network
func.func @network(%y: tensor<3x4x4x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: %[[P:.*]] = "graph.MaxPool"(%arg0)
  // CHECK: %[[R:.*]] = "graph.ReluGrad"(%arg1, %[[P]])
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %[[P]], %[[R]])
  // CHECK: %[[B:.*]] = "graph.BiasAddGrad"(%[[R]])
  // CHECK: return %[[D]], %[[B]]
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x2x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// Windows that overlap add up what all of them let pass, or none.
// CHECK-LABEL: @overlap
func.func @overlap(%y: tensor<3x5x5x2xf32>, %g: tensor<3x4x2x2xf32>) -> (tensor<3x5x5x2xf32>) {
  // CHECK: %[[R:.*]] = "graph.Relu6Grad"(%arg1, %[[P:[0-9]+]])
  // CHECK: "graph.MaxPoolGrad"(%arg0, %[[P]], %[[R]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 1, 2, 1]} : (tensor<3x5x5x2xf32>) -> tensor<3x4x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 1, 2, 1]} : (tensor<3x5x5x2xf32>, tensor<3x4x2x2xf32>, tensor<3x4x2x2xf32>) -> tensor<3x5x5x2xf32>
  %r = "graph.Relu6Grad"(%d, %y) {T = f32} : (tensor<3x5x5x2xf32>, tensor<3x5x5x2xf32>) -> tensor<3x5x5x2xf32>
  return %r : tensor<3x5x5x2xf32>
}
// -----
// The activation may come before the window, too.
// CHECK-LABEL: @bias
func.func @bias(%y: tensor<3x4x4x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: "graph.MaxPoolGrad"
  // CHECK: "graph.BiasAddGrad"(%arg1)
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x2x2x2xf32>
  %r = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// Not the image that was pooled.
// CHECK-LABEL: @other_image
func.func @other_image(%y: tensor<3x4x4x2xf32>, %g: tensor<3x2x2x2xf32>, %z: tensor<3x4x4x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %{{.*}}, %arg1)
  // CHECK: %[[R:.*]] = "graph.ReluGrad"(%[[D]], %{{.*}})
  // CHECK: "graph.BiasAddGrad"(%[[R]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x2x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %z) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// Not the maxima of these windows.
// CHECK-LABEL: @other_windows
func.func @other_windows(%y: tensor<3x4x4x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %{{.*}}, %arg1)
  // CHECK: %[[R:.*]] = "graph.ReluGrad"(%[[D]], %{{.*}})
  // CHECK: "graph.BiasAddGrad"(%[[R]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 1, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x2x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// Somebody wants the gradient as it is.
// CHECK-LABEL: @other_user
func.func @other_user(%y: tensor<3x4x4x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>, tensor<3x4x4x2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %{{.*}}, %arg1)
  // CHECK: %[[R:.*]] = "graph.ReluGrad"(%[[D]], %{{.*}})
  // CHECK: "graph.BiasAddGrad"(%[[R]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x2x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b, %d : tensor<3x4x4x2xf32>, tensor<2xf32>, tensor<3x4x4x2xf32>
}
// -----
// As many windows as pixels: nothing to gain.
// CHECK-LABEL: @as_large
func.func @as_large(%y: tensor<3x4x4x2xf32>, %g: tensor<3x4x4x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %{{.*}}, %arg1)
  // CHECK: %[[R:.*]] = "graph.ReluGrad"(%[[D]], %{{.*}})
  // CHECK: "graph.BiasAddGrad"(%[[R]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "SAME", strides = [1, 1, 1, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "SAME", strides = [1, 1, 1, 1]} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// A window in the padding hands on nothing.
// CHECK-LABEL: @explicit_padding
func.func @explicit_padding(%y: tensor<3x4x4x2xf32>, %g: tensor<3x4x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0
  // CHECK: "graph.BiasAddGrad"(%[[D]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [0, 0, 2, 2, 0, 0, 0, 0], ksize = [1, 2, 2, 1], padding = "EXPLICIT", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>) -> tensor<3x4x2x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [0, 0, 2, 2, 0, 0, 0, 0], ksize = [1, 2, 2, 1], padding = "EXPLICIT", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x4x2x2xf32>, tensor<3x4x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NHWC"} : (tensor<3x4x4x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x4x4x2xf32>, tensor<2xf32>
}
// -----
// Channels of another axis.
// CHECK-LABEL: @other_axis
func.func @other_axis(%y: tensor<3x2x2x2xf32>, %g: tensor<3x1x1x2xf32>) -> (tensor<3x2x2x2xf32>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0
  // CHECK: "graph.BiasAddGrad"(%[[D]])
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x2x2x2xf32>) -> tensor<3x1x1x2xf32>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x2x2x2xf32>, tensor<3x1x1x2xf32>, tensor<3x1x1x2xf32>) -> tensor<3x2x2x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x2x2x2xf32>
  %b = "graph.BiasAddGrad"(%r) {T = f32, data_format = "NCHW"} : (tensor<3x2x2x2xf32>) -> tensor<2xf32>
  return %r, %b : tensor<3x2x2x2xf32>, tensor<2xf32>
}
