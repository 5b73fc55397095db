// The gradient of Einsum: for each operand again an Einsum, of the gradient and
// the other operand.
#include <algorithm>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/linalg_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/linalg/einsum_equation.h"

namespace millrace {
namespace {

using linalg::EinsumEquation;
using linalg::EinsumTerm;

std::string Equation(const std::vector<EinsumTerm>& inputs, const EinsumTerm& output) {
  std::string text = inputs[0].ToString();
  for (size_t i = 1; i < inputs.size(); ++i) text += "," + inputs[i].ToString();
  return text + "->" + output.ToString();
}

// Elements [begin, end) of a shape, counted from the end where negative; 0 as the
// end is the end.
Output Part(GradientContext& g, const Output& shape, int begin, int end) {
  ops::StridedSliceAttrs attrs;
  attrs.end_mask = end == 0 ? 1 : 0;
  return ops::StridedSlice(g, shape, {begin}, {end}, {1}, attrs);
}
// The dimensions of "..." in a shape.
Output Others(GradientContext& g, const EinsumTerm& term, const Output& shape) {
  if (term.ellipsis < 0) return Const(g, std::vector<int>{});
  return Part(g, shape, term.ellipsis, term.ellipsis - static_cast<int>(term.letters.size()));
}
// The extent of a letter, as a vector of one.
Output Extent(GradientContext& g, const EinsumTerm& term, const Output& shape, char letter) {
  const int at = static_cast<int>(term.letters.find(letter)), count = static_cast<int>(term.letters.size());
  if (term.ellipsis < 0 || at < term.ellipsis) return Part(g, shape, at, at + 1);
  return Part(g, shape, at - count, at - count + 1);
}

void SetOperand(GradientContext& g, const EinsumEquation& equation, int i) {
  const EinsumTerm& term = equation.inputs[static_cast<size_t>(i)];
  const Output x = g.input(i);
  std::vector<EinsumTerm> terms = {equation.output};
  Operands operands = {g.grad()};
  if (equation.inputs.size() == 2) {
    terms.push_back(equation.inputs[static_cast<size_t>(1 - i)]);
    operands.emplace_back(g.Conj(g.input(1 - i)));
  }
  const auto known = [&](char letter) {
    return std::any_of(terms.begin(), terms.end(), [&](const EinsumTerm& t) { return t.Has(letter); });
  };
  // The operand's letters once each: all, and those that the others have. The rest
  // of them were summed.
  EinsumTerm all, shared, summed;
  const bool others_known =
      std::any_of(terms.begin(), terms.end(), [](const EinsumTerm& t) { return t.ellipsis >= 0; });
  for (size_t d = 0; d <= term.letters.size(); ++d) {
    if (static_cast<int>(d) == term.ellipsis) {
      all.ellipsis = static_cast<int>(all.letters.size());
      (others_known ? shared : summed).ellipsis = others_known ? static_cast<int>(shared.letters.size()) : 0;
    }
    if (d == term.letters.size() || all.Has(term.letters[d])) continue;
    all.letters += term.letters[d];
    (known(term.letters[d]) ? shared : summed).letters += term.letters[d];
  }
  const Output shape = ops::Shape(g, x);
  Output dx = ops::Einsum(g, operands, Equation(terms, shared));
  if (!summed.letters.empty() || summed.ellipsis >= 0) {
    Operands extents;
    if (summed.ellipsis >= 0) extents.emplace_back(Others(g, term, shape));
    for (const char letter : summed.letters) extents.emplace_back(Extent(g, term, shape, letter));
    const Operand dims = extents.size() == 1 ? extents[0] : Operand(ops::ConcatV2(g, extents, 0));
    const Output ones = ops::Fill(g, dims, g.Number(1, x));
    dx = ops::Einsum(g, {dx, ones}, Equation({shared, summed}, all));
  }
  if (all.letters != term.letters) dx = ops::Einsum(g, {dx}, Equation({all}, term));
  if (term.ellipsis >= 0 && equation.inputs.size() == 2) {
    const int other = 1 - i;
    const EinsumTerm& other_term = equation.inputs[static_cast<size_t>(other)];
    if (other_term.ellipsis >= 0) {
      const auto axes =
          ops::BroadcastGradientArgs(g, Others(g, term, shape), Others(g, other_term, ops::Shape(g, g.input(other))));
      dx = ops::Reshape(g, ops::Sum(g, dx, axes.r0 + term.ellipsis), shape);
    }
  }
  g.set(i, dx);
}

void EinsumGradient(GradientContext& g) {
  const Result<EinsumEquation> equation = linalg::ParseEinsum(g.attr<std::string>("equation"));
  if (!equation.ok()) return g.Fail(equation.status().ToString());
  if (equation->inputs.size() > 2) return g.Fail("Einsum of more than two operands has no gradient");
  for (int i = 0; i < g.num_inputs(); ++i) {
    if (g.wanted(i)) SetOperand(g, *equation, i);
  }
}

}  // namespace

namespace gradients {

void einsum(GradientTable& t) { t.Define("Einsum", EinsumGradient); }

}  // namespace gradients
}  // namespace millrace
