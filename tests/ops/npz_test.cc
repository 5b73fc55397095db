// Compressed archives: what was put in comes back, what is broken is an error that says
// what, and what says more than it can be is one before memory is taken.
#include "millrace/ops/io/npz.h"

#include <zlib.h>

#include <cstring>
#include <random>

#include "millrace/ops/io/inflate.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

std::string Deflated(const std::string& bytes) {
  z_stream z = {};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string Npy(int64_t extent, const std::string& elements) {
  std::string header = Cat("{'descr': '<f4', 'fortran_order': False, 'shape': (", extent, ",), }");
  header.append(117 - header.size(), ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00v\x00", 10) + header + elements;
}

std::string Number(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// An archive of members that share `stored`; each says that it is `size` bytes long.
std::string Archive(const std::string& stored, uint64_t size, int method, int members = 1) {
  const std::string common = Number(20, 2) + Number(0, 2) + Number(static_cast<uint64_t>(method), 2) + Number(0, 8) +
                             Number(stored.size(), 4) + Number(size, 4) + Number(5, 2) + Number(0, 2);
  const std::string local = "PK\x03\x04" + common + "a.npy" + stored;
  std::string directory;
  for (int i = 0; i < members; ++i) {
    directory +=
        std::string("PK\x01\x02\x14\0", 6) + common + std::string(14, '\0') + static_cast<char>('a' + i) + ".npy";
  }
  return local + directory + "PK\x05\x06" + Number(0, 4) + Number(static_cast<uint64_t>(members), 2) +
         Number(static_cast<uint64_t>(members), 2) + Number(directory.size(), 4) + Number(local.size(), 4) +
         Number(0, 2);
}

Result<std::map<std::string, Tensor>> Parse(const std::string& archive, const Limits& limits = {}) {
  return ParseNpz(Buffer::Borrow(const_cast<char*>(archive.data()), archive.size()), "file", limits);
}

void CheckFails(const std::string& archive, Code code, std::string_view part, const Limits& limits = {}) {
  const auto arrays = Parse(archive, limits);
  REQUIRE_FALSE(arrays.ok());
  INFO(arrays.status().ToString());
  CHECK(arrays.status().code() == code);
  CHECK(arrays.status().message().find(part) != std::string_view::npos);
}

TEST_CASE("inflating fills what it is given, exactly, or says what is wrong") {
  std::mt19937 rng(5);
  std::string random(70'000, '\0');
  for (char& c : random) c = static_cast<char>(rng() % 20);
  const auto fails = [](std::string_view small, size_t size, std::string_view part) {
    std::string out(size, '?');
    const Status status = Inflate(small, out);
    INFO(status.ToString());
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(status.message().find(part) != std::string_view::npos);
  };
  for (const std::string& bytes : {std::string(), std::string("a"), std::string(100'000, 'x'), random}) {
    const std::string small = Deflated(bytes);
    std::string back(bytes.size(), '?');
    MR_REQUIRE_OK(Inflate(small, back));
    CHECK(back == bytes);
    fails(small, bytes.size() + 1,
          Cat("fewer bytes than it says: expected ", bytes.size() + 1, ", found ", bytes.size()));
    if (!bytes.empty()) {
      fails(small, bytes.size() - 1, Cat("more bytes than it says: expected ", bytes.size() - 1));
      fails(small, 0, "more bytes than it says: expected 0");
    }
    fails(std::string_view(small).substr(0, small.size() - 1), bytes.size(), "end too early, after");
    fails({}, bytes.size(), Cat("end too early, after 0 of ", bytes.size()));
    // There is no block of the kind 3.
    fails("\x07" + small, bytes.size(), "are broken before byte 1");
    // What follows the last block is the archive's.
    MR_REQUIRE_OK(Inflate(small + "more", back));
  }
}

TEST_CASE("arrays of a compressed archive are those that were put in") {
  std::vector<float> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 10);
  const std::string npy = Npy(1000, std::string(reinterpret_cast<const char*>(values.data()), 4000));
  const auto arrays = Parse(Archive(Deflated(npy), npy.size(), 8, 2));
  MR_REQUIRE_OK(arrays);
  REQUIRE(arrays->size() == 2);
  for (const char* name : {"a", "b"}) {
    const Tensor& tensor = arrays->find(name)->second;
    CHECK(tensor.shape() == Shape({1000}));
    CHECK(std::ranges::equal(tensor.elements<float>(), values));
  }
}

TEST_CASE("an archive that says more than its bytes can be is refused before memory is taken") {
  const std::string npy = Npy(1000, std::string(4000, '\0'));
  const std::string small = Deflated(npy);
  CheckFails(Archive(small, 4'000'000'000, 8), Code::kInvalidArgument, "says that it has 4000000000 bytes");
  CheckFails(Archive(small, npy.size() + 1, 8), Code::kInvalidArgument, "file: 'a.npy': fewer bytes than it says");
  CheckFails(Archive(small, npy.size() - 1, 8), Code::kInvalidArgument, "more bytes than it says");
  CheckFails(Archive(small, npy.size(), 0), Code::kInvalidArgument, "not in its size");
  CheckFails(Archive(small, npy.size(), 12), Code::kInvalidArgument, "not supported, number 12");
  CheckFails(Archive(small, npy.size(), 8), Code::kResourceExhausted, "the limit tensor_bytes is 4000",
             {.tensor_bytes = 4000});
  // Members that share their bytes have no more room together than the archive has.
  const std::string zeros = Npy(1 << 20, std::string(4 << 20, '\0'));
  const std::string tiny = Deflated(zeros);
  MR_REQUIRE_OK(Parse(Archive(tiny, zeros.size(), 8, 1)));
  CheckFails(Archive(tiny, zeros.size(), 8, 20), Code::kInvalidArgument, "bytes, which");
}

}  // namespace
}  // namespace millrace
