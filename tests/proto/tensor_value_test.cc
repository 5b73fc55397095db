#include "millrace/proto/value/tensor_value.h"

#include <cstring>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

constexpr uint64_t kLimit = 1 << 20;

template <typename T>
std::vector<T> As(const Result<Bytes>& bytes) {
  MR_REQUIRE_OK(bytes);
  std::vector<T> out(bytes->size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes->data(), bytes->size());
  return out;
}

// A tensor of shape [3] whose list `fill` sets to two values: the second stands
// for the third too.
template <typename T, typename Fill>
void CheckList(DType dtype, Fill fill, T first, T second) {
  TensorValue t{.dtype = dtype, .shape = {3}};
  fill(t);
  INFO(DTypeName(dtype));
  CHECK((As<T>(DenseBytes(t, kLimit)) == std::vector<T>{first, second, second}));
  // None at all are zeros.
  const TensorValue empty{.dtype = dtype, .shape = {3}};
  CHECK((As<T>(DenseBytes(empty, kLimit)) == std::vector<T>(3)));
}

TEST_CASE("dense elements of every list of the wire") {
  CheckList<float>(DType::kFloat, [](TensorValue& t) { t.float_val = {1.5f, -2}; }, 1.5f, -2);
  CheckList<double>(DType::kDouble, [](TensorValue& t) { t.double_val = {1e300, 2}; }, 1e300, 2);
  const auto ints = [](TensorValue& t) { t.int_val = {-1, 100}; };
  CheckList<int32_t>(DType::kInt32, ints, -1, 100);
  CheckList<int32_t>(DType::kQint32, ints, -1, 100);
  CheckList<int16_t>(DType::kInt16, ints, -1, 100);
  CheckList<int16_t>(DType::kQint16, ints, -1, 100);
  CheckList<uint16_t>(DType::kUint16, ints, 0xffff, 100);
  CheckList<uint16_t>(DType::kQuint16, ints, 0xffff, 100);
  CheckList<int8_t>(DType::kInt8, ints, -1, 100);
  CheckList<int8_t>(DType::kQint8, ints, -1, 100);
  CheckList<uint8_t>(DType::kUint8, ints, 0xff, 100);
  CheckList<uint8_t>(DType::kQuint8, ints, 0xff, 100);
  CheckList<uint16_t>(DType::kHalf, [](TensorValue& t) { t.half_val = {0x3c00, 0xc000}; }, 0x3c00, 0xc000);
  CheckList<uint16_t>(DType::kBfloat16, [](TensorValue& t) { t.half_val = {0x3f80, 0xffff}; }, 0x3f80, 0xffff);
  CheckList<int64_t>(DType::kInt64, [](TensorValue& t) { t.int64_val = {INT64_MIN, 5}; }, INT64_MIN, 5);
  CheckList<uint32_t>(DType::kUint32, [](TensorValue& t) { t.uint32_val = {~0u, 5}; }, ~0u, 5);
  CheckList<uint64_t>(DType::kUint64, [](TensorValue& t) { t.uint64_val = {~0ull, 5}; }, ~0ull, 5);
  CheckList<uint8_t>(DType::kBool, [](TensorValue& t) { t.bool_val = {false, true}; }, 0, 1);
  using C64 = std::complex<float>;
  using C128 = std::complex<double>;
  CheckList<C64>(DType::kComplex64, [](TensorValue& t) { t.scomplex_val = {{1, 2}, {3, 4}}; }, C64(1, 2), C64(3, 4));
  CheckList<C128>(
      DType::kComplex128, [](TensorValue& t) { t.dcomplex_val = {{1, 2}, {3, 4}}; }, C128(1, 2), C128(3, 4));
}

TEST_CASE("dense elements of a content are a view of it") {
  TensorValue t{.dtype = DType::kInt16, .shape = {2, 1}, .content = Bytes(std::string("\1\0\2\0", 4))};
  const Result<Bytes> dense = DenseBytes(t, kLimit);
  CHECK((As<int16_t>(dense) == std::vector<int16_t>{1, 2}));
  CHECK(dense->data() == t.content.data());
}

