// Resource: state that outlives a run, found by name. The kinds of resources are
// in ops/state; the manager that holds them is in runtime/resources.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/proto/value/status.h"

namespace millrace {

// Thread-safe by its own means.
class Resource {
 public:
  virtual ~Resource() = default;
  // "Variable", "RandomState" ...
  virtual std::string_view kind() const = 0;
};

// Where kernels look resources up. Thread-safe.
class ResourceStore {
 public:
  virtual ~ResourceStore() = default;
  // The resource of that container and name; made by `create` at the first call.
  // InvalidArgument where there is one of another kind.
  virtual Result<std::shared_ptr<Resource>> LookupOrCreate(
      std::string_view kind, std::string_view container, std::string_view name,
      const std::function<std::shared_ptr<Resource>()>& create) = 0;
};

}  // namespace millrace
