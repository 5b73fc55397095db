// What comments say of shapes: the op's shape function is asked.
#pragma once

#include <string>
#include <vector>

#include "millrace/ops/registry/op.h"

namespace millrace::opgen {

// One text for each argument of the signature, "" where nothing is known: "a
// scalar", "rank 4", "rank at least 1", "the shape of x", "[a.0, b.1]" where a.0 is
// the first extent of a.
struct ShapeNotes {
  std::vector<std::string> inputs, outputs;
};
ShapeNotes NotesOf(const Op& op);

}  // namespace millrace::opgen
