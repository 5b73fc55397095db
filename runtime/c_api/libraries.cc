// TF_LoadLibrary: ops from shared objects, for all graphs that are made later.
#include "millrace/runtime/c_api/libraries.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "millrace/ops/user/load_ops.h"
#include "millrace/proto/codec/op_def.h"
#include "millrace/runtime/c_api/internal.h"

struct TF_Library {
  std::string op_list;
};

namespace millrace::c_api {
namespace {

struct Libraries {
  std::mutex mutex;
  // Each extends the one before it; the first extends the built-in ops.
  std::vector<std::unique_ptr<Registry>> registries;
  std::map<std::string, std::string> op_lists;  // by file, so that none is loaded twice

  const Registry& Newest() const { return registries.empty() ? Registry::BuiltIn() : *registries.back(); }
};

// Never destroyed: graphs of the host may outlive static objects.
Libraries& All() {
  static Libraries* const all = new Libraries;
  return *all;
}

// The serialized OpList of what `registry` has and `base` does not.
std::string AddedOps(const Registry& registry, const Registry& base) {
  std::vector<OpDefValue> added;
  for (const Op* op : registry.ops()) {
    if (base.Find(op->name()) == nullptr) added.push_back(op->signature());
  }
  return SerializeOpList(added);
}

Result<std::unique_ptr<TF_Library>> Load(const char* file) {
  if (file == nullptr || *file == '\0') return InvalidArgument("expected the name of a shared object, found none");
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::canonical(file, ignored);
  const std::string path = real.empty() ? file : real.string();
  Libraries& all = All();
  const std::lock_guard lock(all.mutex);
  auto found = all.op_lists.find(path);
  if (found == all.op_lists.end()) {
    const Registry& base = all.Newest();
    std::unique_ptr<Registry> extended = Registry::Extending(base);
    // Any graph may be differentiated: gradient functions find all they call.
    MR_RETURN_IF_ERROR(LoadOps(path, extended.get(), LoadNames::kAll));
    found = all.op_lists.emplace(path, AddedOps(*extended, base)).first;
    all.registries.push_back(std::move(extended));
  }
  return std::make_unique<TF_Library>(found->second);
}

}  // namespace

const Registry& LoadedOps() {
  Libraries& all = All();
  const std::lock_guard lock(all.mutex);
  return all.Newest();
}

}  // namespace millrace::c_api

extern "C" {

TF_Library* TF_LoadLibrary(const char* library_filename, TF_Status* status) {
  millrace::Result<std::unique_ptr<TF_Library>> library = millrace::c_api::Load(library_filename);
  millrace::c_api::Set(status, library.status());
  return library.ok() ? library->release() : nullptr;
}
TF_Buffer TF_GetOpList(TF_Library* lib_handle) {
  if (lib_handle == nullptr) return {nullptr, 0, nullptr};
  return {lib_handle->op_list.data(), lib_handle->op_list.size(), nullptr};
}
void TF_DeleteLibraryHandle(TF_Library* lib_handle) { delete lib_handle; }

}  // extern "C"
