// Extents: vectors of integers in the graph of a gradient, shapes mostly. What is
// known while the graph is built stays numbers and becomes a constant where an op
// wants it; the rest is computed at the run by Shape, Slice, ConcatV2 and so on.
// So a gradient is written once for static and for open shapes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"

namespace millrace::array {

class Extents {
 public:
  Extents() = default;  // no elements
  explicit Extents(const std::vector<int64_t>& numbers);
  // The shape of x.
  static Extents ShapeOf(At at, const Output& x);
  // The elements of an integer vector, or the one of a scalar; int32 at the run.
  static Extents ElementsOf(At at, const Output& integers);

  // How many; -1 where that is not known.
  int size() const;
  // All elements, where each is known.
  std::optional<std::vector<int64_t>> numbers() const;

  // Elements [begin, end), which are there; end -1 is the end, whose place need
  // not be known.
  Extents Part(int begin, int end = -1) const;
  // This, then others.
  Extents Then(const Extents& others) const;
  // The product, as one element.
  Extents Product(At at) const;
  // Element by element; both have as many.
  Extents Plus(At at, const Extents& other) const;

  // As an argument: a vector. Of `dtype` (int32 or int64) where it is computed at
  // the run; numbers take the dtype that their op wants.
  Operand Vector(At at, DType dtype = DType::kInt32) const;
  // The same as a tensor.
  Output Tensor(At at, DType dtype = DType::kInt32) const;
  // The only element as a scalar.
  Operand Scalar(At at, DType dtype = DType::kInt32) const;

 private:
  // Consecutive elements of one source.
  struct Piece {
    Output vector;  // not valid: numbers
    int begin = 0;  // in `vector`
    // To the end of `vector`, which has an unknown number of elements.
    bool open = false;
    // One for each element, unless `open`.
    std::vector<std::optional<int64_t>> known;

    bool AllKnown() const;
  };
  static Extents Of(const Output& vector);
  static Operand Numbers(const Piece& piece);
  void Append(Piece piece);

  std::vector<Piece> pieces_;
};

// The elements of an integer tensor of any rank, row by row, where they are known.
std::optional<std::vector<int64_t>> KnownIntegers(const Output& integers);
// An integer operand as int32 or int64: as it is where it is one of them.
Output IndexOperand(At at, const Output& integers);
// A matrix of numbers as an argument.
Operand Matrix(int64_t rows, int64_t columns, std::vector<int64_t> numbers);
// 0, 1 ... rank - 1 as an argument, for any rank of x.
Operand AllAxes(At at, const Output& x);
// x with the shape of `like`, which has as many elements; x itself where its
// shape is known to be that.
Output ReshapeLike(At at, const Output& x, const Output& like);
// x as a vector.
Output Flatten(At at, const Output& x);

}  // namespace millrace::array