TEST_CASE("strings of a tensor, packed or listed") {
  TensorValue t{.dtype = DType::kString, .shape = {3}, .string_val = {"a", "bc"}};
  auto strings = DenseStrings(t, kLimit);
  MR_REQUIRE_OK(strings);
  CHECK(*strings == std::vector<std::string>{"a", "bc", "bc"});
  TensorValue packed{.dtype = DType::kString, .shape = {3}, .content = Bytes(std::string("\1\0\2abc", 6))};
  strings = DenseStrings(packed, kLimit);
  MR_REQUIRE_OK(strings);
  CHECK(*strings == std::vector<std::string>{"a", "", "bc"});
  packed.content = Bytes(std::string("\1\0\3abc", 6));
  CHECK(!DenseStrings(packed, kLimit).ok());
  packed.content = Bytes(std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
  CHECK(!DenseStrings(packed, kLimit).ok());
  const TensorValue none{.dtype = DType::kString, .shape = {2}};
  CHECK(*DenseStrings(none, kLimit) == std::vector<std::string>{"", ""});
}

TEST_CASE("a tensor whose shape and content disagree is refused before anything is allocated") {
  const struct {
    const char* message;
    TensorValue tensor;
  } cases[] = {
      {"expects 8 bytes of content, found 4",
       {.dtype = DType::kFloat, .shape = {2}, .content = Bytes(std::string(4, 'x'))}},
      {"expects at most 1 values, found 2", {.dtype = DType::kFloat, .shape = {1}, .float_val = {1, 2}}},
      {"expects at most 1 strings, found 2", {.dtype = DType::kString, .shape = {1}, .string_val = {"a", "b"}}},
      {"expected one that is fully known", {.dtype = DType::kFloat, .shape = {-1}}},
      {"expected one that is fully known", {.dtype = DType::kFloat, .shape = Shape::UnknownRank()}},
      {"too many elements", {.dtype = DType::kFloat, .shape = {int64_t{1} << 40, int64_t{1} << 40}}},
      {"passes the limit", {.dtype = DType::kFloat, .shape = {int64_t{1} << 40}}},
      {"passes the limit", {.dtype = DType::kDouble, .shape = {int64_t{1} << 57}}},
      {"passes the limit", {.dtype = DType::kString, .shape = {int64_t{1} << 40}}},
      {"passes the limit", {.dtype = DType::kString, .shape = {20000}, .string_val = {std::string(1000, 'x')}}},
      {"expected a plain type", {.dtype = MakeRef(DType::kFloat), .shape = {1}}},
      {"expected a plain type", {.dtype = static_cast<DType>(77), .shape = {1}}},
      {"expected a plain type", {.shape = {1}}},
  };
  for (const auto& c : cases) {
    const Status status = Validate(c.tensor, kLimit);
    INFO(c.message << "\n" << status.ToString());
    REQUIRE(!status.ok());
    CHECK(status.message().find(c.message) != std::string_view::npos);
    CHECK(!DenseBytes(c.tensor, kLimit).ok());
    CHECK(!DenseStrings(c.tensor, kLimit).ok());
  }
}

TEST_CASE("a tensor without elements has none, however large its other extents") {
  const TensorValue t{.dtype = DType::kFloat, .shape = {0, int64_t{1} << 30, int64_t{1} << 27}};
  const auto bytes = DenseBytes(t, 0);
  MR_REQUIRE_OK(bytes);
  CHECK(bytes->empty());
}

TEST_CASE("elements at an address that does not fit their type are copied to one that does") {
  alignas(8) static const char memory[16] = {};
  TensorValue t;
  t.dtype = DType::kInt32;
  t.shape = Shape({2});
  t.content = Bytes(std::string_view(memory + 4, 8), nullptr);
  auto inside = DenseBytes(t, 1000);
  MR_REQUIRE_OK(inside);
  CHECK(inside->data() == memory + 4);
  t.content = Bytes(std::string_view(memory + 2, 8), nullptr);
  auto copied = DenseBytes(t, 1000);
  MR_REQUIRE_OK(copied);
  CHECK(reinterpret_cast<uintptr_t>(copied->data()) % 4 == 0);
}

}  // namespace
}  // namespace millrace
