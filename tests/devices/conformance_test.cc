// What every device must do. A new device is one more line in Devices().
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "millrace/devices/api/device.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

struct Maker {
  const char* kind;
  std::function<std::unique_ptr<Device>(int, const DeviceOptions&)> make;
};

std::vector<Maker> Devices() {
  return {{"CPU", [](int ordinal, const DeviceOptions& o) { return NewCpuDevice(ordinal, o); }},
          {"NULL", [](int ordinal, const DeviceOptions& o) { return NewNullDevice(ordinal, o); }}};
}

// Host memory with the bytes 0, 1, 2 ... plus `first`.
Buffer HostBytes(size_t size, uint8_t first) {
  Buffer b = *HostAllocator().Allocate(size);
  for (size_t i = 0; i < size; ++i) static_cast<uint8_t*>(b.data())[i] = static_cast<uint8_t>(first + i);
  return b;
}

bool Same(const Buffer& a, const Buffer& b) {
  return a.size() == b.size() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

TEST_CASE("A device has a name of kind and ordinal") {
  for (const Maker& maker : Devices()) {
    const auto device = maker.make(3, {});
    CHECK(device->kind() == maker.kind);
    CHECK(device->ordinal() == 3);
    CHECK(device->name() == std::string("/device:") + maker.kind + ":3");
  }
}

TEST_CASE("A device's buffers are aligned, and their bytes are accounted for until they go") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    Allocator& allocator = device->allocator();
    CHECK(allocator.stats().bytes_in_use == 0);
    for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{1000}, size_t{1} << 20}) {
      Result<Buffer> buffer = allocator.Allocate(size);
      MR_REQUIRE_OK(buffer);
      CHECK(static_cast<bool>(*buffer));
      CHECK(buffer->size() == size);
      CHECK(reinterpret_cast<uintptr_t>(buffer->data()) % kBufferAlignment == 0);
      CHECK(allocator.stats().bytes_in_use >= size);
      // A part keeps the whole.
      Buffer part = buffer->Sub(size / 2, size - size / 2);
      *buffer = Buffer();
      CHECK(allocator.stats().bytes_in_use >= size);
      CHECK(part.unique());
      part = Buffer();
      CHECK(allocator.stats().bytes_in_use == 0);
    }
    CHECK(allocator.stats().allocations == 6);
    CHECK(allocator.stats().peak_bytes >= size_t{1} << 20);
    CHECK(allocator.stats().limit_bytes == 0);
  }
}

TEST_CASE("A buffer may outlive its device's allocator in use") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    Buffer kept;
    {
      const auto device = maker.make(0, {});
      kept = *device->allocator().Allocate(100);
    }
    CHECK(kept.size() == 100);
  }
}

TEST_CASE("Past a device's limit an allocation is an error with the figures, and books nothing") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    DeviceOptions options;
    options.memory_limit = 4096;
    const auto device = maker.make(0, options);
    Allocator& allocator = device->allocator();
    CHECK(allocator.stats().limit_bytes == 4096);
    const Result<Buffer> first = allocator.Allocate(3072);
    MR_REQUIRE_OK(first);
    const uint64_t used = allocator.stats().bytes_in_use;
    const Result<Buffer> second = allocator.Allocate(2048);
    REQUIRE_FALSE(second.ok());
    CHECK(second.status().code() == Code::kResourceExhausted);
    const std::string text(second.status().message());
    CHECK(text.find("2048") != std::string::npos);
    CHECK(text.find("3072") != std::string::npos);
    CHECK(text.find("4096") != std::string::npos);
    CHECK(allocator.stats().bytes_in_use == used);
    const Result<Buffer> third = allocator.Allocate(1024);
    MR_REQUIRE_OK(third);
  }
}

TEST_CASE("A size that no memory has is an error, not a crash") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    for (const size_t size : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 2}) {
      const Result<Buffer> buffer = device->allocator().Allocate(size);
      REQUIRE_FALSE(buffer.ok());
      CHECK(buffer.status().code() == Code::kResourceExhausted);
    }
    CHECK(device->allocator().stats().bytes_in_use == 0);
  }
}

