// Integer operands (axes, shapes, indices): reading them in kernels and, as far
// as they are known, in shape functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::array {

// Dims, strides, axes: on the stack for the ranks people use.
using Ints = absl::InlinedVector<int64_t, 8>;

inline std::span<const int64_t> SpanOf(const Ints& v) { return {v.data(), v.size()}; }
inline Ints IntsOf(std::span<const int64_t> s) { return Ints(s.begin(), s.end()); }

// Element `i` of a tensor of any integer type.
int64_t IntAt(const TensorView& t, int64_t i);
Ints ReadInts(const TensorView& t);

// Product of dims that belong to a tensor that exists, so it cannot overflow.
int64_t Product(std::span<const int64_t> dims);
// Row-major strides in elements.
Ints StridesOf(std::span<const int64_t> dims);

// -rank <= axis < rank, made non-negative. The message names `what`.
Status NormalizeAxis(int64_t axis, int64_t rank, std::string_view what, int* out);

// Makes sure that output `i` has `dims`: checks them where inference fixed the
// shape, allocates where it left it open. Nothing to do for unwanted outputs.
Status PrepareOutput(KernelContext& ctx, int i, std::span<const int64_t> dims);

// In shape functions: the elements of integer input `i` (rank 0 or 1); unknown
// ones where only their number is known. False where not even that is.
bool IntElements(const InferenceContext& ctx, int i, std::vector<SymElement>* out);
// The one element of input `i`, where it is a known number.
std::optional<int64_t> IntScalar(const InferenceContext& ctx, int i);
// All elements, where each is a known number (any rank).
std::optional<std::vector<int64_t>> IntConstant(const InferenceContext& ctx, int i);
// A scalar operand: an error where the rank is known to differ.
inline Status ScalarOperand(const InferenceContext& ctx, int i) { return ctx.WithRank(i, 0); }
// Product of dims; unknown where one is.
Dim ProductOf(DimTable& table, std::span<const Dim> dims);
// Where `dtype` is an integer type that carries shapes (int32, int64).
inline bool IsIndexType(DType t) { return t == DType::kInt32 || t == DType::kInt64; }

// "[2,3]" of concrete dims, for messages.
std::string DimsText(std::span<const int64_t> dims);

}  // namespace millrace::array
