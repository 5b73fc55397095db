// The table of dimension expressions as an attribute of the module: entry k is
// what dk stands for, "x.0" for a symbol, "d0 * 2" for arithmetic.
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/proto/value/strings.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

struct Word {
  plan::DimOp op;
  llvm::StringLiteral text;
};
constexpr Word kWords[] = {
    {plan::DimOp::kAdd, "+"},
    {plan::DimOp::kSub, "-"},
    {plan::DimOp::kMul, "*"},
    {plan::DimOp::kFloorDiv, "floordiv"},
    {plan::DimOp::kCeilDiv, "ceildiv"},
    {plan::DimOp::kMod, "mod"},
    {plan::DimOp::kMax, "max"},
    {plan::DimOp::kMin, "min"},
    {plan::DimOp::kBroadcast, "broadcast"},
};

Dim apply(DimTable &t, plan::DimOp op, Dim a, Dim b) {
  switch (op) {
  case plan::DimOp::kAdd:
    return t.Add(a, b);
  case plan::DimOp::kSub:
    return t.Sub(a, b);
  case plan::DimOp::kMul:
    return t.Mul(a, b);
  case plan::DimOp::kFloorDiv:
    return t.FloorDiv(a, b);
  case plan::DimOp::kCeilDiv:
    return t.CeilDiv(a, b);
  case plan::DimOp::kMod:
    return t.Mod(a, b);
  case plan::DimOp::kMax:
    return t.Max(a, b);
  case plan::DimOp::kMin:
    return t.Min(a, b);
  default:
    return t.Broadcast(a, b);
  }
}

} // namespace

void writeDims(Operation *module) {
  const DimTable &table = stateOf(module).dims;
  MLIRContext *c = module->getContext();
  SmallVector<Attribute> entries;
  for (const plan::DimExpr &e : table.exprs()) {
    std::string text;
    if (e.op == plan::DimOp::kConstant)
      text = Cat(e.value);
    else if (e.op == plan::DimOp::kSymbol)
      text = Cat("'", table.symbols()[static_cast<size_t>(e.value)], "'");
    else
      for (const Word &w : kWords)
        if (w.op == e.op)
          text = Cat("d", e.a, " ", std::string_view(w.text), " d", e.b);
    entries.push_back(StringAttr::get(c, text));
  }
  if (entries.empty())
    module->removeAttr("graph.dims");
  else
    module->setAttr("graph.dims", ArrayAttr::get(c, entries));
}

LogicalResult readDims(Operation *module) {
  auto entries = module->getAttrOfType<ArrayAttr>("graph.dims");
  if (!entries)
    return success();
  DimTable &table = stateOf(module).dims;
  SmallVector<Dim> read;
  for (Attribute entry : entries) {
    auto text = llvm::dyn_cast<StringAttr>(entry);
    llvm::StringRef s = text ? text.getValue() : "";
    const auto bad = [&] {
      return module->emitError() << "entry " << read.size()
                                 << " of graph.dims: expected a number, a 'symbol' or "
                                 << "an operation on earlier entries such as \"d0 * d1\", found \""
                                 << s << "\"";
    };
    int64_t number = 0;
    if (!s.getAsInteger(10, number)) {
      // A number takes a place in the table only as an operand of what follows.
      SymElement e = SymElement::Number(number);
      read.push_back(e.dim());
      if (number < 0)
        return bad();
      continue;
    }
    if (s.size() > 2 && s.starts_with("'") && s.ends_with("'")) {
      read.push_back(table.Symbol(s.drop_front().drop_back().str()));
    } else {
      SmallVector<llvm::StringRef, 3> parts;
      s.split(parts, ' ');
      uint32_t a = 0, b = 0;
      const Word *word = nullptr;
      if (parts.size() == 3)
        for (const Word &w : kWords)
          if (w.text == parts[1])
            word = &w;
      if (!word || !parts[0].consume_front("d") || parts[0].getAsInteger(10, a) ||
          !parts[2].consume_front("d") || parts[2].getAsInteger(10, b) || a >= read.size() ||
          b >= read.size())
        return bad();
      read.push_back(apply(table, word->op, read[a], read[b]));
    }
    // Types refer to entries by number: the table must give the same ones.
    if (!read.back().symbolic() || read.back().expr() != read.size() - 1)
      return bad() << ", which is not in its simplest form";
  }
  return success();
}

} // namespace millrace::compiler
