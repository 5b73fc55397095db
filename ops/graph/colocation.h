// Groups of colocation: nodes whose attribute "_class" has "loc:@x" are to be where the
// node x is.
#pragma once

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "millrace/proto/value/attr.h"

namespace millrace {

// For attributes of a node that was taken from one place to another: each group is
// called after the name that `renamed` gives its node; "" leaves it as it is.
void RenameGroups(AttrMap* attrs, absl::FunctionRef<std::string(std::string_view node)> renamed);

}  // namespace millrace
