#include "millrace/ops/linalg/einsum_equation.h"

#include "millrace/proto/value/strings.h"

namespace millrace::linalg {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<EinsumTerm> ParseTerm(std::string_view text, std::string_view equation) {
  EinsumTerm term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "..." && term.ellipsis < 0) {
      term.ellipsis = static_cast<int>(term.letters.size());
      i += 2;
    } else if (IsLetter(text[i])) {
      term.letters += text[i];
    } else {
      return InvalidArgument(Cat("equation '", equation, "': expected letters and one '...', found '", text, "'"));
    }
  }
  return term;
}

}  // namespace

std::string EinsumTerm::ToString() const {
  if (ellipsis < 0) return letters;
  return std::string(letters).insert(static_cast<size_t>(ellipsis), "...");
}

Result<std::vector<int>> EinsumTerm::Labels(int rank) const {
  const int named = static_cast<int>(letters.size()), others = rank - named;
  if (others < 0 || (others > 0 && ellipsis < 0)) {
    return InvalidArgument(Cat("expected rank ", named, ellipsis < 0 ? "" : " or more", " for subscripts '", ToString(),
                               "', found ", rank));
  }
  std::vector<int> labels(letters.begin(), letters.end());
  for (int i = 0; i < others; ++i) labels.insert(labels.begin() + ellipsis + i, i - others);
  return labels;
}

Result<EinsumEquation> ParseEinsum(std::string_view equation) {
  const size_t arrow = equation.find("->");
  if (arrow == std::string_view::npos || equation.find("->", arrow + 2) != std::string_view::npos) {
    return InvalidArgument(Cat("equation '", equation, "': expected exactly one '->'"));
  }
  EinsumEquation result;
  std::string_view inputs = equation.substr(0, arrow);
  while (true) {
    const size_t comma = inputs.find(',');
    MR_ASSIGN_OR_RETURN(EinsumTerm term, ParseTerm(inputs.substr(0, comma), equation));
    result.inputs.push_back(std::move(term));
    if (comma == std::string_view::npos) break;
    inputs.remove_prefix(comma + 1);
  }
  MR_ASSIGN_OR_RETURN(result.output, ParseTerm(equation.substr(arrow + 2), equation));
  for (const char letter : result.output.letters) {
    bool found = false;
    for (const EinsumTerm& term : result.inputs) found = found || term.Has(letter);
    if (!found) return InvalidArgument(Cat("equation '", equation, "': the result's '", letter, "' is in no operand"));
  }
  return result;
}

}  // namespace millrace::linalg
