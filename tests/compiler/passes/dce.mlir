// RUN: millrace-opt --passes=dce %s | FileCheck %s

// CHECK-LABEL: @chains_go
func.func @chains_go(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: return %arg0
  %a = "graph.Mul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.Mul"(%a, %a) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}

// CHECK-LABEL: @effects_stay
func.func @effects_stay(%x: tensor<f32>) {
  // CHECK-NEXT: "graph.VariableV2"
  // CHECK-NEXT: "graph.Assign"
  // CHECK-NEXT: return
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>>
  %r = "graph.read"(%s) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  return
}

// Somebody waits for it.
// CHECK-LABEL: @waited_for
func.func @waited_for(%x: tensor<2xf32>) -> !graph.control {
  // CHECK-NEXT: "graph.Mul"
  %a:2 = "graph.Mul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, !graph.control)
  return %a#1 : !graph.control
}
