// What a mapped file takes of memory.
#pragma once

#include "millrace/devices/api/buffer.h"

namespace millrace {

// Lets the pages of a buffer that Buffer::MapFile made go from this process's memory.
// Its bytes stay what they were: the next reader of a page gets it back from the
// system's cache, or from the file. For content that was read once, as weights are that
// kernels have packed. Thread-safe.
void ReleasePages(const Buffer& mapped);

}  // namespace millrace
