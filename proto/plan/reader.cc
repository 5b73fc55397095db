#include "millrace/proto/plan/reader.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "millrace/proto/codec/attr.h"
#include "millrace/proto/plan/digest.h"
#include "millrace/proto/plan/features.h"
#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/value/strings.h"

namespace millrace::plan {
namespace {

using namespace layout;  // NOLINT: the format's names, all of them

// The first error stays; everything read after it is empty.
class LayoutReader {
 public:
  LayoutReader(const Bytes& bytes, const ReadOptions& options) : bytes_(bytes), options_(options) {}

  Status Run(Plan* plan) {
    MR_RETURN_IF_ERROR(Front(plan));
    const std::string features = Text(header_.features, "header");
    for (const auto& e : All<ExprRecord>(kExprs)) {
      plan->exprs.push_back({.op = static_cast<DimOp>(e.op), .a = e.a, .b = e.b, .value = e.value});
    }
    for (const auto& s : All<SymbolRecord>(kSymbols)) plan->symbols.push_back({Text(s.name, "symbols")});
    for (const auto& c : All<ConstantRecord>(kConstants)) ReadConstant(c, &plan->constants.emplace_back());
    for (const auto& r : All<ResourceRecord>(kResources)) {
      Resource& out = plan->resources.emplace_back();
      out.kind = Text(r.kind, "resources");
      out.container = Text(r.container, "resources");
      out.name = Text(r.name, "resources");
      out.dims = List<int64_t>(kExtents, r.dims, "resources");
      out.dtype = static_cast<DType>(r.dtype);
      out.unknown_rank = Flag(r.unknown_rank, "resources");
    }
    for (const auto& d : All<DeviceRecord>(kDevices)) {
      plan->devices.push_back({.kind = Text(d.kind, "devices"), .ordinal = d.ordinal});
    }
    for (const auto& b : All<BlockRecord>(kBlocks)) ReadBlock(b, &plan->blocks.emplace_back());
    for (const auto& s : All<SignatureRecord>(kSignatures)) ReadSignature(s, &plan->signatures.emplace_back());
    for (const auto& c : All<CodeRecord>(kCode)) {
      Code& out = plan->code.emplace_back();
      out.symbol = Text(c.symbol, "code");
      out.features = Text(c.features, "code");
      out.content = Data(c.offset, c.size, "code");
    }
    MR_RETURN_IF_ERROR(status_);
    for (uint32_t s = 0; s < kSections; ++s) {
      if (IsPool(s) && used_[s] != Count(s)) {
        return InvalidArgument(Cat("plan: section ", kInfo[s].name, ": ", used_[s], " of ", Count(s),
                                   " records are referred to, expected all"));
      }
    }
    if (data_used_ != table_[kData].size) {
      return InvalidArgument(
          Cat("plan: section data: ", data_used_, " of ", table_[kData].size, " bytes are referred to, expected all"));
    }
    if (const std::string all = AllFeatures(*plan); features != all) {
      return InvalidArgument(Cat("plan: header: the code needs '", all, "' of a CPU, found '", features, "'"));
    }
    return Validate(*plan);
  }

 private:
  // Sections that are taken by ranges of others; the rest are tables that are
  // read whole.
  static bool IsPool(uint32_t s) {
    return s == kText || s == kTexts || s == kNumbers || s == kExtents || s == kValues || s == kSlots || s == kSteps ||
           s == kAttrs || s == kFeeds;
  }

