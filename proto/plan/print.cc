#include "millrace/proto/plan/print.h"

#include <cstring>

#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/strings.h"

namespace millrace::plan {
namespace {

constexpr size_t kShownElements = 8;

std::string Quoted(const std::string& s) { return AttrValue(s).ToString(); }

std::string ElementText(DType dtype, const char* at) {
  const auto as = [at]<typename T>(T v) {
    std::memcpy(&v, at, sizeof(T));
    return v;
  };
  switch (dtype) {
    case DType::kFloat:
      return Cat(as(float{}));
    case DType::kDouble:
      return Cat(as(double{}));
    case DType::kHalf:
      return Cat(static_cast<float>(as(Half())));
    case DType::kBfloat16:
      return Cat(static_cast<float>(as(BFloat16())));
    case DType::kBool:
      return Cat(as(uint8_t{}) != 0);
    case DType::kInt8:
    case DType::kQint8:
      return Cat(int{as(int8_t{})});
    case DType::kUint8:
    case DType::kQuint8:
      return Cat(int{as(uint8_t{})});
    case DType::kInt16:
    case DType::kQint16:
      return Cat(as(int16_t{}));
    case DType::kUint16:
    case DType::kQuint16:
      return Cat(as(uint16_t{}));
    case DType::kInt32:
    case DType::kQint32:
      return Cat(as(int32_t{}));
    case DType::kUint32:
      return Cat(as(uint32_t{}));
    case DType::kInt64:
      return Cat(as(int64_t{}));
    case DType::kUint64:
      return Cat(as(uint64_t{}));
    case DType::kComplex64:
      return Cat(
          "(", as(float{}), ",",
          [&] {
            float f;
            std::memcpy(&f, at + 4, 4);
            return f;
          }(),
          ")");
    case DType::kComplex128:
      return Cat(
          "(", as(double{}), ",",
          [&] {
            double d;
            std::memcpy(&d, at + 8, 8);
            return d;
          }(),
          ")");
    default:
      return "?";
  }
}

class Printer {
 public:
  explicit Printer(const Plan& plan) : plan_(plan) {}

  std::string Run() {
    Line("plan", plan_.user_ops_hash != 0 ? Cat(" user_ops_hash ", plan_.user_ops_hash) : "");
    for (size_t i = 0; i < plan_.devices.size(); ++i) {
      Line("device d", i, " = ", plan_.devices[i].kind, ":", plan_.devices[i].ordinal);
    }
    for (size_t i = 0; i < plan_.symbols.size(); ++i) Line("symbol s", i, " = ", Quoted(plan_.symbols[i].name));
    for (size_t i = 0; i < plan_.exprs.size(); ++i) PrintExpr(i);
    for (size_t i = 0; i < plan_.constants.size(); ++i) PrintConstant(i);
    for (size_t i = 0; i < plan_.resources.size(); ++i) {
      const Resource& r = plan_.resources[i];
      Line("resource r", i, " = ", r.kind, " ", DTypeName(r.dtype), Extents(r.dims, r.unknown_rank), " ",
           Quoted(r.name), r.container.empty() ? "" : " container " + Quoted(r.container));
    }
    for (size_t i = 0; i < plan_.blocks.size(); ++i) PrintBlock(i);
    for (size_t i = 0; i < plan_.signatures.size(); ++i) PrintSignature(plan_.signatures[i]);
    for (size_t i = 0; i < plan_.code.size(); ++i) {
      const Code& c = plan_.code[i];
      Line("code ", i, " = ", c.symbol, " ", c.content.size(), " bytes for ", Quoted(c.features));
    }
    return std::move(out_);
  }

 private:
  template <typename... Parts>
  void Line(const Parts&... parts) {
    out_ += Cat(parts..., "\n");
  }

  // A constant as its number, a symbol as its name, else "e" and the number.
  std::string Expr(uint32_t e) const {
    if (e == kNone) return "?";
    if (e < plan_.exprs.size()) {
      const DimExpr& expr = plan_.exprs[e];
      if (expr.op == DimOp::kConstant) return Cat(expr.value);
      if (expr.op == DimOp::kSymbol && expr.value >= 0 && static_cast<uint64_t>(expr.value) < plan_.symbols.size()) {
        return plan_.symbols[static_cast<size_t>(expr.value)].name;
      }
    }
    return Cat("e", e);
  }
  std::string Exprs(const std::vector<uint32_t>& list) const {
    std::vector<std::string> texts;
    for (uint32_t e : list) texts.push_back(Expr(e));
    return "[" + Join(texts, ",") + "]";
  }
  static std::string Extents(const std::vector<int64_t>& dims, bool unknown_rank) {
    return unknown_rank ? "[*]" : Shape(dims).ToString();
  }
  static std::string Values(const std::vector<uint32_t>& list) {
    std::vector<std::string> texts;
    for (uint32_t v : list) texts.push_back(v == kNone ? "_" : Cat("v", v));
    return "(" + Join(texts, ", ") + ")";
  }

