// One small graph for each op that has a gradient, to be compared with
// differences.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "millrace/ops/builder/call.h"

namespace millrace::end_to_end {

// What a case is built with.
class GradientCases {
 public:
  // Nodes go to `scope`; `op` is the one under test. With `open` shapes the
  // graph knows no extent of the xs.
  GradientCases(const Scope& scope, std::string op, bool open) : scope(scope), op_(std::move(op)), open_(open) {}

  const Scope scope;
  // Tensors to differentiate with respect to, and their values.
  std::vector<Output> xs;
  std::vector<std::pair<std::string, Tensor>> feeds;
  std::vector<std::string> targets;  // run first

  // A tensor to differentiate with respect to: random numbers in [low, high].
  Output X(const Shape& shape, double low = -1, double high = 1, DType dtype = DType::kDouble);
  Output Float(const Shape& shape, double low = -1, double high = 1) { return X(shape, low, high, DType::kFloat); }
  Output Complex(const Shape& shape) { return X(shape, -1, 1, DType::kComplex128); }
  // A variable like that: its handle.
  Output Variable(const Shape& shape);
  // Constants.
  static Operand I(std::vector<int32_t> values);
  static Operand I(const Shape& shape, std::vector<int32_t> values);
  static Operand L(std::vector<int64_t> values);
  static Operand S(int32_t value) { return Tensor::Scalar<int32_t>(value); }
  static Operand B(const Shape& shape, const std::vector<bool>& values);

  // A node of the op under test; of another one.
  Operation operator()(const std::vector<Argument>& arguments, AttrMap attrs = {}) const;
  Operation Of(const char* op, const std::vector<Argument>& arguments, AttrMap attrs = {}) const;

 private:
  std::string op_;
  bool open_;
  std::mt19937_64 random_{7};
};

// What is differentiated: all outputs of a node that are numbers with fractions,
// or one.
struct Ys {
  Ys(const Operation& operation);                                   // NOLINT: implicit on purpose
  Ys(const Output& output) : outputs{output} {}                     // NOLINT
  Ys(std::vector<Output> outputs) : outputs(std::move(outputs)) {}  // NOLINT
  std::vector<Output> outputs;
};

struct GradientTableCase {
  const char* op;
  Ys (*build)(GradientCases&);
};

// gradient_cases_*.cc.
std::vector<GradientTableCase> MathGradientCases();
std::vector<GradientTableCase> ArrayGradientCases();
std::vector<GradientTableCase> NetworkGradientCases();

}  // namespace millrace::end_to_end
