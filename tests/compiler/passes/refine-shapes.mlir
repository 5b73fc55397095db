// RUN: millrace-opt --passes=fold-constants,refine-shapes %s | FileCheck %s

// The axes of the reduction are computed, so its shape is known.
// CHECK-LABEL: @run(%arg0: tensor<2x3xf32>) -> tensor<2xf32>
func.func @run(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  %a = "graph.Const"() {dtype = i32, value = dense<2> : tensor<1xi32>} : () -> tensor<1xi32>
  %b = "graph.Const"() {dtype = i32, value = dense<1> : tensor<1xi32>} : () -> tensor<1xi32>
  %i = "graph.Sub"(%a, %b) {T = i32} : (tensor<1xi32>, tensor<1xi32>) -> tensor<?xi32>
  // CHECK: "graph.Sum"{{.*}} -> tensor<2xf32>
  %s = "graph.Sum"(%x, %i) {T = f32, Tidx = i32, keep_dims = false} : (tensor<2x3xf32>, tensor<?xi32>) -> tensor<*xf32>
  return %s : tensor<*xf32>
}
