// Without soft placement, what cannot be is an error with node, device and reason.
// RUN: millrace-opt --split --verify-diagnostics --passes=place %s
module attributes {graph.devices = ["CPU:0", "CPU:1"], graph.strict_placement} {
func.func @there(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32> loc("a")
  return %a : tensor<4xf32>
}
}

// -----
module attributes {graph.devices = ["CPU:0", "CPU:1"], graph.strict_placement} {
func.func @absent(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{asks for device '/device:GPU:0', which is not there; the devices are CPU:0, CPU:1, and soft placement is off}}
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:GPU:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}
}

// -----
module attributes {graph.devices = ["CPU:0", "NULL:0"], graph.strict_placement} {
func.func @kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{asks for device '/device:NULL:0', which has no kernel for Neg for T=float; the devices are CPU:0, NULL:0, and soft placement is off}}
  %a = "graph.Neg"(%x) {T = f32, graph.device = "/device:NULL:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}
}

// -----
module attributes {graph.devices = ["CPU:0", "CPU:1"], graph.strict_placement} {
func.func @variable(%x: tensor<4xf32>) -> tensor<4xf32> {
  %v = "graph.VariableV2"() {container = "", dtype = f32, shape = tensor<4xindex>, shared_name = "v", graph.device = "/device:CPU:1"} : () -> !graph.ref<tensor<4xf32>>
  // expected-error @+1 {{asks for device '/device:CPU:0', but it must be with '', which asks for '/device:CPU:1': both touch the variable}}
  %w = "graph.Assign"(%v, %x) {T = f32, use_locking = true, validate_shape = true, graph.device = "/device:CPU:0"} : (!graph.ref<tensor<4xf32>>, tensor<4xf32>) -> !graph.ref<tensor<4xf32>>
  %r = "graph.read"(%w) : (!graph.ref<tensor<4xf32>>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
}

// -----
module attributes {graph.devices = ["CPU:0", "CPU:1"], graph.strict_placement} {
func.func @colocated(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = "graph.Neg"(%x) {T = f32, graph.colocate = ["g"], graph.device = "/device:CPU:1"} : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{asks for device '/device:CPU:0', but it must be with '', which asks for '/device:CPU:1': the graph colocates them; soft placement is off}}
  %b = "graph.Abs"(%a) {T = f32, graph.colocate = ["g"], graph.device = "/device:CPU:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %b : tensor<4xf32>
}
}

// -----
// No kernel anywhere is an error however soft placement is.
module attributes {graph.devices = ["CPU:0", "NULL:0"]} {
func.func @none(%x: tensor<!graph.string>, %n: tensor<1x!graph.string>) {
  // expected-error @+1 {{no kernel on CPU or NULL for SaveV2}}
  "graph.SaveV2"(%x, %n, %n) {dtypes = []} : (tensor<!graph.string>, tensor<1x!graph.string>, tensor<1x!graph.string>) -> ()
  return
}
}

// -----
// expected-error @+1 {{graph.devices: expected texts such as "CPU:0", found "CPU"}}
module attributes {graph.devices = ["CPU"]} {
}
