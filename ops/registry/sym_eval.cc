#include "millrace/ops/registry/sym_eval.h"

#include <limits>

namespace millrace {
namespace {

bool IsShapeType(DType t) { return BaseType(t) == DType::kInt32 || BaseType(t) == DType::kInt64; }

// Numbers that the type cannot hold would wrap: nothing is said of them.
SymElement Fit(SymElement e, DType type) {
  if (BaseType(type) == DType::kInt32 && e.known() &&
      (e.number < std::numeric_limits<int32_t>::min() || e.number > std::numeric_limits<int32_t>::max())) {
    return {};
  }
  return e;
}

bool AnyKnown(const SymTensor& t) {
  for (const SymElement& e : t.elements) {
    if (e.kind != SymElement::Kind::kUnknown) return true;
  }
  return t.elements.empty();
}

void Set(InferenceContext& c, SymTensor t) {
  if (AnyKnown(t)) c.set_elements(0, std::move(t));
}

}  // namespace

std::optional<SymTensor> IntegerElements(const InferenceContext& c, int i) {
  if (const SymTensor* known = c.elements(i)) return *known;
  const TensorView* view = c.constant(i);
  if (view == nullptr || view->rank > 1 || view->num_elements > kMaxSymElements || !IsShapeType(view->dtype)) {
    return std::nullopt;
  }
  SymTensor t;
  t.scalar = view->rank == 0;
  for (int64_t k = 0; k < view->num_elements; ++k) {
    t.elements.push_back(
        SymElement::Number(BaseType(view->dtype) == DType::kInt32 ? view->as<int32_t>()[k] : view->as<int64_t>()[k]));
  }
  return t;
}

std::optional<std::vector<int64_t>> IntegerValues(const InferenceContext& c, int i) {
  const std::optional<SymTensor> t = IntegerElements(c, i);
  if (!t) return std::nullopt;
  std::vector<int64_t> values;
  for (const SymElement& e : t->elements) {
    if (!e.known()) return std::nullopt;
    values.push_back(e.number);
  }
  return values;
}

SymElement IntegerScalar(const InferenceContext& c, int i) {
  const std::optional<SymTensor> t = IntegerElements(c, i);
  return t && t->elements.size() == 1 ? t->elements[0] : SymElement();
}

void EvalBinary(InferenceContext& c, plan::DimOp op) {
  if (!IsShapeType(c.input_info(0).dtype)) return;
  const std::optional<SymTensor> a = IntegerElements(c, 0), b = IntegerElements(c, 1);
  if (!a || !b) return;
  const size_t n = a->elements.size(), m = b->elements.size();
  if (n != m && n != 1 && m != 1) return;
  SymTensor out;
  out.scalar = a->scalar && b->scalar;
  const size_t count = n == 1 ? m : n;
  for (size_t k = 0; k < count; ++k) {
    const SymElement e = c.dims().Apply(op, a->elements[n == 1 ? 0 : k], b->elements[m == 1 ? 0 : k]);
    out.elements.push_back(Fit(e, c.input_info(0).dtype));
  }
  Set(c, std::move(out));
}

void EvalNegate(InferenceContext& c) {
  if (!IsShapeType(c.input_info(0).dtype)) return;
  std::optional<SymTensor> t = IntegerElements(c, 0);
  if (!t) return;
  for (SymElement& e : t->elements) {
    e = Fit(c.dims().Apply(plan::DimOp::kSub, SymElement::Number(0), e), c.input_info(0).dtype);
  }
  Set(c, *std::move(t));
}

void EvalCast(InferenceContext& c, DType to) {
  if (!IsShapeType(c.input_info(0).dtype) || !IsShapeType(to)) return;
  std::optional<SymTensor> t = IntegerElements(c, 0);
  if (!t) return;
  for (SymElement& e : t->elements) e = Fit(e, to);
  Set(c, *std::move(t));
}

}  // namespace millrace
