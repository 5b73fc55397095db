// The graph dialect: one operation for every op of the registry, named
// graph.<Op>, and a few structural ones. See README.md for the form of the IR.
#pragma once

#include "millrace/compiler/dialect/State.h"
#include "millrace/ops/registry/dim.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/dtype.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseSet.h"

namespace millrace::compiler {

namespace detail {
struct ElementTypeStorage;
struct RefTypeStorage;
struct DimsAttrStorage;
} // namespace detail

// Element types that are not builtin: !graph.string, !graph.resource,
// !graph.variant and the quantised ones (!graph.qint8 ...).
class ElementType
    : public mlir::Type::TypeBase<ElementType, mlir::Type, detail::ElementTypeStorage> {
public:
  using Base::Base;
  static constexpr mlir::StringLiteral name = "graph.element";
  static ElementType get(mlir::MLIRContext *context, DType dtype);
  DType dtype() const;
};

// !graph.ref<tensor<3xf32>>: a reference to a variable of that tensor type.
class RefType : public mlir::Type::TypeBase<RefType, mlir::Type, detail::RefTypeStorage> {
public:
  using Base::Base;
  static constexpr mlir::StringLiteral name = "graph.ref";
  static RefType get(mlir::TensorType tensor);
  mlir::TensorType tensor() const;
};

// !graph.control: "after". The last result of an operation that others wait for;
// the last operands of those that wait.
class ControlType : public mlir::Type::TypeBase<ControlType, mlir::Type, mlir::TypeStorage> {
public:
  using Base::Base;
  static constexpr mlir::StringLiteral name = "graph.control";
};

// #graph.dims<5, d2, ?>: numbers, expressions of the module's table, unknowns.
// The encoding of a tensor type lists one entry for each dynamic dimension.
class DimsAttr
    : public mlir::Attribute::AttrBase<DimsAttr, mlir::Attribute, detail::DimsAttrStorage> {
public:
  using Base::Base;
  static constexpr mlir::StringLiteral name = "graph.dims";
  static DimsAttr get(mlir::MLIRContext *context, llvm::ArrayRef<SymElement> elements);
  static DimsAttr get(mlir::MLIRContext *context, llvm::ArrayRef<Dim> dims);
  size_t size() const;
  SymElement operator[](size_t i) const;
};

class GraphDialect : public mlir::Dialect {
public:
  static constexpr llvm::StringLiteral getDialectNamespace() { return {"graph"}; }
  explicit GraphDialect(mlir::MLIRContext *context);
  ~GraphDialect() override;

  CompileState &state() { return *stateOwner; }
  // Makes graph.<op> an operation of this context, once.
  mlir::OperationName define(const Op &op);
  void defineAll(const Registry &registry);
  // The op behind an operation; null for structural operations.
  const Op *find(mlir::OperationName name) const { return ops.lookup(name); }

