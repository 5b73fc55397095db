// The shapes of a program's registers.
#pragma once

#include <vector>

#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::cluster {

// The shape function of `_Cluster`: walks the program with the shapes of the
// inputs, symbols and undecided broadcasts included, and sets the shapes of the
// outputs as the separate ops would. InvalidArgument, naming the inner node,
// where shapes do not broadcast, or the inputs do not have their levels' shapes.
Status ClusterShape(InferenceContext& ctx);

}  // namespace millrace::cluster
