#include "millrace/ops/expr/expression.h"

#include <cstring>

#include "millrace/ops/expr/driver.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

int Expression::arity() const {
  const Body& first = bodies[0]->bodies[0];
  int n = 0;
  while (n < kMaxOperands && first.in[n] != DType::kInvalid) ++n;
  return n;
}

namespace {

const Body* FindIn(const BodyTable* table, std::span<const DType> in, DType out) {
  if (table == nullptr) return nullptr;
  for (const Body& body : std::span(table->bodies, static_cast<size_t>(table->count))) {
    bool same = body.out == out;
    for (size_t j = 0; j < in.size(); ++j) same = same && body.in[j] == in[j];
    if (same) return &body;
  }
  return nullptr;
}

class ElementwiseKernel final : public Kernel {
 public:
  ElementwiseKernel(const Expression& expression, const Body& body, int inputs)
      : traits_(expression.traits), body_(body), inputs_(inputs) {}

  // False where the type that the body wants cannot hold the attribute operand.
  bool SetAttr(float value) {
    attr_.data = attr_bytes_;
    attr_.dtype = body_.in[inputs_];
    attr_.num_elements = 1;
    return MakeAttrOperand(value, attr_.dtype, attr_bytes_);
  }

  Status Run(KernelContext& ctx) const override {
    TensorView operands[kMaxOperands];
    for (int i = 0; i < inputs_; ++i) operands[i] = ctx.input(i);
    int arity = inputs_;
    if (traits_.attr_operand != nullptr) operands[arity++] = attr_;
    const std::span<const TensorView> all(operands, static_cast<size_t>(arity));
    if (traits_.check != nullptr) MR_RETURN_IF_ERROR(traits_.check(all));
    RunBody(ctx, body_, all, ctx.output(0), traits_.cycles);
    return OkStatus();
  }

 private:
  const ExpressionTraits traits_;
  const Body& body_;
  const int inputs_;
  TensorView attr_;
  alignas(16) char attr_bytes_[kMaxElementBytes] = {};
};

}  // namespace

const Body* Expression::Find(std::span<const DType> in, DType out, Isa isa) const {
  if (in.size() > static_cast<size_t>(kMaxOperands)) return nullptr;
  for (int i = static_cast<int>(isa); i >= 0; --i) {
    if (const Body* body = FindIn(bodies[i], in, out)) return body;
  }
  return nullptr;
}

const Body* BodyFor(const Expression& expression, bool variant, std::span<const DType> in, DType out, Isa isa) {
  const Body* body = nullptr;
  if (variant && expression.traits.variant != nullptr) body = expression.traits.variant->Find(in, out, isa);
  return body != nullptr ? body : expression.Find(in, out, isa);
}

bool MakeAttrOperand(float value, DType type, char (&bytes)[kMaxElementBytes]) {
  if (IsInteger(type) && !(value >= 0 && value <= 127)) return false;
  return VisitType(type, RealTypes(),
                   [&]<typename T>() {
                     const T element = static_cast<T>(value);
                     std::memcpy(bytes, &element, sizeof element);
                     return OkStatus();
                   })
      .ok();
}

Result<std::unique_ptr<Kernel>> NewElementwise(const Expression& expression, const KernelInit& init) {
  const bool has_attr = expression.traits.attr_operand != nullptr;
  const int inputs = expression.arity() - (has_attr ? 1 : 0);
  if (init.num_inputs() != inputs || init.num_outputs() != 1) {
    return Internal(Cat("expression ", expression.name, ": expected ", inputs, " inputs and 1 output, found ",
                        init.num_inputs(), " and ", init.num_outputs()));
  }
  DType in[kMaxOperands] = {};
  for (int i = 0; i < inputs; ++i) in[i] = init.input_type(i);
  // An attribute operand has the type of the first input.
  if (has_attr) in[inputs] = in[0];
  const std::span<const DType> types(in, static_cast<size_t>(expression.arity()));
  const bool variant = expression.traits.variant != nullptr && init.attr<bool>(expression.traits.variant_attr);
  const Body* body = BodyFor(expression, variant, types, init.output_type(0), ActiveIsa());
  if (body == nullptr) {
    return Unimplemented(Cat("expression ", expression.name, " has no body for ", DTypeName(in[0]), " to ",
                             DTypeName(init.output_type(0))));
  }
  auto kernel = std::make_unique<ElementwiseKernel>(expression, *body, inputs);
  if (has_attr && !kernel->SetAttr(init.attr<float>(expression.traits.attr_operand))) {
    return Internal(Cat("expression ", expression.name, ": attribute '", expression.traits.attr_operand,
                        "' cannot be an operand of type ", DTypeName(in[0])));
  }
  return std::unique_ptr<Kernel>(std::move(kernel));
}

}  // namespace millrace
