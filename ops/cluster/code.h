// Machine code for clusters: what the compiler attaches to a plan, and the store
// in which a loaded plan keeps it ready to call.
//
// A blob is relocation-free, position-independent code with its constants: a
// header, a record for each compiled segment, the code. Code is trusted as a
// shared library is; digest and sizes tell damage, not malice.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/cluster/program.h"
#include "millrace/ops/kernel/isa.h"
#include "millrace/proto/value/status.h"

namespace millrace {

class CodeStore;
class Registry;

namespace cluster {

// One compiled segment of a program.
struct CompiledSegment {
  int32_t segment = 0;  // of SegmentsOf
  int32_t lanes = 0;    // elements that a vector of it has; a power of two, times the largest element
                        // that it reads or writes at most kMaxVectorBytes
  uint32_t offset = 0;  // of its SegmentFn in the code
  uint32_t unused = 0;
  uint64_t digest = 0;  // SegmentDigest of what it computes
};
inline constexpr int kMaxVectorBytes = 64;

// Of all that a segment computes: ops, types, operands, constants. Code whose digest
// is another does not stand in for the segment.
uint64_t SegmentDigest(const Program& program, const Segment& segment);

struct CompiledProgram {
  std::vector<CompiledSegment> segments;
  std::string code;
};
std::string EncodeCode(const CompiledProgram& program);
// InvalidArgument where the bytes are damaged or were never a blob.
Result<CompiledProgram> DecodeCode(std::string_view blob);

}  // namespace cluster

// A cluster in use, as one who makes code for it sees it.
class CodeUser {
 public:
  virtual ~CodeUser() = default;
  virtual const cluster::Program& program() const = 0;
  // There until the maker is closed.
  virtual const Registry& registry() const = 0;
  // Runs that begin from now on call the code that `code` has under `symbol`, where
  // it fits. Called once at most, from any thread, while runs go on.
  virtual void Use(std::shared_ptr<const CodeStore> code, std::string_view symbol) = 0;
};

// Makes code for clusters while they are in use. Thread-safe.
class CodeMaker {
 public:
  virtual ~CodeMaker() = default;
  // Code for this cluster would pay. Called within a run, once for each cluster:
  // returns soon. Where there is no code to be had nothing happens.
  virtual void Want(std::shared_ptr<CodeUser> user) = 0;
  // When it returns, no code is made and none will be; users and their registries may
  // go.
  virtual void Close() = 0;
};

// Immutable once loaded; safe from any thread.
class CodeStore {
 public:
  struct Item {
    std::string_view symbol;
    std::string_view features;  // "avx2" or "avx512"
    std::string_view content;   // a blob
  };
  // The loop of a segment, or none.
  struct Loop {
    cluster::SegmentFn run = nullptr;
    int lanes = 0;
  };

  // Copies the code into memory that is writable first and executable afterwards,
  // never both. Of items with one symbol the best that fits `isa` is taken. What is
  // damaged or does not fit is set aside, as is everything where the system gives
  // no executable memory. Null where nothing is left and there is no maker.
  static std::unique_ptr<const CodeStore> Load(std::span<const Item> items, Isa isa = ActiveIsa(),
                                               std::shared_ptr<CodeMaker> maker = nullptr);
  ~CodeStore();
  CodeStore(const CodeStore&) = delete;
  CodeStore& operator=(const CodeStore&) = delete;

  // Of segment `segment`, with that SegmentDigest, of the program with that `code`
  // attribute.
  Loop Find(std::string_view symbol, int segment, uint64_t digest) const;

  // Who makes code for clusters that came without; or null.
  const std::shared_ptr<CodeMaker>& maker() const { return maker_; }

 private:
  struct Entry {
    std::string symbol;
    int segment;
    uint64_t digest;
    Loop loop;
  };
  CodeStore() = default;
  void* memory_ = nullptr;
  size_t bytes_ = 0;
  std::vector<Entry> entries_;  // in order
  std::shared_ptr<CodeMaker> maker_;
};

}  // namespace millrace
