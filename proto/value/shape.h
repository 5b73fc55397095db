// Shape: the extents of a tensor, known, partly known or of unknown rank.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace millrace {

// A value type. A dimension is an extent >= 0 or kUnknownDim. Up to eight
// dimensions are held in place; more go to the heap.
class Shape {
 public:
  static constexpr int64_t kUnknownDim = -1;
  // As in the reference framework.
  static constexpr int kMaxRank = 254;

  // A scalar: rank 0.
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) { Assign(dims); }
  static Shape UnknownRank() {
    Shape s;
    s.rank_ = -1;
    return s;
  }
  Shape(const Shape& other) { *this = other; }
  Shape(Shape&& other) noexcept = default;
  Shape& operator=(const Shape& other) {
    if (this != &other) {
      if (other.has_rank()) Assign(other.dims());
      else rank_ = -1;
    }
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept = default;

  bool has_rank() const { return rank_ >= 0; }
  // Number of dimensions; -1 where unknown.
  int rank() const { return rank_; }
  // 0 <= i < rank().
  int64_t dim(int i) const { return dims()[i]; }
  void set_dim(int i, int64_t extent) { data()[i] = extent; }
  void Append(int64_t extent);
  // The dimensions; empty where the rank is unknown.
  std::span<const int64_t> dims() const {
    const size_t n = rank_ < 0 ? 0 : static_cast<size_t>(rank_);
    return {rank_ > kInline ? heap_.data() : inline_, n};
  }
  std::vector<int64_t> ToVector() const { return {dims().begin(), dims().end()}; }

  // Rank and every dimension known.
  bool IsFullyKnown() const;
  // ElementCount of the dimensions; nothing where one is unknown, too.
  std::optional<int64_t> NumElements() const;
  // True where a tensor of `known` could have this shape.
  bool IsCompatibleWith(const Shape& known) const;

  // "[2,?,3]", "[]" for a scalar, "<unknown>" where the rank is not known.
  std::string ToString() const;

  // Equal ranks and dimensions; unknown equals unknown.
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  static constexpr int kInline = 8;
  void Assign(std::span<const int64_t> dims);
  int64_t* data() { return rank_ > kInline ? heap_.data() : inline_; }

  int rank_ = 0;
  int64_t inline_[kInline] = {};
  std::vector<int64_t> heap_;
};

std::ostream& operator<<(std::ostream& os, const Shape& shape);

// So many elements of any type have fewer than 2^63 bytes.
inline constexpr int64_t kMostElements = INT64_MAX / 32;

// Elements of a tensor of these dimensions (1 where there are none); nothing where
// one is negative, or where those that are not 0 multiply to more than
// kMostElements. So an empty tensor has bounds as well, and neither a product of
// some dimensions of a tensor nor its bytes can overflow.
std::optional<int64_t> ElementCount(std::span<const int64_t> dims);

}  // namespace millrace
