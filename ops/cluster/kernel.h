// The kernel of `_Cluster`: runs a program with the ops' own bodies over blocks
// that stay in cache, or with compiled code where the plan has it.
#pragma once

#include "millrace/ops/kernel/kernel.h"

namespace millrace::cluster {

// Looks the ops up in the registry of `init` (the built-in ops outside of a plan).
Result<std::unique_ptr<Kernel>> NewCluster(const KernelInit& init);

}  // namespace millrace::cluster
