// TensorValue: a tensor as it stands on the wire, in whichever of the wire's
// representations it came, so that writing it gives the same bytes back.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// Field by field the wire's TensorProto. Either `content` holds the row-major
// little-endian elements, or the one list that belongs to `dtype` holds them;
// a list that is shorter than the shape repeats its last value (an empty one
// means zeros).
struct TensorValue {
  DType dtype = DType::kInvalid;
  Shape shape;
  // Names of dimensions; empty, or one a dimension. Kept for the round trip.
  std::vector<std::string> dim_names;
  int32_t version_number = 0;
  Bytes content;
  std::vector<int32_t> half_val;  // the bits of half and bfloat16
  std::vector<float> float_val;
  std::vector<double> double_val;
  std::vector<int32_t> int_val;  // int32, int16, uint16, int8, uint8 and the quantised types
  std::vector<std::string> string_val;
  std::vector<std::complex<float>> scomplex_val;
  std::vector<int64_t> int64_val;
  std::vector<bool> bool_val;
  std::vector<std::complex<double>> dcomplex_val;
  std::vector<uint32_t> uint32_val;
  std::vector<uint64_t> uint64_val;
  // Fields that this project does not read (resource handles, variants): their
  // wire bytes, in order, for the round trip.
  std::string unread_fields;
  // False where the wire carried no shape at all (it reads as a scalar).
  bool has_shape = true;

  friend bool operator==(const TensorValue&, const TensorValue&) = default;
};

// Checks that dtype, shape and content agree: known shape, at most `max_bytes`
// of elements, content of exactly the right size or a list no longer than the
// shape. The message names expected and found. Nothing is allocated.
Status Validate(const TensorValue& tensor, uint64_t max_bytes);

// The elements as dense row-major bytes, for types that are not objects:
// a view into `content` where it holds them at an address that fits the type, a
// new copy otherwise. Validates first.
Result<Bytes> DenseBytes(const TensorValue& tensor, uint64_t max_bytes);

// The elements of a string tensor, the last one repeated as the wire means it.
Result<std::vector<std::string>> DenseStrings(const TensorValue& tensor, uint64_t max_bytes);

}  // namespace millrace
