#include "millrace/compiler/import/Nodes.h"
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/proto/value/strings.h"

using namespace mlir;

namespace millrace::compiler {

Value createRead(mlir::OpBuilder &builder, Value ref, Location loc, ValueRange controls) {
  OperationState op(loc, "graph.read");
  op.addOperands(ref);
  op.addOperands(controls);
  op.addTypes(llvm::cast<RefType>(ref.getType()).tensor());
  return builder.create(op)->getResult(0);
}

Result<Operation *> createOperation(mlir::OpBuilder &builder, const Node &node, ValueRange inputs,
                                    ValueRange controls, bool waitedFor) {
  MLIRContext *context = builder.getContext();
  GraphDialect &dialect = *dialectOf(context);
  const Location loc = nodeLocation(context, node.name());
  const auto blame = [&](const Status &s) { return s.At(node.name(), node.op().name()); };

  OperationState op(loc, dialect.define(node.op()));
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    Value v = inputs[static_cast<unsigned>(i)];
    const bool wantsRef = IsRef(node.input_types()[i]);
    if (wantsRef && !isRefValue(v))
      return blame(InvalidArgument(
          Cat("input ", i, " must be a variable, but '", valueName(v), "' is fed")));
    if (!wantsRef && isRefValue(v))
      v = createRead(builder, v, loc, controls);
    op.addOperands(v);
  }
  op.addOperands(controls);
  for (int i = 0; i < node.num_outputs(); ++i)
    op.addTypes(valueType(context, node.output_types()[static_cast<size_t>(i)],
                          SymShape(node.output(i).shape.ToShape())));
  if (waitedFor)
    op.addTypes(ControlType::get(context));

  bool whole = true;
  for (const AttrDef &def : node.op().signature().attrs) {
    auto it = node.attrs().find(def.name);
    if (it == node.attrs().end()) {
      whole = false;
      continue;
    }
    Attribute a = toAttribute(dialect.state(), context, it->second, node.name());
    if (!a)
      return blame(InvalidArgument(
          Cat("attribute '", def.name, "' cannot be compiled: ", it->second.ToString())));
    op.addAttribute(def.name, a);
  }
  if (!whole)
    return blame(Internal("the graph left attributes without their defaults"));
  // Which gradient function a node has is not the op's to say; see differentiate.
  if (auto it = node.attrs().find("_gradient_op_type"); it != node.attrs().end())
    if (const std::string *gradient = it->second.get<std::string>())
      op.addAttribute("graph.gradient", StringAttr::get(context, *gradient));
  return builder.create(op);
}

} // namespace millrace::compiler
