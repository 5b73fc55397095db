// RUN: millrace-opt --passes=order-steps --split %s | FileCheck %s

// The read comes first, its user before the write, and the write waits for both.
// CHECK-LABEL: @reads_first
func.func @reads_first(%x: tensor<f32>) -> tensor<f32> {
  // CHECK: "graph.read"{{.*}}plan.after = array<i64>, plan.step = 0
  // CHECK: "graph.Neg"{{.*}}plan.after = array<i64: 0>, plan.step = 1
  // CHECK: "graph.Assign"{{.*}}plan.after = array<i64: 0, 1>, plan.step = 2
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 1 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>>
  %r = "graph.read"(%w) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  %n = "graph.Neg"(%r) {T = f32} : (tensor<f32>) -> tensor<f32>
  return %n : tensor<f32>
}
// -----
// A read behind the write stays behind it.
// CHECK-LABEL: @read_behind
func.func @read_behind(%x: tensor<f32>) -> tensor<f32> {
  // CHECK: "graph.Assign"{{.*}}plan.step = 0
  // CHECK: "graph.read"{{.*}}plan.after = array<i64: 0>, plan.step = 1
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 1 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %r = "graph.read"(%w, %s#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  return %r : tensor<f32>
}
// -----
// Two writes that nothing orders: by the order of the nodes.
// CHECK-LABEL: @writes
func.func @writes(%x: tensor<f32>, %y: tensor<f32>) -> (!graph.control, !graph.control) {
  // CHECK: "graph.Assign"(%{{.*}}, %arg1) {{.*}}plan.after = array<i64>, plan.step = 0
  // CHECK: "graph.Assign"(%{{.*}}, %arg0) {{.*}}plan.after = array<i64: 0>, plan.step = 1
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 7 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %t:2 = "graph.Assign"(%w, %y) {T = f32, use_locking = true, validate_shape = true, graph.order = 3 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  return %s#1, %t#1 : !graph.control, !graph.control
}
// -----
// Two variables, each read behind the other's write: both reads see the values
// from before, so neither waits for anything and there is no cycle.
// CHECK-LABEL: @crossed
func.func @crossed(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // CHECK: "graph.read"(%{{[0-9]+}}) {plan.after = array<i64>, plan.step = 0
  // CHECK: "graph.Assign"{{.*}}plan.after = array<i64: 0>, plan.step = 1
  // CHECK: "graph.read"(%{{[0-9]+}}) {plan.after = array<i64>, plan.step = 2
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "v"} : () -> !graph.ref<tensor<f32>>
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "w"} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 1 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %t:2 = "graph.Assign"(%w, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 2 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %a = "graph.read"(%v, %t#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  %b = "graph.read"(%w, %s#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  return %a, %b : tensor<f32>, tensor<f32>
}
// -----
// Reads that waited for different things, none of them a write of the variable,
// are one.
// CHECK-LABEL: @merged
func.func @merged(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // CHECK-COUNT-1: "graph.read"
  // CHECK-NOT: "graph.read"
  // CHECK: return %[[R:.*]], %[[R]]
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "v"} : () -> !graph.ref<tensor<f32>>
  %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "w"} : () -> !graph.ref<tensor<f32>>
  %s:2 = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true, graph.order = 1 : i64} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control)
  %a = "graph.read"(%w, %s#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32>
  %b = "graph.read"(%w) : (!graph.ref<tensor<f32>>) -> tensor<f32>
  return %a, %b : tensor<f32>, tensor<f32>
}
