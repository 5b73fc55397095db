// RUN: millrace-opt --passes=cse %s | FileCheck %s

// CHECK-LABEL: @equal
func.func @equal(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: %[[A:.*]] = "graph.Mul"(%arg0, %arg0)
  // CHECK-NEXT: "graph.Add"(%[[A]], %[[A]])
  %a = "graph.Mul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.Mul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = "graph.Add"(%a, %b) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %c : tensor<2xf32>
}

// Zeros of different signs are different constants.
// CHECK-LABEL: @signed_zeros
func.func @signed_zeros() -> (tensor<f32>, tensor<f32>) {
  // CHECK-COUNT-2: "graph.Const"
  %a = "graph.Const"() {dtype = f32, value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %b = "graph.Const"() {dtype = f32, value = dense<-0.0> : tensor<f32>} : () -> tensor<f32>
  return %a, %b : tensor<f32>, tensor<f32>
}

// Two draws are two.
// CHECK-LABEL: @random
func.func @random(%s: tensor<1xi32>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK-COUNT-2: "graph.RandomUniform"
  %a = "graph.RandomUniform"(%s) {T = i32, dtype = f32, seed = 1 : i64, seed2 = 2 : i64} : (tensor<1xi32>) -> tensor<?xf32>
  %b = "graph.RandomUniform"(%s) {T = i32, dtype = f32, seed = 1 : i64, seed2 = 2 : i64} : (tensor<1xi32>) -> tensor<?xf32>
  return %a, %b : tensor<?xf32>, tensor<?xf32>
}

// Reads that wait for different writes see different values.
// CHECK-LABEL: @reads
func.func @reads(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  // CHECK: %[[A:.*]] = "graph.read"(%[[W:.*]]) :
  // CHECK-NEXT: %[[B:.*]] = "graph.read"(%[[W]], %{{.*}})
  // CHECK-NEXT: return %[[A]], %[[A]], %[[B]]
  %a = "graph.read"(%w) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  %b = "graph.read"(%w) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  %c = "graph.read"(%w, %s#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  return %a, %b, %c : tensor<f32>, tensor<f32>, tensor<f32>
}
