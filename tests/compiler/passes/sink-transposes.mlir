// RUN: millrace-opt --passes=sink-transposes,fold-constants,dce --split %s | FileCheck %s

// CHECK-LABEL: @undone
func.func @undone(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  // CHECK-NOT: "graph.Transpose"
  // CHECK: %[[C:.*]] = "graph.Const"() {{.*}}tensor<1x1x1x3xf32>
  // CHECK: %[[A:.*]] = "graph.AddV2"(%arg0, %[[C]]) {{.*}} -> tensor<1x2x2x3xf32>
  // CHECK: %[[R:.*]] = "graph.Relu"(%[[A]])
  // CHECK: return %[[R]]
  %p = "graph.Const"() {dtype = i32, value = dense<[0, 3, 1, 2]> : tensor<4xi32>} : () -> tensor<4xi32>
  %q = "graph.Const"() {dtype = i32, value = dense<[0, 2, 3, 1]> : tensor<4xi32>} : () -> tensor<4xi32>
  %c = "graph.Const"() {dtype = f32, value = dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32>} : () -> tensor<3x1x1xf32>
  %t = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<1x2x2x3xf32>, tensor<4xi32>) -> tensor<1x3x2x2xf32>
  %a = "graph.AddV2"(%t, %c) {T = f32} : (tensor<1x3x2x2xf32>, tensor<3x1x1xf32>) -> tensor<1x3x2x2xf32>
  %r = "graph.Relu"(%a) {T = f32} : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %u = "graph.Transpose"(%r, %q) {T = f32, Tperm = i32} : (tensor<1x3x2x2xf32>, tensor<4xi32>) -> tensor<1x2x2x3xf32>
  return %u : tensor<1x2x2x3xf32>
}
// -----
// Nothing waits for it.
// CHECK-LABEL: @alone
func.func @alone(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // CHECK: %[[T:.*]] = "graph.Transpose"(%arg0
  // CHECK: "graph.Relu"(%[[T]])
  %p = "graph.Const"() {dtype = i32, value = dense<[1, 0]> : tensor<2xi32>} : () -> tensor<2xi32>
  %t = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<3x2xf32>
  %r = "graph.Relu"(%t) {T = f32} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}
// -----
// The other operand would have to be transposed; sums have an order.
// CHECK-LABEL: @stays
func.func @stays(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) -> (tensor<2x3xf32>, tensor<2x1xf32>) {
  // CHECK-COUNT-3: "graph.Transpose"
  %p = "graph.Const"() {dtype = i32, value = dense<[1, 0]> : tensor<2xi32>} : () -> tensor<2xi32>
  %axis = "graph.Const"() {dtype = i32, value = dense<0> : tensor<1xi32>} : () -> tensor<1xi32>
  %t = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<3x2xf32>
  %a = "graph.AddV2"(%t, %y) {T = f32} : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %u = "graph.Transpose"(%a, %p) {T = f32, Tperm = i32} : (tensor<3x2xf32>, tensor<2xi32>) -> tensor<2x3xf32>
  %s = "graph.Sum"(%t, %axis) {T = f32, Tidx = i32, keep_dims = true} : (tensor<3x2xf32>, tensor<1xi32>) -> tensor<1x2xf32>
  %v = "graph.Transpose"(%s, %p) {T = f32, Tperm = i32} : (tensor<1x2xf32>, tensor<2xi32>) -> tensor<2x1xf32>
  return %u, %v : tensor<2x3xf32>, tensor<2x1xf32>
}
// -----
// Amounts, axes and bounds go with their axes.
// CHECK-LABEL: @arguments
func.func @arguments(%x: tensor<2x3x4xf32>, %y: tensor<2x3x4xf32>) -> (tensor<2x3x1xf32>, tensor<2x3x2xf32>) {
  // CHECK: %[[P:.*]] = "graph.Const"() {{.*}}[0, 0], [0, 0], [1, 2]
  // CHECK: %[[A:.*]] = "graph.Pad"(%arg0, %[[P]]) {{.*}} -> tensor<2x3x7xf32>
  // CHECK: %[[X:.*]] = "graph.Const"() {{.*}}dense<2> : tensor<i32>
  // CHECK: %[[C:.*]] = "graph.ConcatV2"(%[[A]], %arg1, %[[X]]) {{.*}} -> tensor<2x3x11xf32>
  // CHECK: %[[I:.*]] = "graph.Const"() {{.*}}dense<2> : tensor<1xi32>
  // CHECK: %[[M:.*]] = "graph.Max"(%[[C]], %[[I]]) {{.*}} -> tensor<2x3x1xf32>
  // CHECK: %[[B:.*]] = "graph.Const"() {{.*}}[0, 0, 1]
  // CHECK: %[[S:.*]] = "graph.Const"() {{.*}}[-1, -1, 2]
  // CHECK: %[[L:.*]] = "graph.Slice"(%[[C]], %[[B]], %[[S]])
  // CHECK: return %[[M]], %[[L]]
  %p = "graph.Const"() {dtype = i32, value = dense<[2, 0, 1]> : tensor<3xi32>} : () -> tensor<3xi32>
  %q = "graph.Const"() {dtype = i32, value = dense<[1, 2, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %amounts = "graph.Const"() {dtype = i32, value = dense<[[1, 2], [0, 0], [0, 0]]> : tensor<3x2xi32>} : () -> tensor<3x2xi32>
  %axis = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %axes = "graph.Const"() {dtype = i32, value = dense<0> : tensor<1xi32>} : () -> tensor<1xi32>
  %begin = "graph.Const"() {dtype = i32, value = dense<[1, 0, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %size = "graph.Const"() {dtype = i32, value = dense<[2, -1, -1]> : tensor<3xi32>} : () -> tensor<3xi32>
  %t = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<2x3x4xf32>, tensor<3xi32>) -> tensor<4x2x3xf32>
  %u = "graph.Transpose"(%y, %p) {T = f32, Tperm = i32} : (tensor<2x3x4xf32>, tensor<3xi32>) -> tensor<4x2x3xf32>
  %a = "graph.Pad"(%t, %amounts) {T = f32, Tpaddings = i32} : (tensor<4x2x3xf32>, tensor<3x2xi32>) -> tensor<7x2x3xf32>
  %c = "graph.ConcatV2"(%a, %u, %axis) {N = 2, T = f32, Tidx = i32} : (tensor<7x2x3xf32>, tensor<4x2x3xf32>, tensor<i32>) -> tensor<11x2x3xf32>
  %m = "graph.Max"(%c, %axes) {T = f32, Tidx = i32, keep_dims = true} : (tensor<11x2x3xf32>, tensor<1xi32>) -> tensor<1x2x3xf32>
  %l = "graph.Slice"(%c, %begin, %size) {T = f32, Index = i32} : (tensor<11x2x3xf32>, tensor<3xi32>, tensor<3xi32>) -> tensor<2x2x3xf32>
  %v = "graph.Transpose"(%m, %q) {T = f32, Tperm = i32} : (tensor<1x2x3xf32>, tensor<3xi32>) -> tensor<2x3x1xf32>
  %w = "graph.Transpose"(%l, %q) {T = f32, Tperm = i32} : (tensor<2x2x3xf32>, tensor<3xi32>) -> tensor<2x3x2xf32>
  return %v, %w : tensor<2x3x1xf32>, tensor<2x3x2xf32>
}
