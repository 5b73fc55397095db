#include "millrace/compiler/codegen/Library.h"

#include <dlfcn.h>
#include <string>
#include <unistd.h>
#include <vector>

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

// Where it may lie beside this code.
std::vector<std::string> besides() {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void *>(&openLibrary), &self) == 0 || !self.dli_fname)
    return {};
  const std::string file = self.dli_fname;
  const size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash);
  return {folder + "/" + kFile, folder + "/../lib/" + kFile};
}

const Library *search() {
  for (const std::string &path : besides())
    if (const Library *library = openFrom(path))
      return library;
  return openFrom(kFile);
}

bool lies() {
  for (const std::string &path : besides())
    if (access(path.c_str(), R_OK) == 0)
      return true;
  return openLibrary();
}

} // namespace

const Library *openLibrary() {
  static const Library *const library = search();
  return library;
}

bool mayOpenLibrary() {
  static const bool there = lies();
  return there;
}

} // namespace millrace::codegen
