#include "millrace/proto/plan/validate.h"

#include <algorithm>
#include <set>

#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/strings.h"

namespace millrace::plan {
namespace {

template <typename... Parts>
Status Bad(const Parts&... parts) {
  return InvalidArgument(Cat("plan: ", parts...));
}

// The text is only made where the check fails.
template <typename Where>
Status InRange(uint32_t index, size_t count, std::string_view of, const Where& where) {
  if (index < count) return OkStatus();
  return Bad(where(), ": expected a number below ", count, " of ", of, ", found ", index);
}

template <typename Where>
Status CheckDims(const std::vector<int64_t>& dims, bool unknown_rank, int64_t least, const Where& where) {
  if (unknown_rank && !dims.empty()) return Bad(where(), ": unknown rank with ", dims.size(), " dims");
  if (dims.size() > Shape::kMaxRank) {
    return Bad(where(), ": expected at most ", Shape::kMaxRank, " dims, found ", dims.size());
  }
  for (int64_t d : dims) {
    if (d < least) return Bad(where(), ": expected dims of at least ", least, ", found ", d);
  }
  return OkStatus();
}

class Validator {
 public:
  explicit Validator(const Plan& plan) : plan_(plan) {}

  Status Run() {
    MR_RETURN_IF_ERROR(Exprs());
    MR_RETURN_IF_ERROR(Constants());
    MR_RETURN_IF_ERROR(Resources());
    for (size_t b = 0; b < plan_.blocks.size(); ++b) MR_RETURN_IF_ERROR(CheckBlock(b));
    MR_RETURN_IF_ERROR(Nesting());
    return Signatures();
  }

 private:
  Status Exprs() {
    for (size_t i = 0; i < plan_.exprs.size(); ++i) {
      const DimExpr& e = plan_.exprs[i];
      const auto where = [&] { return Cat("expr ", i); };
      if (e.op > DimOp::kBroadcast) return Bad(where(), ": no operation has the number ", static_cast<int>(e.op));
      if (e.op == DimOp::kConstant) continue;
      if (e.op == DimOp::kSymbol) {
        if (e.value < 0 || static_cast<uint64_t>(e.value) >= plan_.symbols.size()) {
          return Bad(where(), ": expected a number below ", plan_.symbols.size(), " of a symbol, found ", e.value);
        }
        continue;
      }
      MR_RETURN_IF_ERROR(InRange(e.a, i, "an earlier expr", where));
      MR_RETURN_IF_ERROR(InRange(e.b, i, "an earlier expr", where));
    }
    return OkStatus();
  }

  Status Constants() {
    for (size_t i = 0; i < plan_.constants.size(); ++i) {
      const Constant& c = plan_.constants[i];
      const auto where = [&] { return Cat("constant ", i, " '", c.name, "'"); };
      if (!IsValid(c.dtype) || IsRef(c.dtype) || c.dtype == DType::kResource || c.dtype == DType::kVariant) {
        return Bad(where(), ": a constant cannot be ", DTypeName(c.dtype));
      }
      MR_RETURN_IF_ERROR(CheckDims(c.dims, false, 0, where));
      const std::optional<int64_t> n = Shape(c.dims).NumElements();
      if (!n) return Bad(where(), ": too many elements in ", Shape(c.dims).ToString());
      const bool text = c.dtype == DType::kString;
      if (c.strings.size() != (text ? static_cast<uint64_t>(*n) : 0)) {
        return Bad(where(), ": expected ", text ? *n : 0, " strings, found ", c.strings.size());
      }
      uint64_t bytes = 0;
      if (__builtin_mul_overflow(static_cast<uint64_t>(*n), text ? 0 : ElementSize(c.dtype), &bytes) ||
          bytes != c.content.size()) {
        return Bad(where(), ": ", DTypeName(c.dtype), Shape(c.dims).ToString(), " expects ", bytes,
                   " bytes of content, found ", c.content.size());
      }
    }
    return OkStatus();
  }

