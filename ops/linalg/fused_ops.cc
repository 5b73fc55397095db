#include "millrace/ops/linalg/fused_ops.h"

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/linalg/late_activation.h"
#include "millrace/proto/value/strings.h"

namespace millrace::linalg {
namespace {

bool SetActivation(std::string_view name, FusedOps* ops) {
  if (name == "Relu") {
    ops->activation = Activation::kRelu;
  } else if (name == "Relu6") {
    ops->activation = Activation::kRelu6;
  } else if (name == "LeakyRelu") {
    ops->activation = Activation::kLeakyRelu;
  } else if (name == "Elu") {
    ops->late = LateActivation::kElu;
  } else if (name == "Tanh") {
    ops->late = LateActivation::kTanh;
  } else if (name == "Sigmoid") {
    ops->late = LateActivation::kSigmoid;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<FusedOps> ParseFusedOps(const KernelInit& init) {
  FusedOps ops;
  const auto it = init.attrs().find("fused_ops");
  if (it == init.attrs().end()) return ops;
  const std::vector<std::string>& names = it->second.get<ListValue>()->s;
  size_t i = 0;
  if (i < names.size() && names[i] == "BiasAdd") ops.bias = true, ++i;
  if (ops.bias && i < names.size() && names[i] == "Add") ops.residual = true, ++i;
  if (i < names.size() && SetActivation(names[i], &ops)) ++i;
  if (i != names.size()) return Unimplemented(Cat("no kernel for fused_ops [", Join(names, ", "), "]"));
  if (ops.late != LateActivation::kNone && init.input_type(0) == DType::kDouble) {
    return Unimplemented(Cat("no kernel of double for fused_ops [", Join(names, ", "), "]"));
  }
  if (ops.activation == Activation::kLeakyRelu) ops.alpha = init.attr<float>("leakyrelu_alpha");
  if (const int64_t args = init.attr<int64_t>("num_args"); args != ops.num_args()) {
    return InvalidArgument(
        Cat("fused_ops [", Join(names, ", "), "] takes ", ops.num_args(), " further inputs, num_args is ", args));
  }
  return ops;
}

LateFn LateFunction() {
  return ActiveIsa() == Isa::kAvx512 ? expr::avx512::kLateActivation : expr::avx2::kLateActivation;
}

void ApplyLate(KernelContext& ctx, LateActivation late, float* data, int64_t count) {
  if (late == LateActivation::kNone) return;
  const LateFn fn = LateFunction();
  ctx.ParallelFor(count, BlockFor(1), [&](int64_t begin, int64_t end, int) { fn(late, data + begin, end - begin); });
}

}  // namespace millrace::linalg