  Status Front(Plan* plan) {
    const std::string_view all = bytes_.view();
    if (all.size() < sizeof(kMagic) || std::memcmp(all.data(), kMagic, sizeof(kMagic)) != 0) {
      return InvalidArgument("plan: header: these are not the bytes of a plan (no MRPLAN at the start)");
    }
    if (all.size() < kFirstSection) {
      return DataLoss(Cat("plan: header: expected at least ", kFirstSection, " bytes, found ", all.size()));
    }
    std::memcpy(&header_, all.data(), sizeof(header_));
    if (header_.version != kVersion) {
      return FailedPrecondition(Cat("plan: header: expected format version ", kVersion, ", found ", header_.version,
                                    "; compile the plan again"));
    }
    if (header_.total_size != all.size()) {
      return DataLoss(Cat("plan: header: expected ", header_.total_size, " bytes in all, found ", all.size()));
    }
    if (options_.check_digests) {
      std::string front(all.substr(0, kFirstSection));
      std::memset(front.data() + offsetof(Header, digest), 0, sizeof(header_.digest));
      if (Digest(front) != header_.digest) return DataLoss("plan: header: the digest differs, the plan is damaged");
    }
    if (header_.sections != kSections) {
      return InvalidArgument(
          Cat("plan: header: expected ", uint32_t{kSections}, " sections, found ", header_.sections));
    }
    std::memcpy(table_, all.data() + sizeof(header_), sizeof(table_));
    plan->user_ops_hash = header_.user_ops_hash;
    uint64_t offset = kFirstSection;
    for (uint32_t s = 0; s < kSections; ++s) {
      const SectionEntry& entry = table_[s];
      if (entry.offset != offset) {
        return InvalidArgument(
            Cat("plan: section ", kInfo[s].name, ": expected at offset ", offset, ", found ", entry.offset));
      }
      // offset <= all.size() holds from section to section.
      if (entry.size > all.size() - offset || Align(entry.size) > all.size() - offset) {
        return DataLoss(
            Cat("plan: section ", kInfo[s].name, ": expected ", entry.size, " bytes, found ", all.size() - offset));
      }
      if (entry.size % kInfo[s].record_size != 0 || entry.size / kInfo[s].record_size >= kNone) {
        if (s != kData) {
          return InvalidArgument(Cat("plan: section ", kInfo[s].name, ": expected records of ", kInfo[s].record_size,
                                     " bytes, found ", entry.size, " bytes"));
        }
      }
      const std::string_view section = all.substr(offset, entry.size);
      if (options_.check_digests) {
        if (Digest(section) != entry.digest) {
          return DataLoss(Cat("plan: section ", kInfo[s].name, ": the digest differs, the plan is damaged"));
        }
        const std::string_view gap = all.substr(offset + entry.size, Align(entry.size) - entry.size);
        if (!std::all_of(gap.begin(), gap.end(), [](char c) { return c == 0; })) {
          return DataLoss(Cat("plan: section ", kInfo[s].name, ": is followed by bytes that are not zero"));
        }
      }
      offset += Align(entry.size);
    }
    if (offset != all.size()) {
      return InvalidArgument(Cat("plan: header: the sections end at ", offset, ", expected ", all.size()));
    }
    if (options_.no_code && table_[kCode].size != 0) {
      return FailedPrecondition(Cat("plan: section code: ", Count(kCode), " pieces of code are refused (no_code)"));
    }
    return OkStatus();
  }

  uint64_t Count(uint32_t s) const { return table_[s].size / kInfo[s].record_size; }

  // Record number `i` of a section, which is in range.
  template <typename T>
  T At(Section section, uint64_t i) const {
    T record;
    std::memcpy(&record, bytes_.data() + table_[section].offset + i * sizeof(T), sizeof(T));
    return record;
  }

  // All records of a table, up to the first error.
  template <typename T>
  class Records {
   public:
    struct Iterator {
      const Records* records;
      uint64_t i;
      T operator*() const { return records->reader->At<T>(records->section, i); }
      Iterator& operator++() {
        ++i;
        return *this;
      }
      bool operator!=(const Iterator& end) const { return i < end.i && records->reader->status_.ok(); }
    };
    Iterator begin() const { return {this, first}; }
    Iterator end() const { return {this, first + count}; }
    const LayoutReader* reader;
    Section section;
    uint64_t first, count;
  };
  template <typename T>
  Records<T> All(Section section) const {
    return {.reader = this, .section = section, .first = 0, .count = Count(section)};
  }

  // Marks a range as used; it must follow the last one. `by`: who refers to it.
  bool Take(Section section, Range range, std::string_view by) {
    if (!status_.ok()) return false;
    if (range.offset != used_[section] || range.count > Count(section) - used_[section]) {
      status_ = InvalidArgument(Cat("plan: section ", by, ": expected a range of section ", kInfo[section].name,
                                    " from ", used_[section], " and up to ", Count(section), ", found ", range.count,
                                    " from ", range.offset));
      return false;
    }
    used_[section] += range.count;
    return true;
  }
  template <typename T>
  Records<T> Part(Section section, Range range, std::string_view by) {
    const bool ok = Take(section, range, by);
    return {.reader = this, .section = section, .first = range.offset, .count = ok ? range.count : 0};
  }
  Bytes TextBytes(Range range, std::string_view by) {
    if (!Take(kText, range, by)) return Bytes();
    return Bytes(bytes_.view().substr(table_[kText].offset + range.offset, range.count), bytes_.owner());
  }
  std::string Text(Range range, std::string_view by) { return std::string(TextBytes(range, by).view()); }
  std::vector<std::string> Texts(Range range, std::string_view by) {
    std::vector<std::string> out;
    for (const Range& text : Part<Range>(kTexts, range, by)) out.push_back(Text(text, "texts"));
    return out;
  }
  template <typename T>
  std::vector<T> List(Section section, Range range, std::string_view by) {
    std::vector<T> out;
    if (!Take(section, range, by) || range.count == 0) return out;
    out.resize(range.count);
    std::memcpy(out.data(), bytes_.data() + table_[section].offset + uint64_t{range.offset} * sizeof(T),
                out.size() * sizeof(T));
    return out;
  }
  Bytes Data(uint64_t offset, uint64_t size, std::string_view by) {
    if (!status_.ok() || (size == 0 && offset == 0)) return Bytes();
    const uint64_t left = table_[kData].size - data_used_;
    if (offset != data_used_ || size == 0 || size > left || Align(size) > left) {
      status_ = InvalidArgument(Cat("plan: section ", by, ": expected a range of section data from ", data_used_,
                                    " and up to ", table_[kData].size, ", found ", size, " from ", offset));
      return Bytes();
    }
    data_used_ += Align(size);
    return Bytes(bytes_.view().substr(table_[kData].offset + offset, size), bytes_.owner());
  }
  bool Flag(uint32_t flag, std::string_view by) {
    if (flag > 1 && status_.ok()) {
      status_ = InvalidArgument(Cat("plan: section ", by, ": expected 0 or 1 for unknown_rank, found ", flag));
    }
    return flag != 0;
  }

