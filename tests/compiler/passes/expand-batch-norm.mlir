// RUN: millrace-opt --passes=expand-batch-norm --split %s | FileCheck %s

// In the kernel's order, with one factor for each channel.
// CHECK-LABEL: @last
// CHECK: %[[E:.*]] = "graph.Const"() {{.*}}dense<1.000000e-03> : tensor<f32>
// CHECK: %[[A:.*]] = "graph.AddV2"(%arg4, %[[E]])
// CHECK: %[[Q:.*]] = "graph.Sqrt"(%[[A]])
// CHECK: %[[F:.*]] = "graph.RealDiv"(%arg1, %[[Q]])
// CHECK: %[[D:.*]] = "graph.Sub"(%arg0, %arg3)
// CHECK: %[[M:.*]] = "graph.Mul"(%[[D]], %[[F]])
// CHECK: %[[Y:.*]] = "graph.AddV2"(%[[M]], %arg2)
// CHECK-NEXT: return %[[Y]]
func.func @last(%x: tensor<2x4x4x3xf32>, %s: tensor<3xf32>, %o: tensor<3xf32>, %m: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<2x4x4x3xf32> {
  %y:6 = "graph.FusedBatchNormV3"(%x, %s, %o, %m, %v) {T = f32, U = f32, data_format = "NHWC", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = false} : (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
  return %y#0 : tensor<2x4x4x3xf32>
}
// -----
// Channels that come second are spread over what follows; 16 bits are widened.
// CHECK-LABEL: @second
// CHECK: "graph.Cast"(%arg0) {{.*}}-> tensor<2x3x4x4xf32>
// CHECK: "graph.alias"(%arg3) : (tensor<3xf32>) -> tensor<3x1x1xf32>
// CHECK: %[[Y:.*]] = "graph.Cast"({{.*}}-> tensor<2x3x4x4xf16>
// CHECK-NEXT: return %[[Y]]
func.func @second(%x: tensor<2x3x4x4xf16>, %s: tensor<3xf32>, %o: tensor<3xf32>, %m: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<2x3x4x4xf16> {
  %y:6 = "graph.FusedBatchNormV3"(%x, %s, %o, %m, %v) {T = f16, U = f32, data_format = "NCHW", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = false} : (tensor<2x3x4x4xf16>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x3x4x4xf16>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
  return %y#0 : tensor<2x3x4x4xf16>
}
// -----
// Training, statistics that somebody wants, and vectors of other sizes.
// CHECK-LABEL: @others
// CHECK-COUNT-3: "graph.FusedBatchNormV3"
// CHECK-NOT: "graph.Sqrt"
func.func @others(%x: tensor<2x4x4x3xf32>, %s: tensor<3xf32>, %u: tensor<?xf32>) -> (tensor<2x4x4x3xf32>, tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<2x4x4x3xf32>) {
  %a:6 = "graph.FusedBatchNormV3"(%x, %s, %s, %s, %s) {T = f32, U = f32, data_format = "NHWC", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = true} : (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
  %b:6 = "graph.FusedBatchNormV3"(%x, %s, %s, %s, %s) {T = f32, U = f32, data_format = "NHWC", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = false} : (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
  %c:6 = "graph.FusedBatchNormV3"(%x, %s, %s, %u, %u) {T = f32, U = f32, data_format = "NHWC", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = false} : (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>, tensor<?xf32>) -> (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
  return %a#0, %b#0, %b#1, %c#0 : tensor<2x4x4x3xf32>, tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<2x4x4x3xf32>
}
// -----
// A device of another kind may have a kernel for the whole.
// CHECK-LABEL: @accelerated
// CHECK-NOT: "graph.Sqrt"
// CHECK: "graph.FusedBatchNormV3"
module attributes {graph.devices = ["CPU:0", "NULL:0"]} {
  func.func @accelerated(%x: tensor<2x4x4x3xf32>, %s: tensor<3xf32>) -> tensor<2x4x4x3xf32> {
    %y:6 = "graph.FusedBatchNormV3"(%x, %s, %s, %s, %s) {T = f32, U = f32, data_format = "NHWC", epsilon = 1.0e-3 : f32, exponential_avg_factor = 1.0 : f32, is_training = false} : (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<?xf32>)
    return %y#0 : tensor<2x4x4x3xf32>
  }
}
