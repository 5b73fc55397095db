// RUN: millrace-opt --passes=remove-identities --split %s | FileCheck %s

// CHECK-LABEL: @identities
func.func @identities(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: return %arg0
  %a = "graph.Identity"(%x) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.StopGradient"(%a) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %c = "graph.PreventGradient"(%b) {T = f32, message = ""} : (tensor<2xf32>) -> tensor<2xf32>
  return %c : tensor<2xf32>
}
// -----
// Each result by itself.
// CHECK-LABEL: @several
func.func @several(%x: tensor<2xf32>, %y: tensor<i32>) -> (tensor<i32>, tensor<2xf32>) {
  // CHECK-NEXT: return %arg1, %arg0
  %a:2 = "graph.IdentityN"(%x, %y) {T = [f32, i32]} : (tensor<2xf32>, tensor<i32>) -> (tensor<2xf32>, tensor<i32>)
  return %a#1, %a#0 : tensor<i32>, tensor<2xf32>
}
// -----
// CHECK-LABEL: @reshapes
func.func @reshapes(%x: tensor<2x3xf32>, %s: tensor<1xi32>) -> (tensor<6xf32>, tensor<2x3xf32>) {
  // CHECK-NEXT: %[[A:.*]] = "graph.alias"(%arg0) : (tensor<2x3xf32>) -> tensor<6xf32>
  // CHECK-NEXT: return %[[A]], %arg0
  %a = "graph.Reshape"(%x, %s) {T = f32, Tshape = i32} : (tensor<2x3xf32>, tensor<1xi32>) -> tensor<6xf32>
  %b = "graph.Squeeze"(%x) {T = f32, squeeze_dims = []} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %a, %b : tensor<6xf32>, tensor<2x3xf32>
}
// -----
// A shape that comes late, and strings, take a step.
// CHECK-LABEL: @stay
func.func @stay(%x: tensor<2x3xf32>, %s: tensor<2xi32>, %t: tensor<2x!graph.string>, %u: tensor<2xi32>) -> (tensor<?x?xf32>, tensor<1x2x!graph.string>) {
  // CHECK-COUNT-2: "graph.Reshape"
  %a = "graph.Reshape"(%x, %s) {T = f32, Tshape = i32} : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  %b = "graph.Reshape"(%t, %u) {T = !graph.string, Tshape = i32} : (tensor<2x!graph.string>, tensor<2xi32>) -> tensor<1x2x!graph.string>
  return %a, %b : tensor<?x?xf32>, tensor<1x2x!graph.string>
}
// -----
// CHECK-LABEL: @waiting
func.func @waiting(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  // CHECK: %[[I:.*]] = "graph.Identity"(%arg0, %[[S:.*]]#1)
  %i = "graph.Identity"(%x, %s#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32>
  // The read waits for the same.
  // CHECK-NEXT: %[[R:.*]] = "graph.read"
  // CHECK-NEXT: return %[[I]], %[[R]]
  %r = "graph.read"(%w, %s#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  %j = "graph.Identity"(%r, %s#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32>
  return %i, %j : tensor<f32>, tensor<f32>
}
