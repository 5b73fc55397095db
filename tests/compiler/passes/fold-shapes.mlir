// RUN: millrace-opt --passes=infer-shapes,fold-shapes --split %s | FileCheck %s

module attributes {graph.dims = ["'x.0'"]} {
  // CHECK-LABEL: @run
  func.func @run(%x: tensor<?x3xf32, #graph.dims<d0>>) -> (tensor<2xi32>, tensor<i32>, tensor<2xi64>) {
    // CHECK-NEXT: %[[A:.*]] = "graph.dims"() {elements = #graph.dims<d0, 3>} : () -> tensor<2xi32>
    // CHECK-NEXT: %[[B:.*]] = "graph.Const"() {{.*}}dense<2> : tensor<i32>
    // CHECK-NEXT: %[[C:.*]] = "graph.dims"() {elements = #graph.dims<d0, 3>} : () -> tensor<2xi64>
    // CHECK-NEXT: return %[[A]], %[[B]], %[[C]]
    %s = "graph.Shape"(%x) {T = f32, out_type = i32} : (tensor<?x3xf32, #graph.dims<d0>>) -> tensor<2xi32>
    %r = "graph.Rank"(%x) {T = f32} : (tensor<?x3xf32, #graph.dims<d0>>) -> tensor<i32>
    %l = "graph.Shape"(%x) {T = f32, out_type = i64} : (tensor<?x3xf32, #graph.dims<d0>>) -> tensor<2xi64>
    return %s, %r, %l : tensor<2xi32>, tensor<i32>, tensor<2xi64>
  }
}
// -----
// What is known only at the run stays.
// CHECK-LABEL: @late
func.func @late(%x: tensor<?xf32>) -> tensor<1xi32> {
  // CHECK-NEXT: "graph.Shape"
  %s = "graph.Shape"(%x) {T = f32, out_type = i32} : (tensor<?xf32>) -> tensor<1xi32>
  return %s : tensor<1xi32>
}
// -----
// Who waits for the shape waits for the write.
// CHECK-LABEL: @behind_a_write
func.func @behind_a_write(%x: tensor<2xf32>) -> tensor<1xi32> {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<2xindex>, shared_name = ""} : () -> !graph.ref<tensor<2xf32>>
  %s = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<2xf32>>, tensor<2xf32>) -> !graph.ref<tensor<2xf32>>
  %r = "graph.read"(%s) : (!graph.ref<tensor<2xf32>>) -> tensor<2xf32>
  // CHECK: "graph.Shape"
  %n = "graph.Shape"(%r) {T = f32, out_type = i32} : (tensor<2xf32>) -> tensor<1xi32>
  return %n : tensor<1xi32>
}
