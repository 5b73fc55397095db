// Gradients as recorded, and the same where less is known of the shapes and
// operands while the graph is built: what a gradient then computes at the run must
// be what it knew before.
#pragma once

#include <initializer_list>

namespace millrace {

// How much of a case is hidden from whoever builds its gradients.
enum class Hidden { kNothing, kExtents, kRanks, kRanksAndOperands };

// Checks the recorded gradients of all cases of each of `ops`, of which there must
// be some.
void CheckRecordedGradients(std::initializer_list<const char*> ops, Hidden hidden);

}  // namespace millrace
