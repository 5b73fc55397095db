// Files that are written whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "millrace/proto/value/status.h"

namespace millrace {

// Takes bytes in order, piece by piece; an error is the writer's to hand on.
using ByteSink = std::function<Status(std::string_view)>;

// `content` writes the bytes of `path` into the sink that it is given. The file
// appears, or is replaced, once all of it is written: after an error, also one that
// `content` returns, and when the process ends in the middle, what was there before
// is there still, and nothing else. A file that is replaced keeps its permissions.
// What is no regular file (a pipe, a device, a symbolic link and what it names) is
// never replaced, but written to as the bytes come.
//
// NotFound where the folder is missing, PermissionDenied, ResourceExhausted where the
// disk is full, FailedPrecondition otherwise (a folder, an error of the disk); each
// message names the path. Thread-safe; of two that write one path at once, the last
// to finish wins.
Status WriteWholeFile(const std::string& path, const std::function<Status(const ByteSink&)>& content);
Status WriteWholeFile(const std::string& path, std::string_view bytes);

}  // namespace millrace
