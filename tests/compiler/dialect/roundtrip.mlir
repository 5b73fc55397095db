// What is printed reads back as the same text.
// RUN: millrace-opt %s | FileCheck %s
// RUN: millrace-opt %s | millrace-opt | FileCheck %s

// CHECK: module attributes {graph.dims = ["'x.0'", "2", "d1 * d0", "'t.0'", "d0 broadcast d3"]}
module attributes {graph.dims = ["'x.0'", "2", "d1 * d0", "'t.0'", "d0 broadcast d3"]} {
  // CHECK: func.func @run(%[[X:.*]]: tensor<?x3xf32, #graph.dims<d0>>, %[[T:.*]]: tensor<?xf32, #graph.dims<d3>>, %{{.*}}: tensor<*xf64>)
  func.func @run(%x: tensor<?x3xf32, #graph.dims<d0>>, %t: tensor<?xf32, #graph.dims<d3>>, %late: tensor<*xf64>)
      -> (tensor<?xf32, #graph.dims<d4>>, !graph.control) {
    // CHECK: "graph.VariableV2"() {{.*}}shape = tensor<3x4xindex>{{.*}} -> !graph.ref<tensor<3x4xf32>>
    %w = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<3x4xindex>, shared_name = ""} : () -> !graph.ref<tensor<3x4xf32>>
    // CHECK: "graph.read"(%{{.*}}) : (!graph.ref<tensor<3x4xf32>>) -> tensor<3x4xf32>
    %r = "graph.read"(%w) : (!graph.ref<tensor<3x4xf32>>) -> tensor<3x4xf32>
    // CHECK: "graph.dims"() {elements = #graph.dims<d2, -1, ?>} : () -> tensor<3xi32>
    %d = "graph.dims"() {elements = #graph.dims<d2, -1, ?>} : () -> tensor<3xi32>
    // CHECK: "graph.alias"(%{{.*}}) : (tensor<3x4xf32>) -> tensor<12xf32>
    %a = "graph.alias"(%r) : (tensor<3x4xf32>) -> tensor<12xf32>
    // CHECK: value = dense<"text"> : tensor<!graph.string>
    %s = "graph.Const"() {dtype = !graph.string, value = dense<"text"> : tensor<!graph.string>} : () -> tensor<!graph.string>
    // CHECK: value = dense<255> : tensor<2xui8>
    %u = "graph.Const"() {dtype = ui8, value = dense<255> : tensor<2xui8>} : () -> tensor<2xui8>
    // CHECK: value = dense<(1.000000e+00,-2.000000e+00)> : tensor<complex<f32>>
    %z = "graph.Const"() {dtype = complex<f32>, value = dense<(1.0,-2.0)> : tensor<complex<f32>>} : () -> tensor<complex<f32>>
    // CHECK: -> (!graph.ref<tensor<3x4xf32>>, !graph.control)
    %assign:2 = "graph.Assign"(%w, %r) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<3x4xf32>>, tensor<3x4xf32>) -> (!graph.ref<tensor<3x4xf32>>, !graph.control)
    // CHECK: "graph.Mul"(%[[T]], %[[T]], %{{.*}}) {T = f32} : ({{.*}}, !graph.control) -> tensor<?xf32, #graph.dims<d4>>
    %m = "graph.Mul"(%t, %t, %assign#1) {T = f32} : (tensor<?xf32, #graph.dims<d3>>, tensor<?xf32, #graph.dims<d3>>, !graph.control) -> tensor<?xf32, #graph.dims<d4>>
    return %m, %assign#1 : tensor<?xf32, #graph.dims<d4>>, !graph.control
  }
}
