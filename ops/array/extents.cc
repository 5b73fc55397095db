#include "millrace/ops/array/extents.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/registry/sym_eval.h"

namespace millrace::array {
namespace {

Output AsVector(At at, const Output& integers) {
  Output vector = integers;
  if (vector.shape().rank() != 1) vector = ops::Reshape(at, vector, {-1});
  return BaseType(vector.dtype()) == DType::kInt32 ? vector : ops::Cast(at, vector, DType::kInt32);
}

}  // namespace

std::optional<std::vector<int64_t>> KnownIntegers(const Output& integers) {
  if (!integers.valid() || !IsInteger(integers.dtype())) return std::nullopt;
  const Tensor* constant = integers.node().constant();
  if (constant != nullptr && integers.index() == 0) {
    const Ints elements = ReadInts(constant->view());
    return std::vector<int64_t>(elements.begin(), elements.end());
  }
  const InferenceContext::Output& inferred = integers.node().output(integers.index());
  if (!inferred.has_elements) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const SymElement& e : inferred.elements.elements) {
    if (!e.known()) return std::nullopt;
    numbers.push_back(e.number);
  }
  return numbers;
}

bool Extents::Piece::AllKnown() const {
  return !open && std::all_of(known.begin(), known.end(), [](const auto& e) { return e.has_value(); });
}

Extents::Extents(const std::vector<int64_t>& numbers) {
  Append({Output(), 0, false, {numbers.begin(), numbers.end()}});
}

Extents Extents::Of(const Output& vector) {
  Piece piece{vector, 0, false, {}};
  if (!vector.valid()) return {};
  const InferenceContext::Output& inferred = vector.node().output(vector.index());
  const SymShape& shape = vector.shape();
  if (inferred.has_elements) {
    for (const SymElement& e : inferred.elements.elements) {
      piece.known.push_back(e.known() ? std::optional(e.number) : std::nullopt);
    }
  } else if (shape.rank() == 1 && shape.dims[0].known() && shape.dims[0].value() <= kMaxSymElements) {
    piece.known.resize(static_cast<size_t>(shape.dims[0].value()));
  } else {
    piece.open = true;
  }
  Extents result;
  result.Append(std::move(piece));
  return result;
}

Extents Extents::ShapeOf(At at, const Output& x) {
  if (!x.valid()) return {};
  if (x.shape().FullyKnown()) {
    std::vector<int64_t> numbers;
    for (Dim d : x.shape().dims) numbers.push_back(d.value());
    return Extents(numbers);
  }
  return Of(ops::Shape(at, x));
}

Extents Extents::ElementsOf(At at, const Output& integers) {
  if (!integers.valid()) return {};
  if (const std::optional<std::vector<int64_t>> numbers = KnownIntegers(integers)) return Extents(*numbers);
  return Of(AsVector(at, integers));
}

void Extents::Append(Piece piece) {
  if (!piece.open && piece.known.empty()) return;
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    const bool follows = !last.open && last.vector == piece.vector &&
                         (!piece.vector.valid() || piece.begin == last.begin + static_cast<int>(last.known.size()));
    if (follows && !piece.open) {
      last.known.insert(last.known.end(), piece.known.begin(), piece.known.end());
      return;
    }
  }
  pieces_.push_back(std::move(piece));
}

int Extents::size() const {
  int size = 0;
  for (const Piece& piece : pieces_) {
    if (piece.open) return -1;
    size += static_cast<int>(piece.known.size());
  }
  return size;
}

std::optional<std::vector<int64_t>> Extents::numbers() const {
  std::vector<int64_t> numbers;
  for (const Piece& piece : pieces_) {
    if (!piece.AllKnown()) return std::nullopt;
    for (const std::optional<int64_t>& e : piece.known) numbers.push_back(*e);
  }
  return numbers;
}

Extents Extents::Part(int begin, int end) const {
  Extents result;
  int at = 0;  // where the piece begins
  for (const Piece& piece : pieces_) {
    const int first = std::max(begin - at, 0);
    if (piece.open) {
      // What is asked for is there, so nothing comes after the part in it.
      Piece part = piece;
      part.begin += first;
      if (end >= 0) {
        part.open = false;
        part.known.resize(static_cast<size_t>(std::max(end - at - first, 0)));
      }
      result.Append(std::move(part));
      return result;
    }
    const int count = static_cast<int>(piece.known.size());
    const int last = end < 0 ? count : std::min(end - at, count);
    if (first < last) {
      Piece part{piece.vector, piece.begin + first, false, {piece.known.begin() + first, piece.known.begin() + last}};
      if (part.AllKnown()) part.vector = Output();
      result.Append(std::move(part));
    }
    at += count;
  }
  return result;
}

