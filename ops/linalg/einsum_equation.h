// EinsumEquation: "ab,bc->ac" taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/proto/value/status.h"

namespace millrace::linalg {

// The subscripts of one operand: letters, and where among them the dimensions
// stand that "..." is for (-1: nowhere).
struct EinsumTerm {
  std::string letters;
  int ellipsis = -1;

  // As the equation has it.
  std::string ToString() const;
  bool Has(char letter) const { return letters.find(letter) != std::string::npos; }
  // A label for each dimension of an operand of that rank: its letter, or -1 for the
  // last of the dimensions of "...", -2 for the one before and so on. InvalidArgument
  // where the rank does not fit.
  Result<std::vector<int>> Labels(int rank) const;
};

struct EinsumEquation {
  std::vector<EinsumTerm> inputs;
  EinsumTerm output;
};

// InvalidArgument, with the equation, where it is none.
Result<EinsumEquation> ParseEinsum(std::string_view equation);

}  // namespace millrace::linalg
