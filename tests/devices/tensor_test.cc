#include "millrace/devices/api/tensor.h"

#include <cstring>

#include "millrace/devices/api/device.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

TensorValue FloatContent(const Shape& shape, const std::vector<float>& values, size_t lead = 0) {
  std::string bytes(lead + values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data() + lead, values.data(), values.size() * sizeof(float));
  const Bytes all(std::move(bytes));
  TensorValue value;
  value.dtype = DType::kFloat;
  value.shape = shape;
  value.content = Bytes(all.view().substr(lead), all.owner());
  return value;
}

}  // namespace

TEST_CASE("The bytes of a tensor are checked for overflow and negative dimensions") {
  const auto bytes = [](DType dtype, std::vector<int64_t> dims) { return TensorBytes(dtype, dims); };
  CHECK(bytes(DType::kFloat, {}) == 4u);
  CHECK(bytes(DType::kDouble, {2, 3}) == 48u);
  CHECK(bytes(DType::kFloat, {5, 0, int64_t{1} << 55}) == 0u);
  // Empty ones as well: kernels multiply some of the dimensions.
  CHECK_FALSE(bytes(DType::kFloat, {0, int64_t{1} << 40, int64_t{1} << 40}));
  CHECK(bytes(DType::kString, {2}) == 2 * sizeof(std::string));
  CHECK(bytes(DType::kResource, {3}) == 3 * sizeof(ObjectRef));
  CHECK_FALSE(bytes(DType::kFloat, {-1, 2}));
  CHECK_FALSE(bytes(DType::kFloat, {0, -1}));
  CHECK_FALSE(bytes(DType::kFloat, {int64_t{1} << 62}));
  CHECK_FALSE(bytes(DType::kFloat, {int64_t{1} << 32, int64_t{1} << 32}));
  CHECK_FALSE(bytes(DType::kInt8, {int64_t{1} << 32, int64_t{1} << 31}));
}

TEST_CASE("A new tensor has its shape and memory; bad shapes and types are errors") {
  const Result<Tensor> t = Tensor::New(DType::kInt32, {2, 3}, HostAllocator());
  MR_REQUIRE_OK(t);
  CHECK(t->num_elements() == 6);
  CHECK(t->bytes() == 24);
  CHECK(t->view().dim(1) == 3);
  CHECK(Tensor::New(DType::kInvalid, {2}, HostAllocator()).status().code() == Code::kInvalidArgument);
  CHECK(Tensor::New(DType::kFloat, {-1}, HostAllocator()).status().code() == Code::kInvalidArgument);
  CHECK(Tensor::New(DType::kFloat, Shape::UnknownRank(), HostAllocator()).status().code() == Code::kInvalidArgument);
  CHECK(Tensor::New(DType::kFloat, {int64_t{1} << 40, int64_t{1} << 40}, HostAllocator()).status().code() ==
        Code::kInvalidArgument);
  CHECK(Tensor::New(DType::kFloat, {int64_t{1} << 57}, HostAllocator()).status().code() == Code::kResourceExhausted);
}

TEST_CASE("Objects are made and destroyed with their tensor, and counted") {
  const auto device = NewCpuDevice();
  std::weak_ptr<void> watched;
  {
    Result<Tensor> t = Tensor::New(DType::kResource, {2}, device->allocator());
    MR_REQUIRE_OK(t);
    CHECK(t->elements<ObjectRef>()[0] == nullptr);
    t->elements<ObjectRef>()[1] = std::make_shared<int>(5);
    watched = t->elements<ObjectRef>()[1];
    const Tensor reshaped = t->Reshaped({1, 2});
    CHECK(reshaped.elements<ObjectRef>()[1] == watched.lock());
    CHECK(device->allocator().stats().bytes_in_use >= 2 * sizeof(ObjectRef));
  }
  CHECK(watched.expired());
  CHECK(device->allocator().stats().bytes_in_use == 0);
  const Tensor strings = Tensor::Of<std::string>({2}, {"a", std::string(1000, 'b')});
  CHECK(strings.elements<std::string>()[1].size() == 1000);
  CHECK(NewObjects(DType::kFloat, 3, HostAllocator()).status().code() == Code::kInvalidArgument);
  CHECK(NewObjects(DType::kString, -1, HostAllocator()).status().code() == Code::kInvalidArgument);
}

