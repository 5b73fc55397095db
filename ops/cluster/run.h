// One run of a prepared program over a space of any size.
#pragma once

#include "millrace/ops/cluster/prepared.h"
#include "millrace/ops/cluster/space.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::cluster {

// Computes the node's outputs from its inputs. An output may be exactly the memory
// of a full-level input of the same shape and element size. The bits are those of
// the separate kernels, for any number of threads. The error of a check of
// contents names the inner node; of several, the first instruction's first.
Status RunProgram(const Prepared& prepared, const Space& space, KernelContext& ctx);

}  // namespace millrace::cluster
