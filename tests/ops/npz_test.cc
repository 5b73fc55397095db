// Compressed archives: what zlib makes of any bytes comes back, and what is broken or
// says more than it can be is an error before memory is taken.
#include "millrace/ops/io/npz.h"

#include <zlib.h>

#include <cstring>
#include <random>

#include "millrace/ops/io/inflate.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

std::string Deflated(const std::string& bytes, int level, int strategy) {
  z_stream z = {};
  REQUIRE(deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 8, strategy) == Z_OK);
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

TEST_CASE("what zlib compresses comes back, at any level and by any strategy") {
  std::mt19937 rng(5);
  std::vector<std::string> all = {"", "a", std::string(100'000, 'x')};
  for (const int letters : {2, 20, 256}) {
    std::string bytes(70'000, '\0');
    for (char& c : bytes) c = static_cast<char>(rng() % static_cast<unsigned>(letters));
    // Repetitions near and far.
    for (size_t at = 1000; at + 500 < bytes.size(); at += 1700) std::memmove(&bytes[at], &bytes[at % 977], 400);
    all.push_back(std::move(bytes));
  }
  for (const std::string& bytes : all) {
    for (const int level : {0, 1, 6, 9}) {
      for (const int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
        const std::string small = Deflated(bytes, level, strategy);
        std::string back(bytes.size(), '?');
        MR_REQUIRE_OK(Inflate(small, back));
        CHECK(back == bytes);
        std::string more(bytes.size() + 1, '?');
        CHECK_FALSE(Inflate(small, more).ok());
        if (bytes.empty()) continue;
        std::string less(bytes.size() - 1, '?');
        CHECK_FALSE(Inflate(small, less).ok());
        CHECK_FALSE(Inflate(std::string_view(small).substr(0, small.size() / 2), back).ok());
      }
    }
  }
}

TEST_CASE("broken compressed bytes are errors or other bytes, never worse") {
  std::mt19937 rng(6);
  std::string bytes(5000, '\0');
  for (char& c : bytes) c = static_cast<char>(rng() % 30);
  const std::string whole = Deflated(bytes, 6, Z_DEFAULT_STRATEGY);
  int failed = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string broken = whole;
    for (int k = 0; k < 1 + i % 3; ++k)
      broken[rng() % (i % 2 == 0 ? 80 : broken.size())] ^= static_cast<char>(1 << (rng() % 8));
    std::string out(bytes.size(), '\0');
    failed += Inflate(broken, out).ok() ? 0 : 1;
  }
  CHECK(failed > 1000);
}

TEST_CASE("arrays of a compressed archive are those that were put in") {
  std::vector<float> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 10);
  const std::string npy = Npy(1000, std::string(reinterpret_cast<const char*>(values.data()), 4000));
  const auto arrays = Parse(Archive(Deflated(npy, 9, Z_DEFAULT_STRATEGY), npy.size(), 8, 2));
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
  const std::string small = Deflated(npy, 9, Z_DEFAULT_STRATEGY);
  CheckFails(Archive(small, 4'000'000'000, 8), Code::kInvalidArgument, "says that it has 4000000000 bytes");
  CheckFails(Archive(small, npy.size() + 1, 8), Code::kInvalidArgument, "fewer bytes than it says");
  CheckFails(Archive(small, npy.size() - 1, 8), Code::kInvalidArgument, "more bytes than it says");
  CheckFails(Archive(small, npy.size(), 0), Code::kInvalidArgument, "not in its size");
  CheckFails(Archive(small, npy.size(), 12), Code::kInvalidArgument, "not supported, number 12");
  CheckFails(Archive(small, npy.size(), 8), Code::kResourceExhausted, "the limit tensor_bytes is 4000",
             {.tensor_bytes = 4000});
  // Members that share their bytes have no more room together than the archive has.
  const std::string zeros = Npy(1 << 20, std::string(4 << 20, '\0'));
  const std::string tiny = Deflated(zeros, 9, Z_DEFAULT_STRATEGY);
  MR_REQUIRE_OK(Parse(Archive(tiny, zeros.size(), 8, 1)));
  CheckFails(Archive(tiny, zeros.size(), 8, 20), Code::kInvalidArgument, "bytes, which");
}

}  // namespace
}  // namespace millrace
