// Several devices: what was asked for, colocation, variables, defaults.
// RUN: millrace-opt --passes=place %s | FileCheck %s
module attributes {graph.devices = ["CPU:0", "CPU:1", "NULL:0"]} {

// CHECK-LABEL: @asked
func.func @asked(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: "graph.Neg"(%arg0) {T = f32, graph.device = "/device:CPU:1", place.device = 1 : i32}
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("a")
  // Another job cannot be meant here: soft placement.
  // CHECK: "graph.Abs"{{.*}}place.device = 0 : i32
  %b = "graph.Abs"(%a) {T = f32, graph.device = "/job:ps/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("b")
  // Any number of that kind.
  // CHECK: "graph.Exp"{{.*}}place.device = 0 : i32
  %c = "graph.Exp"(%b) {T = f32, graph.device = "/device:CPU:*"} : (tensor<4xf32>) -> tensor<4xf32> loc("c")
  // Nothing was asked for.
  // CHECK: "graph.Tanh"{{.*}}place.device = 0 : i32
  %d = "graph.Tanh"(%c) {T = f32} : (tensor<4xf32>) -> tensor<4xf32> loc("d")
  // Not there; no kernel there.
  // CHECK: "graph.Rsqrt"{{.*}}place.device = 0 : i32
  %e = "graph.Rsqrt"(%d) {T = f32, graph.device = "/device:GPU:0"} : (tensor<4xf32>) -> tensor<4xf32> loc("e")
  // CHECK: "graph.Sqrt"{{.*}}place.device = 0 : i32
  %f = "graph.Sqrt"(%e) {T = f32, graph.device = "/device:NULL:0"} : (tensor<4xf32>) -> tensor<4xf32> loc("f")
  return %f : tensor<4xf32>
}

// Whoever touches a variable is where it is, also when it asked for another place.
// CHECK-LABEL: @variable
func.func @variable(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: "graph.VariableV2"{{.*}}place.device = 1 : i32
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = "", graph.device = "/device:CPU:1"} : () -> !graph.ref<tensor<4xf32>> loc("v")
  // CHECK: "graph.Assign"{{.*}}place.device = 1 : i32
  %w, %done = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true, graph.device = "/device:CPU:0"} : (!graph.ref<tensor<4xf32>>, tensor<4xf32>) -> (!graph.ref<tensor<4xf32>>, !graph.control) loc("w")
  // CHECK: "graph.read"{{.*}}place.device = 1 : i32
  %r = "graph.read"(%v, %done) : (!graph.ref<tensor<4xf32>>, !graph.control) -> tensor<4xf32> loc("r")
  // CHECK: "graph.Neg"{{.*}}place.device = 0 : i32
  %n = "graph.Neg"(%r) {T = f32} : (tensor<4xf32>) -> tensor<4xf32> loc("n")
  return %n : tensor<4xf32>
}

// The same variable in another signature.
// CHECK-LABEL: @again
func.func @again() -> tensor<4xf32> {
  // CHECK: "graph.VariableV2"{{.*}}place.device = 1 : i32
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = ""} : () -> !graph.ref<tensor<4xf32>> loc("v")
  // CHECK: "graph.read"{{.*}}place.device = 1 : i32
  %r = "graph.read"(%v) : (!graph.ref<tensor<4xf32>>) -> tensor<4xf32> loc("r")
  return %r : tensor<4xf32>
}

// Colocated with a node that asked, through one that did not, in either order.
// CHECK-LABEL: @colocated
func.func @colocated(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: "graph.Neg"{{.*}}place.device = 1 : i32
  %a = "graph.Neg"(%x) {T = f32, graph.colocate = ["p"]} : (tensor<4xf32>) -> tensor<4xf32> loc("o")
  // CHECK: "graph.Abs"{{.*}}place.device = 1 : i32
  %b = "graph.Abs"(%a) {T = f32, graph.colocate = ["q"]} : (tensor<4xf32>) -> tensor<4xf32> loc("p")
  // CHECK: "graph.Exp"{{.*}}place.device = 1 : i32
  %c = "graph.Exp"(%b) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("q")
  // A node that is not there makes a group all the same.
  // CHECK: "graph.Tanh"{{.*}}place.device = 1 : i32
  %d = "graph.Tanh"(%c) {T = f32, graph.colocate = ["gone"]} : (tensor<4xf32>) -> tensor<4xf32> loc("r")
  // CHECK: "graph.Sqrt"{{.*}}place.device = 1 : i32
  %e = "graph.Sqrt"(%d) {T = f32, graph.colocate = ["gone"], graph.device = "/device:*:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("s")
  return %e : tensor<4xf32>
}
}
