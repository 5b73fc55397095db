#include "millrace/proto/value/tensor_value.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are little-endian on the wire");

// Calls f with the list that holds elements of `t` and a value of the type they
// have in memory; false where no list does.
template <typename F>
bool WithList(const TensorValue& t, F&& f) {
  switch (t.dtype) {
    case DType::kFloat:
      f(t.float_val, float{});
      return true;
    case DType::kDouble:
      f(t.double_val, double{});
      return true;
    case DType::kInt32:
    case DType::kQint32:
      f(t.int_val, int32_t{});
      return true;
    case DType::kInt16:
    case DType::kQint16:
      f(t.int_val, int16_t{});
      return true;
    case DType::kUint16:
    case DType::kQuint16:
      f(t.int_val, uint16_t{});
      return true;
    case DType::kInt8:
    case DType::kQint8:
      f(t.int_val, int8_t{});
      return true;
    case DType::kUint8:
    case DType::kQuint8:
      f(t.int_val, uint8_t{});
      return true;
    case DType::kHalf:
    case DType::kBfloat16:
      f(t.half_val, uint16_t{});
      return true;
    case DType::kInt64:
      f(t.int64_val, int64_t{});
      return true;
    case DType::kUint32:
      f(t.uint32_val, uint32_t{});
      return true;
    case DType::kUint64:
      f(t.uint64_val, uint64_t{});
      return true;
    case DType::kBool:
      f(t.bool_val, uint8_t{});
      return true;
    case DType::kComplex64:
      f(t.scomplex_val, std::complex<float>{});
      return true;
    case DType::kComplex128:
      f(t.dcomplex_val, std::complex<double>{});
      return true;
    default:
      return false;
  }
}

// Length-prefixed strings in tensor_content: all lengths as varints, then the
// bytes. Fills `lengths` only if everything fits.
Status ParsePackedStrings(std::string_view content, uint64_t count, std::vector<uint64_t>* lengths,
                          std::string_view* bytes) {
  if (count > content.size()) {
    return InvalidArgument(Cat("string content of ", content.size(), " bytes is too short for ", count, " strings"));
  }
  size_t at = 0;
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = 0;
    int shift = 0;
    while (true) {
      if (at == content.size() || shift > 28) return InvalidArgument("string content has a bad length");
      const auto byte = static_cast<unsigned char>(content[at++]);
      length |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    total += length;
    if (lengths != nullptr) lengths->push_back(length);
  }
  if (total != content.size() - at) {
    return InvalidArgument(
        Cat("string content: expected ", total, " bytes after the lengths, found ", content.size() - at));
  }
  *bytes = content.substr(at);
  return OkStatus();
}

}  // namespace

Status Validate(const TensorValue& t, uint64_t max_bytes) {
  if (!IsValid(t.dtype) || IsRef(t.dtype)) {
    return InvalidArgument(Cat("tensor has dtype ", DTypeName(t.dtype), ", expected a plain type"));
  }
  const std::optional<int64_t> elements = t.shape.NumElements();
  if (!t.shape.IsFullyKnown()) {
    return InvalidArgument(Cat("tensor has shape ", t.shape.ToString(), ", expected one that is fully known"));
  }
  if (!elements) return InvalidArgument(Cat("tensor of shape ", t.shape.ToString(), " has too many elements"));
  const auto n = static_cast<uint64_t>(*elements);
  // Resources and variants: a handle each, whatever its fields say.
  const uint64_t element = IsObject(t.dtype) ? sizeof(std::string) : ElementSize(t.dtype);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(n, element, &bytes) || bytes > max_bytes) {
    return ResourceExhausted(
        Cat("tensor of ", n, " elements of ", DTypeName(t.dtype), " passes the limit of ", max_bytes, " bytes"));
  }
  if (t.dtype == DType::kResource || t.dtype == DType::kVariant) return OkStatus();
  if (t.dtype == DType::kString) {
    if (!t.content.empty()) {
      std::string_view rest;
      return ParsePackedStrings(t.content.view(), n, nullptr, &rest);
    }
    if (t.string_val.size() > n) {
      return InvalidArgument(
          Cat("tensor of shape ", t.shape.ToString(), " expects at most ", n, " strings, found ", t.string_val.size()));
    }
    for (size_t i = 0; i < t.string_val.size(); ++i) {
      const uint64_t copies = i + 1 == t.string_val.size() ? n - i : 1;
      uint64_t more = 0;
      if (__builtin_mul_overflow(copies, uint64_t{t.string_val[i].size()}, &more) ||
          __builtin_add_overflow(bytes, more, &bytes) || bytes > max_bytes) {
        return ResourceExhausted(Cat("string tensor passes the limit of ", max_bytes, " bytes"));
      }
    }
    return OkStatus();
  }
  if (!t.content.empty()) {
    if (t.content.size() != bytes) {
      return InvalidArgument(Cat("tensor of shape ", t.shape.ToString(), " and dtype ", DTypeName(t.dtype), " expects ",
                                 bytes, " bytes of content, found ", t.content.size()));
    }
    return OkStatus();
  }
  size_t found = 0;
  WithList(t, [&](const auto& list, auto) { found = list.size(); });
  if (found > n) {
    return InvalidArgument(Cat("tensor of shape ", t.shape.ToString(), " and dtype ", DTypeName(t.dtype),
                               " expects at most ", n, " values, found ", found));
  }
  return OkStatus();
}

