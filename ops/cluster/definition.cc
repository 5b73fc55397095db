// _Cluster.
#include "millrace/ops/cluster/kernel.h"
#include "millrace/ops/cluster/shapes.h"
#include "millrace/ops/registry/op.h"

namespace millrace::families {

void cluster(Registry& registry) {
  registry.Define(std::string(cluster::kClusterOp))
      .Input("inputs: Tin")
      .Output("outputs: Tout")
      .Attr("Tin: list(type) >= 0")
      .Attr("Tout: list(type) >= 0")
      .Attr("levels: list(int)")
      .Attr("ops: list(string)")
      .Attr("nodes: list(string)")
      .Attr("types: list(type)")
      .Attr("arities: list(int)")
      .Attr("operands: list(int)")
      .Attr("values: list(float)")
      .Attr("variants: list(bool)")
      .Attr("outputs: list(int)")
      .Attr("input_keeps_dims: list(bool)")
      .Attr("output_keeps_dims: list(bool)")
      .Attr("slices: list(int) = []")
      .Attr("row_rank: int")
      .Attr("code: string = ''")
      .Doc(
          "Several ops as one step.\nElement-wise ops, and ops over rows, over the elements of one shape; the program "
          "is in the attributes. The compiler makes such nodes; no graph holds them.")
      .NoGradient("gradients are made before ops are joined")
      .Shape(cluster::ClusterShape)
      .Kernel("CPU", cluster::NewCluster);
}

}  // namespace millrace::families
