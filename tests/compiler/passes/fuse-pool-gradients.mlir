// RUN: millrace-opt --passes=fuse-pool-gradients,dce --split %s | FileCheck %s

// The image that was pooled came from the activation.
// CHECK-LABEL: @relu
func.func @relu(%y: tensor<3x4x4x2xf32>, %p: tensor<3x2x2x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>) {
  // CHECK-NOT: ReluGrad
  // CHECK: %[[R:.*]] = "graph._FusedMaxPoolGrad"(%arg0, %arg1, %arg2) {{.*}}fused_ops = ["ReluGrad"]
  // CHECK: return %[[R]]
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  return %r : tensor<3x4x4x2xf32>
}
// -----
// CHECK-LABEL: @relu6
func.func @relu6(%y: tensor<3x4x4x2xf32>, %p: tensor<3x2x2x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>) {
  // CHECK: "graph._FusedMaxPoolGrad"(%arg0, %arg1, %arg2) {{.*}}fused_ops = ["Relu6Grad"]
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.Relu6Grad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  return %r : tensor<3x4x4x2xf32>
}
// -----
// Not the image that was pooled.
// CHECK-LABEL: @other_image
func.func @other_image(%y: tensor<3x4x4x2xf32>, %p: tensor<3x2x2x2xf32>, %g: tensor<3x2x2x2xf32>, %z: tensor<3x4x4x2xf32>) -> (tensor<3x4x4x2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %arg1, %arg2)
  // CHECK: "graph.ReluGrad"(%[[D]], %{{.*}})
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %z) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  return %r : tensor<3x4x4x2xf32>
}
// -----
// Somebody wants the gradient as it is.
// CHECK-LABEL: @other_user
func.func @other_user(%y: tensor<3x4x4x2xf32>, %p: tensor<3x2x2x2xf32>, %g: tensor<3x2x2x2xf32>) -> (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %arg1, %arg2)
  // CHECK: "graph.ReluGrad"(%[[D]], %{{.*}})
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<3x4x4x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>) -> tensor<3x4x4x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>) -> tensor<3x4x4x2xf32>
  return %r, %d : tensor<3x4x4x2xf32>, tensor<3x4x4x2xf32>
}
// -----
// Windows that overlap add up.
// CHECK-LABEL: @overlap
func.func @overlap(%y: tensor<3x5x5x2xf32>, %p: tensor<3x4x2x2xf32>, %g: tensor<3x4x2x2xf32>) -> (tensor<3x5x5x2xf32>) {
  // CHECK: %[[D:.*]] = "graph.MaxPoolGrad"(%arg0, %arg1, %arg2)
  // CHECK: "graph.ReluGrad"(%[[D]], %{{.*}})
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 1, 2, 1]} : (tensor<3x5x5x2xf32>, tensor<3x4x2x2xf32>, tensor<3x4x2x2xf32>) -> tensor<3x5x5x2xf32>
  %r = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<3x5x5x2xf32>, tensor<3x5x5x2xf32>) -> tensor<3x5x5x2xf32>
  return %r : tensor<3x5x5x2xf32>
}
