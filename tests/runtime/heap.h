// The heap of a test program that watches it: heap.cc is linked into a program of
// its own and stands before glibc's, for shared libraries (operator new is in one)
// as well.
#pragma once

#include <cstddef>

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif

namespace millrace::testing {

// Sanitizers own the heap themselves.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kWatchesHeap = false;
#else
inline constexpr bool kWatchesHeap = true;
#endif

// Called for every allocation, from any thread; true makes it fail. Null: none is.
extern bool (*on_allocation)(size_t bytes);

}  // namespace millrace::testing
