#include "millrace/ops/io/npz.h"

#include <cstring>
#include <optional>
#include <string_view>

#include "millrace/ops/io/inflate.h"
#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Records of the zip format: signatures, sizes without what varies, and offsets of
// the fields that count here.
constexpr uint32_t kEnd = 0x06054b50, kEnd64Locator = 0x07064b50, kEnd64 = 0x06064b50;
constexpr uint32_t kMember = 0x02014b50, kLocal = 0x04034b50;
// What is done to a member: nothing, or DEFLATE.
constexpr uint64_t kStored = 0, kDeflated = 8;
constexpr size_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kMemberBytes = 46, kLocalBytes = 30;

// A field of the archive; the caller has checked that it is inside.
template <typename T>
uint64_t Field(std::string_view all, size_t at) {
  T value;
  std::memcpy(&value, all.data() + at, sizeof value);
  return value;
}

bool Inside(std::string_view all, uint64_t at, uint64_t size) { return at <= all.size() && size <= all.size() - at; }

struct Directory {
  uint64_t offset = 0, members = 0;
};

// The directory stands at the end of the file, in front of a record of its own and
// a comment that may be there.
std::optional<Directory> FindDirectory(std::string_view all) {
  if (all.size() < kEndBytes) return std::nullopt;
  const size_t last = all.size() - kEndBytes;
  const size_t first = last > 0xffff ? last - 0xffff : 0;
  for (size_t at = last + 1; at-- > first;) {
    if (Field<uint32_t>(all, at) != kEnd) continue;
    Directory directory{Field<uint32_t>(all, at + 16), Field<uint16_t>(all, at + 10)};
    if (at >= kLocatorBytes && Field<uint32_t>(all, at - kLocatorBytes) == kEnd64Locator) {
      const uint64_t end64 = Field<uint64_t>(all, at - kLocatorBytes + 8);
      if (!Inside(all, end64, kEnd64Bytes) || Field<uint32_t>(all, end64) != kEnd64) return std::nullopt;
      directory = {Field<uint64_t>(all, end64 + 48), Field<uint64_t>(all, end64 + 32)};
    }
    return directory;
  }
  return std::nullopt;
}

struct Member {
  std::string_view name;
  uint64_t method = 0, stored = 0, size = 0, local = 0;
  uint64_t bytes = 0;  // of the directory's record
};

// Numbers that do not fit into 32 bits stand in an extra field, in this order.
bool ReadExtra(std::string_view extra, Member* m) {
  while (extra.size() >= 4) {
    const uint64_t id = Field<uint16_t>(extra, 0), size = Field<uint16_t>(extra, 2);
    if (size > extra.size() - 4) return false;
    std::string_view body = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (uint64_t* number : {&m->size, &m->stored, &m->local}) {
      if (*number != 0xffffffff) continue;
      if (body.size() < 8) return false;
      *number = Field<uint64_t>(body, 0);
      body.remove_prefix(8);
    }
  }
  return true;
}

std::optional<Member> ReadMember(std::string_view all, uint64_t at) {
  if (!Inside(all, at, kMemberBytes) || Field<uint32_t>(all, at) != kMember) return std::nullopt;
  const uint64_t name = Field<uint16_t>(all, at + 28), extra = Field<uint16_t>(all, at + 30);
  Member m;
  m.bytes = kMemberBytes + name + extra + Field<uint16_t>(all, at + 32);
  if (!Inside(all, at, m.bytes)) return std::nullopt;
  m.name = all.substr(at + kMemberBytes, name);
  m.method = Field<uint16_t>(all, at + 10);
  m.stored = Field<uint32_t>(all, at + 20);
  m.size = Field<uint32_t>(all, at + 24);
  m.local = Field<uint32_t>(all, at + 42);
  if (!ReadExtra(all.substr(at + kMemberBytes + name, extra), &m)) return std::nullopt;
  return m;
}

// The bytes of a member, inflated where they are compressed. `room` is what those of
// the archive can stand for, all together: members may share their compressed bytes.
Result<Buffer> Contents(const Member& member, const Buffer& archive, uint64_t data, const Limits& limits,
                        uint64_t* room) {
  if (member.size > static_cast<uint64_t>(limits.tensor_bytes)) {
    return PastLimit("member", "tensor_bytes", limits.tensor_bytes, member.size);
  }
  if (member.method == kStored) {
    if (member.stored != member.size) return InvalidArgument("is stored, but not in its size");
    return archive.Sub(data, member.size);
  }
  if (member.method != kDeflated) {
    return InvalidArgument(Cat("is compressed in a way that is not supported, number ", member.method));
  }
  if (member.size / kMostInflation > member.stored || member.size > *room) {
    return InvalidArgument(Cat("says that it has ", member.size, " bytes, which ", member.stored,
                               " compressed bytes in an archive of ", archive.size(), " cannot be"));
  }
  *room -= member.size;
  MR_ASSIGN_OR_RETURN(Buffer inflated, HostAllocator().Allocate(member.size));
  const std::string_view compressed(static_cast<const char*>(archive.data()) + data, member.stored);
  MR_RETURN_IF_ERROR(Inflate(compressed, {static_cast<char*>(inflated.data()), member.size}));
  return inflated;
}

}  // namespace

Result<std::map<std::string, Tensor>> ParseNpz(const Buffer& bytes, const std::string& name, const Limits& limits) {
  const auto bad = [&](const auto&... what) { return InvalidArgument(Cat(name, ": ", what...)); };
  const std::string_view all(static_cast<const char*>(bytes.data()), bytes.size());
  const auto directory = FindDirectory(all);
  if (!directory) return bad("not an NPZ file: no zip directory at its end");
  std::map<std::string, Tensor> arrays;
  uint64_t at = directory->offset, room = 0;
  if (__builtin_mul_overflow(uint64_t{all.size()}, uint64_t{kMostInflation}, &room)) room = UINT64_MAX;
  for (uint64_t i = 0; i < directory->members; ++i) {
    const auto member = ReadMember(all, at);
    if (!member) return bad("the zip directory is broken at member ", i);
    at += member->bytes;
    if (!Inside(all, member->local, kLocalBytes) || Field<uint32_t>(all, member->local) != kLocal) {
      return bad("'", member->name, "' is not where the zip directory says");
    }
    const uint64_t data = member->local + kLocalBytes + Field<uint16_t>(all, member->local + 26) +
                          Field<uint16_t>(all, member->local + 28);
    if (!Inside(all, data, member->stored)) return bad("'", member->name, "' ends behind the end of the file");
    std::string key(member->name);
    if (key.ends_with(".npy")) key.resize(key.size() - 4);
    const Result<Buffer> contents = Contents(*member, bytes, data, limits, &room);
    if (!contents.ok()) {
      return Status(contents.status().code(), Cat(name, ": '", member->name, "': ", contents.status().message()));
    }
    MR_ASSIGN_OR_RETURN(Tensor value, ParseNpy(*contents, Cat(name, "[", key, "]")));
    if (!arrays.emplace(key, std::move(value)).second) return bad("two arrays are named '", key, "'");
  }
  return arrays;
}

Result<std::map<std::string, Tensor>> ReadNpz(const std::string& path, const Limits& limits) {
  MR_ASSIGN_OR_RETURN(const Buffer bytes, Buffer::MapFile(path));
  return ParseNpz(bytes, path, limits);
}

}  // namespace millrace
