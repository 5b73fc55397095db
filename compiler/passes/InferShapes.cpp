#include "millrace/compiler/passes/Passes.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_INFERSHAPES
#define GEN_PASS_DEF_REFINESHAPES
#include "millrace_passes/Passes.h.inc"

namespace {

class Inference {
public:
  explicit Inference(ModuleOp module)
      : module(module), state(stateOf(module)), context(module.getContext()) {}

  LogicalResult run() {
    for (auto func : module.getOps<func::FuncOp>()) {
      if (func.isExternal())
        continue;
      elements.clear();
      handles.clear();
      size_t count = 0;
      for (Operation &op : func.getBody().front()) {
        if ((++count & 0xfff) == 0 && state.isCancelled())
          return fail(func, Cancelled("the compilation was cancelled"));
        if (failed(infer(&op)))
          return failure();
      }
    }
    updateSignatures(module);
    return success();
  }

private:
  LogicalResult infer(Operation *op) {
    if (isStructural(op, "read")) {
      op->getResult(0).setType(llvm::cast<RefType>(op->getOperand(0).getType()).tensor());
      return success();
    }
    if (isStructural(op, "dims")) {
      auto dims = op->getAttrOfType<DimsAttr>("elements");
      SymTensor t;
      t.scalar = shapeOf(op->getResult(0).getType()).rank() == 0;
      for (size_t i = 0; i < dims.size(); ++i)
        t.elements.push_back(dims[i]);
      elements[op->getResult(0)] = std::move(t);
      return success();
    }
    const Op *def = opOf(op);
    if (!def)
      return success();

    const OperandRange operands = dataOperands(op);
    std::vector<InferenceContext::Input> inputs(operands.size());
    // Room for all, so that pointers into them stay.
    std::vector<SymShape> references;
    references.reserve(inputs.size());
    SmallVector<Constant, 2> constants;
    constants.reserve(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value v = operands[static_cast<unsigned>(i)];
      inputs[i].dtype = dtypeOf(v.getType());
      inputs[i].shape = shapeOf(v.getType());
      if (auto it = elements.find(v); it != elements.end())
        inputs[i].elements = &it->second;
      if (Operation *source = v.getDefiningOp())
        if (ElementsAttr value = constantValue(source))
          inputs[i].constant = view(constants.emplace_back(), value);
      if (IsRef(inputs[i].dtype)) {
        inputs[i].handle_dtype = BaseType(inputs[i].dtype);
        inputs[i].handle_shape = &references.emplace_back(inputs[i].shape);
      } else if (auto it = handles.find(v); it != handles.end()) {
        inputs[i].handle_dtype = it->second.first;
        inputs[i].handle_shape = &it->second.second;
      }
    }
    const int results = static_cast<int>(numDataResults(op));
    InferenceContext ctx(attrsOf(op), std::move(inputs), results, state.dims);
    if (Status s = def->shape_fn()(ctx); !s.ok())
      return fail(op, s);

    // A variable that somebody may give another shape.
    if (op->hasAttr("graph.any_shape")) {
      op->getResult(0).setType(valueType(context, dtypeOf(op->getResult(0).getType()), SymShape()));
      return success();
    }
    SmallVector<Attribute, 2> known;
    bool any = false;
    for (int i = 0; i < results; ++i) {
      const InferenceContext::Output &out = ctx.outputs()[static_cast<size_t>(i)];
      Value result = op->getResult(static_cast<unsigned>(i));
      const DType dtype = dtypeOf(result.getType());
      result.setType(valueType(context, dtype, out.shape));
      known.push_back(UnitAttr::get(context));
      if (dtype == DType::kResource && out.handle_dtype != DType::kInvalid)
        handles[result] = {out.handle_dtype, out.handle_shape};
      if (!out.has_elements)
        continue;
      if (def->name() != "Const") {
        known.back() = DimsAttr::get(context, ArrayRef<SymElement>(out.elements.elements));
        any = true;
      }
      elements[result] = out.elements;
    }
    if (any)
      op->setAttr("graph.elements", ArrayAttr::get(context, known));
    else if (op->hasAttr("graph.elements"))
      op->removeAttr("graph.elements");
    return success();
  }

  struct Constant {
    TensorView view;
    SmallVector<int64_t, 4> dims;
  };
  // A view of a constant's elements; null for strings.
  const TensorView *view(Constant &c, ElementsAttr value) {
    auto type = llvm::cast<ShapedType>(value.getType());
    c.dims.assign(type.getShape().begin(), type.getShape().end());
    c.view.dtype = dtypeOfElement(type.getElementType());
    if (IsObject(c.view.dtype))
      return nullptr;
    c.view.data = const_cast<char *>(denseBytes(state, value).data());
    c.view.rank = static_cast<int>(c.dims.size());
    c.view.dims = c.dims.data();
    c.view.num_elements = type.getNumElements();
    return &c.view;
  }

  ModuleOp module;
  CompileState &state;
  MLIRContext *context;
  llvm::DenseMap<Value, SymTensor> elements;
  // What resource handles refer to.
  llvm::DenseMap<Value, std::pair<DType, SymShape>> handles;
};

struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    if (failed(Inference(getOperation()).run()))
      signalPassFailure();
  }
};

struct RefineShapes : impl::RefineShapesBase<RefineShapes> {
  void runOnOperation() override {
    if (!getOperation()->hasAttr("graph.refined"))
      return;
    getOperation()->removeAttr("graph.refined");
    if (failed(Inference(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace millrace::compiler
