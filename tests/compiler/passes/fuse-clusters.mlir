// RUN: millrace-opt --passes=fuse-clusters --split %s | FileCheck %s

// A vector is broadcast by the cluster that reads it.
// CHECK-LABEL: @gelu
// CHECK-NEXT: %[[R:.*]] = "graph._Cluster"(%arg0, %arg1)
// CHECK-SAME: levels = [2, 2, 2, 2, 2]
// CHECK-SAME: nodes = ["h", "t", "y"], operands = [0, 1, 2, 2, 3], ops = ["AddV2", "Tanh", "Mul"]
// CHECK-SAME: outputs = [4], row_rank = 0
// CHECK-NEXT: return %[[R]]
module attributes {graph.dims = ["'x.0'"]} {
  func.func @gelu(%x: tensor<?x4xf32, #graph.dims<d0>>, %c: tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<d0>> {
    %h = "graph.AddV2"(%x, %c) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>, tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<d0>> loc("h")
    %t = "graph.Tanh"(%h) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>> loc("t")
    %y = "graph.Mul"(%h, %t) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>, tensor<?x4xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>> loc("y")
    return %y : tensor<?x4xf32, #graph.dims<d0>>
  }
}
// -----
// Layer normalisation and a softmax: one cluster with values for the rows.
// CHECK-LABEL: @layer_norm
// CHECK: "graph._Cluster"(%arg0, %{{[0-9]+}})
// CHECK-SAME: levels = [2, 0, 1, 2, 2, 1, 1, 1, 2, 2]
// CHECK-SAME: ops = ["Mean", "SquaredDifference", "Sub", "Mean", "AddV2", "Rsqrt", "Mul", "Softmax"]
// CHECK-SAME: row_rank = 1
// CHECK-NEXT: return
func.func @layer_norm(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %last = "graph.Const"() {dtype = i32, value = dense<-1> : tensor<i32>} : () -> tensor<i32>
  %e = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %m = "graph.Mean"(%x, %last) {T = f32, Tidx = i32, keep_dims = true} : (tensor<2x8xf32>, tensor<i32>) -> tensor<2x1xf32>
  %s = "graph.SquaredDifference"(%x, %m) {T = f32} : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %v = "graph.Mean"(%s, %last) {T = f32, Tidx = i32, keep_dims = true} : (tensor<2x8xf32>, tensor<i32>) -> tensor<2x1xf32>
  %a = "graph.AddV2"(%v, %e) {T = f32} : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = "graph.Rsqrt"(%a) {T = f32} : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %d = "graph.Sub"(%x, %m) {T = f32} : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %n = "graph.Mul"(%d, %r) {T = f32} : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
  %y = "graph.Softmax"(%n) {T = f32} : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}
