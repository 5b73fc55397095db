// RUN: millrace-opt --passes=fold-constants --split %s | FileCheck %s

// CHECK-LABEL: @chain
func.func @chain() -> tensor<2xf32> {
  // CHECK: %[[R:.*]] = "graph.Const"() {{.*}}dense<[-3.000000e+00, -8.000000e+00]>
  // CHECK-NEXT: return %[[R]]
  %a = "graph.Const"() {dtype = f32, value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %b = "graph.Const"() {dtype = f32, value = dense<[3.0, 4.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  %m = "graph.Mul"(%a, %b) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %n = "graph.Neg"(%m) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  return %n : tensor<2xf32>
}
// -----
// Bits of special values are those of the run: 0 * -1, inf - inf, a denormal sum.
// CHECK-LABEL: @special
func.func @special() -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %z = "graph.Const"() {dtype = f32, value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  %m = "graph.Const"() {dtype = f32, value = dense<-1.0> : tensor<f32>} : () -> tensor<f32>
  %i = "graph.Const"() {dtype = f32, value = dense<0x7F800000> : tensor<f32>} : () -> tensor<f32>
  %d = "graph.Const"() {dtype = f32, value = dense<0x00000010> : tensor<f32>} : () -> tensor<f32>
  // CHECK: dense<-0.000000e+00>
  %a = "graph.Mul"(%z, %m) {T = f32} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: dense<0x{{[7F]}}FC00000>
  %b = "graph.Sub"(%i, %i) {T = f32} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: dense<0.000000e+00>
  %c = "graph.Add"(%d, %d) {T = f32} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %a, %b, %c : tensor<f32>, tensor<f32>, tensor<f32>
}
// -----
// 4 GB of zeros are made by the run, if at all.
// CHECK-LABEL: @large
func.func @large() -> tensor<1048576x1024xf32> {
  %s = "graph.Const"() {dtype = i32, value = dense<[1048576, 1024]> : tensor<2xi32>} : () -> tensor<2xi32>
  %z = "graph.Const"() {dtype = f32, value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
  // CHECK: "graph.Fill"
  %f = "graph.Fill"(%s, %z) {T = f32, index_type = i32} : (tensor<2xi32>, tensor<f32>) -> tensor<1048576x1024xf32>
  return %f : tensor<1048576x1024xf32>
}
// -----
// A constant that waits for others keeps its users behind them.
// CHECK-LABEL: @waits
func.func @waits(%c: !graph.control) -> tensor<f32> {
  %a = "graph.Const"(%c) {dtype = f32, value = dense<1.0> : tensor<f32>} : (!graph.control) -> tensor<f32>
  // CHECK: "graph.Neg"
  %n = "graph.Neg"(%a) {T = f32} : (tensor<f32>) -> tensor<f32>
  return %n : tensor<f32>
}
// -----
// What Identity and Reshape keep is not copied: the elements stay where the graph has them.
// CHECK-LABEL: @kept
func.func @kept() -> (tensor<100xf32>, tensor<4x25xf32>) {
  // CHECK: %[[W:.*]] = "graph.Const"() {{.*}}dense_resource<w> : tensor<100xf32>
  // CHECK-NOT: graph.Identity
  // CHECK-NOT: graph.Reshape
  // CHECK: %[[R:.*]] = "graph.Const"() {{.*}}dense_resource<{{.*}}> : tensor<4x25xf32>
  // CHECK: return %[[W]], %[[R]]
  %w = "graph.Const"() {dtype = f32, value = dense_resource<w> : tensor<100xf32>} : () -> tensor<100xf32>
  %s = "graph.Const"() {dtype = i32, value = dense<[4, 25]> : tensor<2xi32>} : () -> tensor<2xi32>
  %i = "graph.Identity"(%w) {T = f32} : (tensor<100xf32>) -> tensor<100xf32>
  %r = "graph.Reshape"(%i, %s) {T = f32, Tshape = i32} : (tensor<100xf32>, tensor<2xi32>) -> tensor<4x25xf32>
  return %i, %r : tensor<100xf32>, tensor<4x25xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x04000000000000000000803F0000004000004040000080400000A0400000C0400000E0400000004100001041000020410000304100004041000050410000604100007041000080410000884100009041000098410000A0410000A8410000B0410000B8410000C0410000C8410000D0410000D8410000E0410000E8410000F0410000F84100000042000004420000084200000C4200001042000014420000184200001C4200002042000024420000284200002C4200003042000034420000384200003C4200004042000044420000484200004C4200005042000054420000584200005C4200006042000064420000684200006C4200007042000074420000784200007C42000080420000824200008442000086420000884200008A4200008C4200008E42000090420000924200009442000096420000984200009A4200009C4200009E420000A0420000A2420000A4420000A6420000A8420000AA420000AC420000AE420000B0420000B2420000B4420000B6420000B8420000BA420000BC420000BE420000C0420000C2420000C4420000C642"
    }
  }
#-}
