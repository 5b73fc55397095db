// Every complaint of the dialect's verifiers.
// RUN: millrace-opt --split --verify-diagnostics %s

func.func @operands(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected 2 operands, found 1}}
  %0 = "graph.Mul"(%x) {T = f32} : (tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @operand_dtype(%x: tensor<2xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{expected float as operand 1, found int32}}
  %0 = "graph.Mul"(%x, %i) {T = f32} : (tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  return
}
// -----
func.func @result_dtype(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected float as result 0, found double}}
  %0 = "graph.Mul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf64>
  return
}
// -----
func.func @missing_attribute(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected the attribute 'transpose_a' of type bool}}
  %0 = "graph.MatMul"(%x, %x) {T = f32} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @wrong_kind(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected type as attribute 'T', found "float"}}
  %0 = "graph.Mul"(%x, %x) {T = "float"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @wants_reference(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected float_ref as operand 0, found float}}
  %0 = "graph.Assign"(%x, %x) {T = f32, use_locking = true, validate_shape = true} : (tensor<2xf32>, tensor<2xf32>) -> !graph.ref<tensor<2xf32>>
  return
}
// -----
func.func @data_after_control(%x: tensor<2xf32>, %c: !graph.control) {
  // expected-error@+1 {{operand 2 follows a control operand}}
  %0 = "graph.Mul"(%x, %c, %x) {T = f32} : (tensor<2xf32>, !graph.control, tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @no_such_op(%x: tensor<2xf32>) {
  // expected-error@+1 {{unregistered operation 'graph.NoSuchOp'}}
  %0 = "graph.NoSuchOp"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @read_of_no_reference(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected a reference, found float}}
  %0 = "graph.read"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
// -----
func.func @alias_of_another_dtype(%x: tensor<2xf32>) {
  // expected-error@+1 {{expected float as result, found int32}}
  %0 = "graph.alias"(%x) : (tensor<2xf32>) -> tensor<2xi32>
  return
}
// -----
func.func @dims_without_elements() {
  // expected-error@+1 {{expected the attribute 'elements' of type #graph.dims}}
  %0 = "graph.dims"() : () -> tensor<2xi32>
  return
}
// -----
func.func @dims_of_another_count() {
  // expected-error@+1 {{with as many elements as 'elements'}}
  %0 = "graph.dims"() {elements = #graph.dims<1, 2, 3>} : () -> tensor<2xi32>
  return
}
// -----
// expected-error@+1 {{no type 'nothing' in the graph dialect}}
func.func @type(%x: !graph.nothing) { return }
// -----
// expected-error@+1 {{entry 1 of graph.dims: expected a number, a 'symbol' or an operation on earlier entries}}
module attributes {graph.dims = ["'x.0'", "d1 * d0"]} {
}
