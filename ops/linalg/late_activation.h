// LateActivation: an activation that is too heavy for the tile of a product, so a
// second pass over the result, or over the part of it that was made last. Compiled for each instruction set.
#pragma once

#include <cstdint>

namespace millrace::linalg {

enum class LateActivation : int32_t { kNone, kElu, kTanh, kSigmoid };
// In place, on `count` elements.
using LateFn = void (*)(LateActivation late, float* data, int64_t count);
// For the instruction set in use.
LateFn LateFunction();

}  // namespace millrace::linalg

namespace millrace::expr::avx2 {
extern const linalg::LateFn kLateActivation;
}
namespace millrace::expr::avx512 {
extern const linalg::LateFn kLateActivation;
}
