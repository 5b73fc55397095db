// Inflate: what DEFLATE (RFC 1951), the compression of zip archives, made smaller.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "millrace/proto/value/status.h"

namespace millrace {

// A byte of compressed data stands for this many at most: a pair of bits for 258.
inline constexpr size_t kMostInflation = 1032;

// Fills `out`, exactly: InvalidArgument where `compressed` is broken or stands for
// more or fewer bytes. What follows its last block is not looked at. Takes some 40 KB
// while it runs, whatever the sizes, ResourceExhausted where they are not there; time
// is linear in both. Thread-safe.
Status Inflate(std::string_view compressed, std::span<char> out);

}  // namespace millrace