  Status Resources() {
    for (size_t i = 0; i < plan_.resources.size(); ++i) {
      const Resource& r = plan_.resources[i];
      const auto where = [&] { return Cat("resource ", i, " '", r.name, "'"); };
      if (r.dtype != DType::kInvalid && (!IsValid(r.dtype) || IsRef(r.dtype))) {
        return Bad(where(), ": a resource cannot hold ", DTypeName(r.dtype));
      }
      MR_RETURN_IF_ERROR(CheckDims(r.dims, r.unknown_rank, -1, where));
    }
    return OkStatus();
  }

  // Whether expression `e` is the constant `extent`.
  bool IsConstant(uint32_t e, int64_t extent) const {
    return e < plan_.exprs.size() && plan_.exprs[e].op == DimOp::kConstant && plan_.exprs[e].value == extent;
  }

  Status CheckValue(const Block& block, size_t number, size_t v) const {
    const Value& value = block.values[v];
    const auto where = [&] { return Cat("block ", number, " '", block.name, "', value ", v, " '", value.name, "'"); };
    if (!IsValid(value.dtype)) return Bad(where(), ": no dtype has the number ", static_cast<int32_t>(value.dtype));
    if (value.storage > Storage::kDims) {
      return Bad(where(), ": no storage has the number ", static_cast<int>(value.storage));
    }
    const bool sized =
        value.storage == Storage::kConstant || value.storage == Storage::kSlot || value.storage == Storage::kDims;
    if (value.unknown_rank && (sized || !value.dims.empty())) return Bad(where(), ": the rank cannot be unknown here");
    if (value.dims.size() > Shape::kMaxRank) {
      return Bad(where(), ": expected at most ", Shape::kMaxRank, " dims, found ", value.dims.size());
    }
    for (uint32_t d : value.dims) {
      if (d == kNone && !sized) continue;
      MR_RETURN_IF_ERROR(InRange(d, plan_.exprs.size(), "an expr", where));
    }
    if (value.storage != Storage::kDims && !value.elements.empty()) {
      return Bad(where(), ": ", value.elements.size(), " elements, which only values of storage dims have");
    }
    switch (value.storage) {
      case Storage::kFeed:
        MR_RETURN_IF_ERROR(InRange(value.index, block.arguments.size(), "an argument", where));
        if (block.arguments[value.index] != v) {
          return Bad(where(), ": argument ", value.index, " is value ", block.arguments[value.index]);
        }
        break;
      case Storage::kConstant: {
        MR_RETURN_IF_ERROR(InRange(value.index, plan_.constants.size(), "a constant", where));
        const Constant& c = plan_.constants[value.index];
        if (value.dtype != c.dtype) {
          return Bad(where(), ": constant ", value.index, " is ", DTypeName(c.dtype), ", expected ",
                     DTypeName(value.dtype));
        }
        bool same = value.dims.size() == c.dims.size();
        for (size_t i = 0; same && i < c.dims.size(); ++i) same = IsConstant(value.dims[i], c.dims[i]);
        if (!same) return Bad(where(), ": dims differ from ", Shape(c.dims).ToString(), " of constant ", value.index);
        break;
      }
      case Storage::kSlot:
        MR_RETURN_IF_ERROR(InRange(value.index, block.slots.size(), "a slot", where));
        if (IsObject(value.dtype) || IsRef(value.dtype)) {
          return Bad(where(), ": ", DTypeName(value.dtype), " cannot live in a slot");
        }
        break;
      case Storage::kLate:
        break;
      case Storage::kResource:
        MR_RETURN_IF_ERROR(InRange(value.index, plan_.resources.size(), "a resource", where));
        if (!IsRef(value.dtype) && value.dtype != DType::kResource) {
          return Bad(where(), ": expected a reference or a handle, found ", DTypeName(value.dtype));
        }
        break;
      case Storage::kAlias: {
        MR_RETURN_IF_ERROR(InRange(value.index, block.values.size(), "a value", where));
        const Value& other = block.values[value.index];
        if (IsObject(value.dtype) != IsObject(other.dtype) || IsRef(value.dtype) != IsRef(other.dtype) ||
            ElementSize(value.dtype) != ElementSize(other.dtype)) {
          return Bad(where(), ": ", DTypeName(value.dtype), " cannot share the elements of ", DTypeName(other.dtype));
        }
        break;
      }
      case Storage::kDims:
        if (value.dtype != DType::kInt32 && value.dtype != DType::kInt64) {
          return Bad(where(), ": elements that are dims must be int32 or int64, found ", DTypeName(value.dtype));
        }
        if (value.dims.size() > 1 || (value.dims.empty() && value.elements.size() != 1) ||
            (value.dims.size() == 1 && !IsConstant(value.dims[0], static_cast<int64_t>(value.elements.size())))) {
          return Bad(where(), ": rank ", value.dims.size(), " does not fit ", value.elements.size(), " elements");
        }
        for (uint32_t e : value.elements) MR_RETURN_IF_ERROR(InRange(e, plan_.exprs.size(), "an expr", where));
        break;
    }
    return OkStatus();
  }

