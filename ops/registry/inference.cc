#include "millrace/ops/registry/inference.h"

#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

Status InferenceContext::InputAsShape(int i, SymShape* shape) const {
  *shape = SymShape();
  const SymShape& given = input(i);
  if (const std::optional<SymTensor> elements = IntegerElements(*this, i)) {
    if (elements->scalar) {
      const SymElement& e = elements->elements[0];
      if (e.known() && e.number == -1) return OkStatus();
      return InvalidArgument(
          Cat("input ", i, ": expected a shape (a vector of extents), found a scalar ", table_.ToString(e)));
    }
    if (elements->elements.size() > static_cast<size_t>(Shape::kMaxRank)) {
      return InvalidArgument(Cat("input ", i, ": expected a shape of at most ", Shape::kMaxRank, " dimensions, found ",
                                 elements->elements.size()));
    }
    std::vector<Dim> dims;
    for (const SymElement& e : elements->elements) {
      if (e.known() && e.number < -1) {
        return InvalidArgument(Cat("input ", i, ": expected extents of at least -1, found ", e.number));
      }
      dims.push_back(e.dim());
    }
    *shape = SymShape(std::move(dims));
    return OkStatus();
  }
  if (!given.has_rank) return OkStatus();
  // A scalar may hold -1, the shape of unknown rank.
  if (given.rank() == 0) return OkStatus();
  if (given.rank() != 1) {
    return InvalidArgument(
        Cat("input ", i, ": expected a vector of extents, found a tensor of shape ", table_.ToString(given)));
  }
  if (given.dims[0].known()) {
    if (given.dims[0].value() > Shape::kMaxRank) {
      return InvalidArgument(Cat("input ", i, ": expected a shape of at most ", Shape::kMaxRank, " dimensions, found ",
                                 given.dims[0].value()));
    }
    *shape = SymShape::Unknown(static_cast<int>(given.dims[0].value()));
  }
  return OkStatus();
}

Status InferenceContext::WithRank(int i, int rank) const {
  const SymShape& shape = input(i);
  if (!shape.has_rank || shape.rank() == rank) return OkStatus();
  return InvalidArgument(Cat("input ", i, ": expected rank ", rank, ", found shape ", table_.ToString(shape)));
}

Status InferenceContext::WithRankAtLeast(int i, int rank) const {
  const SymShape& shape = input(i);
  if (!shape.has_rank || shape.rank() >= rank) return OkStatus();
  return InvalidArgument(Cat("input ", i, ": expected rank ", rank, " or more, found shape ", table_.ToString(shape)));
}

Status InferenceContext::Merge(Dim a, Dim b, Dim* out) const {
  if (a.known() && b.known() && a != b) {
    return InvalidArgument(Cat("expected equal dimensions, found ", a.value(), " and ", b.value()));
  }
  if (a.known() || b.unknown()) *out = a;
  else if (b.known() || a.unknown()) *out = b;
  else *out = a;
  return OkStatus();
}

Status InferenceContext::Merge(const SymShape& a, const SymShape& b, SymShape* out) const {
  if (!a.has_rank || !b.has_rank) {
    SymShape merged = a.has_rank ? a : b;
    *out = std::move(merged);
    return OkStatus();
  }
  SymShape merged = a;
  bool fits = a.rank() == b.rank();
  for (size_t d = 0; fits && d < a.dims.size(); ++d) fits = Merge(a.dims[d], b.dims[d], &merged.dims[d]).ok();
  if (!fits) {
    return InvalidArgument(Cat("expected equal shapes, found ", table_.ToString(a), " and ", table_.ToString(b)));
  }
  *out = std::move(merged);
  return OkStatus();
}

Status BroadcastShapes(DimTable& table, const SymShape& a, const SymShape& b, SymShape* out) {
  if (!a.has_rank || !b.has_rank) {
    *out = SymShape();
    return OkStatus();
  }
  const size_t rank = std::max(a.dims.size(), b.dims.size());
  std::vector<Dim> dims(rank);
  for (size_t d = 0; d < rank; ++d) {
    // Counted from the last dimension; what is missing is 1.
    const Dim x = d < a.dims.size() ? a.dims[a.dims.size() - 1 - d] : Dim(1);
    const Dim y = d < b.dims.size() ? b.dims[b.dims.size() - 1 - d] : Dim(1);
    if (x.known() && y.known() && x != y && x.value() != 1 && y.value() != 1) {
      return InvalidArgument(
          Cat("expected shapes that broadcast, found ", table.ToString(a), " and ", table.ToString(b)));
    }
    dims[rank - 1 - d] = table.Broadcast(x, y);
  }
  *out = SymShape(std::move(dims));
  return OkStatus();
}

}  // namespace millrace
