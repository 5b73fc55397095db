// AttrValue: the value of a node's attribute.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/tensor_value.h"

namespace millrace {

class AttrValue;

// Attributes by name, in the order of the names, which is also the order of the
// deterministic wire form.
using AttrMap = std::map<std::string, AttrValue, std::less<>>;

// A shape as the wire has it: the dimensions may carry names.
struct ShapeValue {
  Shape shape;
  std::vector<std::string> dim_names;
  friend bool operator==(const ShapeValue&, const ShapeValue&) = default;
};

// A function by name, with the attributes it is instantiated with.
struct FuncValue {
  std::string name;
  std::shared_ptr<const AttrMap> attrs;  // null means none
  friend bool operator==(const FuncValue& a, const FuncValue& b);
};

// list(int), list(type) ...: only one of the vectors is in use.
struct ListValue {
  std::vector<std::string> s;
  std::vector<int64_t> i;
  std::vector<float> f;
  std::vector<bool> b;
  std::vector<DType> type;
  std::vector<ShapeValue> shape;
  std::vector<std::shared_ptr<const TensorValue>> tensor;
  std::vector<FuncValue> func;
  friend bool operator==(const ListValue& a, const ListValue& b);
};

// In a function body: stands for the attribute of that name of the caller.
struct AttrPlaceholder {
  std::string name;
  friend bool operator==(const AttrPlaceholder&, const AttrPlaceholder&) = default;
};

class AttrValue {
 public:
  // The order is fixed: Kind is the variant's index.
  enum class Kind { kNone, kString, kInt, kFloat, kBool, kType, kShape, kTensor, kPlaceholder, kFunc, kList };
  using Variant = std::variant<std::monostate, std::string, int64_t, float, bool, DType, ShapeValue,
                               std::shared_ptr<const TensorValue>, AttrPlaceholder, FuncValue, ListValue>;

  AttrValue() = default;
  AttrValue(std::string v) : value_(std::move(v)) {}
  AttrValue(const char* v) : value_(std::string(v)) {}
  AttrValue(int64_t v) : value_(v) {}
  AttrValue(int v) : value_(int64_t{v}) {}
  AttrValue(float v) : value_(v) {}
  AttrValue(bool v) : value_(v) {}
  AttrValue(DType v) : value_(v) {}
  AttrValue(Shape v) : value_(ShapeValue{std::move(v), {}}) {}
  AttrValue(ShapeValue v) : value_(std::move(v)) {}
  AttrValue(TensorValue v) : value_(std::make_shared<const TensorValue>(std::move(v))) {}
  AttrValue(std::shared_ptr<const TensorValue> v) : value_(std::move(v)) {}
  AttrValue(AttrPlaceholder v) : value_(std::move(v)) {}
  AttrValue(FuncValue v) : value_(std::move(v)) {}
  AttrValue(ListValue v) : value_(std::move(v)) {}

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  const Variant& variant() const { return value_; }
  // Null where the attribute is of another kind.
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&value_);
  }
  // Short text for messages and listings; big tensors are abbreviated.
  std::string ToString() const;

  // Tensors compare by content.
  friend bool operator==(const AttrValue& a, const AttrValue& b);

 private:
  Variant value_;
};

// "int", "list(type)" ... of the kind; what the op registry's text calls it.
std::string_view KindName(AttrValue::Kind kind);

}  // namespace millrace
