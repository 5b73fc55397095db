// Environment: what the plans of one host share while they run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

class CodeMaker;

inline constexpr int32_t kMaxDevices = 64;  // of one kind

struct EnvironmentOptions {
  int threads = 0;            // 0: as many as the process may use
  uint64_t memory_limit = 0;  // bytes of tensors on each device; 0 for none
  // By kind, how many devices: "CPU" (1 where nothing is said, and no fewer) and
  // "NULL". Other kinds are not there; no more than kMaxDevices are made.
  std::map<std::string, int32_t> device_count = {};
  bool no_code = false;                // refuse plans that carry compiled code
  const Registry* registry = nullptr;  // null: the built-in ops
  // Makes machine code for clusters while plans run (ops/cluster/code.h); or null.
  // Whoever made it closes it.
  std::shared_ptr<CodeMaker> code_maker = nullptr;
};

// Thread-safe. Loaded plans hold it, so it outlives them.
class Environment {
 public:
  explicit Environment(const EnvironmentOptions& options = {});

  const Registry& registry() const { return registry_; }
  ResourceManager& resources() { return resources_; }
  ThreadPool& pool() { return pool_; }
  bool no_code() const { return no_code_; }
  const std::shared_ptr<CodeMaker>& code_maker() const { return code_maker_; }
  // CPU:0 first, then the others by kind and number.
  const std::vector<std::unique_ptr<Device>>& devices() const { return devices_; }
  // The device of that kind and number; NotFound names those there are.
  Result<Device*> FindDevice(std::string_view kind, uint32_t ordinal) const;
  // CPU:0: feeds, results and all that is the host's.
  Device& host() const { return *cpu_; }
  // Of host memory, counted against the limit.
  Allocator& allocator() { return cpu_->allocator(); }
  // Says that a plan has the elements of a variable on `device`.
  // FailedPrecondition where another plan has them in other memory.
  Status PlaceResource(const std::string& container, const std::string& name, Device* device);

  // For tests: called with the node's name before every step, on whatever thread
  // runs it. Set before the first run.
  std::function<void(std::string_view node)> before_step;

 private:
  const Registry& registry_;
  const bool no_code_;
  const std::shared_ptr<CodeMaker> code_maker_;
  ResourceManager resources_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Device*> places_;  // of resources, guarded by mutex_
  Device* cpu_ = nullptr;
  ThreadPool pool_;
};

}  // namespace millrace
