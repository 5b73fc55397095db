#include "millrace/runtime/plan/peak_memory.h"

#include <algorithm>

#include "millrace/devices/api/buffer.h"
#include "millrace/devices/api/tensor.h"
#include "millrace/ops/registry/dim.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using plan::DimOp;
using plan::Storage;

// A size twice: over symbols, for its text, and with the numbers that are given.
// Not known where only the run knows.
struct Size {
  SymElement symbolic, numeric;
  static Size Of(int64_t n) { return {SymElement::Number(n), SymElement::Number(n)}; }
  bool known() const { return symbolic.kind != SymElement::Kind::kUnknown; }
};

class Sizes {
 public:
  Status Read(const plan::Plan& plan, const std::map<std::string, int64_t>& dims) {
    for (const auto& [name, value] : dims) {
      const bool known = std::any_of(plan.symbols.begin(), plan.symbols.end(),
                                     [&name = name](const plan::Symbol& s) { return s.name == name; });
      if (known && value >= 0) continue;
      std::vector<std::string> names;
      for (const plan::Symbol& s : plan.symbols) names.push_back(s.name);
      return InvalidArgument(value < 0 ? Cat("dim ", name, ": expected 0 or more, found ", value)
                                       : Cat("dim ", name, ": no open dimension has that name; there are ",
                                             names.empty() ? "none" : Join(names, ", ")));
    }
    for (size_t i = 0; i < plan.exprs.size(); ++i) {
      const plan::DimExpr& e = plan.exprs[i];
      Size size;
      if (e.op == DimOp::kConstant) {
        size = Size::Of(e.value);
      } else if (e.op == DimOp::kSymbol) {
        if (e.value < 0 || static_cast<uint64_t>(e.value) >= plan.symbols.size()) {
          return InvalidArgument(Cat("expression ", i, ": no symbol has the number ", e.value));
        }
        const std::string& name = plan.symbols[static_cast<size_t>(e.value)].name;
        const auto given = dims.find(name);
        size.symbolic = SymElement::Of(texts_.Symbol(name));
        size.numeric = given != dims.end() ? SymElement::Number(given->second) : SymElement::Of(numbers_.Symbol(name));
      } else {
        if (e.a >= i || e.b >= i) return InvalidArgument(Cat("expression ", i, ": expected operands before it"));
        size = e.op == DimOp::kBroadcast ? Broadcast(exprs_[e.a], exprs_[e.b]) : Apply(e.op, exprs_[e.a], exprs_[e.b]);
      }
      exprs_.push_back(size);
    }
    return OkStatus();
  }

  // Unknown for kNone and for what is no expression.
  Size Expr(uint32_t e) const { return e < exprs_.size() ? exprs_[e] : Size(); }
  Size Apply(DimOp op, const Size& a, const Size& b) {
    return {texts_.Apply(op, a.symbolic, b.symbolic), numbers_.Apply(op, a.numeric, b.numeric)};
  }
  Size Add(const Size& a, const Size& b) { return Apply(DimOp::kAdd, a, b); }
  // Rounded up as buffers are.
  Size Aligned(const Size& a) {
    const Size unit = Size::Of(kBufferAlignment);
    return Apply(DimOp::kMul, Apply(DimOp::kCeilDiv, a, unit), unit);
  }
  MemorySize Text(const Size& size) const {
    MemorySize out;
    out.text = size.known() ? texts_.ToString(size.symbolic) : "unbounded";
    if (size.numeric.kind == SymElement::Kind::kNumber) out.bytes = size.numeric.number;
    return out;
  }

 private:
  Size Broadcast(const Size& a, const Size& b) {
    if (!a.known() || !b.known()) return Size();
    return {SymElement::Of(texts_.Broadcast(a.symbolic.dim(), b.symbolic.dim())),
            SymElement::Of(numbers_.Broadcast(a.numeric.dim(), b.numeric.dim()))};
  }

  DimTable texts_, numbers_;
  std::vector<Size> exprs_;
};

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
    Size constants = Size::Of(0), variables = Size::Of(0);
    for (const plan::Constant& c : plan_.constants) {
      int64_t bytes = static_cast<int64_t>(c.content.size());
      for (const std::string& s : c.strings) bytes += static_cast<int64_t>(sizeof(std::string) + s.size());
      constants = sizes_.Add(constants, Size::Of(bytes));
    }
    for (const plan::Resource& r : plan_.resources) {
      const std::optional<size_t> bytes =
          r.unknown_rank || IsObject(r.dtype) ? std::nullopt : TensorBytes(BaseType(r.dtype), r.dims);
      if (!bytes) unbounded_.push_back(r.name);
      variables = sizes_.Add(variables, bytes ? Size::Of(static_cast<int64_t>(*bytes)) : Size());
    }
    PeakMemory out;
    out.arena = sizes_.Text(parts.arena);
    out.late = sizes_.Text(parts.late);
    out.results = sizes_.Text(parts.results);
    out.constants = sizes_.Text(constants);
    out.variables = sizes_.Text(variables);
    Size total = constants;
    for (const Size& s : {variables, parts.results, parts.late, parts.arena}) total = sizes_.Add(total, s);
    out.total = sizes_.Text(total);
    out.unbounded = std::move(unbounded_);
    return out;
  }

 private:
  struct Parts {
    Size arena = Size::Of(0), late = Size::Of(0), results = Size::Of(0);
  };

  Size BytesOf(const plan::Value& value) {
    if (value.unknown_rank || IsObject(value.dtype) || IsRef(value.dtype) || !IsValid(value.dtype)) return Size();
    Size size = Size::Of(static_cast<int64_t>(ElementSize(value.dtype)));
    for (uint32_t d : value.dims) size = sizes_.Apply(DimOp::kMul, size, sizes_.Expr(d));
    return size;
  }

  Result<Parts> Block(uint32_t number, int depth) {
    constexpr int kMaxDepth = 64;  // as the loader allows
    if (number >= plan_.blocks.size() || depth > kMaxDepth) {
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
      Size largest = Size::Of(0);
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
  Sizes sizes_;
  std::map<uint32_t, Parts> done_;  // of blocks
  std::vector<std::string> unbounded_;
};

}  // namespace

Result<PeakMemory> PeakMemoryOf(const plan::Plan& plan, std::string_view signature,
                                const std::map<std::string, int64_t>& dims) {
  return Counter(plan).Run(signature, dims);
}

}  // namespace millrace