  // roots[v]: the value at the end of v's chain of aliases.
  Status FindRoots(const Block& block, size_t number, std::vector<uint32_t>* roots) const {
    roots->assign(block.values.size(), kNone);
    std::vector<uint32_t> chain;
    for (size_t v = 0; v < block.values.size(); ++v) {
      chain.clear();
      auto at = static_cast<uint32_t>(v);
      while ((*roots)[at] == kNone && block.values[at].storage == Storage::kAlias) {
        if (chain.size() > block.values.size()) {
          return Bad("block ", number, " '", block.name, "', value ", v, ": is an alias of itself");
        }
        chain.push_back(at);
        at = block.values[at].index;
      }
      const uint32_t root = (*roots)[at] == kNone ? at : (*roots)[at];
      (*roots)[at] = root;
      for (uint32_t c : chain) (*roots)[c] = root;
    }
    return OkStatus();
  }

  Status CheckStepShape(const Block& block, size_t number, size_t s) const {
    const Step& step = block.steps[s];
    const auto where = [&] { return Cat("block ", number, " '", block.name, "', step ", s, " '", step.node, "'"); };
    const auto count = [&](std::string_view of, size_t found, size_t expected) {
      return found == expected ? OkStatus() : Bad(where(), ": expected ", expected, " ", of, ", found ", found);
    };
    const auto sub = [&](size_t i) -> const Block& { return plan_.blocks[step.blocks[i]]; };
    size_t blocks = 0;
    if (step.kind == StepKind::kIf || step.kind == StepKind::kWhile) blocks = 2;
    if (step.kind == StepKind::kCall) blocks = 1;
    MR_RETURN_IF_ERROR(count("blocks", step.blocks.size(), blocks));
    for (uint32_t b : step.blocks) MR_RETURN_IF_ERROR(InRange(b, plan_.blocks.size(), "a block", where));
    switch (step.kind) {
      case StepKind::kKernel:
        if (step.op.empty()) return Bad(where(), ": expected the name of an op, found none");
        break;
      case StepKind::kIf:
        if (step.inputs.empty() || step.inputs[0] == kNone) return Bad(where(), ": expected a predicate, found none");
        for (size_t i = 0; i < 2; ++i) {
          MR_RETURN_IF_ERROR(count("arguments of the branch", sub(i).arguments.size(), step.inputs.size() - 1));
          MR_RETURN_IF_ERROR(count("results of the branch", sub(i).results.size(), step.outputs.size()));
        }
        break;
      case StepKind::kWhile:
        MR_RETURN_IF_ERROR(count("arguments of the condition", sub(0).arguments.size(), step.inputs.size()));
        MR_RETURN_IF_ERROR(count("results of the condition", sub(0).results.size(), 1));
        MR_RETURN_IF_ERROR(count("arguments of the body", sub(1).arguments.size(), step.inputs.size()));
        MR_RETURN_IF_ERROR(count("results of the body", sub(1).results.size(), step.inputs.size()));
        MR_RETURN_IF_ERROR(count("outputs", step.outputs.size(), step.inputs.size()));
        break;
      case StepKind::kCall:
        MR_RETURN_IF_ERROR(count("arguments of the function", sub(0).arguments.size(), step.inputs.size()));
        MR_RETURN_IF_ERROR(count("results of the function", sub(0).results.size(), step.outputs.size()));
        break;
      case StepKind::kStackPush:
        MR_RETURN_IF_ERROR(count("inputs", step.inputs.size(), 1));
        break;
      case StepKind::kStackPop:
        MR_RETURN_IF_ERROR(count("outputs", step.outputs.size(), 1));
        break;
      case StepKind::kCopy:
        MR_RETURN_IF_ERROR(count("inputs", step.inputs.size(), 1));
        MR_RETURN_IF_ERROR(count("outputs", step.outputs.size(), 1));
        break;
    }
    return OkStatus();
  }

