// Device: memory, and a way to move tensors in and out of it. What an op means
// is not known here; kernels (ops) and the executor (runtime) use this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "millrace/devices/api/allocator.h"
#include "millrace/devices/api/tensor.h"

namespace millrace {

// A point in a stream's work.
class Event {
 public:
  virtual ~Event() = default;
  // Blocks the host until the work before the event is done.
  virtual Status Synchronize() = 0;
  virtual bool done() const = 0;
};

// Work in order. Calls return at once where the device is asynchronous; an error
// of earlier work may come with a later call.
class Stream {
 public:
  virtual ~Stream() = default;
  // The sizes are equal; the buffers stay alive until the copy is done.
  virtual Status CopyFromHost(const Buffer& host, const Buffer& device) = 0;
  virtual Status CopyToHost(const Buffer& device, const Buffer& host) = 0;
  virtual Status CopyOnDevice(const Buffer& from, const Buffer& to) = 0;
  virtual Status Fill(const Buffer& device, uint8_t byte) = 0;
  virtual Result<std::unique_ptr<Event>> Record() = 0;
  virtual Status Wait(Event& event) = 0;
  virtual Status Synchronize() = 0;
};

// Thread-safe. A device outlives its streams and buffers.
class Device {
 public:
  virtual ~Device() = default;
  // "CPU", "GPU", "NULL": what kernels are registered for.
  virtual std::string_view kind() const = 0;
  // Number among the devices of its kind.
  virtual int ordinal() const = 0;
  // "/device:CPU:0"
  std::string name() const;
  virtual Allocator& allocator() = 0;
  // True where the host may read and write the buffers directly.
  virtual bool host_accessible() const = 0;
  // False for a device that keeps no data (null): what is read back from it is
  // unspecified, and the conformance suite does not compare.
  virtual bool keeps_data() const { return true; }
  virtual Result<std::unique_ptr<Stream>> NewStream() = 0;
};

struct DeviceOptions {
  // Bytes that the device's allocator hands out at once; 0 for no limit.
  uint64_t memory_limit = 0;
};

// devices/cpu, devices/null: ordinal counts from 0.
std::unique_ptr<Device> NewCpuDevice(int ordinal = 0, const DeviceOptions& options = {});
std::unique_ptr<Device> NewNullDevice(int ordinal = 0, const DeviceOptions& options = {});

}  // namespace millrace
