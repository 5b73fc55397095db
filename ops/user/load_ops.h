// Ops from a shared object: the same definitions as in a program, in a file that
// graphc and other hosts load.
#pragma once

#include <string>

#include "millrace/ops/registry/op.h"

namespace millrace {

// Adds the ops that the shared object at `path` defines to `registry`, which
// keeps it loaded as long as it lives. Errors name the file: NotFound where it
// cannot be loaded, InvalidArgument where it has no entry or an op or gradient is
// there already, FailedPrecondition where it was built against another version or
// for TensorFlow itself. The registry must not be in use by another thread.
//
// Loading a file runs its code: load what you would link.
enum class LoadNames {
  // What gradient functions call of the builder may be missing as long as nobody
  // differentiates: hosts that only run plans do not have it.
  kWhenUsed,
  // Whatever the file needs is there, or it is not loaded.
  kAll,
};
Status LoadOps(const std::string& path, Registry* registry, LoadNames names = LoadNames::kWhenUsed);

}  // namespace millrace

// What both sides were built with. Definitions pass C++ objects, so only equal
// versions fit.
#define MILLRACE_OPS_ABI "millrace-ops-1"

// In the shared object, once:
//
//   MILLRACE_OPS_LIBRARY(registry) {
//     registry.Define("Cube")...;
//   }
//
// Link it with the runtime library (CMake: millrace::runtime). What gradient
// functions call of the builder is found in the host that differentiates.
#define MILLRACE_OPS_LIBRARY(registry)                                                                          \
  extern "C" __attribute__((visibility("default"))) const char* millrace_ops_abi() { return MILLRACE_OPS_ABI; } \
  static void millrace_define_ops(::millrace::Registry& registry);                                              \
  extern "C" __attribute__((visibility("default"))) void millrace_register_ops(::millrace::Registry* r) {       \
    millrace_define_ops(*r);                                                                                    \
  }                                                                                                             \
  static void millrace_define_ops(::millrace::Registry& registry)
