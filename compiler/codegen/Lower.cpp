#include "millrace/compiler/codegen/Lower.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

#include "llvm/ADT/DenseMap.h"

#include <algorithm>
#include <map>

using namespace mlir;

namespace millrace::codegen {
namespace {

// Vectors that a block between two cuts has at most, and what its buffers may take
// of the stack.
constexpr int64_t kBlockVectors = 32;
constexpr int64_t kBufferBytes = 24 << 10;
// Arguments of a segment that stay in registers while it runs: pointers and steps. More
// are read where they are wanted, because spilling what lives through all loops is most
// of what LLVM would do.
constexpr size_t kHeldArguments = 12;
// Instructions of a segment's pieces that are one function at most: LLVM's time grows
// faster than a function with many loops does.
constexpr size_t kFunction = 1000;

/// Writes one segment. Values of the tape become vectors; constants and inputs are
/// made again in each piece, other values that a later piece reads go through
/// buffers on the stack. All stores are in the last piece: an output may lie where
/// an input does. Pieces are loops of one function, or of several that it calls.
class SegmentWriter {
public:
  SegmentWriter(OpBuilder &b, const SegmentTape &segment, int lanes)
      : b(b), loc(b.getUnknownLoc()), tape(segment.tape), lanes(lanes),
        ptr(LLVM::LLVMPointerType::get(b.getContext())) {
    pieces.push_back(0);
    for (uint32_t cut : segment.cuts)
      if (cut > pieces.back() && cut < tape.code.size())
        pieces.push_back(cut);
    pieces.push_back(tape.code.size());
  }

  void write(ModuleOp module, const std::string &name);

private:
  using Values = llvm::DenseMap<uint32_t, Value>;
  // A value that waits for later pieces: the first that makes it, the last that
  // reads it, and where it lies in a vector's share of the buffers.
  struct Waiting {
    size_t made, read;
    int64_t slot = 0;
  };

  Type scalar(TapeType type) {
    switch (type) {
    case TapeType::kBool:
      return b.getI1Type();
    case TapeType::kF16:
      return b.getF16Type();
    case TapeType::kF32:
      return b.getF32Type();
    case TapeType::kF64:
      return b.getF64Type();
    default:
      return b.getIntegerType(TapeTypeBytes(type) * 8);
    }
  }
  VectorType vec(TapeType type) { return VectorType::get({lanes}, scalar(type)); }
  // The form in which a value waits in a buffer.
  TapeType buffered(TapeType type) { return type == TapeType::kBool ? TapeType::kI8 : type; }

