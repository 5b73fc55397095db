// What single operations can be in a cluster, and how shapes relate to the space
// of one. Shared by the files of fuse-clusters.
#pragma once

#include "millrace/compiler/dialect/Graph.h"

namespace millrace::compiler {

struct Role {
  enum class Kind : uint8_t {
    kOutside,
    kElementwise, // one instruction, or a chain of them (AddN)
    kReduce,      // the last axes, to one value for each row
    kColumns,     // the first axes, to one row; nothing of the cluster reads it
    kRowFunction,
    kAlias, // no instruction: the same values, where both shapes are those of rows
  };
  Kind kind = Kind::kOutside;
  int rowRank = 0;           // of kReduce, kColumns and kRowFunction
  llvm::StringRef op;        // of the instructions: "AddV2" for BiasAdd
  const char *why = nullptr; // of kOutside: for people
  bool member() const { return kind != Kind::kOutside; }
};

Role roleOf(mlir::Operation *op);

// ---- shapes ----

// One element in every run.
bool isOne(const SymShape &shape);
// `shape` is `space` without its last `rowRank` dims, or with 1 in their place.
bool isDroppedRow(const SymShape &shape, const SymShape &space, int rowRank);
bool isKeptRow(const SymShape &shape, const SymShape &space, int rowRank);
inline bool isRow(const SymShape &shape, const SymShape &space, int rowRank) {
  return rowRank > 0 && (isKeptRow(shape, space, rowRank) || isDroppedRow(shape, space, rowRank));
}

} // namespace millrace::compiler
