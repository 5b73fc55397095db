// RUN: millrace-opt --passes=fold-gradient-axes,dce --split %s | FileCheck %s

module attributes {graph.dims = ["'n.0'"]} {
// Both have the batch; the second is broadcast along the rows.
// CHECK-LABEL: @batch
func.func @batch(%g: tensor<?x4x8xf32, #graph.dims<d0>>) -> (tensor<?x4x8xf32, #graph.dims<d0>>, tensor<?x4x1xf32, #graph.dims<d0>>) {
  // CHECK-NOT: BroadcastGradientArgs
  // CHECK: %[[A:.*]] = "graph.Const"() {{.*}}dense<2> : tensor<1xi32>
  // CHECK: %[[S:.*]] = "graph.Sum"(%arg0, %[[A]]) {{.*}} -> tensor<?x4xf32, #graph.dims<d0>>
  // CHECK: "graph.Reshape"(%arg0
  // CHECK: "graph.Reshape"(%[[S]]
  %a = "graph.dims"() {elements = #graph.dims<d0, 4, 8>} : () -> tensor<3xi32>
  %b = "graph.dims"() {elements = #graph.dims<d0, 4, 1>} : () -> tensor<3xi32>
  %r:2 = "graph.BroadcastGradientArgs"(%a, %b) {T = i32} : (tensor<3xi32>, tensor<3xi32>) -> (tensor<?xi32>, tensor<?xi32>)
  %s = "graph.Sum"(%g, %r#0) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?x4x8xf32, #graph.dims<d0>>, tensor<?xi32>) -> tensor<*xf32>
  %t = "graph.Sum"(%g, %r#1) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?x4x8xf32, #graph.dims<d0>>, tensor<?xi32>) -> tensor<*xf32>
  %x = "graph.Reshape"(%s, %a) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<3xi32>) -> tensor<?x4x8xf32, #graph.dims<d0>>
  %y = "graph.Reshape"(%t, %b) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<3xi32>) -> tensor<?x4x1xf32, #graph.dims<d0>>
  return %x, %y : tensor<?x4x8xf32, #graph.dims<d0>>, tensor<?x4x1xf32, #graph.dims<d0>>
}
}
// -----
// A bias: fewer axes.
module attributes {graph.dims = ["'n.0'"]} {
// CHECK-LABEL: @bias
func.func @bias(%g: tensor<?x8xf32, #graph.dims<d0>>) -> tensor<8xf32> {
  // CHECK: dense<0> : tensor<1xi32>
  // CHECK: "graph.Sum"(%arg0, {{.*}} -> tensor<8xf32>
  %a = "graph.Const"() {dtype = i32, value = dense<8> : tensor<1xi32>} : () -> tensor<1xi32>
  %b = "graph.dims"() {elements = #graph.dims<d0, 8>} : () -> tensor<2xi32>
  %r:2 = "graph.BroadcastGradientArgs"(%a, %b) {T = i32} : (tensor<1xi32>, tensor<2xi32>) -> (tensor<?xi32>, tensor<?xi32>)
  %s = "graph.Sum"(%g, %r#0) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?x8xf32, #graph.dims<d0>>, tensor<?xi32>) -> tensor<*xf32>
  %x = "graph.Reshape"(%s, %a) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<1xi32>) -> tensor<8xf32>
  return %x : tensor<8xf32>
}
}
// -----
// A batch of 1 is summed over, one of 4 is not: only the run knows.
module attributes {graph.dims = ["'n.0'", "'m.0'"]} {
// CHECK-LABEL: @undecided
func.func @undecided(%g: tensor<4xf32>, %h: tensor<?xf32>) -> (tensor<?xf32, #graph.dims<d0>>, tensor<?xf32, #graph.dims<d0>>) {
  // CHECK-COUNT-2: "graph.BroadcastGradientArgs"
  %a = "graph.dims"() {elements = #graph.dims<d0>} : () -> tensor<1xi32>
  %b = "graph.Const"() {dtype = i32, value = dense<4> : tensor<1xi32>} : () -> tensor<1xi32>
  %c = "graph.dims"() {elements = #graph.dims<d1>} : () -> tensor<1xi32>
  %r:2 = "graph.BroadcastGradientArgs"(%a, %b) {T = i32} : (tensor<1xi32>, tensor<1xi32>) -> (tensor<?xi32>, tensor<?xi32>)
  %s = "graph.Sum"(%g, %r#0) {T = f32, Tidx = i32, keep_dims = false} : (tensor<4xf32>, tensor<?xi32>) -> tensor<*xf32>
  %x = "graph.Reshape"(%s, %a) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<1xi32>) -> tensor<?xf32, #graph.dims<d0>>
  %q:2 = "graph.BroadcastGradientArgs"(%a, %c) {T = i32} : (tensor<1xi32>, tensor<1xi32>) -> (tensor<?xi32>, tensor<?xi32>)
  %t = "graph.Sum"(%h, %q#0) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?xf32>, tensor<?xi32>) -> tensor<*xf32>
  %y = "graph.Reshape"(%t, %a) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<1xi32>) -> tensor<?xf32, #graph.dims<d0>>
  return %x, %y : tensor<?xf32, #graph.dims<d0>>, tensor<?xf32, #graph.dims<d0>>
}
}
// -----
// How many axes are left is seen, or g has another shape than the two make.
module attributes {graph.dims = ["'n.0'", "'m.0'"]} {
// CHECK-LABEL: @seen
func.func @seen(%g: tensor<?x8xf32, #graph.dims<d0>>, %h: tensor<?x8xf32, #graph.dims<d1>>) -> (tensor<*xf32>, tensor<?x8xf32, #graph.dims<d0>>) {
  // CHECK: "graph.BroadcastGradientArgs"
  // CHECK: "graph.Sum"(%arg0
  // CHECK: "graph.Sum"(%arg1
  %a = "graph.dims"() {elements = #graph.dims<d0, 8>} : () -> tensor<2xi32>
  %b = "graph.dims"() {elements = #graph.dims<d0, 1>} : () -> tensor<2xi32>
  %r:2 = "graph.BroadcastGradientArgs"(%a, %b) {T = i32} : (tensor<2xi32>, tensor<2xi32>) -> (tensor<?xi32>, tensor<?xi32>)
  %s = "graph.Sum"(%g, %r#1) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?x8xf32, #graph.dims<d0>>, tensor<?xi32>) -> tensor<*xf32>
  %t = "graph.Sum"(%h, %r#0) {T = f32, Tidx = i32, keep_dims = false} : (tensor<?x8xf32, #graph.dims<d1>>, tensor<?xi32>) -> tensor<*xf32>
  %x = "graph.Reshape"(%t, %a) {T = f32, Tshape = i32} : (tensor<*xf32>, tensor<2xi32>) -> tensor<?x8xf32, #graph.dims<d0>>
  return %s, %x : tensor<*xf32>, tensor<?x8xf32, #graph.dims<d0>>
}
}
