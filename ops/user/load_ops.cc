#include "millrace/ops/user/load_ops.h"

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status ForTensorFlow(const std::string& path, std::string_view why) {
  return FailedPrecondition(Cat("'", path, "': expected ops built for Millrace, found an object built for TensorFlow (",
                                why, "): its kernels are to be written for millrace/ops/user/load_ops.h"));
}

// The first library that the loaded object asks for whose name says TensorFlow.
std::string_view NeededOfTensorFlow(void* handle) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return {};
  const char* names = nullptr;
  for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_STRTAB) names = reinterpret_cast<const char*>(d->d_un.d_ptr);
  }
  for (const ElfW(Dyn)* d = map->l_ld; names != nullptr && d->d_tag != DT_NULL; ++d) {
    if (d->d_tag != DT_NEEDED) continue;
    const std::string_view needed = names + d->d_un.d_val;
    if (needed.starts_with("libtensorflow_framework.so")) return needed;
  }
  return {};
}

}  // namespace

Status LoadOps(const std::string& path, Registry* registry, LoadNames names) {
  // A path with a slash is a file, never a name to be searched for.
  const std::string file = path.find('/') == std::string::npos ? Cat("./", path) : path;
  void* const handle = dlopen(file.c_str(), (names == LoadNames::kAll ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const error = dlerror();
    const std::string_view why = error == nullptr ? "not loaded" : error;
    // Its framework's library, or a name of its namespace, mangled.
    for (const std::string_view sign : {"libtensorflow_framework.so", "10tensorflow"}) {
      if (why.find(sign) != std::string_view::npos) return ForTensorFlow(path, why);
    }
    const bool unresolved = why.find("undefined symbol: _ZN8millrace") != std::string_view::npos ||
                            why.find("undefined symbol: _ZNK8millrace") != std::string_view::npos;
    return NotFound(Cat("'", path, "': expected a shared object with ops: ", why,
                        unresolved ? "; link it with libmillrace (millrace::session), which has the builder" : ""));
  }
  std::shared_ptr<void> library(handle, [](void* h) { dlclose(h); });
  const auto abi = reinterpret_cast<const char* (*)()>(dlsym(handle, "millrace_ops_abi"));
  const auto define = reinterpret_cast<void (*)(Registry*)>(dlsym(handle, "millrace_register_ops"));
  if (abi == nullptr || define == nullptr) {
    if (const std::string_view needed = NeededOfTensorFlow(handle); !needed.empty()) {
      return ForTensorFlow(path, Cat("it needs ", needed));
    }
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
