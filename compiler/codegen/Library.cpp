#include "millrace/compiler/codegen/Library.h"

#include <dlfcn.h>

#include <string>

namespace millrace::codegen {
namespace {

constexpr const char *kFile = "libmillrace_codegen.so";

const Library *openFrom(const std::string &path) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return nullptr;
  const auto *library = static_cast<const Library *>(dlsym(handle, kSymbol));
  if (library && library->version == kVersion)
    return library;
  dlclose(handle);
  return nullptr;
}

const Library *search() {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void *>(&openLibrary), &self) != 0 && self.dli_fname) {
    const std::string file = self.dli_fname;
    const size_t slash = file.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash);
    for (const char *place : {"/", "/../lib/"})
      if (const Library *library = openFrom(folder + place + kFile))
        return library;
  }
  return openFrom(kFile);
}

} // namespace

const Library *openLibrary() {
  static const Library *const library = search();
  return library;
}

} // namespace millrace::codegen
