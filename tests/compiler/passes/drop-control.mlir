// RUN: millrace-opt --passes=drop-control %s | FileCheck %s

// CHECK-LABEL: @pure
func.func @pure(%x: tensor<f32>) -> tensor<f32> {
  %a:2 = "graph.Mul"(%x, %x) {T = f32} : (tensor<f32>, tensor<f32>) -> (tensor<f32>, !graph.control)
  // CHECK: "graph.Neg"(%arg0) {T = f32} : (tensor<f32>) ->
  %b = "graph.Neg"(%x, %a#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32>
  return %b : tensor<f32>
}

// A read that no write precedes sees the old value whoever waits for it; what
// comes behind a write says when.
// CHECK-LABEL: @state
func.func @state(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %r = "graph.read"(%w) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  %i:2 = "graph.Identity"(%r) {T = f32} : (tensor<f32>) -> (tensor<f32>, !graph.control)
  // CHECK: "graph.Neg"(%arg0) {T = f32} : (tensor<f32>) ->
  %b = "graph.Neg"(%x, %i#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32>
  // CHECK: %[[S:.*]]:2 = "graph.Assign"
  %s:2 = "graph.Assign"(%w, %b) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  // CHECK: %[[C:.*]]:2 = "graph.Neg"(%arg0, %[[S]]#1)
  %c:2 = "graph.Neg"(%x, %s#1) {T = f32} : (tensor<f32>, !graph.control) -> (tensor<f32>, !graph.control)
  // CHECK: "graph.Neg"(%arg0, %[[C]]#1)
  %d = "graph.Neg"(%x, %c#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32>
  return %b, %c#0, %d : tensor<f32>, tensor<f32>, tensor<f32>
}