  Value index(int64_t v) { return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(v)); }
  Value splat(TapeType type, uint64_t bits);
  template <class Op, class... A> Value make(A &&...a) {
    return Op::create(b, loc, std::forward<A>(a)...).getResult();
  }
  // What a SegmentFn is given: element `i` of an array of pointers or steps.
  enum Argument { kIn, kSteps, kOut };
  Value argument(Argument array, size_t i) {
    return arguments[array].empty() ? readArgument(array, i) : arguments[array][i];
  }
  Value readArgument(Argument array, size_t i) {
    const Type type = array == kSteps ? Type(b.getI64Type()) : ptr;
    Value at = LLVM::GEPOp::create(b, loc, ptr, type, entry->getArgument(array),
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    return LLVM::LoadOp::create(b, loc, type, at, 8);
  }
  Value address(Value base, TapeType type, Value element) {
    return LLVM::GEPOp::create(b, loc, ptr, scalar(type), base, ArrayRef<LLVM::GEPArg>{element});
  }
  Value load(Value address, TapeType type) {
    return LLVM::LoadOp::create(b, loc, vec(type), address, TapeTypeBytes(type));
  }
  void store(Value value, Value address, TapeType type) {
    LLVM::StoreOp::create(b, loc, value, address, TapeTypeBytes(type));
  }

  Value compare(const TapeInstruction &i, Value x, Value y);
  Value convert(const TapeInstruction &i, Value x);
  Value compute(const TapeInstruction &i, const Values &v);
  // Instructions [begin, end), with what they need from `fetch`.
  void writeRange(size_t begin, size_t end, Values &v, function_ref<Value(uint32_t)> fetch);
  // Made again where it is wanted.
  bool remade(uint32_t value) const {
    return tape.code[value].op == TapeOp::kInput || tape.code[value].op == TapeOp::kConstant;
  }
  // The piece that makes a value. Cuts lie between ops, so never in a region.
  size_t pieceOf(uint32_t value) const {
    return static_cast<size_t>(std::upper_bound(pieces.begin(), pieces.end(), value) -
                               pieces.begin()) -
           1;
  }
  size_t count() const { return pieces.size() - 1; }
  void placeWaiting();
  Value buffer(uint32_t value, Value local);

  // Starts a function: pointers and steps, and what follows `outs`.
  func::FuncOp beginFunction(ModuleOp module, const std::string &name, ArrayRef<Type> more);
  // The pieces [first, last) for vectors [0, many), of which the first is vector
  // `base` of all.
  void writePieces(size_t first, size_t last, Value base, Value many);
  void writeLoop(size_t piece, Value base, Value many);

  OpBuilder &b;
  Location loc;
  const Tape &tape;
  const int lanes;
  Type ptr;
  std::vector<size_t> pieces;
  std::map<uint32_t, Waiting> waiting;
  int64_t slotBytes = 0; // of one vector of all buffers
  int64_t block = kBlockVectors;

  // Of the function that is being written.
  Block *entry = nullptr;
  std::map<std::pair<TapeType, uint64_t>, Value> constants;
  std::vector<Value> arguments[3]; // where there are few
  Value buffers;
};

Value SegmentWriter::splat(TapeType type, uint64_t bits) {
  Value &value = constants[{type, bits}];
  if (value)
    return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  Attribute attribute;
  if (type == TapeType::kF32)
    attribute = b.getFloatAttr(b.getF32Type(), APFloat(APFloat::IEEEsingle(), APInt(32, bits)));
  else if (type == TapeType::kF64)
    attribute = b.getFloatAttr(b.getF64Type(), APFloat(APFloat::IEEEdouble(), APInt(64, bits)));
  else if (type == TapeType::kF16)
    attribute =
        b.getFloatAttr(b.getF16Type(), APFloat(APFloat::IEEEhalf(), APInt(16, bits & 0xffff)));
  else {
    const unsigned width = type == TapeType::kBool ? 1 : TapeTypeBytes(type) * 8;
    attribute = b.getIntegerAttr(scalar(type), APInt(width, bits, false, /*implicitTrunc=*/true));
  }
  return value = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vec(type), attribute));
}

Value SegmentWriter::compare(const TapeInstruction &i, Value x, Value y) {
  const TapeType type = tape.code[i.a].type;
  const int which = static_cast<int>(i.op) - static_cast<int>(TapeOp::kLess);
  if (IsFloatingTape(type)) {
    using P = arith::CmpFPredicate;
    constexpr P predicates[] = {P::OLT, P::OLE, P::OGT, P::OGE, P::OEQ, P::UNE};
    return make<arith::CmpFOp>(predicates[which], x, y);
  }
  using P = arith::CmpIPredicate;
  constexpr P ofSigned[] = {P::slt, P::sle, P::sgt, P::sge, P::eq, P::ne};
  constexpr P ofUnsigned[] = {P::ult, P::ule, P::ugt, P::uge, P::eq, P::ne};
  return make<arith::CmpIOp>(IsSignedTape(type) ? ofSigned[which] : ofUnsigned[which], x, y);
}

Value SegmentWriter::convert(const TapeInstruction &i, Value x) {
  const TapeType from = tape.code[i.a].type, to = i.type;
  const int narrow = TapeTypeBytes(from), wide = TapeTypeBytes(to);
  if (IsFloatingTape(from) && IsFloatingTape(to)) {
    if (narrow == wide)
      return x;
    return narrow < wide ? make<arith::ExtFOp>(vec(to), x) : make<arith::TruncFOp>(vec(to), x);
  }
  if (IsFloatingTape(from))
    return IsSignedTape(to) ? make<arith::FPToSIOp>(vec(to), x) : make<arith::FPToUIOp>(vec(to), x);
  if (IsFloatingTape(to))
    return IsSignedTape(from) ? make<arith::SIToFPOp>(vec(to), x)
                              : make<arith::UIToFPOp>(vec(to), x);
  if (narrow == wide)
    return x;
  if (narrow > wide)
    return make<arith::TruncIOp>(vec(to), x);
  return IsSignedTape(from) ? make<arith::ExtSIOp>(vec(to), x) : make<arith::ExtUIOp>(vec(to), x);
}

