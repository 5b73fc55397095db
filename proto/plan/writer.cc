#include "millrace/proto/plan/writer.h"

#include <cstring>

#include "millrace/proto/codec/attr.h"
#include "millrace/proto/plan/digest.h"
#include "millrace/proto/plan/features.h"
#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/value/strings.h"
#include "millrace/proto/value/whole_file.h"

namespace millrace::plan {
namespace {

using namespace layout;  // NOLINT: the format's names, all of them

constexpr char kZeros[kAlignment] = {};

// Lays the plan out: every section but kData as bytes, kData as a list of
// pieces. The order of the calls is the order in which the reader reads.
class LayoutWriter {
 public:
  explicit LayoutWriter(const Plan& plan) : plan_(plan) {}

  Status Run(const std::function<Status(std::string_view)>& sink) {
    Header header;
    std::memcpy(header.magic, kMagic, sizeof(kMagic));
    header.version = kVersion;
    header.sections = kSections;
    header.user_ops_hash = plan_.user_ops_hash;
    header.features = Text(AllFeatures(plan_));
    for (const DimExpr& e : plan_.exprs) {
      Add(kExprs, ExprRecord{.op = static_cast<uint8_t>(e.op), .a = e.a, .b = e.b, .value = e.value});
    }
    for (const Symbol& s : plan_.symbols) Add(kSymbols, SymbolRecord{Text(s.name)});
    for (const Constant& c : plan_.constants) AddConstant(c);
    for (const Resource& r : plan_.resources) {
      ResourceRecord record{.kind = Text(r.kind), .container = Text(r.container), .name = Text(r.name)};
      record.dims = List(kExtents, r.dims);
      record.dtype = static_cast<int32_t>(r.dtype);
      record.unknown_rank = r.unknown_rank;
      Add(kResources, record);
    }
    for (const DeviceRef& d : plan_.devices) {
      Add(kDevices, DeviceRecord{.kind = Text(d.kind), .ordinal = d.ordinal});
    }
    for (const Block& b : plan_.blocks) AddBlock(b);
    for (const Signature& s : plan_.signatures) AddSignature(s);
    for (const Code& c : plan_.code) {
      CodeRecord record{.symbol = Text(c.symbol), .features = Text(c.features)};
      record.size = c.content.size();
      record.offset = Data(c.content.view());
      Add(kCode, record);
    }
    for (uint32_t s = 0; s < kSections; ++s) {
      const uint64_t records = sections_[s].size() / kInfo[s].record_size;
      if (s != kData && records >= kNone) {
        return ResourceExhausted(
            Cat("plan: section ", kInfo[s].name, " has ", records, " records, the limit is ", kNone - 1));
      }
    }
    return Emit(header, sink);
  }

