#include "millrace/proto/value/shape.h"

#include <algorithm>

namespace millrace {

void Shape::Assign(std::span<const int64_t> dims) {
  rank_ = static_cast<int>(dims.size());
  if (rank_ > kInline) {
    heap_.assign(dims.begin(), dims.end());
  } else {
    std::copy(dims.begin(), dims.end(), inline_);
  }
}

void Shape::Append(int64_t extent) {
  if (rank_ < 0) rank_ = 0;
  if (rank_ == kInline) heap_.assign(inline_, inline_ + kInline);
  if (rank_ >= kInline) {
    heap_.resize(static_cast<size_t>(rank_));
    heap_.push_back(extent);
  } else {
    inline_[rank_] = extent;
  }
  ++rank_;
}

bool Shape::IsFullyKnown() const {
  return has_rank() && std::all_of(dims().begin(), dims().end(), [](int64_t d) { return d >= 0; });
}

std::optional<int64_t> Shape::NumElements() const { return has_rank() ? ElementCount(dims()) : std::nullopt; }

std::optional<int64_t> ElementCount(std::span<const int64_t> dims) {
  int64_t product = 1;
  bool empty = false;
  for (const int64_t d : dims) {
    if (d < 0) return std::nullopt;
    if (d == 0) empty = true;
    else if (__builtin_mul_overflow(product, d, &product) || product > kMostElements) return std::nullopt;
  }
  return empty ? 0 : product;
}

bool Shape::IsCompatibleWith(const Shape& known) const {
  if (!has_rank() || !known.has_rank()) return true;
  if (rank() != known.rank()) return false;
  for (int i = 0; i < rank(); ++i) {
    if (dim(i) >= 0 && known.dim(i) >= 0 && dim(i) != known.dim(i)) return false;
  }
  return true;
}

std::string Shape::ToString() const {
  if (!has_rank()) return "<unknown>";
  std::string out = "[";
  for (int i = 0; i < rank(); ++i) {
    if (i > 0) out += ',';
    out += dim(i) < 0 ? "?" : std::to_string(dim(i));
  }
  return out + "]";
}

bool operator==(const Shape& a, const Shape& b) {
  return a.rank_ == b.rank_ && std::equal(a.dims().begin(), a.dims().end(), b.dims().begin(), b.dims().end());
}

std::ostream& operator<<(std::ostream& os, const Shape& shape) { return os << shape.ToString(); }

}  // namespace millrace
