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
