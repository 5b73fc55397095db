// RUN: millrace-opt --passes=simplify-moves --split %s | FileCheck %s

// CHECK-LABEL: @nothing_moves
func.func @nothing_moves(%x: tensor<2x3xf32>, %b: tensor<2xi32>, %s: tensor<2xi32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  // CHECK: return %arg0, %arg0, %arg0, %arg0, %arg0
  %zero = "graph.Const"() {dtype = i32, value = dense<0> : tensor<2x2xi32>} : () -> tensor<2x2xi32>
  %one = "graph.Const"() {dtype = i32, value = dense<1> : tensor<2xi32>} : () -> tensor<2xi32>
  %p = "graph.Pad"(%x, %zero) {T = f32, Tpaddings = i32} : (tensor<2x3xf32>, tensor<2x2xi32>) -> tensor<2x3xf32>
  %l = "graph.Slice"(%x, %b, %s) {T = f32, Index = i32} : (tensor<2x3xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x3xf32>
  %t = "graph.Tile"(%x, %one) {T = f32, Tmultiples = i32} : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<2x3xf32>
  %r = "graph.StridedSlice"(%x, %b, %s, %one) {T = f32, Index = i32, begin_mask = 0, end_mask = 0, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0} : (tensor<2x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x3xf32>
  %a = "graph.AddN"(%x) {N = 1, T = f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %p, %l, %t, %r, %a : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
// -----
// Backwards, or of a size that comes late.
// CHECK-LABEL: @something_moves
func.func @something_moves(%x: tensor<2xf32>, %y: tensor<?xf32>, %b: tensor<1xi32>) -> (tensor<2xf32>, tensor<?xf32>) {
  // CHECK: %[[R:.*]] = "graph.StridedSlice"
  // CHECK: %[[L:.*]] = "graph.Slice"
  // CHECK: return %[[R]], %[[L]]
  %back = "graph.Const"() {dtype = i32, value = dense<-1> : tensor<1xi32>} : () -> tensor<1xi32>
  %r = "graph.StridedSlice"(%x, %b, %b, %back) {T = f32, Index = i32, begin_mask = 1, end_mask = 1, ellipsis_mask = 0, new_axis_mask = 0, shrink_axis_mask = 0} : (tensor<2xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<2xf32>
  %l = "graph.Slice"(%y, %b, %b) {T = f32, Index = i32} : (tensor<?xf32>, tensor<1xi32>, tensor<1xi32>) -> tensor<?xf32>
  return %r, %l : tensor<2xf32>, tensor<?xf32>
}
// -----
// CHECK-LABEL: @transposes
func.func @transposes(%x: tensor<2x1x3x1xf32>, %y: tensor<2x3x4xf32>) -> (tensor<1x2x1x3xf32>, tensor<2x3x4xf32>, tensor<4x3x2xf32>) {
  %p = "graph.Const"() {dtype = i32, value = dense<[1, 0, 3, 2]> : tensor<4xi32>} : () -> tensor<4xi32>
  %q = "graph.Const"() {dtype = i32, value = dense<[1, 2, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %r = "graph.Const"() {dtype = i32, value = dense<[2, 0, 1]> : tensor<3xi32>} : () -> tensor<3xi32>
  %s = "graph.Const"() {dtype = i32, value = dense<[1, 0, 2]> : tensor<3xi32>} : () -> tensor<3xi32>
  // CHECK: %[[A:.*]] = "graph.alias"(%arg0) : (tensor<2x1x3x1xf32>) -> tensor<1x2x1x3xf32>
  %a = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<2x1x3x1xf32>, tensor<4xi32>) -> tensor<1x2x1x3xf32>
  // CHECK: "graph.Transpose"(%arg1
  %b = "graph.Transpose"(%y, %q) {T = f32, Tperm = i32} : (tensor<2x3x4xf32>, tensor<3xi32>) -> tensor<3x4x2xf32>
  %c = "graph.Transpose"(%b, %r) {T = f32, Tperm = i32} : (tensor<3x4x2xf32>, tensor<3xi32>) -> tensor<2x3x4xf32>
  // CHECK: %[[P:.*]] = "graph.Const"() {{.*}}dense<[2, 1, 0]>
  // CHECK: %[[D:.*]] = "graph.Transpose"(%arg1, %[[P]])
  %d = "graph.Transpose"(%b, %s) {T = f32, Tperm = i32} : (tensor<3x4x2xf32>, tensor<3xi32>) -> tensor<4x3x2xf32>
  // CHECK: return %[[A]], %arg1, %[[D]]
  return %a, %c, %d : tensor<1x2x1x3xf32>, tensor<2x3x4xf32>, tensor<4x3x2xf32>
}
// -----
// CHECK-LABEL: @aliases
func.func @aliases(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<3x2xf32>, tensor<1x2x3xf32>) {
  // CHECK: %[[B:.*]] = "graph.alias"(%arg0) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  // CHECK: %[[P:.*]] = "graph.alias"(%arg0) : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  // CHECK: return %arg0, %[[B]], %[[P]]
  %a = "graph.alias"(%x) : (tensor<2x3xf32>) -> tensor<6xf32>
  %b = "graph.alias"(%a) : (tensor<6xf32>) -> tensor<2x3xf32>
  %c = "graph.alias"(%a) : (tensor<6xf32>) -> tensor<3x2xf32>
  %p = "graph.Pack"(%x) {N = 1, T = f32, axis = 0} : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  return %b, %c, %p : tensor<2x3xf32>, tensor<3x2xf32>, tensor<1x2x3xf32>
}
// -----
// A sum begins at 0, and 0 + -0 is 0.
// CHECK-LABEL: @reductions
func.func @reductions(%x: tensor<2x1xf32>, %i: tensor<2x1xi32>) -> (tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<1xf32>) {
  %one = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
  %zero = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  // CHECK: %[[A:.*]] = "graph.alias"(%arg0)
  %a = "graph.Max"(%x, %one) {T = f32, Tidx = i32, keep_dims = false} : (tensor<2x1xf32>, tensor<i32>) -> tensor<2xf32>
  // CHECK: %[[B:.*]] = "graph.alias"(%arg1)
  %b = "graph.Sum"(%i, %one) {T = i32, Tidx = i32, keep_dims = false} : (tensor<2x1xi32>, tensor<i32>) -> tensor<2xi32>
  // CHECK: %[[C:.*]] = "graph.Sum"(%arg0
  %c = "graph.Sum"(%x, %one) {T = f32, Tidx = i32, keep_dims = false} : (tensor<2x1xf32>, tensor<i32>) -> tensor<2xf32>
  // CHECK: %[[D:.*]] = "graph.Max"(%arg0
  %d = "graph.Max"(%x, %zero) {T = f32, Tidx = i32, keep_dims = false} : (tensor<2x1xf32>, tensor<i32>) -> tensor<1xf32>
  // CHECK: return %[[A]], %[[B]], %[[C]], %[[D]]
  return %a, %b, %c, %d : tensor<2xf32>, tensor<2xi32>, tensor<2xf32>, tensor<1xf32>
}
// -----
// CHECK-LABEL: @concatenations
func.func @concatenations(%x: tensor<2xf32>, %e: tensor<0xf32>) -> (tensor<2xf32>, tensor<6xf32>, tensor<4xf32>, tensor<4xf32>) {
  %axis = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %last = "graph.Const"() {dtype = i32, value = dense<-1> : tensor<i32>} : () -> tensor<i32>
  %a = "graph.ConcatV2"(%x, %e, %axis) {N = 2, T = f32, Tidx = i32} : (tensor<2xf32>, tensor<0xf32>, tensor<i32>) -> tensor<2xf32>
  %b = "graph.ConcatV2"(%x, %x, %last) {N = 2, T = f32, Tidx = i32} : (tensor<2xf32>, tensor<2xf32>, tensor<i32>) -> tensor<4xf32>
  // CHECK: %[[C:.*]] = "graph.ConcatV2"(%arg0, %arg0, %arg0, %{{.*}}) {N = 3
  %c = "graph.ConcatV2"(%x, %b, %axis) {N = 2, T = f32, Tidx = i32} : (tensor<2xf32>, tensor<4xf32>, tensor<i32>) -> tensor<6xf32>
  // Used twice: copied once, not twice.
  // CHECK: %[[D:.*]] = "graph.ConcatV2"(%arg0, %arg0
  %d = "graph.ConcatV2"(%x, %x, %axis) {N = 2, T = f32, Tidx = i32} : (tensor<2xf32>, tensor<2xf32>, tensor<i32>) -> tensor<4xf32>
  // CHECK: %[[F:.*]] = "graph.ConcatV2"(%[[D]], %[[D]], %{{.*}}) {N = 2
  // CHECK: return %arg0, %[[C]], %[[D]]
  %f = "graph.ConcatV2"(%d, %d, %axis) {N = 2, T = f32, Tidx = i32} : (tensor<4xf32>, tensor<4xf32>, tensor<i32>) -> tensor<8xf32>
  return %a, %c, %d, %d : tensor<2xf32>, tensor<6xf32>, tensor<4xf32>, tensor<4xf32>
}