  void ReadConstant(const ConstantRecord& c, Constant* out) {
    out->dtype = static_cast<DType>(c.dtype);
    out->dims = List<int64_t>(kExtents, c.dims, "constants");
    out->strings = Texts(c.strings, "constants");
    out->name = Text(c.name, "constants");
    out->content = Data(c.offset, c.size, "constants");
  }

  void ReadBlock(const BlockRecord& b, Block* out) {
    out->name = Text(b.name, "blocks");
    out->arguments = List<uint32_t>(kNumbers, b.arguments, "blocks");
    out->results = List<uint32_t>(kNumbers, b.results, "blocks");
    for (const auto& v : Part<ValueRecord>(kValues, b.values, "blocks")) {
      Value& value = out->values.emplace_back();
      value.dtype = static_cast<DType>(v.dtype);
      value.storage = static_cast<Storage>(v.storage);
      value.unknown_rank = Flag(v.unknown_rank, "values");
      value.index = v.index;
      value.dims = List<uint32_t>(kNumbers, v.dims, "values");
      value.elements = List<uint32_t>(kNumbers, v.elements, "values");
      value.name = Text(v.name, "values");
    }
    for (const auto& s : Part<SlotRecord>(kSlots, b.slots, "blocks")) out->slots.push_back({s.bytes});
    for (const auto& s : Part<StepRecord>(kSteps, b.steps, "blocks")) ReadStep(s, &out->steps.emplace_back());
  }

  void ReadStep(const StepRecord& s, Step* out) {
    if (s.kind > static_cast<uint32_t>(StepKind::kCopy)) {
      status_ = InvalidArgument(Cat("plan: section steps: no kind of step has the number ", s.kind));
      return;
    }
    out->kind = static_cast<StepKind>(s.kind);
    out->device = s.device;
    out->op = Text(s.op, "steps");
    out->node = Text(s.node, "steps");
    for (const auto& a : Part<AttrRecord>(kAttrs, s.attrs, "steps")) {
      std::string name = Text(a.name, "attrs");
      Result<AttrValue> value = ParseAttr(TextBytes(a.value, "attrs"));
      if (!status_.ok()) return;
      if (!value.ok()) {
        status_ = Status(value.status().code(), Cat("plan: section attrs, '", name, "' of step '", out->node,
                                                    "': ", value.status().message()));
        return;
      }
      if (!out->attrs.empty() && out->attrs.rbegin()->first >= name) {
        status_ = InvalidArgument(Cat("plan: section attrs: '", name, "' of step '", out->node, "' is out of order"));
        return;
      }
      out->attrs.emplace_hint(out->attrs.end(), std::move(name), std::move(*value));
    }
    out->inputs = List<uint32_t>(kNumbers, s.inputs, "steps");
    out->outputs = List<uint32_t>(kNumbers, s.outputs, "steps");
    out->blocks = List<uint32_t>(kNumbers, s.blocks, "steps");
    out->after = List<uint32_t>(kNumbers, s.after, "steps");
    out->fused_nodes = Texts(s.fused_nodes, "steps");
  }

  void ReadSignature(const SignatureRecord& s, Signature* out) {
    out->name = Text(s.name, "signatures");
    out->block = s.block;
    for (const auto& f : Part<FeedRecord>(kFeeds, s.feeds, "signatures")) {
      Feed& feed = out->feeds.emplace_back();
      feed.name = Text(f.name, "feeds");
      feed.dtype = static_cast<DType>(f.dtype);
      feed.unknown_rank = Flag(f.unknown_rank, "feeds");
      feed.dims = List<int64_t>(kExtents, f.dims, "feeds");
      feed.symbols = List<uint32_t>(kNumbers, f.symbols, "feeds");
    }
    out->fetches = Texts(s.fetches, "signatures");
    out->targets = Texts(s.targets, "signatures");
  }

  const Bytes& bytes_;
  const ReadOptions& options_;
  Header header_;
  SectionEntry table_[kSections];
  uint64_t used_[kSections] = {};
  uint64_t data_used_ = 0;
  Status status_;
};

}  // namespace

Result<Plan> Read(const Bytes& bytes, const ReadOptions& options) {
  Bytes aligned = bytes;
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment != 0) {
    std::shared_ptr<void> copy(std::aligned_alloc(kAlignment, Align(bytes.size() + 1)), std::free);
    if (copy == nullptr) return ResourceExhausted(Cat("plan: no memory for ", bytes.size(), " bytes"));
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    aligned = Bytes({static_cast<const char*>(copy.get()), bytes.size()}, copy);
  }
  Plan plan;
  MR_RETURN_IF_ERROR(LayoutReader(aligned, options).Run(&plan));
  return plan;
}

}  // namespace millrace::plan
