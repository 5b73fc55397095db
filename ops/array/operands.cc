#include "millrace/ops/array/operands.h"

#include "millrace/proto/value/strings.h"

namespace millrace::array {

int64_t IntAt(const TensorView& t, int64_t i) {
  switch (t.dtype) {
    case DType::kInt64:
    case DType::kUint64:
      return t.as<int64_t>()[i];
    case DType::kInt32:
      return t.as<int32_t>()[i];
    case DType::kUint32:
      return t.as<uint32_t>()[i];
    case DType::kInt16:
      return t.as<int16_t>()[i];
    case DType::kUint16:
      return t.as<uint16_t>()[i];
    case DType::kInt8:
      return t.as<int8_t>()[i];
    case DType::kUint8:
      return t.as<uint8_t>()[i];
    default:
      return 0;
  }
}

Ints ReadInts(const TensorView& t) {
  Ints out(static_cast<size_t>(t.num_elements));
  for (int64_t i = 0; i < t.num_elements; ++i) out[static_cast<size_t>(i)] = IntAt(t, i);
  return out;
}

int64_t Product(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

Ints StridesOf(std::span<const int64_t> dims) {
  Ints strides(dims.size());
  int64_t n = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = n;
    n *= dims[i];
  }
  return strides;
}

Status NormalizeAxis(int64_t axis, int64_t rank, std::string_view what, int* out) {
  if (axis < -rank || axis >= rank) {
    return InvalidArgument(Cat(what, " must be in [", -rank, ", ", rank, "), found ", axis));
  }
  *out = static_cast<int>(axis < 0 ? axis + rank : axis);
  return OkStatus();
}

Status PrepareOutput(KernelContext& ctx, int i, std::span<const int64_t> dims) {
  if (!ctx.output_wanted(i)) return OkStatus();
  const TensorView& out = ctx.output(i);
  if (out.data != nullptr || out.num_elements == 0) {
    if (out.rank == static_cast<int>(dims.size()) && std::equal(dims.begin(), dims.end(), out.dims) &&
        (out.rank > 0 || out.data != nullptr)) {
      return OkStatus();
    }
    if (out.data != nullptr) {
      return InvalidArgument(
          Cat("output ", i, " should have shape ", DimsText(out.shape()), ", the operands give ", DimsText(dims)));
    }
  }
  return ctx.AllocateOutput(i, dims);
}

bool IntElements(const InferenceContext& ctx, int i, std::vector<SymElement>* out) {
  out->clear();
  if (const SymTensor* elements = ctx.elements(i)) {
    *out = elements->elements;
    return true;
  }
  if (const TensorView* constant = ctx.constant(i); constant != nullptr && constant->rank <= 1) {
    for (int64_t k = 0; k < constant->num_elements; ++k) out->push_back(SymElement::Number(IntAt(*constant, k)));
    return true;
  }
  const SymShape& shape = ctx.input(i);
  if (shape.rank() == 0) {
    out->resize(1);
    return true;
  }
  if (shape.rank() == 1 && shape.dims[0].known() && shape.dims[0].value() <= Shape::kMaxRank) {
    out->resize(static_cast<size_t>(shape.dims[0].value()));
    return true;
  }
  return false;
}

std::optional<int64_t> IntScalar(const InferenceContext& ctx, int i) {
  if (const SymTensor* elements = ctx.elements(i)) {
    if (elements->elements.size() == 1 && elements->elements[0].known()) return elements->elements[0].number;
  }
  if (const TensorView* constant = ctx.constant(i); constant != nullptr && constant->num_elements == 1) {
    return IntAt(*constant, 0);
  }
  return std::nullopt;
}

std::optional<std::vector<int64_t>> IntConstant(const InferenceContext& ctx, int i) {
  std::vector<int64_t> out;
  if (const TensorView* constant = ctx.constant(i)) {
    for (int64_t k = 0; k < constant->num_elements; ++k) out.push_back(IntAt(*constant, k));
    return out;
  }
  if (const SymTensor* elements = ctx.elements(i)) {
    for (const SymElement& e : elements->elements) {
      if (!e.known()) return std::nullopt;
      out.push_back(e.number);
    }
    return out;
  }
  return std::nullopt;
}

Dim ProductOf(DimTable& table, std::span<const Dim> dims) {
  // A known zero wins over an unknown.
  for (const Dim d : dims) {
    if (d.known() && d.value() == 0) return Dim(0);
  }
  Dim n(1);
  for (const Dim d : dims) n = table.Mul(n, d);
  return n;
}

std::string DimsText(std::span<const int64_t> dims) { return Cat("[", Join(dims, ","), "]"); }

}  // namespace millrace::array
