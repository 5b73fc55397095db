// What serialized options mean to a session and to a run, and the way back.
#pragma once

#include <string_view>

#include "millrace/runtime/c_api/c_api.h"
#include "millrace/runtime/session/session.h"

namespace millrace::c_api {

Status ApplyConfig(std::string_view config_proto, SessionOptions* options);
Result<RunOptions> RunOptionsOf(const TF_Buffer& proto);
// Fills the empty buffer `out`.
Status FillMetadata(const RunMetadata& metadata, TF_Buffer* out);

}  // namespace millrace::c_api
