#include "millrace/runtime/plan/environment.h"

#include <sched.h>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

int ThreadsFor(int asked) {
  if (asked > 0) return asked;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  return 1;
}

}  // namespace

Environment::Environment(const EnvironmentOptions& options)
    : registry_(options.registry != nullptr ? *options.registry : Registry::BuiltIn()),
      no_code_(options.no_code),
      device_options_{.memory_limit = options.memory_limit},
      pool_(ThreadsFor(options.threads)) {
  devices_.push_back(NewCpuDevice(0, device_options_));
  cpu_ = devices_.back().get();
}

Result<Device*> Environment::FindDevice(std::string_view kind, uint32_t ordinal) {
  std::lock_guard lock(mutex_);
  for (const auto& device : devices_) {
    if (device->kind() == kind && device->ordinal() == static_cast<int>(ordinal)) return device.get();
  }
  constexpr uint32_t kMaxOrdinal = 63;
  if (ordinal > kMaxOrdinal) {
    return InvalidArgument(Cat("device ", kind, ":", ordinal, ": expected a number up to ", kMaxOrdinal));
  }
  if (kind == "CPU") {
    devices_.push_back(NewCpuDevice(static_cast<int>(ordinal), device_options_));
  } else if (kind == "NULL") {
    devices_.push_back(NewNullDevice(static_cast<int>(ordinal), device_options_));
  } else {
    return Unimplemented(Cat("device kind '", kind, "': expected CPU or NULL"));
  }
  return devices_.back().get();
}

}  // namespace millrace