TEST_CASE("The account is right when many threads allocate") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    DeviceOptions options;
    options.memory_limit = 1000 * 64;
    const auto device = maker.make(0, options);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        std::vector<Buffer> held;
        for (int i = 0; i < 2000; ++i) {
          Result<Buffer> b = device->allocator().Allocate(64);
          if (b.ok()) held.push_back(std::move(*b));
          if (held.size() > 100) held.clear();
        }
      });
    }
    for (std::thread& t : threads) t.join();
    CHECK(device->allocator().stats().bytes_in_use == 0);
    CHECK(device->allocator().stats().peak_bytes <= 1000 * 64);
  }
}

TEST_CASE("Bytes copied to a device, on it, and back are the same") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    Result<std::unique_ptr<Stream>> stream = device->NewStream();
    MR_REQUIRE_OK(stream);
    for (const size_t size : {size_t{0}, size_t{1}, size_t{777}, size_t{1} << 16}) {
      const Buffer host = HostBytes(size, 7);
      const Buffer back = HostBytes(size, 99);
      const Buffer there = *device->allocator().Allocate(size);
      const Buffer other = *device->allocator().Allocate(size);
      MR_REQUIRE_OK((*stream)->CopyFromHost(host, there));
      MR_REQUIRE_OK((*stream)->CopyOnDevice(there, other));
      MR_REQUIRE_OK((*stream)->CopyToHost(other, back));
      MR_REQUIRE_OK((*stream)->Synchronize());
      if (device->keeps_data()) CHECK(Same(host, back));
      if (device->keeps_data() && device->host_accessible()) CHECK(Same(host, there));
    }
  }
}

TEST_CASE("Parts of buffers are copied and filled alone") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    const auto stream = device->NewStream().value();
    const Buffer host = HostBytes(300, 0);
    const Buffer there = *device->allocator().Allocate(300);
    MR_REQUIRE_OK(stream->CopyFromHost(host, there));
    MR_REQUIRE_OK(stream->Fill(there.Sub(100, 50), 0xAB));
    MR_REQUIRE_OK(stream->CopyOnDevice(there.Sub(0, 10), there.Sub(290, 10)));
    const Buffer back = HostBytes(300, 5);
    MR_REQUIRE_OK(stream->CopyToHost(there, back));
    MR_REQUIRE_OK(stream->Synchronize());
    if (!device->keeps_data()) continue;
    const auto* bytes = static_cast<const uint8_t*>(back.data());
    for (int i = 0; i < 300; ++i) {
      const int expected = i >= 100 && i < 150 ? 0xAB : i >= 290 ? i - 290 : i % 256;
      REQUIRE(int{bytes[i]} == expected);
    }
  }
}

TEST_CASE("A copy between sizes that differ is an error") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    const auto stream = device->NewStream().value();
    const Buffer host = HostBytes(64, 0);
    const Buffer there = *device->allocator().Allocate(128);
    CHECK(stream->CopyFromHost(host, there).code() == Code::kInvalidArgument);
    CHECK(stream->CopyToHost(there, host).code() == Code::kInvalidArgument);
    CHECK(stream->CopyOnDevice(there, there.Sub(0, 1)).code() == Code::kInvalidArgument);
  }
}

TEST_CASE("An event is done once it was waited for, and orders two streams") {
  for (const Maker& maker : Devices()) {
    INFO(maker.kind);
    const auto device = maker.make(0, {});
    const auto first = device->NewStream().value();
    const auto second = device->NewStream().value();
    const Buffer host = HostBytes(4096, 3);
    const Buffer back = HostBytes(4096, 0);
    const Buffer there = *device->allocator().Allocate(4096);
    MR_REQUIRE_OK(first->CopyFromHost(host, there));
    Result<std::unique_ptr<Event>> copied = first->Record();
    MR_REQUIRE_OK(copied);
    MR_REQUIRE_OK(second->Wait(**copied));
    MR_REQUIRE_OK(second->CopyToHost(there, back));
    Result<std::unique_ptr<Event>> read = second->Record();
    MR_REQUIRE_OK(read);
    MR_REQUIRE_OK((*read)->Synchronize());
    CHECK((*read)->done());
    CHECK((*copied)->done());
    if (device->keeps_data()) CHECK(Same(host, back));
  }
}

}  // namespace millrace
