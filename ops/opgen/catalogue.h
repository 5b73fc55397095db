// The built-in ops by the folder that defines them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/ops/registry/op.h"

namespace millrace::opgen {

// The ops of each folder in order of their names, without those that begin with
// "_" and Const, which has a call of its own (ops/builder/call.h).
std::map<std::string, std::vector<const Op*>> OpsByFolder();

}  // namespace millrace::opgen
