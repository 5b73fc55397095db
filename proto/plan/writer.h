// Writing a Plan as bytes (proto/plan/layout.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace::plan {

// The plan's bytes. The plan is validated first. Equal plans give equal bytes.
Result<std::string> Write(const Plan& plan);

// The same in order, in pieces, to whoever takes them; contents of constants
// are passed on from where they are. Stops at the first error of `sink`.
Status Write(const Plan& plan, const std::function<Status(std::string_view)>& sink);

// To a file, which appears (or is replaced) whole or not at all (WriteWholeFile,
// whose errors these are; a plan that is not valid is an error, too).
Status WriteFile(const Plan& plan, const std::string& path);

}  // namespace millrace::plan