  Status CheckBlock(size_t number) const {
    const Block& block = plan_.blocks[number];
    const auto where = [&] { return Cat("block ", number, " '", block.name, "'"); };
    for (size_t i = 0; i < block.arguments.size(); ++i) {
      MR_RETURN_IF_ERROR(InRange(block.arguments[i], block.values.size(), "a value", where));
      const Value& value = block.values[block.arguments[i]];
      if (value.storage != Storage::kFeed || value.index != i) {
        return Bad(where(), ": argument ", i, " is value ", block.arguments[i], ", which is not that feed");
      }
    }
    for (size_t s = 0; s < block.slots.size(); ++s) {
      MR_RETURN_IF_ERROR(
          InRange(block.slots[s].bytes, plan_.exprs.size(), "an expr", [&] { return Cat(where(), ", slot ", s); }));
    }
    for (size_t v = 0; v < block.values.size(); ++v) MR_RETURN_IF_ERROR(CheckValue(block, number, v));
    std::vector<uint32_t> roots;
    MR_RETURN_IF_ERROR(FindRoots(block, number, &roots));

    // made[v]: whether the elements of v are there when the next step runs.
    std::vector<bool> made(block.values.size());
    for (size_t v = 0; v < block.values.size(); ++v) {
      const Storage storage = block.values[v].storage;
      made[v] = storage != Storage::kSlot && storage != Storage::kLate && storage != Storage::kAlias;
    }
    std::vector<bool> produced(block.values.size());
    const auto is_made = [&](uint32_t v) { return made[v] || made[roots[v]]; };
    for (size_t s = 0; s < block.steps.size(); ++s) {
      const Step& step = block.steps[s];
      const auto at = [&] { return Cat(where(), ", step ", s, " '", step.node, "'"); };
      if (step.kind > StepKind::kCopy) return Bad(at(), ": no kind has the number ", static_cast<int>(step.kind));
      MR_RETURN_IF_ERROR(InRange(step.device, plan_.devices.size(), "a device", at));
      MR_RETURN_IF_ERROR(CheckStepShape(block, number, s));
      for (uint32_t v : step.inputs) {
        if (v == kNone) continue;
        MR_RETURN_IF_ERROR(InRange(v, block.values.size(), "a value", at));
        if (!is_made(v)) return Bad(at(), ": input value ", v, " is not made by an earlier step");
      }
      for (uint32_t p : step.after) MR_RETURN_IF_ERROR(InRange(p, s, "an earlier step", at));
      for (uint32_t v : step.outputs) {
        if (v == kNone) continue;
        MR_RETURN_IF_ERROR(InRange(v, block.values.size(), "a value", at));
        if (produced[v]) return Bad(at(), ": output value ", v, " is made by an earlier step already");
        const Storage root = block.values[roots[v]].storage;
        if (root == Storage::kFeed || root == Storage::kConstant || root == Storage::kDims) {
          return Bad(at(), ": output value ", v, " cannot be written to");
        }
        produced[v] = true;
        made[v] = true;
      }
    }
    for (uint32_t v : block.results) {
      MR_RETURN_IF_ERROR(InRange(v, block.values.size(), "a value", where));
      if (!is_made(v)) return Bad(where(), ": result value ", v, " is not made by any step");
    }
    return OkStatus();
  }

