// RUN: millrace-opt --passes=place,transfer %s | FileCheck %s
// RUN: millrace-opt --passes=transfer %S/Inputs/one-device.mlir | FileCheck %s --check-prefix=ONE
module attributes {graph.devices = ["CPU:0", "CPU:1", "CPU:2"]} {

// One copy for each value and destination, at the first use; the result comes home.
// CHECK-LABEL: @once
func.func @once(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK-NEXT: %[[X:.*]] = "graph.copy"(%arg0) {place.device = 1 : i32}
  // CHECK-NEXT: %[[A:.*]] = "graph.Neg"(%[[X]])
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("a")
  // CHECK-NEXT: %[[B:.*]] = "graph.Mul"(%[[A]], %[[X]])
  %b = "graph.Mul"(%a, %x) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("b")
  // CHECK-NEXT: %[[A2:.*]] = "graph.copy"(%[[A]]) {place.device = 2 : i32}
  // CHECK-NEXT: %[[B2:.*]] = "graph.copy"(%[[B]]) {place.device = 2 : i32}
  // CHECK-NEXT: %[[C:.*]] = "graph.Add"(%[[A2]], %[[B2]])
  %c = "graph.Add"(%a, %b) {T = f32, graph.device = "/device:CPU:2"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("c")
  // CHECK-NEXT: %[[D:.*]] = "graph.Sub"(%[[C]], %[[A2]])
  %d = "graph.Sub"(%c, %a) {T = f32, graph.device = "/device:CPU:2"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> loc("d")
  // CHECK-NEXT: %[[A0:.*]] = "graph.copy"(%[[A]]) {place.device = 0 : i32}
  // CHECK-NEXT: %[[D0:.*]] = "graph.copy"(%[[D]]) {place.device = 0 : i32}
  // CHECK-NEXT: return %[[A0]], %[[D0]]
  return %a, %d : tensor<4xf32>, tensor<4xf32>
}

// Constants, extents and references are not copied; what aliases show is.
// CHECK-LABEL: @stay
func.func @stay(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  %k = "graph.Const"() {dtype = f32, value = dense<2.0> : tensor<f32>} : () -> tensor<f32> loc("k")
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = ""} : () -> !graph.ref<tensor<4xf32>> loc("v")
  // CHECK: %[[R:.*]] = "graph.read"
  %r = "graph.read"(%v) : (!graph.ref<tensor<4xf32>>) -> tensor<4xf32> loc("r")
  // CHECK-NEXT: %[[S:.*]] = "graph.alias"(%[[R]])
  %s = "graph.alias"(%r) : (tensor<4xf32>) -> tensor<2x2xf32> loc("s")
  // CHECK-NEXT: %[[C:.*]] = "graph.copy"(%[[S]]) {place.device = 1 : i32}
  // CHECK-NEXT: "graph.Mul"(%[[C]], %{{.*}})
  %m = "graph.Mul"(%s, %k) {T = f32, graph.device = "/device:CPU:1"} : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32> loc("m")
  // CHECK-NEXT: "graph.copy"{{.*}}place.device = 0 : i32
  // CHECK-NEXT: return
  return %m : tensor<2x2xf32>
}

// Strings stay on the host; so does what nothing moves.
// CHECK-LABEL: @home
func.func @home(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: graph.copy
  %a = "graph.Neg"(%x) {T = f32} : (tensor<4xf32>) -> tensor<4xf32> loc("h")
  return %a : tensor<4xf32>
}
}

// ONE-NOT: graph.copy
