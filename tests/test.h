// What every test includes: Catch2, and the few words that our tests share.
#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "millrace/proto/value/status.h"

// Ends the test case as skipped, with the reason in the open.
#define MR_SKIP(why)                     \
  do {                                   \
    std::printf("SKIPPED: %s\n", (why)); \
    std::fflush(stdout);                 \
    SUCCEED(why);                        \
    return;                              \
  } while (false)

// Fails with the error's text where `expr` (a Status or a Result) is not ok.
#define MR_REQUIRE_OK(expr)                                      \
  do {                                                           \
    const ::millrace::Status& mr_s = ::millrace::StatusOf(expr); \
    INFO(mr_s.ToString());                                       \
    REQUIRE(mr_s.ok());                                          \
  } while (false)

namespace millrace {
inline Status StatusOf(const Status& s) { return s; }
template <typename T>
Status StatusOf(const Result<T>& r) {
  return r.ok() ? Status() : r.status();
}

// The folder of recorded cases beside the project, where it is there.
inline std::string SharedDir() { return std::filesystem::exists(MILLRACE_SHARED_DIR) ? MILLRACE_SHARED_DIR : ""; }
}  // namespace millrace