  // Constants and symbols are not listed: they show where they are used.
  void PrintExpr(size_t i) {
    const DimExpr& e = plan_.exprs[i];
    static constexpr std::string_view kNames[] = {"constant", "symbol", "add", "sub", "mul",      "floordiv",
                                                  "ceildiv",  "mod",    "max", "min", "broadcast"};
    if (e.op <= DimOp::kSymbol) return;
    const std::string_view name = e.op <= DimOp::kBroadcast ? kNames[static_cast<size_t>(e.op)] : "?";
    Line("expr e", i, " = ", name, "(", Expr(e.a), ", ", Expr(e.b), ")");
  }

  void PrintConstant(size_t i) {
    const Constant& c = plan_.constants[i];
    std::vector<std::string> texts;
    const size_t size = ElementSize(c.dtype);
    const size_t n = size == 0 ? c.strings.size() : c.content.size() / size;
    for (size_t k = 0; k < n && k < kShownElements; ++k) {
      texts.push_back(size == 0 ? Quoted(c.strings[k]) : ElementText(c.dtype, c.content.data() + k * size));
    }
    if (n > kShownElements) texts.push_back(Cat("... ", n, " in all"));
    Line("constant c", i, " = ", DTypeName(c.dtype), Extents(c.dims, false), " ", Quoted(c.name), " {",
         Join(texts, ", "), "}");
  }

  std::string Place(const Value& v) const {
    switch (v.storage) {
      case Storage::kFeed:
        return Cat("feed ", v.index);
      case Storage::kConstant:
        return Cat("constant c", v.index);
      case Storage::kSlot:
        return Cat("slot m", v.index);
      case Storage::kLate:
        return "late";
      case Storage::kResource:
        return Cat("resource r", v.index);
      case Storage::kAlias:
        return Cat("alias v", v.index);
      case Storage::kDims:
        return "dims " + Exprs(v.elements);
    }
    return "?";
  }

  void PrintBlock(size_t i) {
    const Block& b = plan_.blocks[i];
    Line("block ", i, " ", Quoted(b.name), " ", Values(b.arguments), " -> ", Values(b.results), ":");
    for (size_t s = 0; s < b.slots.size(); ++s) Line("  slot m", s, " = ", Expr(b.slots[s].bytes), " bytes");
    for (size_t v = 0; v < b.values.size(); ++v) {
      const Value& value = b.values[v];
      Line("  v", v, " = ", DTypeName(value.dtype), value.unknown_rank ? "[*]" : Exprs(value.dims), " ", Place(value),
           " ", Quoted(value.name));
    }
    for (size_t s = 0; s < b.steps.size(); ++s) PrintStep(s, b.steps[s]);
  }

  void PrintStep(size_t i, const Step& s) {
    static constexpr std::string_view kKinds[] = {"", "if ", "while ", "call ", "push ", "pop ", "copy "};
    std::string text = Cat("  ", i, ": ", s.kind <= StepKind::kCopy ? kKinds[static_cast<size_t>(s.kind)] : "? ");
    text += s.op;
    if (!s.op.empty()) text += ' ';
    text += Cat(Quoted(s.node), " ", Values(s.inputs), " -> ", Values(s.outputs), " on d", s.device);
    if (!s.blocks.empty()) text += Cat(" blocks [", Join(s.blocks, ", "), "]");
    if (!s.attrs.empty()) {
      std::vector<std::string> attrs;
      for (const auto& [name, value] : s.attrs) attrs.push_back(name + "=" + value.ToString());
      text += " {" + Join(attrs, ", ") + "}";
    }
    if (!s.after.empty()) text += Cat(" after [", Join(s.after, ", "), "]");
    if (!s.fused_nodes.empty()) text += " fused [" + Join(s.fused_nodes, ", ") + "]";
    Line(text);
  }

  void PrintSignature(const Signature& s) {
    Line("signature ", Quoted(s.name), " block ", s.block, ":");
    for (size_t i = 0; i < s.feeds.size(); ++i) {
      const Feed& f = s.feeds[i];
      std::vector<std::string> dims;
      for (size_t d = 0; d < f.dims.size(); ++d) {
        std::string text = f.dims[d] < 0 ? "?" : Cat(f.dims[d]);
        if (d < f.symbols.size() && f.symbols[d] != kNone) {
          text +=
              f.symbols[d] < plan_.symbols.size() ? ":" + plan_.symbols[f.symbols[d]].name : Cat(":s", f.symbols[d]);
        }
        dims.push_back(std::move(text));
      }
      Line("  feed ", i, " ", DTypeName(f.dtype), f.unknown_rank ? "[*]" : "[" + Join(dims, ",") + "]", " ",
           Quoted(f.name));
    }
    for (size_t i = 0; i < s.fetches.size(); ++i) Line("  fetch ", i, " ", Quoted(s.fetches[i]));
    for (const std::string& target : s.targets) Line("  target ", Quoted(target));
  }

  const Plan& plan_;
  std::string out_;
};

}  // namespace

std::string Print(const Plan& plan) { return Printer(plan).Run(); }

}  // namespace millrace::plan
