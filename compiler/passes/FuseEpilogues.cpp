#include "millrace/compiler/passes/ClusterRoles.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Products.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "millrace_passes/Passes.h.inc"

namespace {

// Channels that one number is repeated for.
constexpr int64_t kMostRepeats = 1 << 16;

struct Chain {
  Value bias;                // a vector
  ElementsAttr biasConstant; // instead, where a constant must become a vector
  bool biasRepeats = false;  // that of one number
  Value residual;
  llvm::StringRef activation;
  float alpha = 0.2f;
  SmallVector<Operation *, 3> taken;
};

struct FuseEpilogues : impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    std::vector<Operation *> products;
    forEachOp(getOperation(), [&](Operation *op) {
      if (productOf(op))
        products.push_back(op);
    });
    for (Operation *op : products) {
      const Product p = *productOf(op);
      Chain chain;
      // A residual needs a bias before it.
      if (takeBias(p, chain))
        takeResidual(p, chain);
      takeActivation(p, chain);
      if (!chain.taken.empty())
        rewrite(p, chain);
    }
  }

  static Value end(const Product &p, const Chain &c) {
    return (c.taken.empty() ? p.op : c.taken.back())->getResult(0);
  }

  bool takeBias(const Product &p, Chain &c) {
    const Value from = end(p, c);
    Operation *user = onlyUser(from);
    if (!user || user->getResult(0).getType() != from.getType())
      return false;
    const llvm::StringRef name = opOf(user)->name();
    if (name == "BiasAdd") {
      auto format = user->getAttrOfType<StringAttr>("data_format");
      const bool nchw = format && format.getValue() == "NCHW";
      if (user->getOperand(0) != from || nchw != (p.rank == 4 && p.channelAxis == 1) ||
          shapeOf(user->getOperand(1).getType()).rank() != 1)
        return false;
      c.bias = user->getOperand(1);
    } else if (name == "Add" || name == "AddV2") {
      const Value other = user->getOperand(user->getOperand(0) == from ? 1 : 0);
      const SymShape shape = shapeOf(other.getType());
      bool scalar = false;
      if (shape.rank() == 1 && p.channels >= 0 && shape.dims[0] == Dim(p.channels) &&
          p.channelAxis == p.rank - 1)
        c.bias = other;
      else if (!(c.biasConstant = channelConstant(other, p, &scalar)) ||
               (scalar && p.channels > kMostRepeats))
        return false;
      c.biasRepeats = scalar;
    } else {
      return false;
    }
    c.taken.push_back(user);
    return true;
  }

  void takeResidual(const Product &p, Chain &c) {
    const Value from = end(p, c);
    Operation *user = onlyUser(from);
    if (!user || !(isNamed(user, "Add") || isNamed(user, "AddV2")))
      return;
    const Value other = user->getOperand(user->getOperand(0) == from ? 1 : 0);
    if (!sameKnownShape(from.getType(), other.getType()) ||
        user->getResult(0).getType() != from.getType())
      return;
    c.residual = other;
    c.taken.push_back(user);
  }

  void takeActivation(const Product &p, Chain &c) {
    Operation *user = onlyUser(end(p, c));
    if (!user || user->getNumOperands() != 1)
      return;
    const llvm::StringRef name = opOf(user)->name();
    if (name == "Elu" || name == "Tanh" || name == "Sigmoid") {
      // Not free in a product: a cluster is as good a place, where there is one.
      if (dtypeOf(user->getResult(0).getType()) != DType::kFloat ||
          llvm::any_of(user->getUsers(), [](Operation *next) {
            return roleOf(next).kind == Role::Kind::kElementwise;
          }))
        return;
    } else if (name != "Relu" && name != "Relu6" && name != "LeakyRelu") {
      return;
    }
    if (name == "LeakyRelu") {
      auto alpha = user->getAttrOfType<FloatAttr>("alpha");
      if (!alpha)
        return;
      c.alpha = alpha.getValue().convertToFloat();
    }
    c.activation = name;
    c.taken.push_back(user);
  }

  void rewrite(const Product &p, Chain &c) {
    CompileState &state = stateOf(p.op);
    MLIRContext *context = &getContext();
    static constexpr const char *kNames[] = {"_FusedConv2D", "_FusedDepthwiseConv2dNative",
                                             "_FusedMatMul"};
    const Op *def = state.registry->Find(kNames[static_cast<int>(p.kind)]);
    if (!def)
      return;

    ListValue steps;
    if (c.bias || c.biasConstant)
      steps.s.push_back("BiasAdd");
    if (c.residual)
      steps.s.push_back("Add");
    if (!c.activation.empty())
      steps.s.push_back(c.activation.str());
    AttrMap attrs;
    const AttrMap &old = attrsOf(p.op);
    for (const AttrDef &a : def->signature().attrs) {
      if (auto it = old.find(a.name); it != old.end())
        attrs[a.name] = it->second;
      else if (a.has_default)
        attrs[a.name] = a.default_value;
    }
    attrs["num_args"] = static_cast<int64_t>(steps.s.empty() || steps.s[0] != "BiasAdd" ? 0
                                             : c.residual                               ? 2
                                                                                        : 1);
    attrs["fused_ops"] = std::move(steps);
    attrs["leakyrelu_alpha"] = c.alpha;
    if (!CompleteAttrs(*def, &attrs).ok() || !def->FindKernel("CPU", attrs))
      return;

    Operation *last = c.taken.back();
    if (c.biasConstant) {
      auto type = llvm::cast<ShapedType>(c.biasConstant.getType());
      const DType dtype = dtypeOfElement(type.getElementType());
      Bytes bytes = denseBytes(state, c.biasConstant);
      if (c.biasRepeats) {
        std::string all;
        for (int64_t i = 0; i < p.channels; ++i)
          all.append(bytes.view());
        bytes = Bytes(std::move(all));
      }
      c.bias = makeConstant(last, c.taken[0]->getLoc(),
                            makeElements(state, context, dtype, {p.channels}, std::move(bytes),
                                         nodeName(c.taken[0]->getLoc())));
    }
    SmallVector<Location> taken;
    for (Operation *op : c.taken)
      taken.push_back(op->getLoc());
    OperationState fused(mergeLocations(p.op->getLoc(), taken), dialectOf(context)->define(*def));
    fused.addOperands(p.op->getOperands());
    if (c.bias)
      fused.addOperands(c.bias);
    if (c.residual)
      fused.addOperands(c.residual);
    for (const auto &[name, value] : attrs)
      fused.addAttribute(name, toAttribute(state, context, value, name));
    fused.addTypes(last->getResult(0).getType());
    mlir::OpBuilder b(last);
    last->getResult(0).replaceAllUsesWith(b.create(fused)->getResult(0));
    for (Operation *op : llvm::reverse(c.taken))
      op->erase();
    p.op->erase();
  }
};

} // namespace
} // namespace millrace::compiler
