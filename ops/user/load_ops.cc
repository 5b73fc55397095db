#include "millrace/ops/user/load_ops.h"

#include <dlfcn.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr const char kAbi[] = "millrace_ops_abi", kRegister[] = "millrace_register_ops";

Status NoEntry(const std::string& path) {
  return InvalidArgument(Cat("'", path, "': expected a definition of MILLRACE_OPS_LIBRARY, found none"));
}

// Looks at the file's names before any of its code runs: a library that is not meant
// for us may start threads, and not survive being closed again.
Status CheckFile(const std::string& path, const std::string& file) {
  const Result<Buffer> mapped = Buffer::MapFile(file);
  if (!mapped.ok()) {
    return Status(mapped.status().code(),
                  Cat("'", path, "': expected a shared object with ops: ", mapped.status().message()));
  }
  const std::string_view bytes(static_cast<const char*>(mapped->data()), mapped->size());
  const auto has = [&](std::string_view name) { return bytes.find(name) != std::string_view::npos; };
  if (has(kRegister)) return OkStatus();
  // Its framework's library, or a name of its namespace, mangled.
  if (has("libtensorflow_framework.so") || has("_ZN10tensorflow")) {
    return FailedPrecondition(Cat(
        "'", path,
        "': expected ops built for Millrace, found an object built for TensorFlow: its kernels are to be written for "
        "millrace/ops/user/load_ops.h"));
  }
  return NoEntry(path);
}

}  // namespace

Status LoadOps(const std::string& path, Registry* registry, LoadNames names) {
  // A path with a slash is a file, never a name to be searched for.
  const std::string file = path.find('/') == std::string::npos ? Cat("./", path) : path;
  MR_RETURN_IF_ERROR(CheckFile(path, file));
  void* const handle = dlopen(file.c_str(), (names == LoadNames::kAll ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const error = dlerror();
    const std::string_view why = error == nullptr ? "not loaded" : error;
    const bool unresolved = why.find("undefined symbol: _ZN8millrace") != std::string_view::npos ||
                            why.find("undefined symbol: _ZNK8millrace") != std::string_view::npos;
    return NotFound(Cat("'", path, "': expected a shared object with ops: ", why,
                        unresolved ? "; link it with libmillrace (millrace::session), which has the builder" : ""));
  }
  std::shared_ptr<void> library(handle, [](void* h) { dlclose(h); });
  const auto abi = reinterpret_cast<const char* (*)()>(dlsym(handle, kAbi));
  const auto define = reinterpret_cast<void (*)(Registry*)>(dlsym(handle, kRegister));
  if (abi == nullptr || define == nullptr) return NoEntry(path);
  if (std::strcmp(abi(), MILLRACE_OPS_ABI) != 0) {
    return FailedPrecondition(
        Cat("'", path, "': expected ops built as ", MILLRACE_OPS_ABI, ", found ", std::string_view(abi())));
  }
  // What it defines points into it, whether it is well or not.
  registry->KeepLoaded(std::move(library));
  define(registry);
  const std::vector<std::string> problems = registry->Check();
  if (!problems.empty()) return InvalidArgument(Cat("'", path, "': ", Join(problems, "; ")));
  return OkStatus();
}

}  // namespace millrace
