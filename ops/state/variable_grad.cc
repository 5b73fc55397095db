// Gradients of reads of variables, which are those of the handle; and writes, which
// refuse where their result is used.
#include "millrace/ops/array/gather_grad.h"
#include "millrace/ops/builder/state_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

void ReadGradient(GradientContext& g) { g.set(0, g.gradient()); }

// The shape of the variable behind input 0.
Extents ValueShape(GradientContext& g) {
  const Output handle = g.input();
  const SymShape& known = handle.node().output(handle.index()).handle_shape;
  if (!known.FullyKnown()) return Extents::ElementsOf(g, ops::VariableShape(g, handle));
  std::vector<int64_t> dims;
  for (Dim d : known.dims) dims.push_back(d.value());
  return Extents(dims);
}

void ResourceGatherGradient(GradientContext& g) {
  auto batch_dims = static_cast<int>(g.attr<int64_t>("batch_dims"));
  if (batch_dims < 0) batch_dims += g.input(1).shape().rank();
  const Extents table = ValueShape(g);
  if (batch_dims < 0 || (batch_dims > 0 && table.size() <= batch_dims)) {
    return g.Fail("the rank of the variable must be known, and above batch_dims");
  }
  if (batch_dims == 0) return g.set(0, array::GatherRowsGradient(g, g.grad(), table, g.input(1)));
  const array::GatherTable along = array::GatherTable::Along(table, batch_dims, batch_dims);
  g.set(0, array::GatherGradient(g, g.grad(), along, g.input(1), batch_dims));
}

}  // namespace

namespace gradients {

void state_variable(GradientTable& t) {
  t.Define("ReadVariableOp", ReadGradient);
  t.Define("ResourceGather", ResourceGatherGradient);
  for (const char* op : {"ScatterMax", "ScatterMin", "ScatterUpdate"}) t.Define(op, RefuseGradient);
}

}  // namespace gradients
}  // namespace millrace
