// RUN: millrace-opt --passes=order-steps,plan-memory --split %s | FileCheck %s

// Elementwise steps write over an operand that dies; the result has a slot of
// its own; a dead slot is taken again, and grows.
module attributes {graph.dims = ["'x.0'"]} {
  // CHECK: plan.slots = #graph.dims<d2, d4>
  func.func @run(%x: tensor<?x2xf32, #graph.dims<d0>>, %w: tensor<2x4xf32>) -> tensor<?x4xf32, #graph.dims<d0>> {
    // CHECK: "graph.Exp"{{.*}}plan.slot = array<i64: 0>
    %a = "graph.Exp"(%x) {T = f32} : (tensor<?x2xf32, #graph.dims<d0>>) -> tensor<?x2xf32, #graph.dims<d0>>
    // CHECK: "graph.Neg"{{.*}}plan.slot = array<i64: 0>
    %b = "graph.Neg"(%a) {T = f32} : (tensor<?x2xf32, #graph.dims<d0>>) -> tensor<?x2xf32, #graph.dims<d0>>
    // CHECK: "graph.MatMul"{{.*}}plan.slot = array<i64: 1>
    %c = "graph.MatMul"(%b, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<?x2xf32, #graph.dims<d0>>, tensor<2x4xf32>) -> tensor<?x4xf32, #graph.dims<d0>>
    return %c : tensor<?x4xf32, #graph.dims<d0>>
  }
}
// -----
// The third product may use the first one's memory when the second has read it.
// CHECK-LABEL: @reuse
func.func @reuse(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK: plan.slot = array<i64: 0>, plan.step = 0
  %a = "graph.MatMul"(%x, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  // CHECK: plan.slot = array<i64: 1>, plan.step = 1
  %b = "graph.MatMul"(%a, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  // CHECK: plan.after = array<i64: 0, 1>, plan.slot = array<i64: 0>, plan.step = 2
  %c = "graph.MatMul"(%b, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %d = "graph.MatMul"(%c, %w) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %d : tensor<4x4xf32>
}
// -----
// No slot: a size that comes late, a snapshot of a variable, a broadcast operand
// is not written over.
// CHECK-LABEL: @none
func.func @none(%x: tensor<4xf32>, %s: tensor<2xi32>, %y: tensor<4x4xf32>) -> (tensor<?x?xf32>, tensor<4x4xf32>) {
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = ""} : () -> !graph.ref<tensor<4xf32>>
  // CHECK: "graph.read"{{.*}}plan.slot = array<i64: -1>
  %r = "graph.read"(%w) : (!graph.ref<tensor<4xf32>>) -> tensor<4xf32>
  // CHECK: "graph.Reshape"{{.*}}plan.slot = array<i64: -1>
  %a = "graph.Reshape"(%x, %s) {T = f32, Tshape = i32} : (tensor<4xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  // CHECK: "graph.Exp"{{.*}}plan.slot = array<i64: [[E:[0-9]+]]>
  %e = "graph.Exp"(%r) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: "graph.Mul"{{.*}}plan.slot = array<i64: [[M:[0-9]+]]>
  %m = "graph.Mul"(%e, %y) {T = f32} : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %a, %m : tensor<?x?xf32>, tensor<4x4xf32>
}
// -----
// Windows that do not overlap are read before they are written.
// CHECK-LABEL: @apart
func.func @apart(%x: tensor<2x4x4x2xf32>, %g: tensor<2x2x2x2xf32>) -> tensor<2x4x4x2xf32> {
  // CHECK: "graph.Relu"{{.*}}plan.slot = array<i64: [[Y:[0-9]+]]>
  %y = "graph.Relu"(%x) {T = f32} : (tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<2x4x4x2xf32>) -> tensor<2x2x2x2xf32>
  // CHECK: "graph.MaxPoolGrad"{{.*}}plan.slot = array<i64: [[Y]]>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<2x4x4x2xf32>, tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x4x4x2xf32>
  %n = "graph.Square"(%d) {T = f32} : (tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  return %n : tensor<2x4x4x2xf32>
}
// -----
// Those that do are not.
// CHECK-LABEL: @overlap
func.func @overlap(%x: tensor<2x4x4x2xf32>, %g: tensor<2x3x3x2xf32>) -> tensor<2x4x4x2xf32> {
  // CHECK: "graph.Relu"{{.*}}plan.slot = array<i64: [[Y:[0-9]+]]>
  %y = "graph.Relu"(%x) {T = f32} : (tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 1, 1, 1]} : (tensor<2x4x4x2xf32>) -> tensor<2x3x3x2xf32>
  // CHECK-NOT: "graph.MaxPoolGrad"{{.*}}plan.slot = array<i64: [[Y]]>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 1, 1, 1]} : (tensor<2x4x4x2xf32>, tensor<2x3x3x2xf32>, tensor<2x3x3x2xf32>) -> tensor<2x4x4x2xf32>
  %n = "graph.Square"(%d) {T = f32} : (tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  return %n : tensor<2x4x4x2xf32>
}
// -----
// Somebody still reads the image.
// CHECK-LABEL: @used_later
func.func @used_later(%x: tensor<2x4x4x2xf32>, %g: tensor<2x2x2x2xf32>) -> tensor<2x4x4x2xf32> {
  // CHECK: "graph.Relu"{{.*}}plan.slot = array<i64: [[Y:[0-9]+]]>
  %y = "graph.Relu"(%x) {T = f32} : (tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  %p = "graph.MaxPool"(%y) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<2x4x4x2xf32>) -> tensor<2x2x2x2xf32>
  // CHECK-NOT: "graph.MaxPoolGrad"{{.*}}plan.slot = array<i64: [[Y]]>
  %d = "graph.MaxPoolGrad"(%y, %p, %g) {T = f32, data_format = "NHWC", explicit_paddings = [], ksize = [1, 2, 2, 1], padding = "VALID", strides = [1, 2, 2, 1]} : (tensor<2x4x4x2xf32>, tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x4x4x2xf32>
  %n = "graph.Mul"(%d, %y) {T = f32} : (tensor<2x4x4x2xf32>, tensor<2x4x4x2xf32>) -> tensor<2x4x4x2xf32>
  return %n : tensor<2x4x4x2xf32>
}
