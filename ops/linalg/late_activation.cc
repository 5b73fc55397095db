#include "millrace/ops/linalg/late_activation.h"

#include "millrace/ops/expr/functions.h"

MILLRACE_ISA_NAMESPACE_BEGIN
namespace {

using linalg::LateActivation;

constexpr int kLanes = kVectorBytes / 4;
using F = Vec<float, kLanes>;

template <typename Fn>
MILLRACE_INLINE void ForEach(float* data, int64_t count, Fn fn) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    F x;
    __builtin_memcpy(&x, data + i, sizeof(F));
    x = fn(x);
    __builtin_memcpy(data + i, &x, sizeof(F));
  }
  if (i == count) return;
  const size_t rest = static_cast<size_t>(count - i) * sizeof(float);
  F x(0.0f);
  __builtin_memcpy(&x, data + i, rest);
  x = fn(x);
  __builtin_memcpy(data + i, &x, rest);
}

void Activate(LateActivation late, float* data, int64_t count) {
  switch (late) {
    case LateActivation::kNone:
      break;
    case LateActivation::kElu:
      ForEach(data, count, [](F x) { return Select(x < F(0.0f), Expm1(x), x); });
      break;
    case LateActivation::kTanh:
      ForEach(data, count, [](F x) { return Tanh(x); });
      break;
    case LateActivation::kSigmoid:
      ForEach(data, count, [](F x) { return Sigmoid(x); });
      break;
  }
}

}  // namespace

extern const linalg::LateFn kLateActivation;
const linalg::LateFn kLateActivation = Activate;

MILLRACE_ISA_NAMESPACE_END
