// RUN: millrace-opt --passes=simplify-algebra --split %s | FileCheck %s

// x * 1, x / 1, x - 0 and x + -0, of a difference, which has no denormals.
// CHECK-LABEL: @neutral
func.func @neutral(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: %[[P:.*]] = "graph.Sub"(%arg0, %arg1)
  // CHECK-NEXT: return %[[P]]
  %one = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %zero = "graph.Const"() {dtype = f32, value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %minus = "graph.Const"() {dtype = f32, value = dense<-0.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %p = "graph.Sub"(%x, %y) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %a = "graph.Mul"(%p, %one) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = "graph.RealDiv"(%a, %one) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %s = "graph.Sub"(%b, %zero) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %r = "graph.AddV2"(%s, %minus) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
// -----
// -0 + 0 and -0 - -0 are 0.
// CHECK-LABEL: @positive_zero
func.func @positive_zero(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  // CHECK: "graph.AddV2"
  // CHECK: "graph.Sub"(%{{.*}}, %{{.*}}) {{.*}} (tensor<2xf32>, tensor<f32>)
  %zero = "graph.Const"() {dtype = f32, value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %minus = "graph.Const"() {dtype = f32, value = dense<-0.0> : tensor<f32>} : () -> tensor<f32>
  %p = "graph.Mul"(%x, %y) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %a = "graph.AddV2"(%p, %zero) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = "graph.Sub"(%p, %minus) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}
// -----
// Denormals of a feed count as zero from the product on: who sees it would see them.
// CHECK-LABEL: @denormals
func.func @denormals(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  // CHECK: %[[M:.*]] = "graph.Mul"(%arg0
  // CHECK: %[[E:.*]] = "graph.Exp"(%[[M]])
  // CHECK: return %[[M]], %[[E]]
  %one = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %a = "graph.Mul"(%x, %one) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %e = "graph.Exp"(%a) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  return %a, %e : tensor<2xf32>, tensor<2xf32>
}
// -----
// A sum flushes them itself.
// CHECK-LABEL: @seen_flushed
func.func @seen_flushed(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: %[[A:.*]] = "graph.AddV2"(%arg0, %arg1)
  // CHECK-NEXT: return %[[A]]
  %one = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %a = "graph.Mul"(%x, %one) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %r = "graph.AddV2"(%a, %y) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
// -----
// CHECK-LABEL: @integers
func.func @integers(%x: tensor<2xi32>) -> tensor<2xi32> {
  // CHECK: return %arg0
  %one = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
  %zero = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %a = "graph.Mul"(%one, %x) {T = i32} : (tensor<i32>, tensor<2xi32>) -> tensor<2xi32>
  %b = "graph.AddV2"(%a, %zero) {T = i32} : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %d = "graph.FloorDiv"(%b, %one) {T = i32} : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  return %d : tensor<2xi32>
}
// -----
// The one makes the result larger.
// CHECK-LABEL: @larger
func.func @larger(%x: tensor<f32>, %y: tensor<f32>) -> tensor<2xf32> {
  // CHECK: "graph.Mul"(%{{.*}}, %{{.*}}) {{.*}} (tensor<f32>, tensor<2xf32>)
  %one = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  %p = "graph.Sub"(%x, %y) {T = f32} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %a = "graph.Mul"(%p, %one) {T = f32} : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}
// -----
// CHECK-LABEL: @signs
func.func @signs(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  // CHECK: %[[S:.*]] = "graph.Sub"(%arg0, %arg1)
  // CHECK: %[[A:.*]] = "graph.AddV2"(%arg0, %arg1)
  // CHECK: %[[M:.*]] = "graph.Mul"(%arg0, %arg1)
  // CHECK: %[[Q:.*]] = "graph.Square"(%arg1)
  // CHECK: return %arg0, %[[S]], %[[A]], %[[M]], %[[Q]]
  %nx = "graph.Neg"(%x) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %nnx = "graph.Neg"(%nx) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %ny = "graph.Neg"(%y) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %s = "graph.AddV2"(%x, %ny) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %a = "graph.Sub"(%x, %ny) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %m = "graph.Mul"(%nx, %ny) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %q = "graph.Mul"(%ny, %ny) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %nnx, %s, %a, %m, %q : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
// -----
// 1/3 is not exact, 1/2^127 is denormal.
// CHECK-LABEL: @powers_of_two
func.func @powers_of_two(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  // CHECK: %[[C:.*]] = "graph.Const"() {{.*}}dense<2.500000e-01>
  // CHECK: "graph.Mul"(%arg0, %[[C]])
  // CHECK: "graph.RealDiv"
  // CHECK: "graph.RealDiv"
  %four = "graph.Const"() {dtype = f32, value = dense<4.0> : tensor<f32>} : () -> tensor<f32>
  %three = "graph.Const"() {dtype = f32, value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %huge = "graph.Const"() {dtype = f32, value = dense<0x7F000000> : tensor<f32>} : () -> tensor<f32>
  %a = "graph.RealDiv"(%x, %four) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = "graph.RealDiv"(%x, %three) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %d = "graph.RealDiv"(%x, %huge) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %a, %b, %d : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
// -----
// CHECK-LABEL: @twice
func.func @twice(%x: tensor<2xf32>, %p: tensor<2xi1>) -> (tensor<2xf32>, tensor<2xi1>, tensor<2xi1>) {
  // CHECK: %[[R:.*]] = "graph.Relu"(%arg0)
  // CHECK: return %[[R]], %arg1, %arg1
  %a = "graph.Relu"(%x) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.Relu"(%a) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %n = "graph.LogicalNot"(%p) : (tensor<2xi1>) -> tensor<2xi1>
  %m = "graph.LogicalNot"(%n) : (tensor<2xi1>) -> tensor<2xi1>
  %t = "graph.Const"() {dtype = i1, value = dense<true> : tensor<i1>} : () -> tensor<i1>
  %l = "graph.LogicalAnd"(%p, %t) : (tensor<2xi1>, tensor<i1>) -> tensor<2xi1>
  return %b, %m, %l : tensor<2xf32>, tensor<2xi1>, tensor<2xi1>
}
// -----
// CHECK-LABEL: @opposites
func.func @opposites(%x: tensor<2xf32>, %y: tensor<2xf32>, %i: tensor<2xi32>, %j: tensor<2xi32>) -> (tensor<2xi1>, tensor<2xi1>, tensor<2xi1>) {
  // CHECK: %[[N:.*]] = "graph.NotEqual"(%arg0, %arg1)
  // CHECK: %[[L:.*]] = "graph.Less"(%arg0, %arg1)
  // CHECK: %[[NL:.*]] = "graph.LogicalNot"(%[[L]])
  // CHECK: %[[G:.*]] = "graph.GreaterEqual"(%arg2, %arg3)
  // CHECK: return %[[N]], %[[NL]], %[[G]]
  %e = "graph.Equal"(%x, %y) {T = f32, incompatible_shape_error = true} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  %ne = "graph.LogicalNot"(%e) : (tensor<2xi1>) -> tensor<2xi1>
  %l = "graph.Less"(%x, %y) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  %nl = "graph.LogicalNot"(%l) : (tensor<2xi1>) -> tensor<2xi1>
  %k = "graph.Less"(%i, %j) {T = i32} : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %nk = "graph.LogicalNot"(%k) : (tensor<2xi1>) -> tensor<2xi1>
  return %ne, %nl, %nk : tensor<2xi1>, tensor<2xi1>, tensor<2xi1>
}
// -----
// float64 has every int32 and float32 has not; a feed's denormals are flushed on the way to float64.
// CHECK-LABEL: @casts
func.func @casts(%i: tensor<2xi32>, %h: tensor<2xf16>, %x: tensor<2xf32>) -> (tensor<2xi32>, tensor<2xf32>, tensor<2xi8>, tensor<2xi64>, tensor<2xf32>) {
  // CHECK: %[[D:.*]] = "graph.Cast"(%arg2) {{.*}} -> tensor<2xf64>
  // CHECK: %[[K:.*]] = "graph.Cast"(%[[D]]) {{.*}} -> tensor<2xf32>
  // CHECK: %[[N:.*]] = "graph.Cast"(%arg0) {{.*}} -> tensor<2xi8>
  // CHECK: %[[F:.*]] = "graph.Cast"(%arg0) {{.*}} -> tensor<2xf32>
  // CHECK: %[[L:.*]] = "graph.Cast"(%[[F]]) {{.*}} -> tensor<2xi64>
  // CHECK: return %arg0, %[[K]], %[[N]], %[[L]], %arg2
  %d = "graph.Cast"(%i) {SrcT = i32, DstT = f64, Truncate = false} : (tensor<2xi32>) -> tensor<2xf64>
  %b = "graph.Cast"(%d) {SrcT = f64, DstT = i32, Truncate = false} : (tensor<2xf64>) -> tensor<2xi32>
  %xd = "graph.Cast"(%x) {SrcT = f32, DstT = f64, Truncate = false} : (tensor<2xf32>) -> tensor<2xf64>
  %xf = "graph.Cast"(%xd) {SrcT = f64, DstT = f32, Truncate = false} : (tensor<2xf64>) -> tensor<2xf32>
  %w = "graph.Cast"(%i) {SrcT = i32, DstT = i64, Truncate = false} : (tensor<2xi32>) -> tensor<2xi64>
  %n = "graph.Cast"(%w) {SrcT = i64, DstT = i8, Truncate = false} : (tensor<2xi64>) -> tensor<2xi8>
  %f = "graph.Cast"(%i) {SrcT = i32, DstT = f32, Truncate = false} : (tensor<2xi32>) -> tensor<2xf32>
  %l = "graph.Cast"(%f) {SrcT = f32, DstT = i64, Truncate = false} : (tensor<2xf32>) -> tensor<2xi64>
  %same = "graph.Cast"(%x) {SrcT = f32, DstT = f32, Truncate = false} : (tensor<2xf32>) -> tensor<2xf32>
  return %b, %xf, %n, %l, %same : tensor<2xi32>, tensor<2xf32>, tensor<2xi8>, tensor<2xi64>, tensor<2xf32>
}
// -----
// CHECK-LABEL: @select
func.func @select(%x: tensor<2xf32>, %y: tensor<2xf32>, %p: tensor<2xi1>) -> (tensor<2xf32>, tensor<2xf32>) {
  // CHECK: return %arg1, %arg0
  %f = "graph.Const"() {dtype = i1, value = dense<false> : tensor<i1>} : () -> tensor<i1>
  %a = "graph.SelectV2"(%f, %x, %y) {T = f32} : (tensor<i1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.SelectV2"(%p, %x, %x) {T = f32} : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}
// -----
// Sums of floats round each time.
// CHECK-LABEL: @wrapping
func.func @wrapping(%x: tensor<2xi32>, %y: tensor<2xf32>) -> (tensor<2xi32>, tensor<2xf32>) {
  // CHECK: %[[C:.*]] = "graph.AddV2"(%{{.*}}, %{{.*}}) {{.*}} (tensor<i32>, tensor<i32>)
  // CHECK: "graph.AddV2"(%arg0, %[[C]])
  // CHECK-COUNT-2: "graph.AddV2"{{.*}}f32
  %c = "graph.Const"() {dtype = i32, value = dense<3> : tensor<i32>} : () -> tensor<i32>
  %d = "graph.Const"() {dtype = i32, value = dense<4> : tensor<i32>} : () -> tensor<i32>
  %cf = "graph.Const"() {dtype = f32, value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %df = "graph.Const"() {dtype = f32, value = dense<4.0> : tensor<f32>} : () -> tensor<f32>
  %a = "graph.AddV2"(%x, %c) {T = i32} : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %b = "graph.AddV2"(%a, %d) {T = i32} : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %af = "graph.AddV2"(%y, %cf) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %bf = "graph.AddV2"(%af, %df) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %b, %bf : tensor<2xi32>, tensor<2xf32>
}
// -----
// The second sum has its shape from Fill alone.
// CHECK-LABEL: @spread
func.func @spread(%x: tensor<2xf32>, %s: tensor<1xi32>, %v: tensor<f32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  // CHECK: %[[A:.*]] = "graph.AddV2"(%arg0, %arg2)
  // CHECK: %[[Z:.*]] = "graph.Const"() {{.*}}dense<0.0{{.*}} tensor<f32>
  // CHECK: %[[M:.*]] = "graph.Maximum"(%arg0, %[[Z]])
  // CHECK: %[[F:.*]] = "graph.Fill"
  // CHECK: "graph.AddV2"(%arg2, %[[F]])
  %f = "graph.Fill"(%s, %v) {T = f32, index_type = i32} : (tensor<1xi32>, tensor<f32>) -> tensor<2xf32>
  %a = "graph.AddV2"(%x, %f) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %z = "graph.ZerosLike"(%x) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  %m = "graph.Maximum"(%x, %z) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %g = "graph.Fill"(%s, %v) {T = f32, index_type = i32} : (tensor<1xi32>, tensor<f32>) -> tensor<2xf32>
  %b = "graph.AddV2"(%g, %v) {T = f32} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %a, %m, %b : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
// -----
// Other permutations are no transposed product.
// CHECK-LABEL: @products
func.func @products(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>, %b: tensor<3x2x2xf32>) -> (tensor<2x2xf32>, tensor<3x2x2xf32>, tensor<3x2x2xf32>) {
  // CHECK: "graph.MatMul"(%arg0, %arg1) {{.*}}transpose_a = true, transpose_b = false
  // CHECK: "graph.BatchMatMulV2"(%arg2, %arg2) {{.*}}adj_x = false, adj_y = true
  // CHECK: %[[T:.*]] = "graph.Transpose"(%arg2
  // CHECK: "graph.BatchMatMulV2"(%[[T]], %arg2)
  %p = "graph.Const"() {dtype = i32, value = dense<[1, 0]> : tensor<2xi32>} : () -> tensor<2xi32>
  %q = "graph.Const"() {dtype = i32, value = dense<[0, 2, 1]> : tensor<3xi32>} : () -> tensor<3xi32>
  %r = "graph.Const"() {dtype = i32, value = dense<[2, 1, 0]> : tensor<3xi32>} : () -> tensor<3xi32>
  %t = "graph.Transpose"(%x, %p) {T = f32, Tperm = i32} : (tensor<2x2xf32>, tensor<2xi32>) -> tensor<2x2xf32>
  %m = "graph.MatMul"(%t, %y) {T = f32, transpose_a = false, transpose_b = false, grad_a = false, grad_b = false} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %u = "graph.Transpose"(%b, %q) {T = f32, Tperm = i32} : (tensor<3x2x2xf32>, tensor<3xi32>) -> tensor<3x2x2xf32>
  %n = "graph.BatchMatMulV2"(%b, %u) {T = f32, adj_x = false, adj_y = false, grad_x = false, grad_y = false} : (tensor<3x2x2xf32>, tensor<3x2x2xf32>) -> tensor<3x2x2xf32>
  %v = "graph.Transpose"(%b, %r) {T = f32, Tperm = i32} : (tensor<3x2x2xf32>, tensor<3xi32>) -> tensor<3x2x2xf32>
  %o = "graph.BatchMatMulV2"(%v, %b) {T = f32, adj_x = false, adj_y = false, grad_x = false, grad_y = false} : (tensor<3x2x2xf32>, tensor<3x2x2xf32>) -> tensor<3x2x2xf32>
  return %m, %n, %o : tensor<2x2xf32>, tensor<3x2x2xf32>, tensor<3x2x2xf32>
}
// -----
// Maximum of 0 and -0 goes by the order.
// CHECK-LABEL: @order
func.func @order(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  // CHECK: "graph.Mul"(%arg0, %arg1)
  // CHECK: "graph.Mul"(%arg0, %[[C:.*]])
  // CHECK: "graph.Sub"(%arg1, %arg0)
  // CHECK: "graph.Maximum"(%arg1, %arg0)
  %c = "graph.Const"() {dtype = f32, value = dense<3.0> : tensor<f32>} : () -> tensor<f32>
  %a = "graph.Mul"(%y, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = "graph.Mul"(%c, %x) {T = f32} : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %d = "graph.Sub"(%y, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %e = "graph.Maximum"(%y, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %a, %b, %d, %e : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
// -----
// Sizes that come late may differ, and the smaller one be spread out.
// CHECK-LABEL: @late
func.func @late(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: "graph.SelectV2"
  %f = "graph.Const"() {dtype = i1, value = dense<false> : tensor<i1>} : () -> tensor<i1>
  %a = "graph.SelectV2"(%f, %x, %y) {T = f32} : (tensor<i1>, tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %a : tensor<?xf32>
}
