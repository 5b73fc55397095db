// One class that makes every op of the registry an operation of MLIR.
#include "millrace/compiler/dialect/RegistryOp.h"
#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

// What an operation does to state, as MLIR's own passes ask for it.
struct Effects : MemoryEffectOpInterface::FallbackModel<Effects> {
  void getEffects(Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &out) const {
    const Op *def = opOf(op);
    if (!def) {
      if (isStructural(op, "read"))
        out.emplace_back(MemoryEffects::Read::get());
      return;
    }
    for (const Effect &effect : def->effects()) {
      switch (effect.kind) {
      case Effect::Kind::kRead:
        out.emplace_back(MemoryEffects::Read::get());
        break;
      case Effect::Kind::kCreate:
        out.emplace_back(MemoryEffects::Allocate::get());
        break;
      default:
        out.emplace_back(MemoryEffects::Write::get());
        break;
      }
    }
    // Whoever waits for this operation wants it to run.
    if (Value control = controlResult(op); control && !control.use_empty() && out.empty())
      out.emplace_back(MemoryEffects::Write::get());
  }
};

class RegistryOp final : public OperationName::Impl {
public:
  RegistryOp(llvm::StringRef name, Dialect *dialect, TypeID id, const Op *def)
      : Impl(name, dialect, id, mlir::detail::InterfaceMap()), def(def) {}

  LogicalResult verifyInvariants(Operation *op) final {
    return def ? verifyAgainstSignature(op, *def) : verifyStructural(op);
  }
  LogicalResult verifyRegionInvariants(Operation *) final { return success(); }
  // An operation whose node computes nothing is what it is given.
  LogicalResult foldHook(Operation *op, ArrayRef<Attribute>,
                         SmallVectorImpl<OpFoldResult> &results) final {
    if (!def || def->name() != "Identity" || op->getNumOperands() != 1 ||
        op->getNumResults() != 1 || op->getOperand(0).getType() != op->getResult(0).getType())
      return failure();
    results.push_back(op->getOperand(0));
    return success();
  }
  void getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) final {}
  bool hasTrait(TypeID) final { return false; }

  // Text: the generic form. Attributes: discardable ones, so no properties.
  OperationName::ParseAssemblyFn getParseAssemblyFn() final {
    return [](OpAsmParser &parser, OperationState &) {
      return parser.emitError(parser.getNameLoc(),
                              "operations of the graph dialect are written in the generic form");
    };
  }
  void printAssembly(Operation *op, OpAsmPrinter &printer, llvm::StringRef) final {
    printer.printGenericOp(op);
  }
  void populateDefaultAttrs(const OperationName &, NamedAttrList &) final {}
  std::optional<Attribute> getInherentAttr(Operation *, llvm::StringRef) final {
    return std::nullopt;
  }
  void setInherentAttr(Operation *op, StringAttr name, Attribute value) final {
    op->setDiscardableAttr(name, value);
  }
  void populateInherentAttrs(Operation *, NamedAttrList &) final {}
  LogicalResult verifyInherentAttrs(OperationName, NamedAttrList &,
                                    function_ref<InFlightDiagnostic()>) final {
    return success();
  }
  int getOpPropertyByteSize() final { return 0; }
  void initProperties(OperationName, mlir::OpaqueProperties, mlir::OpaqueProperties) final {}
  void deleteProperties(mlir::OpaqueProperties) final {}
  void populateDefaultProperties(OperationName, mlir::OpaqueProperties) final {}
  LogicalResult setPropertiesFromAttr(OperationName, mlir::OpaqueProperties, Attribute,
                                      function_ref<InFlightDiagnostic()> emitError) final {
    return emitError
               ? LogicalResult(emitError() << "operations of the graph dialect have no properties")
               : failure();
  }
  Attribute getPropertiesAsAttr(Operation *) final { return {}; }
  void copyProperties(mlir::OpaqueProperties, mlir::OpaqueProperties) final {}
  bool compareProperties(mlir::OpaqueProperties, mlir::OpaqueProperties) final { return true; }
  llvm::hash_code hashProperties(mlir::OpaqueProperties) final { return llvm::hash_value(0); }

private:
  const Op *def;
};

} // namespace

OperationName GraphDialect::define(const Op &op) {
  const std::string full = "graph." + op.name();
  OperationName known(full, getContext());
  if (known.isRegistered())
    return known;
  RegisteredOperationName::insert(std::make_unique<RegistryOp>(full, this, ids.allocate(), &op),
                                  {});
  OperationName name(full, getContext());
  name.attachInterface<Effects>();
  ops[name] = &op;
  return name;
}

void GraphDialect::defineStructural(llvm::StringRef name) {
  const std::string full = ("graph." + name).str();
  RegisteredOperationName::insert(std::make_unique<RegistryOp>(full, this, ids.allocate(), nullptr),
                                  {});
  OperationName(full, getContext()).attachInterface<Effects>();
}

} // namespace millrace::compiler
