#include "millrace/tests/end_to_end/gradient_cases.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/state_ops.h"
#include "millrace/runtime/session/widen.h"

namespace millrace::end_to_end {

Output GradientCases::X(const Shape& shape, double low, double high, DType dtype) {
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> numbers(static_cast<size_t>(shape.NumElements().value_or(0)) * (IsComplex(dtype) ? 2 : 1));
  for (double& v : numbers) v = uniform(random_);
  Shape declared = shape;
  for (int i = 0; open_ && i < shape.rank(); ++i) declared.set_dim(i, Shape::kUnknownDim);
  xs.push_back(ops::Placeholder(scope.WithOpName("x"), dtype, {.shape = declared}));
  feeds.emplace_back(xs.back().name(), numeric::FromNumbers(dtype, shape, numbers));
  return xs.back();
}

Output GradientCases::Variable(const Shape& shape) {
  const Output value = X(shape);
  xs.pop_back();
  const Tensor start = feeds.back().second;
  feeds.pop_back();
  xs.push_back(ops::VarHandleOp(scope.WithOpName("variable"), value.dtype(), shape));
  targets.push_back(ops::AssignVariableOp(scope, xs.back(), start).name());
  return xs.back();
}

Operand GradientCases::I(std::vector<int32_t> values) {
  return I(Shape({static_cast<int64_t>(values.size())}), std::move(values));
}
Operand GradientCases::I(const Shape& shape, std::vector<int32_t> values) {
  return Tensor::Of<int32_t>(shape, std::move(values));
}
Operand GradientCases::L(std::vector<int64_t> values) {
  return Tensor::Of<int64_t>(Shape({static_cast<int64_t>(values.size())}), std::move(values));
}
Operand GradientCases::B(const Shape& shape, const std::vector<bool>& values) {
  return Tensor::Of<bool>(shape, values);
}

Operation GradientCases::operator()(const std::vector<Argument>& arguments, AttrMap attrs) const {
  return Of(op_.c_str(), arguments, std::move(attrs));
}
Operation GradientCases::Of(const char* op, const std::vector<Argument>& arguments, AttrMap attrs) const {
  return Call(scope, op, arguments, std::move(attrs));
}

Ys::Ys(const Operation& operation) {
  for (int i = 0; i < operation.num_outputs(); ++i) {
    const DType dtype = operation.output(i).dtype();
    if (IsFloating(dtype) || IsComplex(dtype)) outputs.push_back(operation.output(i));
  }
}

}  // namespace millrace::end_to_end
