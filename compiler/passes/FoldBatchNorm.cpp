#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Products.h"
#include "mlir/IR/Builders.h"
#include <cmath>
#include <cstring>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "millrace_passes/Passes.h.inc"

namespace {

// result = scale * product + offset, by channel.
struct Affine {
  std::vector<double> scale, offset;
  bool scaled = false;
  SmallVector<Operation *, 4> taken;
};

template <typename T>
void readNumbers(const Bytes &bytes, int64_t channels, bool scalar, std::vector<double> &out) {
  out.resize(static_cast<size_t>(channels));
  for (size_t i = 0; i < out.size(); ++i) {
    T v;
    std::memcpy(&v, bytes.data() + (scalar ? 0 : i * sizeof(T)), sizeof(T));
    out[i] = static_cast<double>(v);
  }
}

struct FoldBatchNorm : impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    // Collected first: the rewrite erases what follows a product.
    std::vector<Operation *> products;
    forEachOp(getOperation(), [&](Operation *op) {
      if (productOf(op))
        products.push_back(op);
    });
    for (Operation *op : products) {
      std::optional<Product> p = productOf(op);
      if (!p || p->channels < 0 || !constantValue(p->weights()))
        continue;
      Affine affine;
      affine.scale.assign(static_cast<size_t>(p->channels), 1.0);
      affine.offset.assign(static_cast<size_t>(p->channels), 0.0);
      while (Operation *user = onlyUser(affine.taken.empty() ? op->getResult(0)
                                                             : affine.taken.back()->getResult(0)))
        if (!absorb(user, *p, affine))
          break;
      if (affine.scaled)
        rewrite(*p, affine);
    }
  }

  // The constant operand of `user` by channel; false where it is no such constant.
  bool numbers(Value v, const Product &p, std::vector<double> &out) {
    bool scalar = false;
    ElementsAttr value = channelConstant(v, p, &scalar);
    if (!value)
      return false;
    const Bytes &bytes = denseBytes(stateOf(p.op), value);
    const DType dtype = dtypeOf(v.getType());
    if (dtype == DType::kFloat)
      readNumbers<float>(bytes, p.channels, scalar, out);
    else if (dtype == DType::kDouble)
      readNumbers<double>(bytes, p.channels, scalar, out);
    else
      return false; // an axis, say
    for (double d : out)
      if (!std::isfinite(d))
        return false;
    return true;
  }

  bool absorb(Operation *user, const Product &p, Affine &a) {
    // What goes on has the shape of the product.
    if (user->getResult(0).getType() != p.op->getResult(0).getType())
      return false;
    Operation *last = a.taken.empty() ? p.op : a.taken.back();
    const Value previous = last->getResult(0);
    const llvm::StringRef name = opOf(user)->name();
    const bool first = user->getOperand(0) == previous;
    auto format = user->getAttrOfType<StringAttr>("data_format");
    if (format && (!first || (format.getValue() == "NCHW") != (p.rank == 4 && p.channelAxis == 1)))
      return false;
    // Biases and statistics are vectors whatever the layout.
    Product flat = p;
    flat.rank = 1;
    flat.channelAxis = 0;
    if (name.starts_with("FusedBatchNorm"))
      return absorbNormalization(user, flat, a);
    if (user->getNumOperands() != 2)
      return false;
    std::vector<double> c;
    if (name == "BiasAdd") {
      if (!numbers(user->getOperand(1), flat, c))
        return false;
    } else if (!numbers(user->getOperand(first ? 1 : 0), p, c)) {
      return false;
    }
    for (size_t i = 0; i < c.size(); ++i) {
      if (name == "Mul") {
        a.scale[i] *= c[i];
        a.offset[i] *= c[i];
      } else if (name == "RealDiv" && first) {
        a.scale[i] /= c[i];
        a.offset[i] /= c[i];
      } else if (name == "Add" || name == "AddV2" || name == "BiasAdd") {
        a.offset[i] += c[i];
      } else if (name == "Sub") {
        a.scale[i] *= first ? 1 : -1;
        a.offset[i] = first ? a.offset[i] - c[i] : c[i] - a.offset[i];
      } else {
        return false;
      }
    }
    a.scaled |= name == "Mul" || name == "RealDiv" || (name == "Sub" && !first);
    a.taken.push_back(user);
    return true;
  }

  // Inference: the statistics are operands, and constants.
  bool absorbNormalization(Operation *user, const Product &flat, Affine &a) {
    auto training = user->getAttrOfType<BoolAttr>("is_training");
    auto epsilon = user->getAttrOfType<FloatAttr>("epsilon");
    if (user->getNumOperands() != 5 || !training || training.getValue() || !epsilon)
      return false;
    std::vector<double> parts[4]; // scale, offset, mean, variance
    for (unsigned i = 0; i < 4; ++i)
      if (!numbers(user->getOperand(i + 1), flat, parts[i]))
        return false;
    for (size_t i = 0; i < a.scale.size(); ++i) {
      const double s = parts[0][i] / std::sqrt(parts[3][i] + epsilon.getValueAsDouble());
      if (!std::isfinite(s))
        return false;
      a.scale[i] *= s;
      a.offset[i] = (a.offset[i] - parts[2][i]) * s + parts[1][i];
    }
    a.scaled = true;
    a.taken.push_back(user);
    return true;
  }

  template <typename T>
  std::optional<Bytes> scaledWeights(const Bytes &weights, const Product &p,
                                     const std::vector<double> &scale) {
    std::string out(weights.view());
    // By rows of the channels, or a run of elements for each.
    const size_t n = out.size() / sizeof(T);
    const size_t rows = p.weightsLast ? n / scale.size() : scale.size();
    T *data = reinterpret_cast<T *>(out.data());
    bool sameKind = true;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t i = 0; i < n / rows; ++i, ++data) {
        const double v = static_cast<double>(*data) * scale[p.weightsLast ? i : r];
        *data = static_cast<T>(v);
        sameKind &= std::isfinite(v) == std::isfinite(static_cast<double>(*data));
      }
    }
    if (!sameKind)
      return std::nullopt;
    return Bytes(std::move(out));
  }

  void rewrite(const Product &p, const Affine &a) {
    CompileState &state = stateOf(p.op);
    const Op *bias = state.registry->Find("BiasAdd");
    const ElementsAttr weights = constantValue(p.weights());
    auto type = llvm::cast<ShapedType>(weights.getType());
    const DType dtype = dtypeOfElement(type.getElementType());
    const Bytes &old = denseBytes(state, weights);
    if (!bias || old.empty() || p.channels == 0 ||
        static_cast<int64_t>(old.size() / ElementSize(dtype)) % p.channels != 0)
      return;
    std::optional<Bytes> made = dtype == DType::kFloat ? scaledWeights<float>(old, p, a.scale)
                                                       : scaledWeights<double>(old, p, a.scale);
    if (!made)
      return;
    std::string offset;
    for (double d : a.offset) {
      const float narrow = static_cast<float>(d);
      if (!std::isfinite(d) || (dtype == DType::kFloat && !std::isfinite(narrow)))
        return;
      offset.append(dtype == DType::kFloat ? reinterpret_cast<const char *>(&narrow)
                                           : reinterpret_cast<const char *>(&d),
                    ElementSize(dtype));
    }

    Operation *end = a.taken.back();
    SmallVector<Location> taken;
    for (Operation *op : a.taken)
      taken.push_back(op->getLoc());
    mlir::OpBuilder b(end);
    Operation *product = b.clone(*p.op);
    product->setOperand(
        1, makeConstant(product, p.weights().getLoc(),
                        makeElements(state, &getContext(), dtype, type.getShape(), std::move(*made),
                                     nodeName(p.weights().getLoc()))));
    OperationState add(mergeLocations(end->getLoc(), taken),
                       dialectOf(&getContext())->define(*bias));
    add.addOperands(
        {product->getResult(0),
         makeConstant(end, end->getLoc(),
                      makeElements(state, &getContext(), dtype, {p.channels},
                                   Bytes(std::move(offset)), nodeName(end->getLoc())))});
    add.addAttribute("T", TypeAttr::get(type.getElementType()));
    add.addAttribute("data_format",
                     b.getStringAttr(p.rank == 4 && p.channelAxis == 1 ? "NCHW" : "NHWC"));
    add.addTypes(end->getResult(0).getType());
    b.setInsertionPoint(end);
    end->getResult(0).replaceAllUsesWith(b.create(add)->getResult(0));
    for (Operation *op : llvm::reverse(a.taken))
      op->erase();
    p.op->erase();
  }
};

} // namespace
} // namespace millrace::compiler
