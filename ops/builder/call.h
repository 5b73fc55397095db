// Call: adds one node. The typed functions (ops/builder/ops.h) are made of it; it
// serves ops that have none, a user's own among them.
#pragma once

#include <concepts>
#include <string_view>
#include <vector>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"
#include "millrace/proto/value/attr.h"

namespace millrace {

// An argument of an op: one tensor, or the tensors of a list argument.
class Argument {
 public:
  Argument(Operand operand) : list_(false), operands_{std::move(operand)} {}    // NOLINT: implicit on purpose
  Argument(Operands operands) : list_(true), operands_(std::move(operands)) {}  // NOLINT
  template <std::convertible_to<Operand> T>
  Argument(const T& operand) : Argument(Operand(operand)) {}                                                // NOLINT
  Argument(const std::vector<Output>& outputs) : list_(true), operands_(outputs.begin(), outputs.end()) {}  // NOLINT
  bool is_list() const { return list_; }
  const Operands& operands() const { return operands_; }

 private:
  bool list_;
  Operands operands_;
};

// Adds a node of op `op` with one entry of `arguments` for each argument of its
// signature. Attributes that follow from the arguments (types, numbers, lists of
// types) are found; the others come from `attrs`, or are the op's defaults.
// Literals become constants beside the node, named after it and the argument
// ("add/y"), in the dtype that the tensors decide; else in that of the attribute's
// default, if it can hold them all; else in their own. Errors go to the scope's
// status: see Scope; constants of a call that failed may stay in the graph.
//
//   Operation cube = Call(scope, "MyCube", {x}, {{"scale", 2.0f}});
//   Output y = cube.output(0);
Operation Call(At at, std::string_view op, const std::vector<Argument>& arguments = {}, AttrMap attrs = {});

// A constant. `dtype` is that of the tensor, or what the literal has by itself
// (see Literal), unless it is given. An output passes through.
Output Const(At at, const Operand& value, DType dtype = DType::kInvalid);

// The tensors of output argument `index` of the signature, which may be a list.
// Empty where the operation is not valid.
std::vector<Output> OutputList(const Operation& operation, int index);

// Beside the functions of the other ops.
namespace ops {
using millrace::Const;
}  // namespace ops

}  // namespace millrace