TEST_CASE("Content that is aligned is shared, and kept alive") {
  Result<Tensor> t(Status(Code::kInternal, ""));
  const void* where = nullptr;
  {
    const TensorValue value = FloatContent({2, 2}, {1, 2, 3, 4});
    where = value.content.data();
    t = Tensor::FromValue(value, HostAllocator());
  }
  MR_REQUIRE_OK(t);
  CHECK(t->data() == where);
  CHECK(t->elements<float>()[3] == 4.0f);
}

TEST_CASE("Content that is not aligned or not owned is copied") {
  const TensorValue odd = FloatContent({2}, {5, 6}, 1);
  const Result<Tensor> t = Tensor::FromValue(odd, HostAllocator());
  MR_REQUIRE_OK(t);
  CHECK(t->data() != odd.content.data());
  CHECK(t->elements<float>()[1] == 6.0f);

  alignas(8) const float lent[2] = {7, 8};
  TensorValue value;
  value.dtype = DType::kFloat;
  value.shape = {2};
  value.content = Bytes(std::string_view(reinterpret_cast<const char*>(lent), sizeof(lent)), nullptr);
  const Result<Tensor> copied = Tensor::FromValue(value, HostAllocator());
  MR_REQUIRE_OK(copied);
  CHECK(copied->data() != lent);
  CHECK(copied->elements<float>()[1] == 8.0f);
}

TEST_CASE("Lists on the wire become elements, the last one repeated") {
  TensorValue value;
  value.dtype = DType::kInt64;
  value.shape = {4};
  value.int64_val = {1, 2};
  const Result<Tensor> ints = Tensor::FromValue(value, HostAllocator());
  MR_REQUIRE_OK(ints);
  CHECK(ints->elements<int64_t>()[3] == 2);

  TensorValue strings;
  strings.dtype = DType::kString;
  strings.shape = {2};
  strings.string_val = {"one", "two"};
  const Result<Tensor> t = Tensor::FromValue(strings, HostAllocator());
  MR_REQUIRE_OK(t);
  CHECK(t->elements<std::string>()[0] == "one");
  CHECK(t->ToValue().string_val == strings.string_val);
}

TEST_CASE("A bool from the wire is 0 or 1, whatever byte stood there") {
  TensorValue value;
  value.dtype = DType::kBool;
  value.shape = {3};
  value.content = Bytes(std::string("\x00\x01\x80", 3));
  const Result<Tensor> t = Tensor::FromValue(value, HostAllocator());
  MR_REQUIRE_OK(t);
  const auto* bytes = static_cast<const uint8_t*>(t->data());
  CHECK(int{bytes[0]} == 0);
  CHECK(int{bytes[1]} == 1);
  CHECK(int{bytes[2]} == 1);
}

TEST_CASE("A few bytes on the wire cannot ask for memory that is not there") {
  TensorValue value;
  value.dtype = DType::kFloat;
  value.shape = {int64_t{1} << 50};
  value.float_val = {1};
  CHECK_FALSE(Tensor::FromValue(value, HostAllocator()).ok());
  DeviceOptions options;
  options.memory_limit = 1024;
  const auto device = NewCpuDevice(0, options);
  value.shape = {1000};
  CHECK_FALSE(Tensor::FromValue(value, device->allocator()).ok());
  value.dtype = DType::kVariant;
  value.shape = {};
  CHECK_FALSE(Tensor::FromValue(value, HostAllocator()).ok());
}

TEST_CASE("To the wire form and back a tensor keeps memory and elements") {
  const Tensor t = Tensor::Of<float>({3}, {1, 2, 3});
  const TensorValue value = t.ToValue();
  CHECK(value.dtype == DType::kFloat);
  CHECK(value.shape == Shape({3}));
  const Result<Tensor> back = Tensor::FromValue(value, HostAllocator());
  MR_REQUIRE_OK(back);
  CHECK(back->data() == t.data());
  CHECK_FALSE(t.buffer().unique());
}

}  // namespace millrace
