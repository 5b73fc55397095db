// RUN: millrace-opt --passes=place %s | FileCheck %s
// RUN: not millrace-opt --passes=place %S/Inputs/no-kernel.mlir 2>&1 | FileCheck %s --check-prefix=NONE

// CHECK-LABEL: @fine
func.func @fine(%x: tensor<f32>) -> tensor<f32> {
  // CHECK: "graph.Neg"
  %a = "graph.Neg"(%x) {T = f32} : (tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}

// All ops at once, with a node of each.
// NONE: no kernel on CPU for RestoreV2 (node 'second'), SaveV2 (node 'first')
