// Environment: what the plans of one host share while they run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/devices/api/device.h"
#include "millrace/devices/api/thread_pool.h"
#include "millrace/ops/registry/op.h"
#include "millrace/runtime/resources/resource_manager.h"

namespace millrace {

struct EnvironmentOptions {
  int threads = 0;                     // 0: as many as the process may use
  uint64_t memory_limit = 0;           // bytes of tensors; 0 for none
  bool no_code = false;                // refuse plans that carry compiled code
  const Registry* registry = nullptr;  // null: the built-in ops
};

// Thread-safe. Loaded plans hold it, so it outlives them.
class Environment {
 public:
  explicit Environment(const EnvironmentOptions& options = {});

  const Registry& registry() const { return registry_; }
  ResourceManager& resources() { return resources_; }
  ThreadPool& pool() { return pool_; }
  bool no_code() const { return no_code_; }
  // The device of that kind and number, made at the first call. Unimplemented
  // names the kinds there are.
  Result<Device*> FindDevice(std::string_view kind, uint32_t ordinal);
  // Of host memory, counted against the limit: CPU 0.
  Allocator& allocator() { return cpu_->allocator(); }

  // For tests: called with the node's name before every step, on whatever thread
  // runs it. Set before the first run.
  std::function<void(std::string_view node)> before_step;

 private:
  const Registry& registry_;
  const bool no_code_;
  const DeviceOptions device_options_;
  ResourceManager resources_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Device>> devices_;
  Device* cpu_ = nullptr;
  ThreadPool pool_;
};

}  // namespace millrace