// Nothing here has a fast-math flag: every rounding is the tape's.
Value SegmentWriter::compute(const TapeInstruction &i, const Values &v) {
  const int arity = TapeArity(i.op);
  Value x = arity > 0 ? v.at(i.a) : Value(), y = arity > 1 ? v.at(i.b) : Value(),
        z = arity > 2 ? v.at(i.c) : Value();
  const bool floating = IsFloatingTape(i.type);
  switch (i.op) {
  case TapeOp::kAdd:
    return floating ? make<arith::AddFOp>(x, y) : make<arith::AddIOp>(x, y);
  case TapeOp::kSub:
    return floating ? make<arith::SubFOp>(x, y) : make<arith::SubIOp>(x, y);
  case TapeOp::kMul:
    return floating ? make<arith::MulFOp>(x, y) : make<arith::MulIOp>(x, y);
  case TapeOp::kDiv:
    return make<arith::DivFOp>(x, y);
  case TapeOp::kNeg:
    return make<arith::NegFOp>(x);
  case TapeOp::kAnd:
    return make<arith::AndIOp>(x, y);
  case TapeOp::kOr:
    return make<arith::OrIOp>(x, y);
  case TapeOp::kXor:
    return make<arith::XOrIOp>(x, y);
  case TapeOp::kNot:
    return make<arith::XOrIOp>(x, splat(i.type, ~uint64_t(0)));
  case TapeOp::kShiftLeft:
    return make<arith::ShLIOp>(x, y);
  case TapeOp::kShiftRight:
    return IsSignedTape(i.type) ? make<arith::ShRSIOp>(x, y) : make<arith::ShRUIOp>(x, y);
  case TapeOp::kLess:
  case TapeOp::kLessEqual:
  case TapeOp::kGreater:
  case TapeOp::kGreaterEqual:
  case TapeOp::kEqual:
  case TapeOp::kNotEqual:
    return compare(i, x, y);
  case TapeOp::kSelect:
    return make<arith::SelectOp>(x, y, z);
  case TapeOp::kBits:
    return x.getType() == vec(i.type) ? x : make<arith::BitcastOp>(vec(i.type), x);
  case TapeOp::kConvert:
    return convert(i, x);
  case TapeOp::kTruth:
    return make<arith::ExtUIOp>(vec(i.type), x);
  case TapeOp::kAbs:
    return make<math::AbsFOp>(x);
  case TapeOp::kFloor:
    return make<math::FloorOp>(x);
  case TapeOp::kCeil:
    return make<math::CeilOp>(x);
  case TapeOp::kTrunc:
    return make<math::TruncOp>(x);
  case TapeOp::kRint:
    return make<math::RoundEvenOp>(x);
  case TapeOp::kSqrt:
    return make<math::SqrtOp>(x);
  case TapeOp::kCanonical:
    return LLVM::CallIntrinsicOp::create(b, loc, vec(i.type), b.getStringAttr("llvm.canonicalize"),
                                         ValueRange{x})
        .getResult(0);
  case TapeOp::kMin: // one instruction each
    return make<arith::SelectOp>(make<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, y), x, y);
  case TapeOp::kMax:
    return make<arith::SelectOp>(make<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, y), x, y);
  case TapeOp::kFma:
    return make<math::FmaOp>(x, y, z);
  default:
    return {};
  }
}

void SegmentWriter::writeRange(size_t begin, size_t end, Values &v,
                               function_ref<Value(uint32_t)> fetch) {
  for (size_t at = begin; at < end; ++at) {
    const TapeInstruction &i = tape.code[at];
    if (i.op == TapeOp::kConstant || i.op == TapeOp::kInput)
      continue; // where they are wanted
    const uint32_t operands[] = {i.a, i.b, i.c};
    const auto need = [&](uint32_t value) {
      if (!v[value])
        v[value] = fetch(value);
    };
    if (i.op != TapeOp::kRare) {
      for (int j = 0; j < TapeArity(i.op); ++j)
        need(operands[j]);
      v[at] = compute(i, v);
      continue;
    }
    // A region. What it needs from outside is fetched before it, for all; then its
    // instructions only run where a lane asks.
    const size_t last = at + 1 + i.immediate;
    const TapeInstruction &close = tape.code[last];
    need(i.a);
    need(close.c);
    for (size_t k = at + 1; k < last; ++k) {
      const TapeInstruction &inner = tape.code[k];
      if (inner.op == TapeOp::kInput || inner.op == TapeOp::kConstant)
        need(k);
      const uint32_t of[] = {inner.a, inner.b, inner.c};
      for (int j = 0; j < TapeArity(inner.op); ++j)
        if (of[j] <= at || remade(of[j]))
          need(of[j]);
    }
    if (close.b <= at || remade(close.b))
      need(close.b);
    Value any = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, v[i.a]);
    auto branch = scf::IfOp::create(b, loc, TypeRange{vec(close.type)}, any, /*withElse=*/true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      writeRange(at + 1, last, v, fetch);
      Value chosen = make<arith::SelectOp>(v[i.a], v[close.b], v[close.c]);
      scf::YieldOp::create(b, loc, chosen);
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, v[close.c]);
    }
    v[last] = branch.getResult(0);
    at = last;
  }
}

