// FusedOps: what a fused product or convolution does with its result, from the
// attribute `fused_ops` of the node.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/linalg/gemm_tile.h"
#include "millrace/ops/linalg/late_activation.h"
#include "millrace/proto/value/status.h"

namespace millrace::linalg {

struct FusedOps {
  bool bias = false;      // operand 0 of `args`
  bool residual = false;  // operand 1
  Activation activation = Activation::kNone;
  LateActivation late = LateActivation::kNone;
  float alpha = 0;

  int num_args() const { return (bias ? 1 : 0) + (residual ? 1 : 0); }
};

// Understands optionally "BiasAdd", or that and "Add", then optionally one of
// "Relu", "Relu6", "LeakyRelu", "Elu", "Tanh", "Sigmoid"; and no list at all.
// Unimplemented, with the list, for others; InvalidArgument where num_args does
// not fit.
Result<FusedOps> ParseFusedOps(const KernelInit& init);

// The second pass, in place. Only products of float (or narrower) have one.
void ApplyLate(KernelContext& ctx, LateActivation late, float* data, int64_t count);
inline void ApplyLate(KernelContext&, LateActivation, double*, int64_t) {}

}  // namespace millrace::linalg
