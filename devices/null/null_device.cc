// The null device: takes every call, keeps no data. The skeleton to copy for a
// new device: each class below is one that a device has to write.
#include "millrace/devices/api/device.h"
#include "millrace/devices/api/memory_account.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Books every request and hands out addresses with no memory behind them.
class NullAllocator final : public Allocator {
 public:
  NullAllocator(std::string owner, uint64_t limit_bytes)
      : account_(std::make_shared<MemoryAccount>(std::move(owner), limit_bytes)) {}
  Result<Buffer> Allocate(size_t bytes) override {
    if (bytes > static_cast<size_t>(PTRDIFF_MAX) - kBufferAlignment) return account_->SystemRefused(bytes);
    const size_t rounded =
        bytes == 0 ? kBufferAlignment : (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    MR_RETURN_IF_ERROR(account_->Reserve(rounded));
    void* address = reinterpret_cast<void*>(kBufferAlignment);
    std::shared_ptr<void> owner(address, [account = account_, rounded](void*) { account->Release(rounded); });
    return Buffer(std::move(owner), address, bytes);
  }
  AllocatorStats stats() const override { return account_->stats(); }

 private:
  std::shared_ptr<MemoryAccount> account_;
};

class NullEvent final : public Event {
 public:
  Status Synchronize() override { return OkStatus(); }
  bool done() const override { return true; }
};

class NullStream final : public Stream {
 public:
  Status CopyFromHost(const Buffer& host, const Buffer& device) override { return CheckSizes(host, device); }
  Status CopyToHost(const Buffer& device, const Buffer& host) override { return CheckSizes(device, host); }
  Status CopyOnDevice(const Buffer& from, const Buffer& to) override { return CheckSizes(from, to); }
  Status Fill(const Buffer&, uint8_t) override { return OkStatus(); }
  Result<std::unique_ptr<Event>> Record() override { return std::unique_ptr<Event>(new NullEvent); }
  Status Wait(Event& event) override { return event.Synchronize(); }
  Status Synchronize() override { return OkStatus(); }

 private:
  static Status CheckSizes(const Buffer& from, const Buffer& to) {
    if (from.size() == to.size()) return OkStatus();
    return InvalidArgument(Cat("copy from ", from.size(), " to ", to.size(), " bytes: expected equal sizes"));
  }
};

class NullDevice final : public Device {
 public:
  NullDevice(int ordinal, const DeviceOptions& options)
      : ordinal_(ordinal), allocator_(Cat("/device:NULL:", ordinal), options.memory_limit) {}
  std::string_view kind() const override { return "NULL"; }
  int ordinal() const override { return ordinal_; }
  Allocator& allocator() override { return allocator_; }
  bool host_accessible() const override { return false; }
  bool keeps_data() const override { return false; }
  Result<std::unique_ptr<Stream>> NewStream() override { return std::unique_ptr<Stream>(new NullStream); }

 private:
  const int ordinal_;
  NullAllocator allocator_;
};

}  // namespace

std::unique_ptr<Device> NewNullDevice(int ordinal, const DeviceOptions& options) {
  return std::make_unique<NullDevice>(ordinal, options);
}

}  // namespace millrace
