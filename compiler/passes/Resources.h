// The resources of one body, and which operations read and write them.
#pragma once

#include "millrace/compiler/dialect/Graph.h"
#include "llvm/ADT/DenseMap.h"
#include <map>

namespace millrace::compiler {

class Resources {
public:
  struct Access {
    uint32_t resource;
    bool write;
  };
  // Of references and handles that lead to no operation that creates one: they
  // cannot be told apart.
  static constexpr uint32_t kUnknown = 0;

  // What `op` reads and writes. To be called for every operation, in the order of
  // the body.
  llvm::SmallVector<Access, 1> see(mlir::Operation *op);
  // Resources are numbered from 0.
  size_t size() const { return numbers.size() + 1; }

private:
  void trace(mlir::Operation *op);
  uint32_t of(mlir::Value v) const { return resourceOf.lookup(v); }

  std::map<std::pair<std::string, std::string>, uint32_t> numbers;
  llvm::DenseMap<mlir::Value, uint32_t> resourceOf;
};

} // namespace millrace::compiler
