#include "millrace/runtime/plan/environment.h"

#include <sched.h>

#include <algorithm>

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
      code_maker_(options.code_maker),
      pool_(ThreadsFor(options.threads)) {
  const DeviceOptions each{.memory_limit = options.memory_limit};
  const auto count = [&](const char* kind, int32_t least) {
    const auto it = options.device_count.find(kind);
    return it == options.device_count.end() ? least : std::clamp(it->second, least, kMaxDevices);
  };
  for (int32_t i = 0, n = count("CPU", 1); i < n; ++i) devices_.push_back(NewCpuDevice(i, each));
  for (int32_t i = 0, n = count("NULL", 0); i < n; ++i) devices_.push_back(NewNullDevice(i, each));
  cpu_ = devices_.front().get();
}

Result<Device*> Environment::FindDevice(std::string_view kind, uint32_t ordinal) const {
  std::vector<std::string> names;
  for (const auto& device : devices_) {
    if (device->kind() == kind && static_cast<uint32_t>(device->ordinal()) == ordinal) return device.get();
    names.push_back(Cat(device->kind(), ":", device->ordinal()));
  }
  return NotFound(Cat("device ", kind, ":", ordinal, " is not there; the devices are ", Join(names, ", ")));
}

Status Environment::PlaceResource(const std::string& container, const std::string& name, Device* device) {
  const std::lock_guard lock(mutex_);
  const auto [it, fresh] = places_.try_emplace({container, name}, device);
  const Device& there = *it->second;
  if (fresh || &there == device || (there.host_accessible() && device->host_accessible())) return OkStatus();
  return FailedPrecondition(
      Cat("variable '", name, "': expected on ", device->name(), " by the plan, it is on ", there.name()));
}

}  // namespace millrace