  // Blocks within blocks: no cycle, and no deeper than kMaxNesting.
  Status Nesting() const {
    std::vector<int> height(plan_.blocks.size(), 0);  // 0 not seen, -1 being seen
    struct Frame {
      uint32_t block;
      size_t step = 0, sub = 0;
      int height = 1;
    };
    for (size_t start = 0; start < plan_.blocks.size(); ++start) {
      if (height[start] != 0) continue;
      std::vector<Frame> stack{{static_cast<uint32_t>(start)}};
      height[start] = -1;
      while (!stack.empty()) {
        Frame& top = stack.back();
        const Block& block = plan_.blocks[top.block];
        if (top.step == block.steps.size()) {
          if (top.height > kMaxNesting) {
            return Bad("block ", top.block, " '", block.name, "': blocks are nested deeper than ", kMaxNesting);
          }
          const int done = height[top.block] = top.height;
          stack.pop_back();
          if (!stack.empty()) stack.back().height = std::max(stack.back().height, done + 1);
          continue;
        }
        const std::vector<uint32_t>& subs = block.steps[top.step].blocks;
        if (top.sub == subs.size()) {
          ++top.step;
          top.sub = 0;
          continue;
        }
        const uint32_t next = subs[top.sub++];
        if (height[next] == -1) {
          return Bad("block ", next, " '", plan_.blocks[next].name, "': contains itself");
        }
        if (height[next] > 0) {
          top.height = std::max(top.height, height[next] + 1);
        } else {
          height[next] = -1;
          stack.push_back({next});
        }
      }
    }
    return OkStatus();
  }

  Status Signatures() const {
    std::set<std::string_view> names;
    for (size_t i = 0; i < plan_.signatures.size(); ++i) {
      const Signature& s = plan_.signatures[i];
      const auto where = [&] { return Cat("signature ", i, " '", s.name, "'"); };
      if (!names.insert(s.name).second) return Bad(where(), ": another signature has this name");
      MR_RETURN_IF_ERROR(InRange(s.block, plan_.blocks.size(), "a block", where));
      const Block& block = plan_.blocks[s.block];
      if (s.feeds.size() != block.arguments.size()) {
        return Bad(where(), ": expected ", block.arguments.size(), " feeds, found ", s.feeds.size());
      }
      if (s.fetches.size() != block.results.size()) {
        return Bad(where(), ": expected ", block.results.size(), " fetches, found ", s.fetches.size());
      }
      for (size_t f = 0; f < s.feeds.size(); ++f) {
        const Feed& feed = s.feeds[f];
        const auto at = [&] { return Cat(where(), ", feed ", f, " '", feed.name, "'"); };
        const Value& value = block.values[block.arguments[f]];
        if (feed.dtype != value.dtype) {
          return Bad(at(), ": the block's argument is ", DTypeName(value.dtype), ", found ", DTypeName(feed.dtype));
        }
        MR_RETURN_IF_ERROR(CheckDims(feed.dims, feed.unknown_rank, -1, at));
        if (feed.symbols.size() != feed.dims.size()) {
          return Bad(at(), ": expected ", feed.dims.size(), " symbols, one a dimension, found ", feed.symbols.size());
        }
        if (!feed.unknown_rank && !value.unknown_rank && feed.dims.size() != value.dims.size()) {
          return Bad(at(), ": the block's argument has rank ", value.dims.size(), ", found ", feed.dims.size());
        }
        for (uint32_t symbol : feed.symbols) {
          if (symbol != kNone) MR_RETURN_IF_ERROR(InRange(symbol, plan_.symbols.size(), "a symbol", at));
        }
      }
    }
    return OkStatus();
  }

  const Plan& plan_;
};

}  // namespace

Status Validate(const Plan& plan) { return Validator(plan).Run(); }

}  // namespace millrace::plan
