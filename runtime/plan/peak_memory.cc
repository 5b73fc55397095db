#include "millrace/runtime/plan/peak_memory.h"

#include <algorithm>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/registry/plan_sizes.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using plan::DimOp;
using plan::Storage;

using Size = PlanSizes::Size;

class Counter {
 public:
  explicit Counter(const plan::Plan& plan) : plan_(plan) {}

  Result<PeakMemory> Run(std::string_view name, const std::map<std::string, int64_t>& dims) {
    const auto signature = std::find_if(plan_.signatures.begin(), plan_.signatures.end(),
                                        [&](const plan::Signature& s) { return s.name == name; });
    if (signature == plan_.signatures.end()) {
      std::vector<std::string> names;
      for (const plan::Signature& s : plan_.signatures) names.push_back(s.name);
      return NotFound(Cat("the plan has no signature '", name, "'; there are ", Join(names, ", ")));
    }
    MR_RETURN_IF_ERROR(sizes_.Read(plan_, dims));
    MR_ASSIGN_OR_RETURN(const Parts parts, Block(signature->block, 0));
    Size constants = PlanSizes::Number(0), variables = PlanSizes::Number(0);
    for (const plan::Constant& c : plan_.constants) {
      int64_t bytes = static_cast<int64_t>(c.content.size());
      for (const std::string& s : c.strings) bytes += static_cast<int64_t>(sizeof(std::string) + s.size());
      constants = sizes_.Add(constants, PlanSizes::Number(bytes));
    }
    for (const plan::Resource& r : plan_.resources) {
      const std::optional<size_t> bytes =
          r.unknown_rank || IsObject(r.dtype) ? std::nullopt : TensorBytes(BaseType(r.dtype), r.dims);
      if (!bytes) unbounded_.push_back(r.name);
      variables = sizes_.Add(variables, bytes ? PlanSizes::Number(static_cast<int64_t>(*bytes)) : Size());
    }
    PeakMemory out;
    out.arena = Text(parts.arena);
    out.late = Text(parts.late);
    out.results = Text(parts.results);
    out.constants = Text(constants);
    out.variables = Text(variables);
    Size total = constants;
    for (const Size& s : {variables, parts.results, parts.late, parts.arena}) total = sizes_.Add(total, s);
    out.total = Text(total);
    out.unbounded = std::move(unbounded_);
    return out;
  }

 private:
  struct Parts {
    Size arena = PlanSizes::Number(0), late = PlanSizes::Number(0), results = PlanSizes::Number(0);
  };

  MemorySize Text(const Size& size) const { return {size.known() ? sizes_.Text(size) : "unbounded", size.number()}; }

  Size BytesOf(const plan::Value& value) {
    if (value.unknown_rank || IsObject(value.dtype) || IsRef(value.dtype) || !IsValid(value.dtype)) return Size();
    Size size = PlanSizes::Number(static_cast<int64_t>(ElementSize(value.dtype)));
    for (uint32_t d : value.dims) size = sizes_.Mul(size, sizes_.Expr(d));
    return size;
  }

  Result<Parts> Block(uint32_t number, int depth) {
    if (number >= plan_.blocks.size() || depth > plan::kMaxNesting) {
      return InvalidArgument(Cat("block ", number, ": the plan has no such block, or blocks without end"));
    }
    if (const auto known = done_.find(number); known != done_.end()) return known->second;
    const plan::Block& block = plan_.blocks[number];
    Parts parts;
    for (const plan::Slot& slot : block.slots) {
      parts.arena = sizes_.Add(parts.arena, sizes_.Aligned(sizes_.Expr(slot.bytes)));
    }
    for (const plan::Value& value : block.values) {
      if (value.storage != Storage::kLate) continue;
      const Size bytes = BytesOf(value);
      if (!bytes.known()) unbounded_.push_back(value.name);
      parts.late = sizes_.Add(parts.late, sizes_.Aligned(bytes));
    }
    for (uint32_t v : block.results) {
      if (v >= block.values.size()) return InvalidArgument(Cat("block ", number, ": no value has the number ", v));
      parts.results = sizes_.Add(parts.results, BytesOf(block.values[v]));
    }
    // Steps that run blocks are not alone, but each has its memory to itself: the
    // largest of a step's blocks counts, a loop's state twice.
    for (const plan::Step& step : block.steps) {
      Size largest = PlanSizes::Number(0);
      for (uint32_t inner : step.blocks) {
        if (inner <= number) return InvalidArgument(Cat("block ", inner, ": expected one after block ", number));
        MR_ASSIGN_OR_RETURN(const Parts of, Block(inner, depth + 1));
        Size all = sizes_.Add(of.arena, sizes_.Add(of.late, of.results));
        if (step.kind == plan::StepKind::kWhile) all = sizes_.Add(all, of.results);
        largest = sizes_.Apply(DimOp::kMax, largest, all);
      }
      parts.arena = sizes_.Add(parts.arena, largest);
    }
    done_.emplace(number, parts);
    return parts;
  }

  const plan::Plan& plan_;
  PlanSizes sizes_;
  std::map<uint32_t, Parts> done_;  // of blocks
  std::vector<std::string> unbounded_;
};

}  // namespace

Result<PeakMemory> PeakMemoryOf(const plan::Plan& plan, std::string_view signature,
                                const std::map<std::string, int64_t>& dims) {
  return Counter(plan).Run(signature, dims);
}

}  // namespace millrace
