#include "millrace/ops/cluster/code.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "millrace/proto/plan/digest.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

namespace cluster {
namespace {

constexpr uint32_t kMagic = 0x4352'4d32;  // "2MRC"
constexpr size_t kAlignment = 64;
constexpr size_t kMaxCode = size_t{1} << 28;

struct Header {
  uint32_t magic = kMagic;
  uint32_t segments = 0;
  uint64_t digest = 0;  // of everything, with a 0 here
  uint64_t code_offset = 0;
  uint64_t code_bytes = 0;
};
static_assert(sizeof(Header) == 32 && sizeof(CompiledSegment) == 24);

uint64_t DigestOf(Header header, std::string_view rest) {
  header.digest = 0;
  plan::DigestStream stream;
  stream.Add(std::string_view(reinterpret_cast<const char*>(&header), sizeof header));
  stream.Add(rest);
  return stream.digest();
}

}  // namespace

uint64_t SegmentDigest(const Program& program, const Segment& segment) {
  std::string bytes;
  const auto put = [&](auto v) { bytes.append(reinterpret_cast<const char*>(&v), sizeof v); };
  // Registers by their place among those read, or in the segment: what stands
  // before it does not matter.
  const int first = static_cast<int>(program.inputs.size()) + segment.begin;
  const auto name = [&](int r) -> int32_t {
    if (r >= first) return r - first;
    const auto at = std::find(segment.reads.begin(), segment.reads.end(), r);
    return -1 - static_cast<int32_t>(at - segment.reads.begin());
  };
  put(static_cast<int32_t>(segment.kind));
  put(static_cast<int32_t>(segment.end - segment.begin));
  for (int i = segment.begin; i < segment.end; ++i) {
    const Instruction& instruction = program.instructions[static_cast<size_t>(i)];
    bytes += instruction.op;
    put('\0');
    put(static_cast<int32_t>(instruction.type));
    put(instruction.value);
    put(static_cast<int32_t>(instruction.variant));
    put(static_cast<int32_t>(instruction.operands.size()));
    for (const int r : instruction.operands) put(name(r));
  }
  for (const std::vector<int>* registers : {&segment.reads, &segment.writes}) {
    put(static_cast<int32_t>(registers->size()));
    for (const int r : *registers) {
      put(name(r));
      put(static_cast<int32_t>(program.type(r)));
    }
  }
  return plan::Digest(bytes);
}

std::string EncodeCode(const CompiledProgram& program) {
  Header header;
  header.segments = static_cast<uint32_t>(program.segments.size());
  const size_t records = program.segments.size() * sizeof(CompiledSegment);
  header.code_offset = (sizeof header + records + kAlignment - 1) / kAlignment * kAlignment;
  header.code_bytes = program.code.size();
  std::string blob(header.code_offset + program.code.size(), '\0');
  if (records > 0) std::memcpy(blob.data() + sizeof header, program.segments.data(), records);
  std::copy(program.code.begin(), program.code.end(), blob.begin() + static_cast<ptrdiff_t>(header.code_offset));
  header.digest = DigestOf(header, std::string_view(blob).substr(sizeof header));
  std::memcpy(blob.data(), &header, sizeof header);
  return blob;
}

Result<CompiledProgram> DecodeCode(std::string_view blob) {
  const auto damaged = [](std::string_view what) { return InvalidArgument(Cat("machine code: ", what)); };
  Header header;
  if (blob.size() < sizeof header) return damaged("shorter than its header");
  std::memcpy(&header, blob.data(), sizeof header);
  if (header.magic != kMagic) return damaged("not such a blob, or of another version");
  if (header.segments > static_cast<uint32_t>(kMaxInstructions) || header.code_bytes > kMaxCode ||
      header.code_offset > blob.size() || header.code_bytes != blob.size() - header.code_offset ||
      header.code_offset < sizeof header + header.segments * sizeof(CompiledSegment)) {
    return damaged("sizes that do not fit each other");
  }
  if (header.digest != DigestOf(header, blob.substr(sizeof header))) return damaged("its digest does not fit");
  CompiledProgram program;
  program.segments.resize(header.segments);
  if (header.segments > 0) {
    std::memcpy(program.segments.data(), blob.data() + sizeof header, header.segments * sizeof(CompiledSegment));
  }
  for (const CompiledSegment& s : program.segments) {
    if (s.segment < 0 || s.segment >= kMaxInstructions || s.offset >= header.code_bytes) {
      return damaged("a segment that is not in the code");
    }
    if (s.lanes < 1 || s.lanes > kMaxVectorBytes || !std::has_single_bit(static_cast<uint32_t>(s.lanes))) {
      return damaged(Cat("a segment of ", s.lanes, " lanes"));
    }
  }
  program.code = blob.substr(header.code_offset);
  return program;
}

}  // namespace cluster

