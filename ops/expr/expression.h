// Expression: an element-wise op, defined by one generic function. The bodies are
// made from it for each set of dtypes and each instruction set; the driver runs
// them over tensors of any shapes that broadcast.
#pragma once

#include <memory>
#include <span>

#include "millrace/ops/expr/access.h"
#include "millrace/ops/expr/body.h"
#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace {

inline constexpr int kIsaCount = 2;  // bodies[static_cast<int>(Isa)]

struct Expression;

struct ExpressionTraits {
  // Cycles an element costs, about: decides how work is cut for threads.
  float cycles = 1;
  // A float attribute of the node that is the last operand, or null.
  const char* attr_operand = nullptr;
  // Looks at the contents before anything is computed (division by zero), or null.
  Status (*check)(std::span<const TensorView> operands) = nullptr;
  // A bool attribute of the node under which `variant` is meant instead, for the
  // types that it has; or null.
  const char* variant_attr = nullptr;
  const Expression* variant = nullptr;
  // A factory of the op's own, which ends in NewElementwise, or null.
  KernelFactory factory = nullptr;
};

// Constant data; safe from any thread.
struct Expression {
  const char* name;
  ExpressionTraits traits;
  const BodyTable* bodies[kIsaCount];
  // Makes the kernel of a node with this expression.
  KernelFactory factory;

  // Operands, the one from an attribute included.
  int arity() const;
  // The body for those operand and output types, for `isa` or, where it has none
  // of its own, for the floor. Null where the expression has no such types.
  const Body* Find(std::span<const DType> in, DType out, Isa isa) const;
};

// The body that a node of the expression runs: of the variant where that is meant
// and has the types, else the expression's own. Null where there is none.
const Body* BodyFor(const Expression& expression, bool variant, std::span<const DType> in, DType out, Isa isa);

// The operand that comes from an attribute, as an element of `type`; false where
// that type cannot hold it.
bool MakeAttrOperand(float value, DType type, char (&bytes)[kMaxElementBytes]);

// The kernel behind MakeElementwise. Unimplemented, naming the dtypes, where the
// expression has no body for them.
Result<std::unique_ptr<Kernel>> NewElementwise(const Expression& expression, const KernelInit& init);
template <const Expression& kExpression>
Result<std::unique_ptr<Kernel>> MakeElementwise(const KernelInit& init) {
  return NewElementwise(kExpression, init);
}

}  // namespace millrace
