// The CPU as a device: host memory, and a stream that has done its work when a
// call returns.
#include <cstring>

#include "millrace/devices/api/device.h"
#include "millrace/devices/cpu/cpu_allocator.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

class DoneEvent final : public Event {
 public:
  Status Synchronize() override { return OkStatus(); }
  bool done() const override { return true; }
};

class CpuStream final : public Stream {
 public:
  Status CopyFromHost(const Buffer& host, const Buffer& device) override { return Copy(host, device); }
  Status CopyToHost(const Buffer& device, const Buffer& host) override { return Copy(device, host); }
  Status CopyOnDevice(const Buffer& from, const Buffer& to) override { return Copy(from, to); }
  Status Fill(const Buffer& device, uint8_t byte) override {
    if (device.size() > 0) std::memset(device.data(), byte, device.size());
    return OkStatus();
  }
  Result<std::unique_ptr<Event>> Record() override { return std::unique_ptr<Event>(new DoneEvent); }
  Status Wait(Event& event) override { return event.Synchronize(); }
  Status Synchronize() override { return OkStatus(); }

 private:
  static Status Copy(const Buffer& from, const Buffer& to) {
    if (from.size() != to.size()) {
      return InvalidArgument(Cat("copy from ", from.size(), " to ", to.size(), " bytes: expected equal sizes"));
    }
    // The two may be parts of one buffer that overlap.
    if (from.size() > 0) std::memmove(to.data(), from.data(), from.size());
    return OkStatus();
  }
};

class CpuDevice final : public Device {
 public:
  CpuDevice(int ordinal, const DeviceOptions& options)
      : ordinal_(ordinal), allocator_(Cat("/device:CPU:", ordinal), options.memory_limit) {}
  std::string_view kind() const override { return "CPU"; }
  int ordinal() const override { return ordinal_; }
  Allocator& allocator() override { return allocator_; }
  bool host_accessible() const override { return true; }
  Result<std::unique_ptr<Stream>> NewStream() override { return std::unique_ptr<Stream>(new CpuStream); }

 private:
  const int ordinal_;
  CpuAllocator allocator_;
};

}  // namespace

std::unique_ptr<Device> NewCpuDevice(int ordinal, const DeviceOptions& options) {
  return std::make_unique<CpuDevice>(ordinal, options);
}

}  // namespace millrace
