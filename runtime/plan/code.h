// The machine code that comes with a plan.
#pragma once

#include <memory>

#include "millrace/proto/plan/plan.h"

namespace millrace {
class CodeMaker;
class CodeStore;
}  // namespace millrace

namespace millrace::exec {

// What fits this CPU, ready to call, and who makes more while the plan is in use;
// null where that is nothing and nobody. Code that does not fit is no error: the
// runtime runs clusters by itself, with the same bits.
std::shared_ptr<const CodeStore> LoadCode(const plan::Plan& plan, std::shared_ptr<CodeMaker> maker);

}  // namespace millrace::exec