std::unique_ptr<const CodeStore> CodeStore::Load(std::span<const Item> items, Isa isa,
                                                 std::shared_ptr<CodeMaker> maker) {
  struct Fitting {
    std::string_view symbol;
    int rank;
    cluster::CompiledProgram program;
    size_t at = 0;
  };
  std::vector<Fitting> fitting;
  for (const Item& item : items) {
    const int rank = item.features == "avx512" ? 1 : item.features == "avx2" ? 0 : -1;
    if (rank < 0 || (rank == 1 && isa != Isa::kAvx512)) continue;
    Result<cluster::CompiledProgram> program = cluster::DecodeCode(item.content);
    if (program.ok()) fitting.push_back({item.symbol, rank, std::move(*program)});
  }
  // The best of each symbol first; the others go.
  std::sort(fitting.begin(), fitting.end(), [](const Fitting& a, const Fitting& b) {
    return std::tuple(a.symbol, -a.rank) < std::tuple(b.symbol, -b.rank);
  });
  fitting.erase(std::unique(fitting.begin(), fitting.end(),
                            [](const Fitting& a, const Fitting& b) { return a.symbol == b.symbol; }),
                fitting.end());
  size_t bytes = 0;
  for (Fitting& f : fitting) {
    f.at = bytes;
    bytes += (f.program.code.size() + cluster::kAlignment - 1) / cluster::kAlignment * cluster::kAlignment;
  }
  std::unique_ptr<CodeStore> none;
  if (maker != nullptr) {
    none.reset(new CodeStore);
    none->maker_ = maker;
  }
  if (bytes == 0) return none;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bytes = (bytes + page - 1) / page * page;
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return none;
  std::unique_ptr<CodeStore> store(new CodeStore);
  store->maker_ = std::move(maker);
  store->memory_ = memory;
  store->bytes_ = bytes;
  char* const base = static_cast<char*>(memory);
  std::memset(base, 0xcc, bytes);  // traps between the pieces
  for (const Fitting& f : fitting) {
    std::memcpy(base + f.at, f.program.code.data(), f.program.code.size());
    for (const cluster::CompiledSegment& s : f.program.segments) {
      store->entries_.push_back({std::string(f.symbol),
                                 s.segment,
                                 s.digest,
                                 {reinterpret_cast<cluster::SegmentFn>(base + f.at + s.offset), s.lanes}});
    }
  }
  if (mprotect(memory, bytes, PROT_READ | PROT_EXEC) != 0) return none;
  std::sort(store->entries_.begin(), store->entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.symbol, a.segment) < std::tie(b.symbol, b.segment);
  });
  return store;
}

CodeStore::~CodeStore() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

CodeStore::Loop CodeStore::Find(std::string_view symbol, int segment, uint64_t digest) const {
  const auto key = std::tuple(symbol, segment);
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), key, [](const Entry& a, const auto& b) {
    return std::tuple(std::string_view(a.symbol), a.segment) < b;
  });
  if (it == entries_.end() || it->symbol != symbol || it->segment != segment || it->digest != digest) return {};
  return it->loop;
}

}  // namespace millrace
