// ResourceManager: holds what outlives a run (variables, random states), found
// by container and name.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "millrace/ops/kernel/resource.h"

namespace millrace {

// Thread-safe. One manager serves all plans of a session, so that they share
// state by name.
class ResourceManager final : public ResourceStore {
 public:
  Result<std::shared_ptr<Resource>> LookupOrCreate(std::string_view kind, std::string_view container,
                                                   std::string_view name,
                                                   const std::function<std::shared_ptr<Resource>()>& create) override;

  // The resource of that container and name, or null.
  std::shared_ptr<Resource> Find(std::string_view container, std::string_view name) const;
  // Drops every resource; those in use live until their users let go.
  void Clear();
  size_t size() const;

 private:
  using Key = std::pair<std::string, std::string>;  // container, name
  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<Resource>> resources_;
};

}  // namespace millrace
