// RUN: millrace-opt --passes=push-control --split %s | FileCheck %s

// The product is free; the write that uses it waits.
// CHECK-LABEL: @power
func.func @power(%x: tensor<f32>) -> !graph.control {
  %v = "graph.VariableV2"() {dtype = f32, shape = tensor<index>, container = "", shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %u = "graph.VariableV2"() {dtype = f32, shape = tensor<index>, container = "", shared_name = "u"} : () -> !graph.ref<tensor<f32>>
  // CHECK: %[[W:.*]]:2 = "graph.Assign"
  %w, %c = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  // CHECK-NEXT: %[[M:.*]] = "graph.Mul"(%arg0, %arg0) {
  %m = "graph.Mul"(%x, %x, %c) {T = f32} : (tensor<f32>, tensor<f32>, !graph.control) -> tensor<f32>
  // CHECK-NEXT: %[[N:.*]] = "graph.Neg"(%[[M]]) {
  %n = "graph.Neg"(%m) {T = f32} : (tensor<f32>) -> tensor<f32>
  // CHECK-NEXT: "graph.Assign"(%{{.*}}, %[[N]], %[[W]]#1)
  %a, %d = "graph.Assign"(%u, %n) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  return %d : !graph.control
}
// -----
// What the signature returns waits itself; so does what can fail.
// CHECK-LABEL: @keeps
func.func @keeps(%x: tensor<f32>, %i: tensor<i32>) -> (tensor<f32>, tensor<i32>) {
  %v = "graph.VariableV2"() {dtype = f32, shape = tensor<index>, container = "", shared_name = ""} : () -> !graph.ref<tensor<f32>>
  // CHECK: %[[W:.*]]:2 = "graph.Assign"
  %w, %c = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  // CHECK-NEXT: "graph.Mul"(%arg0, %arg0, %[[W]]#1)
  %m = "graph.Mul"(%x, %x, %c) {T = f32} : (tensor<f32>, tensor<f32>, !graph.control) -> tensor<f32>
  // CHECK-NEXT: "graph.Div"(%arg1, %arg1, %[[W]]#1)
  %d = "graph.Div"(%i, %i, %c) {T = i32} : (tensor<i32>, tensor<i32>, !graph.control) -> tensor<i32>
  // CHECK-NEXT: "graph.Neg"(%{{[0-9]+}}) {
  %n = "graph.Neg"(%d) {T = i32} : (tensor<i32>) -> tensor<i32>
  return %m, %n : tensor<f32>, tensor<i32>
}
