// Blobs of machine code and the store that keeps them: what is whole can be called,
// what is damaged, foreign or for another CPU is set aside.
#include <cstdio>
#include <cstring>

#include "millrace/ops/cluster/code.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using cluster::CompiledProgram;

constexpr uint64_t kDigest = 77;

// Copies one byte from the first input to the first output, whatever it is asked.
CompiledProgram Copier(int segment) {
  const unsigned char code[] = {
      0x48, 0x8b, 0x07,  // mov (%rdi), %rax
      0x8a, 0x00,        // mov (%rax), %al
      0x48, 0x8b, 0x12,  // mov (%rdx), %rdx
      0x88, 0x02,        // mov %al, (%rdx)
      0xc3,              // ret
  };
  CompiledProgram program;
  program.segments.push_back({segment, 16, 0, 0, kDigest});
  program.code.assign(reinterpret_cast<const char*>(code), sizeof code);
  return program;
}

int Copied(const CodeStore::Loop& loop) {
  const char from = 42;
  char to = 0;
  const void* const in[] = {&from};
  void* const out[] = {&to};
  const int64_t steps[] = {0};
  loop.run(in, steps, out, 1);
  return to;
}

TEST_CASE("a blob comes back as it was, and its code can be called") {
  const std::string blob = cluster::EncodeCode(Copier(3));
  const Result<CompiledProgram> back = cluster::DecodeCode(blob);
  MR_REQUIRE_OK(back);
  REQUIRE(back->segments.size() == 1);
  CHECK(back->segments[0].segment == 3);
  CHECK(back->segments[0].lanes == 16);
  CHECK(back->code == Copier(3).code);
  const CodeStore::Item items[] = {{"a", "avx2", blob}, {"b", "avx2", blob}};
  const std::unique_ptr<const CodeStore> store = CodeStore::Load(items);
  REQUIRE(store != nullptr);
  CHECK(Copied(store->Find("a", 3, kDigest)) == 42);
  CHECK(Copied(store->Find("b", 3, kDigest)) == 42);
  CHECK(store->Find("a", 3, kDigest).lanes == 16);
  CHECK(store->Find("a", 2, kDigest).run == nullptr);
  CHECK(store->Find("c", 3, kDigest).run == nullptr);
  CHECK(store->Find("a", 3, kDigest + 1).run == nullptr);
  CHECK(store->Find("", 0, kDigest).run == nullptr);
}

TEST_CASE("every damaged byte and every length of a blob is noticed") {
  const std::string blob = cluster::EncodeCode(Copier(0));
  for (size_t i = 0; i < blob.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
      std::string damaged = blob;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
      CHECK_FALSE(cluster::DecodeCode(damaged).ok());
    }
    CHECK_FALSE(cluster::DecodeCode(std::string_view(blob).substr(0, i)).ok());
  }
  CHECK_FALSE(cluster::DecodeCode(blob + "x").ok());
  const CodeStore::Item item{"a", "avx2", std::string_view(blob).substr(1)};
  CHECK(CodeStore::Load({&item, 1}) == nullptr);
}

TEST_CASE("blobs that make no sense are refused even where their digest is right") {
  const auto refused = [](auto change) {
    CompiledProgram program = Copier(0);
    change(program);
    return !cluster::DecodeCode(cluster::EncodeCode(program)).ok();
  };
  CHECK_FALSE(refused([](CompiledProgram&) {}));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].lanes = 0; }));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].lanes = 12; }));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].lanes = 128; }));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].segment = -1; }));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].segment = cluster::kMaxInstructions; }));
  CHECK(refused([](CompiledProgram& p) { p.segments[0].offset = static_cast<uint32_t>(p.code.size()); }));
  CHECK(refused([](CompiledProgram& p) { p.code.clear(); }));
}

TEST_CASE("code for another CPU is set aside; of two that fit the better one is taken") {
  CompiledProgram wide = Copier(0);
  wide.segments[0].lanes = 32;
  const std::string narrow_blob = cluster::EncodeCode(Copier(0)), wide_blob = cluster::EncodeCode(wide);
  const CodeStore::Item both[] = {{"a", "avx2", narrow_blob}, {"a", "avx512", wide_blob}};
  CHECK(CodeStore::Load(both, Isa::kAvx512)->Find("a", 0, kDigest).lanes == 32);
  CHECK(CodeStore::Load(both, Isa::kAvx2)->Find("a", 0, kDigest).lanes == 16);
  CHECK(CodeStore::Load({both + 1, 1}, Isa::kAvx2) == nullptr);
  const CodeStore::Item foreign{"a", "sve2", narrow_blob};
  CHECK(CodeStore::Load({&foreign, 1}) == nullptr);
  CHECK(CodeStore::Load({}) == nullptr);
}

TEST_CASE("code is never in memory that can be written and executed") {
  const std::string blob = cluster::EncodeCode(Copier(0));
  const CodeStore::Item item{"a", "avx2", blob};
  const std::unique_ptr<const CodeStore> store = CodeStore::Load({&item, 1});
  REQUIRE(store != nullptr);
  const auto address = reinterpret_cast<uintptr_t>(store->Find("a", 0, kDigest).run);
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  char line[512], rights[8];
  bool found = false;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3 || address < begin || address >= end) continue;
    found = true;
    CHECK(std::string(rights).substr(0, 3) == "r-x");
  }
  std::fclose(maps);
  CHECK(found);
}

}  // namespace
}  // namespace millrace