  mlir::Type parseType(mlir::DialectAsmParser &parser) const override;
  void printType(mlir::Type type, mlir::DialectAsmPrinter &printer) const override;
  mlir::Attribute parseAttribute(mlir::DialectAsmParser &parser, mlir::Type type) const override;
  void printAttribute(mlir::Attribute attr, mlir::DialectAsmPrinter &printer) const override;
  // graph.dims on a module and the like are free-form.
  mlir::LogicalResult verifyOperationAttribute(mlir::Operation *, mlir::NamedAttribute) override {
    return mlir::success();
  }

private:
  void defineStructural(llvm::StringRef name);
  std::unique_ptr<CompileState> stateOwner;
  llvm::DenseMap<mlir::OperationName, const Op *> ops;
  mlir::TypeIDAllocator ids;
};

inline GraphDialect *dialectOf(mlir::MLIRContext *context) {
  return context->getLoadedDialect<GraphDialect>();
}
inline CompileState &stateOf(mlir::Operation *op) { return dialectOf(op->getContext())->state(); }

// ---- Types.cpp: dtypes and shapes as types and back ----

mlir::Type elementType(mlir::MLIRContext *context, DType dtype);
// kInvalid for a type that is no element type.
DType dtypeOfElement(mlir::Type type);
// Tensor type, or RefType where dtype is a reference.
mlir::Type valueType(mlir::MLIRContext *context, DType dtype, const SymShape &shape);
// Dtype of a value: a reference dtype for RefType, kInvalid for control.
DType dtypeOf(mlir::Type type);
SymShape shapeOf(mlir::Type type);
inline bool isControl(mlir::Value v) { return llvm::isa<ControlType>(v.getType()); }
inline bool isRefValue(mlir::Value v) { return llvm::isa<RefType>(v.getType()); }

// ---- Operations.cpp: reading operations ----

// The op of the registry, or null.
const Op *opOf(mlir::Operation *op);
// graph.read, graph.dims, graph.alias, graph.copy.
bool isStructural(mlir::Operation *op, llvm::StringRef name);
bool isNamed(mlir::Operation *op, llvm::StringRef registryName);
// Operands and results without the trailing control ones.
unsigned numData(mlir::OperandRange operands);
mlir::OperandRange dataOperands(mlir::Operation *op);
mlir::OperandRange controlOperands(mlir::Operation *op);
unsigned numDataResults(mlir::Operation *op);
// Null where nothing waits for the operation.
mlir::Value controlResult(mlir::Operation *op);
// No effect of any kind: may be merged, folded and dropped.
bool hasNoEffects(mlir::Operation *op);
// Reads state but does no more: may be dropped and merged, not folded.
bool onlyReads(mlir::Operation *op);

// Makes a resource: VariableV2, VarHandleOp.
bool createsResource(const Op &def);
bool createsResource(mlir::Operation *op);
// Container and name of what it makes: operations with the same share it, in every
// function.
std::pair<std::string, std::string> resourceName(mlir::Operation *creator);

// Name of the node that an operation stands for, and of those it took over.
llvm::StringRef nodeName(mlir::Location loc);
llvm::SmallVector<llvm::StringRef> otherNodes(mlir::Location loc);
mlir::Location nodeLocation(mlir::MLIRContext *context, llvm::StringRef name);
// `into`'s name first, then those of `taken`.
mlir::Location mergeLocations(mlir::Location into, llvm::ArrayRef<mlir::Location> taken);
// "node:k", for messages and the plan.
std::string valueName(mlir::Value value);

// Reports an error: a diagnostic at the operation, and the compile's Status if it
// is the first. Returns failure.
mlir::LogicalResult fail(mlir::Operation *op, const Status &status);

// An operation without effects that waits for nothing by itself: its data results
// may be replaced by what stands for its operands.
bool isReplaceable(mlir::Operation *op);

// Operations that write state or act on the world outside, or need one that does:
// who waits for them waits for something that others can see.
class Carriers {
public:
  explicit Carriers(mlir::Operation *module);
  bool contains(mlir::Operation *op) const { return set.contains(op); }
  // Whether one of `op`'s operands comes from a carrier.
  bool above(mlir::Operation *op) const;

private:
  llvm::DenseSet<mlir::Operation *> set;
};

// Gives functions the types of their arguments and of what they return.
void updateSignatures(mlir::Operation *module);

// Every function's body.
template <typename F> void forEachBody(mlir::Operation *module, F &&body) {
  for (mlir::Operation &func : module->getRegion(0).front())
    if (func.getNumRegions() == 1 && !func.getRegion(0).empty())
      body(func.getRegion(0).front());
}
// The walk over the module's bodies: operations of every function, in order.
template <typename F> void forEachOp(mlir::Operation *module, F &&body) {
  forEachBody(module, [&](mlir::Block &block) {
    for (mlir::Operation &op : llvm::make_early_inc_range(block))
      body(&op);
  });
}

// ---- Attributes.cpp: attributes and constants ----

mlir::Attribute toAttribute(CompileState &state, mlir::MLIRContext *context, const AttrValue &value,
                            llvm::StringRef hint);
// kNone for what is no attribute of a graph.
AttrValue fromAttribute(CompileState &state, mlir::Attribute attr);
// The attributes that the op's signature names; kept until the compile ends.
const AttrMap &attrsOf(mlir::Operation *op);

// Elements as dense bytes; plain dtypes only.
Bytes denseBytes(CompileState &state, mlir::ElementsAttr attr);
// A constant of plain elements: small ones in the open, large ones as a resource
// that shares `bytes`.
mlir::ElementsAttr makeElements(CompileState &state, mlir::MLIRContext *context, DType dtype,
                                llvm::ArrayRef<int64_t> dims, Bytes bytes, llvm::StringRef hint);
// The value of graph.Const, or null for any other operation.
mlir::ElementsAttr constantValue(mlir::Operation *op);
// Likewise, and null where the constant waits for others: whoever replaces a use
// of it would lose that order.
inline mlir::ElementsAttr constantValue(mlir::Value v) {
  mlir::Operation *op = v.getDefiningOp();
  return op && op->getNumOperands() == 0 ? constantValue(op) : mlir::ElementsAttr();
}
// A new graph.Const before `before`, at `loc`.
mlir::Value makeConstant(mlir::Operation *before, mlir::Location loc, mlir::ElementsAttr value);

// ---- DimsTable.cpp: the module's table of expressions ----

// Writes the table to the module's graph.dims; reads it back into an empty table.
void writeDims(mlir::Operation *module);
mlir::LogicalResult readDims(mlir::Operation *module);

} // namespace millrace::compiler

MLIR_DECLARE_EXPLICIT_TYPE_ID(millrace::compiler::GraphDialect)
MLIR_DECLARE_EXPLICIT_TYPE_ID(millrace::compiler::ElementType)
MLIR_DECLARE_EXPLICIT_TYPE_ID(millrace::compiler::RefType)
MLIR_DECLARE_EXPLICIT_TYPE_ID(millrace::compiler::ControlType)
MLIR_DECLARE_EXPLICIT_TYPE_ID(millrace::compiler::DimsAttr)
