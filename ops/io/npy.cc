#include "millrace/ops/io/npy.h"

#include <cstring>
#include <optional>
#include <vector>

#include "millrace/proto/value/strings.h"
#include "millrace/proto/value/whole_file.h"

namespace millrace {
namespace {

struct Descr {
  const char* text;
  DType dtype;
};
// '|' and '<' both, for the types of one byte.
constexpr Descr kDescrs[] = {
    {"<f4", DType::kFloat},     {"<f8", DType::kDouble},      {"<f2", DType::kHalf},   {"|i1", DType::kInt8},
    {"<i2", DType::kInt16},     {"<i4", DType::kInt32},       {"<i8", DType::kInt64},  {"|u1", DType::kUint8},
    {"<u2", DType::kUint16},    {"<u4", DType::kUint32},      {"<u8", DType::kUint64}, {"|b1", DType::kBool},
    {"<c8", DType::kComplex64}, {"<c16", DType::kComplex128},
};

// The value of `key` in the header's dictionary: from behind the colon to where
// the next entry starts.
std::optional<std::string_view> Entry(std::string_view header, std::string_view key) {
  const size_t at = header.find(Cat("'", key, "'"));
  if (at == std::string_view::npos) return std::nullopt;
  const size_t colon = header.find(':', at);
  if (colon == std::string_view::npos) return std::nullopt;
  const size_t begin = header.find_first_not_of(' ', colon + 1);
  if (begin == std::string_view::npos) return std::nullopt;
  size_t end = header[begin] == '(' ? header.find(')', begin) : header.find_first_of(",}", begin);
  if (end == std::string_view::npos) return std::nullopt;
  if (header[begin] == '(') ++end;
  return header.substr(begin, end - begin);
}

// "(2, 3)" or "(2,)" or "()".
std::optional<std::vector<int64_t>> ParseDims(std::string_view text) {
  std::vector<int64_t> dims;
  size_t i = 1;
  while (i < text.size() && text[i] != ')') {
    if (text[i] == ' ' || text[i] == ',') {
      ++i;
      continue;
    }
    int64_t extent = 0;
    const size_t begin = i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      if (extent > (INT64_MAX - 9) / 10) return std::nullopt;
      extent = extent * 10 + (text[i] - '0');
    }
    if (i == begin || dims.size() >= Shape::kMaxRank) return std::nullopt;
    dims.push_back(extent);
  }
  return dims;
}

}  // namespace

Result<Tensor> ParseNpy(const Buffer& bytes, const std::string& name) {
  auto bad = [&](const auto&... what) { return InvalidArgument(Cat(name, ": ", what...)); };
  const std::string_view all(static_cast<const char*>(bytes.data()), bytes.size());
  if (all.size() < 10 || all.substr(0, 6) != std::string_view("\x93NUMPY", 6)) {
    return bad("not an NPY file: the first bytes are not \\x93NUMPY");
  }
  const int major = static_cast<unsigned char>(all[6]);
  if (major != 1 && major != 2) return bad("NPY format version ", major, " found, 1 or 2 expected");
  const size_t prefix = major == 1 ? 10 : 12;
  if (all.size() < prefix) return bad("ends inside the header");
  uint32_t length = 0;
  std::memcpy(&length, all.data() + 8, major == 1 ? 2 : 4);
  if (all.size() - prefix < length) {
    return bad("ends inside the header: ", length, " bytes expected, ", all.size() - prefix, " found");
  }
  const std::string_view header = all.substr(prefix, length);

  const auto descr = Entry(header, "descr");
  const auto order = Entry(header, "fortran_order");
  const auto shape = Entry(header, "shape");
  if (!descr || !order || !shape || descr->size() < 3 || (*shape)[0] != '(') {
    return bad("header without descr, fortran_order and shape: ", header);
  }
  if (*order != "False") return bad("Fortran order is not supported; save with numpy.ascontiguousarray");
  std::string type(descr->substr(1, descr->size() - 2));
  if (type[0] == '<' && type.size() == 3 && (type[2] == '1')) type[0] = '|';
  const Descr* found = nullptr;
  for (const Descr& d : kDescrs) {
    if (type == d.text) found = &d;
  }
  if (found == nullptr) return bad("element type ", type, " is not supported");
  const auto dims = ParseDims(*shape);
  if (!dims) return bad("shape ", *shape, " cannot be read");
  const auto size = TensorBytes(found->dtype, *dims);
  const size_t rest = all.size() - prefix - length;
  if (!size || *size > rest) {
    return bad("shape ", *shape, " of ", type, " needs ", size ? Cat(*size) : "too many", " bytes, ", rest, " found");
  }
  const Buffer data = bytes.Sub(prefix + length, *size);
  Shape extents{std::span<const int64_t>(*dims)};
  if (reinterpret_cast<uintptr_t>(data.data()) % ElementSize(found->dtype) == 0) {
    return Tensor(found->dtype, std::move(extents), data);
  }
  MR_ASSIGN_OR_RETURN(Tensor copy, Tensor::New(found->dtype, extents, HostAllocator()));
  std::memcpy(copy.data(), data.data(), *size);
  return copy;
}

Result<Tensor> ReadNpy(const std::string& path) {
  MR_ASSIGN_OR_RETURN(Buffer bytes, Buffer::MapFile(path));
  return ParseNpy(bytes, path);
}

Status WriteNpy(const std::string& path, const Tensor& tensor) {
  const DType dtype = tensor.dtype() == DType::kBfloat16 ? DType::kUint16 : tensor.dtype();
  const char* type = nullptr;
  for (const Descr& d : kDescrs) {
    if (d.dtype == dtype) type = d.text;
  }
  if (type == nullptr) {
    return InvalidArgument(Cat(path, ": a ", DTypeName(dtype), " tensor cannot be written as NPY"));
  }
  std::string header = Cat("{'descr': '", type, "', 'fortran_order': False, 'shape': (");
  for (int64_t extent : tensor.shape().dims()) header += Cat(extent, ", ");
  if (tensor.shape().rank() > 1) header.resize(header.size() - 2);
  if (tensor.shape().rank() == 1) header.pop_back();
  header += "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(header.size() & 0xff);
  prefix += static_cast<char>(header.size() >> 8);

  const std::string_view content(static_cast<const char*>(tensor.data()), tensor.bytes());
  return WriteWholeFile(path, [&](const ByteSink& sink) {
    MR_RETURN_IF_ERROR(sink(prefix + header));
    return sink(content);
  });
}

}  // namespace millrace
