// The ops of this process: the built-in ones and those of the libraries that
// TF_LoadLibrary loaded.
#pragma once

#include "millrace/ops/registry/op.h"

namespace millrace::c_api {

// What graphs that are made now are made with. It lives as long as the process,
// and does not change: later libraries make a registry that extends it.
// Thread-safe.
const Registry& LoadedOps();

}  // namespace millrace::c_api