// Values whose pieces are apart share a buffer: an iteration reads before it writes.
void SegmentWriter::placeWaiting() {
  if (count() == 1)
    return;
  const auto reads = [&](uint32_t value, size_t piece) {
    if (remade(value) || pieceOf(value) == piece)
      return;
    Waiting &held = waiting.try_emplace(value, Waiting{pieceOf(value), piece}).first->second;
    held.read = std::max(held.read, piece);
  };
  for (size_t at = 0, piece = 0; at < tape.code.size(); ++at) {
    while (pieces[piece + 1] <= at)
      ++piece;
    const TapeInstruction &i = tape.code[at];
    const uint32_t operands[] = {i.a, i.b, i.c};
    for (int j = 0; j < TapeArity(i.op); ++j)
      reads(operands[j], piece);
  }
  for (const Tape::Output &o : tape.outputs)
    reads(o.value, count() - 1);

  std::map<int, std::vector<int64_t>> free; // slots by their elements' size
  std::multimap<size_t, std::pair<int, int64_t>> ends;
  for (auto &[value, held] : waiting) { // in the order in which they are made
    while (!ends.empty() && ends.begin()->first <= held.made) {
      free[ends.begin()->second.first].push_back(ends.begin()->second.second);
      ends.erase(ends.begin());
    }
    const int size = TapeTypeBytes(buffered(tape.code[value].type));
    std::vector<int64_t> &fits = free[size];
    if (fits.empty()) {
      fits.push_back(slotBytes);
      slotBytes += size * lanes;
    }
    held.slot = fits.back();
    fits.pop_back();
    ends.insert({held.read, {size, held.slot}});
  }
  if (slotBytes > 0)
    block = std::clamp<int64_t>(kBufferBytes / slotBytes, 1, kBlockVectors);
}

// Where the vector `local` of a block waits: each slot holds a block.
Value SegmentWriter::buffer(uint32_t value, Value local) {
  const TapeType form = buffered(tape.code[value].type);
  Value start = LLVM::GEPOp::create(
      b, loc, ptr, b.getI8Type(), buffers,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(waiting.at(value).slot * block)});
  return address(start, form, make<arith::MulIOp>(local, index(lanes)));
}

func::FuncOp SegmentWriter::beginFunction(ModuleOp module, const std::string &name,
                                          ArrayRef<Type> more) {
  llvm::SmallVector<Type> types = {ptr, ptr, ptr};
  types.append(more.begin(), more.end());
  b.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  constants.clear();
  const size_t inputs = tape.inputs.size(), outputs = tape.outputs.size();
  const bool few = 2 * inputs + outputs <= kHeldArguments;
  for (const auto [array, size] : {std::pair(kIn, inputs), {kSteps, inputs}, {kOut, outputs}}) {
    arguments[array].clear();
    for (size_t i = 0; few && i < size; ++i)
      arguments[array].push_back(readArgument(array, i));
  }
  return function;
}

