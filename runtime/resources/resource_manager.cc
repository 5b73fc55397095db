#include "millrace/runtime/resources/resource_manager.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

Result<std::shared_ptr<Resource>> ResourceManager::LookupOrCreate(
    std::string_view kind, std::string_view container, std::string_view name,
    const std::function<std::shared_ptr<Resource>()>& create) {
  std::lock_guard lock(mutex_);
  Key key(container, name);
  const auto it = resources_.find(key);
  std::shared_ptr<Resource> slot = it != resources_.end() ? it->second : create();
  if (slot == nullptr) return Internal(Cat("resource '", name, "' of kind ", kind, " could not be made"));
  if (slot->kind() != kind) {
    return InvalidArgument(
        Cat("resource '", name, "': expected one of kind ", kind, ", found one of kind ", slot->kind()));
  }
  if (it == resources_.end()) resources_.emplace(std::move(key), slot);
  return slot;
}

std::shared_ptr<Resource> ResourceManager::Find(std::string_view container, std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto it = resources_.find(Key(container, name));
  return it == resources_.end() ? nullptr : it->second;
}

void ResourceManager::Clear() {
  std::map<Key, std::shared_ptr<Resource>> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(resources_);
}

size_t ResourceManager::size() const {
  std::lock_guard lock(mutex_);
  return resources_.size();
}

}  // namespace millrace
