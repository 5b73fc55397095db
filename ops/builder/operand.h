// Operand: what the builder's calls take where an op wants a tensor.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/builder/output.h"

namespace millrace {

// Numbers, booleans or strings that become a constant. Those of the language
// take the dtype that the op wants beside its other operands: x * 2 is a product
// in x's dtype. Where nothing decides, whole numbers are int32 (int64 where they
// do not fit), others float.
struct Literal {
  enum class Kind : uint8_t { kInt, kFloat, kBool, kString } kind = Kind::kInt;
  std::vector<int64_t> shape;  // {-1} where braces do not make one: see LiteralItem
  std::vector<int64_t> ints;   // kInt, kBool
  std::vector<double> floats;
  std::vector<std::string> strings;
};

// What stands in braces: numbers of one kind (whole ones among fractions count as
// fractions), booleans, strings, or braces of one shape.
struct LiteralItem {
  template <typename T>
    requires std::is_arithmetic_v<T>
  LiteralItem(T value) {  // NOLINT: implicit on purpose, as the others
    if constexpr (std::is_floating_point_v<T>) {
      literal.kind = Literal::Kind::kFloat;
      literal.floats = {static_cast<double>(value)};
    } else {
      literal.kind = std::is_same_v<T, bool> ? Literal::Kind::kBool : Literal::Kind::kInt;
      literal.ints = {static_cast<int64_t>(value)};
    }
  }
  LiteralItem(const char* value);                         // NOLINT
  LiteralItem(std::string value);                         // NOLINT
  LiteralItem(std::initializer_list<LiteralItem> items);  // NOLINT
  Literal literal;
};

// An output, a tensor (which becomes a constant with its own dtype), or a
// literal: 2, 0.5, true, "text", {1, 2, 3}, {{1, 0}, {0, 1}}; {} is the empty
// list of numbers. A literal that the wanted dtype cannot hold is an error that
// names the argument.
//
// What is convertible to an Output (a variable, say) is an operand too.
class Operand {
 public:
  Operand() : value_(Literal{Literal::Kind::kInt, {0}, {}, {}, {}}) {}
  Operand(const Output& output) : value_(output) {}       // NOLINT: implicit on purpose, as all of these
  Operand(const Operation& op) : value_(op.output(0)) {}  // NOLINT
  template <std::convertible_to<Output> T>
  Operand(const T& tensor) : value_(static_cast<Output>(tensor)) {}  // NOLINT
  Operand(Tensor tensor) : value_(std::move(tensor)) {}              // NOLINT
  Operand(Literal literal) : value_(std::move(literal)) {}           // NOLINT
  Operand(int value);                                                // NOLINT
  Operand(int64_t value);                                            // NOLINT
  Operand(float value);                                              // NOLINT
  Operand(double value);                                             // NOLINT
  Operand(bool value);                                               // NOLINT
  Operand(const char* value);                                        // NOLINT
  Operand(std::string value);                                        // NOLINT
  Operand(std::initializer_list<LiteralItem> items);                 // NOLINT
  Operand(const std::vector<int>& values);                           // NOLINT
  Operand(const std::vector<int64_t>& values);                       // NOLINT
  Operand(const std::vector<float>& values);                         // NOLINT
  Operand(const std::vector<double>& values);                        // NOLINT

  const Output* output() const { return std::get_if<Output>(&value_); }
  const Tensor* tensor() const { return std::get_if<Tensor>(&value_); }
  const Literal* literal() const { return std::get_if<Literal>(&value_); }

 private:
  std::variant<Output, Tensor, Literal> value_;
};

// Where an op wants any number of tensors: ops::ConcatV2(s, {a, b}, 0), or a vector
// of outputs.
class Operands : public std::vector<Operand> {
 public:
  using std::vector<Operand>::vector;
  template <std::convertible_to<Output> T>
  Operands(const std::vector<T>& tensors) : vector(tensors.begin(), tensors.end()) {}  // NOLINT: implicit on purpose
};

}  // namespace millrace
