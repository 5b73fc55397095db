// RUN: millrace-opt --passes=fuse-clusters,order-steps,plan-memory --split %s | FileCheck %s

// Both results of the cluster are written over what dies there: the two products;
// their slots are the only ones.
// CHECK-LABEL: @over
// CHECK-SAME: plan.slots = #graph.dims<64, 64, 64>
// CHECK: "graph._Cluster"{{.*}}plan.slot = array<i64: 0, 1>
func.func @over(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %b = "graph.MatMul"(%w, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %s = "graph.AddV2"(%a, %b) {T = f32} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = "graph.Tanh"(%s) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = "graph.MatMul"(%s, %t) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}
// -----
// Not over what lives on, what is broadcast, or what is read under another shape too.
// CHECK-LABEL: @not_over
// CHECK-SAME: plan.slots = #graph.dims<16, 64, 64, 64>
// CHECK: "graph._Cluster"{{.*}}plan.slot = array<i64: 2>
func.func @not_over(%x: tensor<4x4xf32>, %v: tensor<1x4xf32>) -> tensor<4x4xf32> {
  %b = "graph.MatMul"(%v, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %p = "graph.MatMul"(%x, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %s = "graph.AddV2"(%p, %b) {T = f32} : (tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<4x4xf32>
  %t = "graph.Tanh"(%s) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = "graph.MatMul"(%p, %t) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}