 private:
  template <typename T>
  void Add(Section section, const T& record) {
    sections_[section].append(reinterpret_cast<const char*>(&record), sizeof(T));
  }
  // Counts past 32 bits wrap here and are refused once all is laid out.
  uint32_t Count(Section section) const {
    return static_cast<uint32_t>(sections_[section].size() / kInfo[section].record_size);
  }
  Range Text(std::string_view text) {
    const Range range{Count(kText), static_cast<uint32_t>(text.size())};
    sections_[kText].append(text);
    return range;
  }
  Range Texts(const std::vector<std::string>& list) {
    const Range range{Count(kTexts), static_cast<uint32_t>(list.size())};
    for (const std::string& text : list) Add(kTexts, Text(text));
    return range;
  }
  template <typename T>
  Range List(Section section, const std::vector<T>& list) {
    const Range range{Count(section), static_cast<uint32_t>(list.size())};
    sections_[section].append(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
    return range;
  }
  uint64_t Data(std::string_view bytes) {
    if (bytes.empty()) return 0;
    const uint64_t offset = data_size_;
    data_.push_back(bytes);
    data_size_ += Align(bytes.size());
    return offset;
  }

  void AddConstant(const Constant& c) {
    ConstantRecord record{.dtype = static_cast<int32_t>(c.dtype)};
    record.dims = List(kExtents, c.dims);
    record.strings = Texts(c.strings);
    record.name = Text(c.name);
    record.size = c.content.size();
    record.offset = Data(c.content.view());
    Add(kConstants, record);
  }

  void AddBlock(const Block& b) {
    BlockRecord record{.name = Text(b.name)};
    record.arguments = List(kNumbers, b.arguments);
    record.results = List(kNumbers, b.results);
    record.values = {Count(kValues), static_cast<uint32_t>(b.values.size())};
    for (const Value& v : b.values) {
      ValueRecord value{.dtype = static_cast<int32_t>(v.dtype), .storage = static_cast<uint8_t>(v.storage)};
      value.unknown_rank = v.unknown_rank;
      value.index = v.index;
      value.dims = List(kNumbers, v.dims);
      value.elements = List(kNumbers, v.elements);
      value.name = Text(v.name);
      Add(kValues, value);
    }
    record.slots = {Count(kSlots), static_cast<uint32_t>(b.slots.size())};
    for (const Slot& s : b.slots) Add(kSlots, SlotRecord{s.bytes});
    record.steps = {Count(kSteps), static_cast<uint32_t>(b.steps.size())};
    for (const Step& s : b.steps) AddStep(s);
    Add(kBlocks, record);
  }

  void AddStep(const Step& s) {
    StepRecord record{.kind = static_cast<uint32_t>(s.kind), .device = s.device};
    record.op = Text(s.op);
    record.node = Text(s.node);
    record.attrs = {Count(kAttrs), static_cast<uint32_t>(s.attrs.size())};
    for (const auto& [name, value] : s.attrs) {
      AttrRecord attr{.name = Text(name)};
      attr.value = Text(SerializeAttr(value));
      Add(kAttrs, attr);
    }
    record.inputs = List(kNumbers, s.inputs);
    record.outputs = List(kNumbers, s.outputs);
    record.blocks = List(kNumbers, s.blocks);
    record.after = List(kNumbers, s.after);
    record.fused_nodes = Texts(s.fused_nodes);
    Add(kSteps, record);
  }

  void AddSignature(const Signature& s) {
    SignatureRecord record{.name = Text(s.name), .block = s.block};
    record.feeds = {Count(kFeeds), static_cast<uint32_t>(s.feeds.size())};
    for (const Feed& f : s.feeds) {
      FeedRecord feed{.name = Text(f.name), .dtype = static_cast<int32_t>(f.dtype)};
      feed.unknown_rank = f.unknown_rank;
      feed.dims = List(kExtents, f.dims);
      feed.symbols = List(kNumbers, f.symbols);
      Add(kFeeds, feed);
    }
    record.fetches = Texts(s.fetches);
    record.targets = Texts(s.targets);
    Add(kSignatures, record);
  }

  // f(piece) for the bytes of kData, in order.
  template <typename F>
  Status EachPiece(F&& f) const {
    for (std::string_view piece : data_) {
      MR_RETURN_IF_ERROR(f(piece));
      const uint64_t rest = Align(piece.size()) - piece.size();
      if (rest > 0) MR_RETURN_IF_ERROR(f(std::string_view(kZeros, rest)));
    }
    return OkStatus();
  }

  Status Emit(Header header, const std::function<Status(std::string_view)>& sink) const {
    SectionEntry table[kSections];
    uint64_t offset = kFirstSection;
    for (uint32_t s = 0; s < kSections; ++s) {
      table[s].offset = offset;
      table[s].size = s == kData ? data_size_ : sections_[s].size();
      offset += Align(table[s].size);
      if (s != kData) table[s].digest = Digest(sections_[s]);
    }
    DigestStream data;
    MR_RETURN_IF_ERROR(EachPiece([&](std::string_view piece) {
      data.Add(piece);
      return OkStatus();
    }));
    table[kData].digest = data.digest();
    header.total_size = offset;

    std::string front(kFirstSection, '\0');
    std::memcpy(front.data() + sizeof(header), table, sizeof(table));
    std::memcpy(front.data(), &header, sizeof(header));
    header.digest = Digest(front);
    std::memcpy(front.data(), &header, sizeof(header));

    MR_RETURN_IF_ERROR(sink(front));
    for (uint32_t s = 0; s < kData; ++s) {
      if (!sections_[s].empty()) MR_RETURN_IF_ERROR(sink(sections_[s]));
      const uint64_t rest = Align(sections_[s].size()) - sections_[s].size();
      if (rest > 0) MR_RETURN_IF_ERROR(sink(std::string_view(kZeros, rest)));
    }
    return EachPiece(sink);
  }

  const Plan& plan_;
  std::string sections_[kSections];
  std::vector<std::string_view> data_;
  uint64_t data_size_ = 0;
};

}  // namespace

Status Write(const Plan& plan, const std::function<Status(std::string_view)>& sink) {
  MR_RETURN_IF_ERROR(Validate(plan));
  return LayoutWriter(plan).Run(sink);
}

Result<std::string> Write(const Plan& plan) {
  std::string out;
  MR_RETURN_IF_ERROR(Write(plan, [&](std::string_view piece) {
    out.append(piece);
    return OkStatus();
  }));
  return out;
}

Status WriteFile(const Plan& plan, const std::string& path) {
  return WriteWholeFile(path, [&](const ByteSink& sink) { return Write(plan, sink); });
}

}  // namespace millrace::plan