// -----
// What reduces the first axes ends a cluster: what uses it is in the next one.
// CHECK-LABEL: @batch_norm
// CHECK: "graph.Mean"
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["Sub", "Square", "Mean"]
// CHECK-SAME: output_keeps_dims = [true, false], outputs = [2, 4], row_rank = 1
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["AddV2", "Rsqrt"]
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["Mul", "AddV2"]
// CHECK-NEXT: return
func.func @batch_norm(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %first = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %e = "graph.Const"() {dtype = f32, value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
  %m = "graph.Mean"(%x, %first) {T = f32, Tidx = i32, keep_dims = false} : (tensor<4x8xf32>, tensor<i32>) -> tensor<8xf32>
  %d = "graph.Sub"(%x, %m) {T = f32} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %s = "graph.Square"(%d) {T = f32} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %v = "graph.Mean"(%s, %first) {T = f32, Tidx = i32, keep_dims = false} : (tensor<4x8xf32>, tensor<i32>) -> tensor<8xf32>
  %a = "graph.AddV2"(%v, %e) {T = f32} : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %r = "graph.Rsqrt"(%a) {T = f32} : (tensor<8xf32>) -> tensor<8xf32>
  %n = "graph.Mul"(%d, %r) {T = f32} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %y = "graph.AddV2"(%n, %b) {T = f32} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
// -----
// A path through a product would leave the cluster and come back.
// CHECK-LABEL: @around
// CHECK-NEXT: "graph._Cluster"(%arg0)
// CHECK-SAME: ops = ["Exp", "Neg"]
// CHECK-NEXT: "graph.MatMul"
// CHECK-NEXT: "graph._Cluster"
// CHECK-SAME: ops = ["Mul", "Tanh"]
func.func @around(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = "graph.Exp"(%x) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = "graph.MatMul"(%b, %b) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %c = "graph.Mul"(%p, %a) {T = f32} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %d = "graph.Tanh"(%c) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %d : tensor<4x4xf32>
}
// -----
// What only a later cluster uses is computed there, not before.
// CHECK-LABEL: @late
// CHECK-NEXT: "graph.MatMul"
// CHECK-NEXT: "graph._Cluster"
// CHECK-SAME: ops = ["Exp", "Mul", "Tanh"]
func.func @late(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = "graph.Exp"(%x) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = "graph.MatMul"(%x, %x) {T = f32, grad_a = false, grad_b = false, transpose_a = false, transpose_b = false} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %c = "graph.Mul"(%p, %a) {T = f32} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %d = "graph.Tanh"(%c) {T = f32} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %d : tensor<4x4xf32>
}
// -----
// A chain of numbers goes along with the cluster that uses it; with two of
// different spaces it is one of its own.
// CHECK-LABEL: @numbers
// CHECK-NEXT: "graph._Cluster"(%arg0, %arg1)
// CHECK-SAME: levels = [0, 2, 0, 0, 2]
// CHECK-SAME: ops = ["Sqrt", "Neg", "Mul"]
func.func @numbers(%s: tensor<f32>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "graph.Sqrt"(%s) {T = f32} : (tensor<f32>) -> tensor<f32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<f32>) -> tensor<f32>
  %c = "graph.Mul"(%x, %b) {T = f32} : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %c : tensor<4xf32>
}
// CHECK-LABEL: @two_spaces
// CHECK-NEXT: "graph._Cluster"(%arg0)
// CHECK-SAME: ops = ["Sqrt", "Neg"]
// CHECK-NEXT: "graph.Mul"
// CHECK-NEXT: "graph.Mul"
func.func @two_spaces(%s: tensor<f32>, %x: tensor<4xf32>, %y: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
  %a = "graph.Sqrt"(%s) {T = f32} : (tensor<f32>) -> tensor<f32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<f32>) -> tensor<f32>
  %c = "graph.Mul"(%x, %b) {T = f32} : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %d = "graph.Mul"(%y, %b) {T = f32} : (tensor<5xf32>, tensor<f32>) -> tensor<5xf32>
  return %c, %d : tensor<4xf32>, tensor<5xf32>
}
// -----
// Sums of several, and a bias: chains of additions. Readers of one tensor are one.
// CHECK-LABEL: @sums
// CHECK-NEXT: "graph._Cluster"(%arg0, %arg1, %arg2)
// CHECK-SAME: operands = [0, 0, 3, 1, 4, 0, 0, 2]
// CHECK-SAME: ops = ["AddV2", "AddV2", "AddV2", "AddV2"]
func.func @sums(%x: tensor<3x4xf32>, %y: tensor<3x4xf32>, %b: tensor<4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %s = "graph.AddN"(%x, %x, %y, %x) {T = f32, N = 4} : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %a = "graph.BiasAdd"(%x, %b) {T = f32, data_format = "NHWC"} : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %s, %a : tensor<3x4xf32>, tensor<3x4xf32>
}
// -----
// Rows under both of their shapes are one register.
// CHECK-LABEL: @rows
// CHECK: "graph._Cluster"(%arg0)
// CHECK-SAME: operands = [0, 1, 0, 1]
// CHECK-SAME: ops = ["Sum", "Neg", "Mul"]
// CHECK-SAME: output_keeps_dims = [false, true]
func.func @rows(%x: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3xf32>) {
  %last = "graph.Const"() {dtype = i32, value = dense<1> : tensor<1xi32>} : () -> tensor<1xi32>
  %s = "graph.Sum"(%x, %last) {T = f32, Tidx = i32, keep_dims = false} : (tensor<3x4xf32>, tensor<1xi32>) -> tensor<3xf32>
  %n = "graph.Neg"(%s) {T = f32} : (tensor<3xf32>) -> tensor<3xf32>
  %k = "graph.alias"(%s) : (tensor<3xf32>) -> tensor<3x1xf32>
  %y = "graph.Mul"(%x, %k) {T = f32} : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  return %y, %n : tensor<3x4xf32>, tensor<3xf32>
}
// -----
// Left alone: what stands alone, what waits, sizes that come late.
// CHECK-LABEL: @alone
// CHECK-NEXT: "graph.Exp"
// CHECK-NEXT: return
func.func @alone(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "graph.Exp"(%x) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}
// CHECK-LABEL: @late_size
// CHECK-NOT: _Cluster
// CHECK: return
func.func @late_size(%x: tensor<?xf32>) -> tensor<?xf32> {
  %a = "graph.Exp"(%x) {T = f32} : (tensor<?xf32>) -> tensor<?xf32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<?xf32>) -> tensor<?xf32>
  return %b : tensor<?xf32>
}
// CHECK-LABEL: @waits
// CHECK-NOT: _Cluster
// CHECK: return
func.func @waits(%x: tensor<4xf32>) -> tensor<4xf32> {
  %v = "graph.VariableV2"() {dtype = f32, shape = tensor<4xindex>, container = "", shared_name = ""} : () -> !graph.ref<tensor<4xf32>>
  %w, %c = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<4xf32>>, tensor<4xf32>) -> (!graph.ref<tensor<4xf32>>, !graph.control)
  %a = "graph.Exp"(%x, %c) {T = f32} : (tensor<4xf32>, !graph.control) -> tensor<4xf32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %b : tensor<4xf32>
}
// -----
// The old value of a variable is not kept past its write.
// CHECK-LABEL: @old_value
// CHECK: "graph.read"
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["Exp", "Neg"]
// CHECK: "graph.Assign"
// CHECK: "graph.read"
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["Mul", "Tanh"]
func.func @old_value(%x: tensor<4xf32>) -> tensor<4xf32> {
  %v = "graph.VariableV2"() {dtype = f32, shape = tensor<4xindex>, container = "", shared_name = ""} : () -> !graph.ref<tensor<4xf32>>
  %o = "graph.read"(%v) : (!graph.ref<tensor<4xf32>>) -> tensor<4xf32>
  %a = "graph.Exp"(%o) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  %b = "graph.Neg"(%a) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  %w, %c = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true} : (!graph.ref<tensor<4xf32>>, tensor<4xf32>) -> (!graph.ref<tensor<4xf32>>, !graph.control)
  %n = "graph.read"(%v, %c) : (!graph.ref<tensor<4xf32>>, !graph.control) -> tensor<4xf32>
  %p = "graph.Mul"(%n, %b) {T = f32} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %q = "graph.Tanh"(%p) {T = f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %q : tensor<4xf32>
}
// -----
// Two open extents that meet: the inputs decide at the run.
// CHECK-LABEL: @meet
// CHECK: "graph._Cluster"(%arg0, %arg1)
// CHECK-SAME: ops = ["AddV2", "Neg"]
module attributes {graph.dims = ["'x.0'", "'y.0'", "d0 broadcast d1"]} {
  func.func @meet(%x: tensor<?xf32, #graph.dims<d0>>, %y: tensor<?xf32, #graph.dims<d1>>) -> tensor<?xf32, #graph.dims<d2>> {
    %s = "graph.AddV2"(%x, %y) {T = f32} : (tensor<?xf32, #graph.dims<d0>>, tensor<?xf32, #graph.dims<d1>>) -> tensor<?xf32, #graph.dims<d2>>
    %n = "graph.Neg"(%s) {T = f32} : (tensor<?xf32, #graph.dims<d2>>) -> tensor<?xf32, #graph.dims<d2>>
    return %n : tensor<?xf32, #graph.dims<d2>>
  }
}
// -----
// The gradients of a bias, by both names, with the gradient that they sum up.
// CHECK-LABEL: @bias_gradients
// CHECK-NOT: "graph.BiasAddGrad"
// CHECK: %[[C:.*]]:3 = "graph._Cluster"(%arg0, %arg1)
// CHECK-SAME: levels = [2, 2, 2, 3, 3]
// CHECK-SAME: ops = ["ReluGrad", "BiasAddGrad", "Sum"], output_keeps_dims = [true, false, true], outputs = [2, 3, 4], row_rank = 1
// CHECK-NEXT: "graph.Neg"(%[[C]]#1)
module attributes {graph.dims = ["'x.0'"]} {
  func.func @bias_gradients(%d: tensor<?x8xf32, #graph.dims<d0>>, %y: tensor<?x8xf32, #graph.dims<d0>>) -> (tensor<?x8xf32, #graph.dims<d0>>, tensor<8xf32>, tensor<1x8xf32>) {
    %first = "graph.Const"() {dtype = i32, value = dense<0> : tensor<1xi32>} : () -> tensor<1xi32>
    %g = "graph.ReluGrad"(%d, %y) {T = f32} : (tensor<?x8xf32, #graph.dims<d0>>, tensor<?x8xf32, #graph.dims<d0>>) -> tensor<?x8xf32, #graph.dims<d0>>
    %b = "graph.BiasAddGrad"(%g) {T = f32, data_format = "NHWC"} : (tensor<?x8xf32, #graph.dims<d0>>) -> tensor<8xf32>
    %s = "graph.Sum"(%g, %first) {T = f32, Tidx = i32, keep_dims = true} : (tensor<?x8xf32, #graph.dims<d0>>, tensor<1xi32>) -> tensor<1x8xf32>
    %n = "graph.Neg"(%b) {T = f32} : (tensor<8xf32>) -> tensor<8xf32>
    return %g, %n, %s : tensor<?x8xf32, #graph.dims<d0>>, tensor<8xf32>, tensor<1x8xf32>
  }
}
// -----
// Axes in the middle, channels in the middle, and results without end stay outside.
// CHECK-LABEL: @other_axes
// CHECK: "graph._Cluster"
// CHECK-SAME: ops = ["Neg", "Abs"]
// CHECK-DAG: "graph.Sum"
// CHECK-DAG: "graph.Sum"
// CHECK-DAG: "graph.BiasAddGrad"
// CHECK: return
module attributes {graph.dims = ["'x.0'"]} {
  func.func @other_axes(%x: tensor<4x5x?xf32, #graph.dims<d0>>) -> (tensor<4x?xf32, #graph.dims<d0>>, tensor<5x?xf32, #graph.dims<d0>>, tensor<5xf32>) {
    %one = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
    %zero = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
    %m = "graph.Neg"(%x) {T = f32} : (tensor<4x5x?xf32, #graph.dims<d0>>) -> tensor<4x5x?xf32, #graph.dims<d0>>
    %n = "graph.Abs"(%m) {T = f32} : (tensor<4x5x?xf32, #graph.dims<d0>>) -> tensor<4x5x?xf32, #graph.dims<d0>>
    %s = "graph.Sum"(%n, %one) {T = f32, Tidx = i32, keep_dims = false} : (tensor<4x5x?xf32, #graph.dims<d0>>, tensor<i32>) -> tensor<4x?xf32, #graph.dims<d0>>
    %t = "graph.Sum"(%n, %zero) {T = f32, Tidx = i32, keep_dims = false} : (tensor<4x5x?xf32, #graph.dims<d0>>, tensor<i32>) -> tensor<5x?xf32, #graph.dims<d0>>
    %b = "graph.BiasAddGrad"(%n) {T = f32, data_format = "NCHW"} : (tensor<4x5x?xf32, #graph.dims<d0>>) -> tensor<5xf32>
    return %s, %t, %b : tensor<4x?xf32, #graph.dims<d0>>, tensor<5x?xf32, #graph.dims<d0>>, tensor<5xf32>
  }
}
// -----
// The best of a row, but not the best of a column.
// CHECK-LABEL: @best
// CHECK: %[[C:.*]]:2 = "graph._Cluster"(%arg0, %arg1)
// CHECK-SAME: levels = [2, 2, 2, 1]
// CHECK-SAME: ops = ["AddV2", "ArgMax"], output_keeps_dims = [true, false], outputs = [2, 3], row_rank = 1
// CHECK: "graph.ArgMax"(%[[C]]#0
func.func @best(%x: tensor<4x10xf32>, %b: tensor<10xf32>) -> (tensor<4xi64>, tensor<10xi64>) {
  %last = "graph.Const"() {dtype = i32, value = dense<-1> : tensor<i32>} : () -> tensor<i32>
  %first = "graph.Const"() {dtype = i32, value = dense<0> : tensor<i32>} : () -> tensor<i32>
  %y = "graph.AddV2"(%x, %b) {T = f32} : (tensor<4x10xf32>, tensor<10xf32>) -> tensor<4x10xf32>
  %r = "graph.ArgMax"(%y, %last) {T = f32, Tidx = i32, output_type = i64} : (tensor<4x10xf32>, tensor<i32>) -> tensor<4xi64>
  %c = "graph.ArgMax"(%y, %first) {T = f32, Tidx = i32, output_type = i64} : (tensor<4x10xf32>, tensor<i32>) -> tensor<10xi64>
  return %r, %c : tensor<4xi64>, tensor<10xi64>
}
// -----
// The gates of a cell are read where the product left them.
// CHECK-LABEL: @gates
// CHECK-NOT: "graph.Split"
// CHECK: "graph._Cluster"(%arg0, %arg0)
// CHECK-SAME: ops = ["Sigmoid", "Tanh", "Mul"]
// CHECK-SAME: slices = [0, 1, 0, 4, 1, 1, 4, 4]
// CHECK-NEXT: return
module attributes {graph.dims = ["'x.0'"]} {
  func.func @gates(%z: tensor<?x8xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>> {
    %axis = "graph.Const"() {dtype = i32, value = dense<1> : tensor<i32>} : () -> tensor<i32>
    %g:2 = "graph.Split"(%axis, %z) {T = f32, num_split = 2 : i64} : (tensor<i32>, tensor<?x8xf32, #graph.dims<d0>>) -> (tensor<?x4xf32, #graph.dims<d0>>, tensor<?x4xf32, #graph.dims<d0>>)
    %i = "graph.Sigmoid"(%g#0) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>>
    %j = "graph.Tanh"(%g#1) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>>
    %y = "graph.Mul"(%i, %j) {T = f32} : (tensor<?x4xf32, #graph.dims<d0>>, tensor<?x4xf32, #graph.dims<d0>>) -> tensor<?x4xf32, #graph.dims<d0>>
    return %y : tensor<?x4xf32, #graph.dims<d0>>
  }
}
// -----
// Slices by other names; steps, turned axes and what somebody else reads stay.
// CHECK-LABEL: @slices
// CHECK: %[[S:.*]] = "graph.Slice"
// CHECK: %[[T:.*]] = "graph.StridedSlice"
// CHECK: "graph._Cluster"(%arg0, %arg0, %[[S]], %[[T]])
// CHECK-SAME: slices = [0, 1, 2, 4, 1, 1, 3, 4]
func.func @slices(%x: tensor<3x8xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %b = "graph.Const"() {dtype = i32, value = dense<[0, 2]> : tensor<2xi32>} : () -> tensor<2xi32>
  %s = "graph.Const"() {dtype = i32, value = dense<[-1, 4]> : tensor<2xi32>} : () -> tensor<2xi32>
  %from = "graph.Const"() {dtype = i32, value = dense<[0, -5]> : tensor<2xi32>} : () -> tensor<2xi32>
  %to = "graph.Const"() {dtype = i32, value = dense<[0, -1]> : tensor<2xi32>} : () -> tensor<2xi32>
  %even = "graph.Const"() {dtype = i32, value = dense<0> : tensor<2xi32>} : () -> tensor<2xi32>
  %one = "graph.Const"() {dtype = i32, value = dense<1> : tensor<2xi32>} : () -> tensor<2xi32>
  %two = "graph.Const"() {dtype = i32, value = dense<[1, 2]> : tensor<2xi32>} : () -> tensor<2xi32>
  %p = "graph.Slice"(%x, %b, %s) {T = f32, Index = i32} : (tensor<3x8xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<3x4xf32>
  %q = "graph.StridedSlice"(%x, %from, %to, %one) {T = f32, Index = i32, begin_mask = 1 : i64, end_mask = 1 : i64, ellipsis_mask = 0 : i64, new_axis_mask = 0 : i64, shrink_axis_mask = 0 : i64} : (tensor<3x8xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<3x4xf32>
  %kept = "graph.Slice"(%x, %b, %s) {T = f32, Index = i32} : (tensor<3x8xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<3x4xf32>
  %r = "graph.StridedSlice"(%x, %even, %even, %two) {T = f32, Index = i32, begin_mask = 3 : i64, end_mask = 3 : i64, ellipsis_mask = 0 : i64, new_axis_mask = 0 : i64, shrink_axis_mask = 0 : i64} : (tensor<3x8xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<3x4xf32>
  %a = "graph.Mul"(%p, %q) {T = f32} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %c = "graph.Mul"(%a, %kept) {T = f32} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = "graph.AddV2"(%c, %r) {T = f32} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y, %kept : tensor<3x4xf32>, tensor<3x4xf32>
}
