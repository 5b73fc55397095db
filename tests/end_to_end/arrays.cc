#include "millrace/tests/end_to_end/arrays.h"

#include <zip.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

std::string DecodeBase64(const std::string& text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    uint32_t v;
    if (c >= 'A' && c <= 'Z') v = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') v = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9') v = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '+') v = 62;
    else if (c == '/') v = 63;
    else break;
    bits = (bits << 6) | v;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xff));
    }
  }
  return out;
}

Result<Tensor> ReadStrings(const std::string& path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (json.is_discarded()) return DataLoss(path + ": not JSON");
  const auto dims = json.at("shape").get<std::vector<int64_t>>();
  std::vector<std::string> values;
  for (const auto& item : json.at("b64")) values.push_back(DecodeBase64(item.get<std::string>()));
  return Tensor::Of<std::string>(Shape(std::span<const int64_t>(dims)), values);
}

}  // namespace

Tensor WithType(const Tensor& tensor, DType dtype) { return Tensor(dtype, tensor.shape(), tensor.buffer()); }

Result<Tensor> ReadArray(const std::string& path, const std::string& dtype) {
  if (path.ends_with(".json")) return ReadStrings(path);
  MR_ASSIGN_OR_RETURN(Tensor tensor, ReadNpy(path));
  const std::optional<DType> wanted = ParseDType(dtype);
  if (wanted && *wanted != tensor.dtype() && ElementSize(*wanted) == ElementSize(tensor.dtype())) {
    return WithType(tensor, *wanted);
  }
  return tensor;
}

Result<std::map<std::string, Tensor>> ReadNpz(const std::string& path) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) return NotFound(Cat(path, ": zip error ", code));
  std::map<std::string, Tensor> arrays;
  Status status;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0) && status.ok(); ++i) {
    zip_stat_t info;
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &info);
    Result<Buffer> bytes = HostAllocator().Allocate(info.size);
    zip_file_t* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    if (!bytes.ok() || file == nullptr ||
        zip_fread(file, bytes->data(), info.size) != static_cast<zip_int64_t>(info.size)) {
      status = DataLoss(Cat(path, ": cannot read ", info.name));
    }
    if (file != nullptr) zip_fclose(file);
    if (!status.ok()) break;
    Result<Tensor> tensor = ParseNpy(*bytes, info.name);
    if (!tensor.ok()) {
      status = tensor.status();
      break;
    }
    std::string name = info.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays[name] = *tensor;
  }
  zip_discard(archive);
  if (!status.ok()) return status;
  return arrays;
}

Result<Tensor> Slice(const Tensor& tensor, int64_t index) {
  if (tensor.shape().rank() < 1 || index >= tensor.shape().dim(0)) return OutOfRange(Cat("no slice ", index));
  Shape shape(tensor.shape().dims().subspan(1));
  const size_t bytes = static_cast<size_t>(shape.NumElements().value_or(0)) * ElementSize(tensor.dtype());
  MR_ASSIGN_OR_RETURN(Tensor out, Tensor::New(tensor.dtype(), shape, HostAllocator()));
  std::memcpy(out.data(), static_cast<const char*>(tensor.data()) + static_cast<size_t>(index) * bytes, bytes);
  return out;
}

}  // namespace millrace::end_to_end