void SegmentWriter::writeLoop(size_t piece, Value base, Value many) {
  auto loop = scf::ForOp::create(b, loc, index(0), many, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value local = loop.getInductionVar();
  Value global = base ? make<arith::AddIOp>(base, local) : local;
  Values v;
  const auto fetch = [&](uint32_t value) -> Value {
    const TapeInstruction &i = tape.code[value];
    if (i.op == TapeOp::kConstant)
      return splat(i.type, i.immediate);
    if (i.op == TapeOp::kInput)
      return load(address(argument(kIn, i.immediate), i.type,
                          make<arith::MulIOp>(global, argument(kSteps, i.immediate))),
                  i.type);
    const TapeType form = buffered(i.type);
    Value held = load(buffer(value, local), form);
    return form == i.type ? held
                          : make<arith::CmpIOp>(arith::CmpIPredicate::ne, held, splat(form, 0));
  };
  writeRange(pieces[piece], pieces[piece + 1], v, fetch);
  for (auto it = waiting.lower_bound(pieces[piece]);
       it != waiting.end() && it->first < pieces[piece + 1]; ++it) {
    const uint32_t value = it->first;
    const TapeType type = tape.code[value].type, form = buffered(type);
    Value held = form == type ? v[value] : make<arith::ExtUIOp>(vec(form), v[value]);
    store(held, buffer(value, local), form);
  }
  if (piece + 1 < count())
    return;
  // All loads come before the first store.
  for (const Tape::Output &o : tape.outputs)
    if (!v[o.value])
      v[o.value] = fetch(o.value);
  Value offset = make<arith::MulIOp>(global, index(lanes));
  for (size_t i = 0; i < tape.outputs.size(); ++i)
    store(v[tape.outputs[i].value], address(argument(kOut, i), tape.outputs[i].type, offset),
          tape.outputs[i].type);
}

void SegmentWriter::writePieces(size_t first, size_t last, Value base, Value many) {
  for (size_t piece = first; piece < last; ++piece)
    writeLoop(piece, base, many);
}

void SegmentWriter::write(ModuleOp module, const std::string &name) {
  OpBuilder::InsertionGuard guard(b);
  placeWaiting();
  // Runs of pieces that become a function each.
  std::vector<size_t> parts = {0};
  for (size_t piece = 1; piece < count(); ++piece)
    if (pieces[piece + 1] - pieces[parts.back()] > kFunction)
      parts.push_back(piece);
  parts.push_back(count());
  const Type i64 = b.getI64Type();
  std::vector<func::FuncOp> functions;
  for (size_t part = 0; parts.size() > 2 && part + 1 < parts.size(); ++part) {
    functions.push_back(beginFunction(module, name + "_" + std::to_string(part), {ptr, i64, i64}));
    // Nobody else calls it.
    functions.back()->setAttr("llvm.linkage",
                              LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
    buffers = entry->getArgument(3);
    writePieces(parts[part], parts[part + 1], entry->getArgument(4), entry->getArgument(5));
    func::ReturnOp::create(b, loc);
  }
  beginFunction(module, name, {i64});
  Value vectors = entry->getArgument(3);
  if (count() == 1) {
    writeLoop(0, {}, vectors);
  } else {
    if (slotBytes > 0)
      buffers = LLVM::AllocaOp::create(b, loc, ptr, b.getI8Type(), index(slotBytes * block), 64);
    else
      buffers = LLVM::ZeroOp::create(b, loc, ptr);
    Value size = index(block);
    auto outer = scf::ForOp::create(b, loc, index(0), vectors, size);
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(outer.getBody());
    Value base = outer.getInductionVar();
    Value many = make<arith::MinSIOp>(size, make<arith::SubIOp>(vectors, base));
    if (functions.empty())
      writePieces(0, count(), base, many);
    for (func::FuncOp function : functions)
      func::CallOp::create(b, loc, function,
                           ValueRange{entry->getArgument(0), entry->getArgument(1),
                                      entry->getArgument(2), buffers, base, many});
  }
  b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(b, loc);
}

} // namespace

int lanesOf(const Tape &tape, Isa isa) {
  int widest = 1;
  for (TapeType type : tape.inputs)
    widest = std::max(widest, TapeTypeBytes(type));
  for (const TapeInstruction &i : tape.code)
    if (i.type != TapeType::kF64 && i.type != TapeType::kI64 && i.type != TapeType::kU64)
      widest = std::max(widest, TapeTypeBytes(i.type));
  for (const Tape::Output &o : tape.outputs)
    widest = std::max(widest, TapeTypeBytes(o.type));
  return (isa == Isa::kAvx512 ? 64 : 32) / widest;
}

OwningOpRef<ModuleOp> lowerSegments(MLIRContext &context, std::span<const SegmentTape> segments,
                                    Isa isa) {
  OpBuilder b(&context);
  OwningOpRef<ModuleOp> module(ModuleOp::create(b.getUnknownLoc()));
  for (const SegmentTape &segment : segments) {
    SegmentWriter writer(b, segment, lanesOf(segment.tape, isa));
    writer.write(*module, "segment_" + std::to_string(segment.segment));
  }
  return module;
}

} // namespace millrace::codegen