namespace {
// Zeros that `fill` has been over. A few bytes of a file can ask for any amount.
template <typename Fill>
Result<Bytes> Room(size_t bytes, const Fill& fill) {
  const std::shared_ptr<void> room(std::calloc(std::max<size_t>(bytes, 1), 1), std::free);
  if (room == nullptr) return ResourceExhausted(Cat("no memory for a tensor of ", bytes, " bytes"));
  fill(static_cast<char*>(room.get()));
  return Bytes({static_cast<const char*>(room.get()), bytes}, room);
}
}  // namespace

Result<Bytes> DenseBytes(const TensorValue& t, uint64_t max_bytes) {
  MR_RETURN_IF_ERROR(Validate(t, max_bytes));
  if (IsObject(t.dtype)) return InvalidArgument(Cat("elements of ", DTypeName(t.dtype), " are not plain bytes"));
  if (!t.content.empty()) {
    // On the wire elements begin anywhere; in memory they are read as numbers.
    if (reinterpret_cast<uintptr_t>(t.content.data()) % ElementSize(t.dtype) == 0) return t.content;
    return Room(t.content.size(), [&](char* to) { std::memcpy(to, t.content.data(), t.content.size()); });
  }
  const auto n = static_cast<size_t>(*t.shape.NumElements());
  return Room(n * ElementSize(t.dtype), [&](char* to) {
    WithList(t, [&](const auto& list, auto zero) {
      using T = decltype(zero);
      if (list.empty()) return;
      T element = zero;
      for (size_t i = 0; i < n; ++i) {
        if (i < list.size()) element = static_cast<T>(list[i]);
        std::memcpy(to + i * sizeof(T), &element, sizeof(T));
      }
    });
  });
}

Result<std::vector<std::string>> DenseStrings(const TensorValue& t, uint64_t max_bytes) {
  MR_RETURN_IF_ERROR(Validate(t, max_bytes));
  if (t.dtype != DType::kString) return InvalidArgument(Cat("expected a string tensor, found ", DTypeName(t.dtype)));
  const auto n = static_cast<size_t>(*t.shape.NumElements());
  std::vector<std::string> out;
  if (!t.content.empty()) {
    std::vector<uint64_t> lengths;
    std::string_view bytes;
    MR_RETURN_IF_ERROR(ParsePackedStrings(t.content.view(), n, &lengths, &bytes));
    out.reserve(n);
    for (uint64_t length : lengths) {
      out.emplace_back(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
    return out;
  }
  out.reserve(n);
  out.insert(out.end(), t.string_val.begin(), t.string_val.end());
  if (n > 0) out.resize(n, t.string_val.empty() ? std::string() : t.string_val.back());
  return out;
}

}  // namespace millrace