Extents Extents::Then(const Extents& others) const {
  Extents result = *this;
  for (const Piece& piece : others.pieces_) result.Append(piece);
  return result;
}

Operand Extents::Numbers(const Piece& piece) {
  std::vector<int64_t> numbers;
  for (const std::optional<int64_t>& e : piece.known) numbers.push_back(*e);
  return Operand(numbers);
}

Operand Extents::Vector(At at, DType dtype) const {
  Operands parts;
  for (const Piece& piece : pieces_) {
    if (piece.AllKnown()) {
      parts.push_back(Numbers(piece));
      continue;
    }
    const SymShape& whole = piece.vector.shape();
    const int64_t count = static_cast<int64_t>(piece.known.size());
    if (piece.begin == 0 && (piece.open || (whole.rank() == 1 && whole.dims[0] == Dim(count)))) {
      parts.push_back(piece.vector);
    } else {
      parts.push_back(
          ops::Slice(at, piece.vector, {piece.begin}, Operand(std::vector<int64_t>{piece.open ? -1 : count})));
    }
  }
  if (parts.empty()) return Operand();
  if (parts.size() == 1 && parts[0].output() == nullptr) return parts[0];
  const Output vector = parts.size() == 1 ? *parts[0].output() : ops::ConcatV2(at, parts, 0);
  if (!vector.valid() || vector.dtype() == dtype) return vector;
  return ops::Cast(at, vector, dtype);
}

Output Extents::Tensor(At at, DType dtype) const {
  const Operand vector = Vector(at, dtype);
  return vector.output() != nullptr ? *vector.output() : Const(at, vector, dtype);
}

Operand Extents::Scalar(At at, DType dtype) const {
  if (const std::optional<std::vector<int64_t>> known = numbers(); known && known->size() == 1) {
    return Operand((*known)[0]);
  }
  const Operand vector = Vector(at, dtype);
  return ops::Reshape(at, vector, {});
}

Extents Extents::Product(At at) const {
  if (const std::optional<std::vector<int64_t>> known = numbers()) {
    int64_t product = 1;
    bool fits = true;
    for (int64_t n : *known) fits = fits && !__builtin_mul_overflow(product, n, &product);
    if (fits) return Extents({product});
  }
  if (size() == 1) return *this;
  return Of(ops::Prod(at, Vector(at), {0}, {.keep_dims = true}));
}

Extents Extents::Plus(At at, const Extents& other) const {
  const std::optional<std::vector<int64_t>> a = numbers();
  const std::optional<std::vector<int64_t>> b = other.numbers();
  if (!a || !b || a->size() != b->size()) return Of(ops::AddV2(at, Vector(at), other.Vector(at)));
  std::vector<int64_t> sum(a->size());
  for (size_t i = 0; i < sum.size(); ++i) {
    if (__builtin_add_overflow((*a)[i], (*b)[i], &sum[i])) return Of(ops::AddV2(at, Vector(at), other.Vector(at)));
  }
  return Extents(sum);
}

Output IndexOperand(At at, const Output& integers) {
  const DType dtype = integers.dtype();
  return dtype == DType::kInt32 || dtype == DType::kInt64 ? integers : ops::Cast(at, integers, DType::kInt32);
}

Operand Matrix(int64_t rows, int64_t columns, std::vector<int64_t> numbers) {
  return Literal{Literal::Kind::kInt, {rows, columns}, std::move(numbers), {}, {}};
}

Operand AllAxes(At at, const Output& x) {
  if (!x.valid()) return {};
  if (!x.shape().has_rank) return ops::Range(at, 0, ops::Rank(at, x), 1);
  std::vector<int64_t> axes(static_cast<size_t>(x.shape().rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return Operand(axes);
}

Output ReshapeLike(At at, const Output& x, const Output& like) {
  if (!x.valid() || !like.valid()) return Output();
  const SymShape& shape = x.shape();
  const bool open = std::any_of(shape.dims.begin(), shape.dims.end(), [](Dim d) { return d.unknown(); });
  if (shape.has_rank && !open && shape == like.shape()) return x;
  return ops::Reshape(at, x, Extents::ShapeOf(at, like).Vector(at));
}

Output Flatten(At at, const Output& x) {
  if (x.valid() && x.shape().rank() == 1) return x;
  return ops::Reshape(at, x, {-1});
}

}  // namespace millrace::array
