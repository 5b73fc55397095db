// RUN: millrace-opt --passes=fuse-updates --split %s | FileCheck %s

// Small updates by one op become one step; who waited for one waits for it.
// CHECK-LABEL: @small
// CHECK: %[[U:.*]] = "graph._UpdateMany"(%{{.*}}, %arg0, %arg1, %{{.*}}, %arg0, %arg2)
// CHECK-SAME: Tin = [!graph.ref<tensor<*xf32>>, f32, f32, !graph.ref<tensor<*xf32>>, f32, f32]
// CHECK-SAME: nodes = ["ua", "ub"]
// CHECK-SAME: update = {attrs = {T = f32, use_locking = false}, func = "ApplyGradientDescent"}
// CHECK-SAME: -> !graph.control
// CHECK-NOT: ApplyGradientDescent
// CHECK: return %[[U]], %[[U]]
func.func @small(%lr: tensor<f32>, %x: tensor<4xf32>, %y: tensor<5xf32>) -> (!graph.control, !graph.control) {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = ""} : () -> !graph.ref<tensor<4xf32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<5xindex>, shared_name = ""} : () -> !graph.ref<tensor<5xf32>> loc("b")
  %ua:2 = "graph.ApplyGradientDescent"(%a, %lr, %x) {T = f32, use_locking = false, graph.order = 1 : i64} : (!graph.ref<tensor<4xf32>>, tensor<f32>, tensor<4xf32>) -> (!graph.ref<tensor<4xf32>>, !graph.control) loc("ua")
  %ub:2 = "graph.ApplyGradientDescent"(%b, %lr, %y) {T = f32, use_locking = false, graph.order = 2 : i64} : (!graph.ref<tensor<5xf32>>, tensor<f32>, tensor<5xf32>) -> (!graph.ref<tensor<5xf32>>, !graph.control) loc("ub")
  return %ua#1, %ub#1 : !graph.control, !graph.control
}
// -----
// Behind handles likewise, whatever else the ops write with.
// CHECK-LABEL: @handles
// CHECK: "graph._UpdateMany"({{.*}}) {Tin = [!graph.resource, f32, !graph.resource, f32]
// CHECK-SAME: func = "AssignSubVariableOp"
// CHECK-NOT: "graph.AssignSubVariableOp"
// CHECK: return
func.func @handles(%x: tensor<4xf32>, %y: tensor<f32>) {
  %a = "graph.VarHandleOp"() {allowed_devices = [], container = "", debug_name = "", dtype = f32, shape = tensor<4xindex>, shared_name = "a"} : () -> tensor<!graph.resource>
  %b = "graph.VarHandleOp"() {allowed_devices = [], container = "", debug_name = "", dtype = f32, shape = tensor<index>, shared_name = "b"} : () -> tensor<!graph.resource>
  "graph.AssignSubVariableOp"(%a, %x) {dtype = f32} : (tensor<!graph.resource>, tensor<4xf32>) -> () loc("ua")
  "graph.AssignSubVariableOp"(%b, %y) {dtype = f32} : (tensor<!graph.resource>, tensor<f32>) -> () loc("ub")
  return
}
// -----
// An update that waits for another comes behind it; those of one stage are joined,
// and operations come behind what they use.
// CHECK-LABEL: @stages
// CHECK: "graph.Neg"
// CHECK: %[[U:.*]] = "graph._UpdateMany"{{.*}} nodes = ["u1", "u2"]
// CHECK: %[[N:.*]] = "graph.Square"(%arg0, %[[U]])
// CHECK: "graph._UpdateMany"({{.*}}, %[[N]], {{.*}}, %[[U]]){{.*}} nodes = ["u3", "u4"]
// CHECK-NEXT: return
func.func @stages(%x: tensor<f32>) {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("b")
  %c = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("c")
  %d = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("d")
  %u1:2 = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control) loc("u1")
  %s = "graph.Square"(%x, %u1#1) {T = f32} : (tensor<f32>, !graph.control) -> tensor<f32> loc("s")
  %u3 = "graph.AssignSub"(%b, %s) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("u3")
  %n = "graph.Neg"(%x) {T = f32} : (tensor<f32>) -> tensor<f32> loc("n")
  %u2 = "graph.AssignSub"(%c, %n) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("u2")
  %u4 = "graph.AssignSub"(%d, %x, %u1#1) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>, !graph.control) -> !graph.ref<tensor<f32>> loc("u4")
  return
}
// -----
// Left alone: another op, other attributes, a large variable, a size that is not known.
// CHECK-LABEL: @alone
// CHECK-NOT: _UpdateMany
// CHECK: return
func.func @alone(%x: tensor<f32>, %l: tensor<1025xf32>, %o: tensor<?xf32>) {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("b")
  %c = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("c")
  %d = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1025xindex>, shared_name = ""} : () -> !graph.ref<tensor<1025xf32>> loc("d")
  %e = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<?xindex>, shared_name = ""} : () -> !graph.ref<tensor<?xf32>> loc("e")
  %ua = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ua")
  %ub = "graph.AssignAdd"(%b, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ub")
  %uc = "graph.AssignSub"(%c, %x) {T = f32, use_locking = true} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("uc")
  %ud = "graph.AssignSub"(%d, %l) {T = f32, use_locking = false} : (!graph.ref<tensor<1025xf32>>, tensor<1025xf32>) -> !graph.ref<tensor<1025xf32>> loc("ud")
  %ue = "graph.AssignSub"(%e, %o) {T = f32, use_locking = false} : (!graph.ref<tensor<?xf32>>, tensor<?xf32>) -> !graph.ref<tensor<?xf32>> loc("ue")
  return
}
// -----
// A variable that is read behind the update of another: of one step, the read
// would see the new value.
// CHECK-LABEL: @read_behind_another
// CHECK-NOT: _UpdateMany
// CHECK: return
func.func @read_behind_another(%x: tensor<f32>) -> tensor<f32> {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("b")
  %ua:2 = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> (!graph.ref<tensor<f32>>, !graph.control) loc("ua")
  %ub = "graph.AssignSub"(%b, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ub")
  %r = "graph.read"(%b, %ua#1) : (!graph.ref<tensor<f32>>, !graph.control) -> tensor<f32> loc("r")
  return %r : tensor<f32>
}
// -----
// Two writes of one variable keep their order; what is returned is wanted.
// CHECK-LABEL: @two_writers
// CHECK-NOT: _UpdateMany
// CHECK: return
func.func @two_writers(%x: tensor<f32>) -> !graph.ref<tensor<f32>> {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "v"} : () -> !graph.ref<tensor<f32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "v"} : () -> !graph.ref<tensor<f32>> loc("b")
  %c = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("c")
  %ua = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ua")
  %ub = "graph.AssignSub"(%b, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ub")
  %uc = "graph.AssignSub"(%c, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("uc")
  return %uc : !graph.ref<tensor<f32>>
}
// -----
// A write through a reference that leads nowhere might be of any variable.
// CHECK-LABEL: @unknown
// CHECK-NOT: _UpdateMany
// CHECK: return
func.func @unknown(%x: tensor<f32>, %w: !graph.ref<tensor<f32>>) {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = ""} : () -> !graph.ref<tensor<f32>> loc("b")
  %ua = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ua")
  %ub = "graph.AssignSub"(%b, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ub")
  %uw = "graph.AssignAdd"(%w, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("uw")
  return
}
// -----
// As many as fit into the first cache become one; the next step takes the others.
// CHECK-LABEL: @together
// CHECK: "graph._UpdateMany"{{.*}} nodes = ["ua", "ub", "uc", "ud"]
// CHECK-NOT: _UpdateMany
// CHECK: "graph.AssignSub"
// CHECK-NEXT: return
func.func @together(%x: tensor<1000xf32>) {
  %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1000xindex>, shared_name = ""} : () -> !graph.ref<tensor<1000xf32>> loc("a")
  %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1000xindex>, shared_name = ""} : () -> !graph.ref<tensor<1000xf32>> loc("b")
  %c = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1000xindex>, shared_name = ""} : () -> !graph.ref<tensor<1000xf32>> loc("c")
  %d = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1000xindex>, shared_name = ""} : () -> !graph.ref<tensor<1000xf32>> loc("d")
  %e = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<1000xindex>, shared_name = ""} : () -> !graph.ref<tensor<1000xf32>> loc("e")
  %ua = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<1000xf32>>, tensor<1000xf32>) -> !graph.ref<tensor<1000xf32>> loc("ua")
  %ub = "graph.AssignSub"(%b, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<1000xf32>>, tensor<1000xf32>) -> !graph.ref<tensor<1000xf32>> loc("ub")
  %uc = "graph.AssignSub"(%c, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<1000xf32>>, tensor<1000xf32>) -> !graph.ref<tensor<1000xf32>> loc("uc")
  %ud = "graph.AssignSub"(%d, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<1000xf32>>, tensor<1000xf32>) -> !graph.ref<tensor<1000xf32>> loc("ud")
  %ue = "graph.AssignSub"(%e, %x) {T = f32, use_locking = false} : (!graph.ref<tensor<1000xf32>>, tensor<1000xf32>) -> !graph.ref<tensor<1000xf32>> loc("ue")
  return
}
// -----
// On two devices: two steps.
// CHECK-LABEL: @devices
// CHECK: "graph._UpdateMany"{{.*}} nodes = ["ua", "uc"], place.device = 0
// CHECK: "graph._UpdateMany"{{.*}} nodes = ["ub", "ud"], place.device = 1
module attributes {graph.devices = ["CPU:0", "CPU:1"]} {
  func.func @devices(%x: tensor<f32>) {
    %a = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "", place.device = 0 : i32} : () -> !graph.ref<tensor<f32>> loc("a")
    %b = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "", place.device = 1 : i32} : () -> !graph.ref<tensor<f32>> loc("b")
    %c = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "", place.device = 0 : i32} : () -> !graph.ref<tensor<f32>> loc("c")
    %d = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<index>, shared_name = "", place.device = 1 : i32} : () -> !graph.ref<tensor<f32>> loc("d")
    %ua = "graph.AssignSub"(%a, %x) {T = f32, use_locking = false, place.device = 0 : i32} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ua")
    %ub = "graph.AssignSub"(%b, %x) {T = f32, use_locking = false, place.device = 1 : i32} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ub")
    %uc = "graph.AssignSub"(%c, %x) {T = f32, use_locking = false, place.device = 0 : i32} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("uc")
    %ud = "graph.AssignSub"(%d, %x) {T = f32, use_locking = false, place.device = 1 : i32} : (!graph.ref<tensor<f32>>, tensor<f32>) -> !graph.ref<tensor<f32>> loc("ud")
    return
  }
}
