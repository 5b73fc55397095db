// The machine code that comes with a plan.
#pragma once

#include <memory>

#include "millrace/proto/plan/plan.h"

namespace millrace {
class CodeStore;
}

namespace millrace::exec {

// What fits this CPU, ready to call; null where that is nothing. Code that does not
// fit is no error: the runtime runs clusters by itself, with the same bits.
std::shared_ptr<const CodeStore> LoadCode(const plan::Plan& plan);

}  // namespace millrace::exec
