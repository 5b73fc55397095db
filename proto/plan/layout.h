// The Plan's bytes. All numbers are little-endian, all records have a fixed
// width, and every section starts at a multiple of 64 bytes, so that a mapped
// file is read where it lies. Internal to proto/plan.
//
//   Header | SectionEntry x kSections | section 0 | section 1 | ...
//
// Sections stand in the order of their numbers, each at the first multiple of 64
// past the one before; what is between them is zero. A record refers to what
// belongs to it (its name, its list of inputs) by a Range of another section.
// Ranges of a section follow each other without gap or overlap, in the order of
// the records that refer to them: so every byte has one meaning, and reading
// takes time and memory linear in the file.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::plan::layout {

inline constexpr char kMagic[8] = {'M', 'R', 'P', 'L', 'A', 'N', 0, 0};
// Changes with every change of this file.
inline constexpr uint32_t kVersion = 1;
inline constexpr uint64_t kAlignment = 64;

constexpr uint64_t Align(uint64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

enum Section : uint32_t {
  kText,        // bytes of names and of attributes (an AttrValue each, as on the wire)
  kTexts,       // Range into kText: lists of names
  kNumbers,     // uint32_t: lists of values, steps, expressions ...
  kExtents,     // int64_t: lists of extents
  kExprs,       // ExprRecord
  kSymbols,     // SymbolRecord
  kConstants,   // ConstantRecord
  kResources,   // ResourceRecord
  kDevices,     // DeviceRecord
  kBlocks,      // BlockRecord
  kValues,      // ValueRecord
  kSlots,       // SlotRecord
  kSteps,       // StepRecord
  kAttrs,       // AttrRecord
  kSignatures,  // SignatureRecord
  kFeeds,       // FeedRecord
  kCode,        // CodeRecord
  kData,        // contents of constants and of code, each at a multiple of 64 bytes
  kSections,
};

// `count` records (of kText: bytes) from number `offset` on.
struct Range {
  uint32_t offset = 0;
  uint32_t count = 0;
};

struct Header {
  char magic[8] = {};
  uint32_t version = 0;
  uint32_t sections = 0;
  uint64_t total_size = 0;
  uint64_t user_ops_hash = 0;
  Range features = {};  // kText: what the plan's code needs of a CPU, all told
  uint64_t zero[2] = {};
  uint64_t digest = 0;  // of the header, this field as 0, and the section table
};

struct SectionEntry {
  uint64_t offset = 0;  // from the file's start
  uint64_t size = 0;    // bytes, without the zeros behind
  uint64_t digest = 0;  // of these bytes
};

struct ExprRecord {
  uint8_t op = 0;
  uint8_t zero[7] = {};
  uint32_t a = 0;
  uint32_t b = 0;
  int64_t value = 0;
};

struct SymbolRecord {
  Range name = {};
};

struct ConstantRecord {
  int32_t dtype = 0;
  uint32_t zero = 0;
  Range dims = {};     // kExtents
  Range strings = {};  // kTexts
  Range name = {};
  uint64_t offset = 0;  // into kData; 0 where there is no content
  uint64_t size = 0;
};

struct ResourceRecord {
  Range kind = {};
  Range container = {};
  Range name = {};
  Range dims = {};  // kExtents
  int32_t dtype = 0;
  uint32_t unknown_rank = 0;
};

struct DeviceRecord {
  Range kind = {};
  uint32_t ordinal = 0;
  uint32_t zero = 0;
};

struct BlockRecord {
  Range name = {};
  Range arguments = {};  // kNumbers
  Range results = {};    // kNumbers
  Range values = {};     // kValues
  Range slots = {};      // kSlots
  Range steps = {};      // kSteps
};

struct ValueRecord {
  int32_t dtype = 0;
  uint8_t storage = 0;
  uint8_t unknown_rank = 0;
  uint16_t zero = 0;
  uint32_t index = 0;
  uint32_t more_zero = 0;
  Range dims = {};      // kNumbers
  Range elements = {};  // kNumbers
  Range name = {};
};

struct SlotRecord {
  uint32_t bytes = 0;
};

struct StepRecord {
  uint32_t kind = 0;
  uint32_t device = 0;
  Range op = {};
  Range node = {};
  Range attrs = {};        // kAttrs
  Range inputs = {};       // kNumbers
  Range outputs = {};      // kNumbers
  Range blocks = {};       // kNumbers
  Range after = {};        // kNumbers
  Range fused_nodes = {};  // kTexts
};

struct AttrRecord {
  Range name = {};
  Range value = {};  // kText: the wire's AttrValue
};

struct SignatureRecord {
  Range name = {};
  uint32_t block = 0;
  uint32_t zero = 0;
  Range feeds = {};    // kFeeds
  Range fetches = {};  // kTexts
  Range targets = {};  // kTexts
};

struct FeedRecord {
  Range name = {};
  int32_t dtype = 0;
  uint32_t unknown_rank = 0;
  Range dims = {};     // kExtents
  Range symbols = {};  // kNumbers
};

struct CodeRecord {
  Range symbol = {};
  Range features = {};
  uint64_t offset = 0;  // into kData
  uint64_t size = 0;
};

struct SectionInfo {
  std::string_view name;
  uint32_t record_size;
};

inline constexpr std::array<SectionInfo, kSections> kInfo = {{
    {"text", 1},
    {"texts", sizeof(Range)},
    {"numbers", sizeof(uint32_t)},
    {"extents", sizeof(int64_t)},
    {"exprs", sizeof(ExprRecord)},
    {"symbols", sizeof(SymbolRecord)},
    {"constants", sizeof(ConstantRecord)},
    {"resources", sizeof(ResourceRecord)},
    {"devices", sizeof(DeviceRecord)},
    {"blocks", sizeof(BlockRecord)},
    {"values", sizeof(ValueRecord)},
    {"slots", sizeof(SlotRecord)},
    {"steps", sizeof(StepRecord)},
    {"attrs", sizeof(AttrRecord)},
    {"signatures", sizeof(SignatureRecord)},
    {"feeds", sizeof(FeedRecord)},
    {"code", sizeof(CodeRecord)},
    {"data", 1},
}};

// No padding that a compiler would choose: these are the format.
static_assert(sizeof(Header) == 64 && sizeof(SectionEntry) == 24 && sizeof(ExprRecord) == 24 &&
              sizeof(ConstantRecord) == 48 && sizeof(ResourceRecord) == 40 && sizeof(DeviceRecord) == 16 &&
              sizeof(BlockRecord) == 48 && sizeof(ValueRecord) == 40 && sizeof(StepRecord) == 72 &&
              sizeof(AttrRecord) == 16 && sizeof(SignatureRecord) == 40 && sizeof(FeedRecord) == 32 &&
              sizeof(CodeRecord) == 32);

// Where the sections begin.
inline constexpr uint64_t kFirstSection = Align(sizeof(Header) + kSections * sizeof(SectionEntry));

}  // namespace millrace::plan::layout
