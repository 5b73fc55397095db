#include "millrace/ops/user/load_ops.h"

#include <dlfcn.h>

#include <cstring>
#include <memory>

#include "millrace/proto/value/strings.h"

namespace millrace {

Status LoadOps(const std::string& path, Registry* registry) {
  // A path with a slash is a file, never a name to be searched for.
  const std::string file = path.find('/') == std::string::npos ? Cat("./", path) : path;
  // Lazily: gradient functions name builder calls that a host which only runs
  // plans does not have, and does not need.
  void* const handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const why = dlerror();
    return NotFound(Cat("'", path, "': expected a shared object with ops: ", why == nullptr ? "not loaded" : why));
  }
  std::shared_ptr<void> library(handle, [](void* h) { dlclose(h); });
  const auto abi = reinterpret_cast<const char* (*)()>(dlsym(handle, "millrace_ops_abi"));
  const auto define = reinterpret_cast<void (*)(Registry*)>(dlsym(handle, "millrace_register_ops"));
  if (abi == nullptr || define == nullptr) {
    return InvalidArgument(Cat("'", path, "': expected a definition of MILLRACE_OPS_LIBRARY, found none"));
  }
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
