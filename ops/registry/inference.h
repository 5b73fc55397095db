// InferenceContext: what a shape function sees of one node and what it answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/registry/dim.h"
#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// The same shape function serves the live graph (as nodes arrive), the
// compiler's infer phase (with symbols) and the executor (with numbers, once for
// each distinct set of feed shapes, and for sizes that come late). It says what
// it knows: an output that is not set has unknown rank.
class InferenceContext {
 public:
  // Set by whoever infers; an input without a rank is unknown.
  struct Input {
    DType dtype = DType::kInvalid;
    SymShape shape;
    const SymTensor* elements = nullptr;   // small integer tensors, as far as known
    const TensorView* constant = nullptr;  // contents, where fully known
    // Of a resource handle or reference: what it refers to.
    DType handle_dtype = DType::kInvalid;
    const SymShape* handle_shape = nullptr;
  };
  InferenceContext(const AttrMap& attrs, std::vector<Input> inputs, int num_outputs, DimTable& table)
      : attrs_(attrs), inputs_(std::move(inputs)), outputs_(static_cast<size_t>(num_outputs)), table_(table) {}

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  const SymShape& input(int i) const { return inputs_[static_cast<size_t>(i)].shape; }
  const Input& input_info(int i) const { return inputs_[static_cast<size_t>(i)]; }
  // The integer elements of input i, or null.
  const SymTensor* elements(int i) const { return inputs_[static_cast<size_t>(i)].elements; }
  const TensorView* constant(int i) const { return inputs_[static_cast<size_t>(i)].constant; }
  // Input i, a vector of extents, as a shape: unknown rank where nothing is
  // known; -1 elements are unknown dims. An error where it is no shape.
  Status InputAsShape(int i, SymShape* shape) const;

  // Attributes; defaults are filled in before inference. T is int64_t, float,
  // bool, DType, std::string, ShapeValue, ListValue or the tensor pointer.
  // The attribute is there and of that kind: import checked it.
  template <typename T>
  const T& attr(std::string_view name) const {
    return *attrs_.find(name)->second.template get<T>();
  }
  const AttrMap& attrs() const { return attrs_; }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  void set_output(int i, SymShape shape) { outputs_[static_cast<size_t>(i)].shape = std::move(shape); }
  // What the elements of integer output i are.
  void set_elements(int i, SymTensor elements) {
    outputs_[static_cast<size_t>(i)].elements = std::move(elements);
    outputs_[static_cast<size_t>(i)].has_elements = true;
  }
  void set_handle(int i, DType dtype, SymShape shape) {
    outputs_[static_cast<size_t>(i)].handle_dtype = dtype;
    outputs_[static_cast<size_t>(i)].handle_shape = std::move(shape);
  }

  struct Output {
    SymShape shape;
    bool has_elements = false;
    SymTensor elements;
    DType handle_dtype = DType::kInvalid;
    SymShape handle_shape;
  };
  const std::vector<Output>& outputs() const { return outputs_; }

  DimTable& dims() { return table_; }

  // True where a run asks, with the sizes of its feeds: a few ops then answer an
  // empty result for what they refuse in a graph.
  bool running() const { return running_; }
  void set_running() { running_ = true; }

  // Checks that return InvalidArgument with input index, expected and found.
  Status WithRank(int i, int rank) const;  // passes where the rank is unknown
  Status WithRankAtLeast(int i, int rank) const;
  // One shape from two that must agree: unknown parts of one are filled from the
  // other; two different symbols are taken for equal (the run checks).
  Status Merge(const SymShape& a, const SymShape& b, SymShape* out) const;
  Status Merge(Dim a, Dim b, Dim* out) const;

 private:
  const AttrMap& attrs_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  DimTable& table_;
  bool running_ = false;
};

using ShapeFn = Status (*)(InferenceContext&);

// Shape functions that many ops share.
namespace shape_fns {
Status Unchanged(InferenceContext&);        // output 0 is like input 0 (its elements too)
Status ScalarOutput(InferenceContext&);     // every output is a scalar
Status UnknownOutputs(InferenceContext&);   // nothing is known
Status BroadcastBinary(InferenceContext&);  // output 0 from inputs 0 and 1, NumPy's rules
Status MergeInputs(InferenceContext&);      // all inputs have one shape; so has output 0
Status NoOutputs(InferenceContext&);
}  // namespace shape_fns

// NumPy's broadcasting of two shapes; the error names both.
Status BroadcastShapes(DimTable& table, const SymShape& a, const SymShape& b, SymShape* out);

}  // namespace millrace
