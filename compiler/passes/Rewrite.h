// What the passes share that replace operations by better ones: one walk with
// patterns by the op's name, new operations with whole attributes, and questions
// about constants and shapes.
#pragma once

#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <optional>

namespace millrace::compiler {

// Patterns by op. A pattern looks at an operation that is replaceable (no effects,
// waits for nothing) and answers the value that stands for its first data result:
// an older value, the result of new operations before it, the result itself where
// it changed the operation in place, or null where there is nothing to do.
class Rewriter {
public:
  using Pattern = std::function<mlir::Value(mlir::Operation *)>;

  void add(llvm::ArrayRef<llvm::StringRef> ops, Pattern pattern);
  // Called with operations that go.
  void onErase(std::function<void(mlir::Operation *)> f) { erased = std::move(f); }
  // One walk in order. An operation that a pattern made or changed is looked at
  // again, a bounded number of times. Operations with more than one data result
  // are left alone. What nobody uses any more goes, operands that it alone used
  // are left to dce.
  void run(mlir::ModuleOp module);

private:
  void apply(mlir::Operation *op, int depth);

  llvm::StringMap<llvm::SmallVector<Pattern, 2>> patterns;
  std::function<void(mlir::Operation *)> erased;
};

// graph.<op> before `before`; attributes of its signature that are not given have
// their defaults, and the type attribute `T`, where it is missing, is the element
// type of the first operand. Null where the registry lacks the op or an attribute
// without a default is missing.
mlir::Operation *createOp(mlir::Operation *before, mlir::Location loc, llvm::StringRef op,
                          mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attrs,
                          mlir::TypeRange results);
// A constant of int32 or int64, of any dims; null where int32 cannot hold a value.
mlir::Value createIntegers(mlir::Operation *before, mlir::Location loc, DType dtype,
                           llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> dims);
// A vector of int32.
mlir::Value createIntegers(mlir::Operation *before, mlir::Location loc,
                           llvm::ArrayRef<int64_t> values);
// graph.dims: integers of `type` that the feeds decide.
mlir::Value createDims(mlir::Operation *before, mlir::Location loc, DimsAttr elements,
                       mlir::Type type);
// Transpose(x, perm), its shape that of `x`.
mlir::Value createTranspose(mlir::Operation *before, mlir::Location loc, mlir::Value x,
                            llvm::ArrayRef<int64_t> perm);
// `v` under `type`, whose elements are as many: `v` itself, or a graph.alias, of
// the tensor behind `v` where `v` is an alias.
mlir::Value createAlias(mlir::Operation *before, mlir::Location loc, mlir::Value v,
                        mlir::Type type);
// The same shape with another element type.
mlir::Type withElement(mlir::Type shape, mlir::Type element);

// What an operation leaves as it is: its operands (Identity and its like: each result
// is the operand of that number) or the elements of the first under other dims
// (Reshape and its like).
enum class Keeps { kNothing, kValues, kElements };
Keeps keepsOf(mlir::Operation *op);

// Every extent is a number or an expression over the feeds.
bool sizeIsKnown(mlir::Type type);
// Equal shapes in every run: equal types, and no extent that comes late.
bool sameKnownShape(mlir::Type a, mlir::Type b);
// Elements of a constant int32 or int64 tensor of 4096 elements at most.
std::optional<llvm::SmallVector<int64_t, 4>> integersOf(mlir::Value v);
// The constant whose elements are all the same, of at most 64 elements; null
// where `v` is something else.
mlir::DenseElementsAttr splatOf(mlir::Value v);
// A splat of that number. -0 is not 0.
bool isSplat(mlir::Value v, double number);
// Rank 0, or 1 along every axis, and no more axes than `other`: `other` keeps its
// shape when the two meet in a broadcast.
bool broadcastsInto(mlir::Type small, mlir::Type other);
// Of a float type of any width; of an integer type (no bool, nothing quantised).
bool isFloat(mlir::Value v);
bool isInteger(mlir::Value v);

// The permutation of a Transpose; nothing where `op` is no Transpose or it is not
// known.
std::optional<llvm::SmallVector<int64_t, 4>> permOf(mlir::Operation *op);
// dims[perm[i]], and the permutation that undoes `perm`.
llvm::SmallVector<int64_t, 4> permuted(llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> perm);
llvm::SmallVector<int64_t, 4> inverseOf(llvm::ArrayRef<int64_t> perm);

// The operation named `op` behind `v`, if it is replaceable; else null.
mlir::Operation *definedBy(mlir::Value v, llvm::StringRef op);

} // namespace millrace::compiler
