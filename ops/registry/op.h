// Op: the one definition of an operation, read by everyone: import, inference,
// the dialect, placement, the executor, `graphc ops` and the tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/inference.h"
#include "millrace/proto/value/graph_def.h"

namespace millrace {

// What a node may do to the state that one of its inputs refers to, or to state
// of its own. Tokens order the accesses (DESIGN: effects are read and write of a
// named resource).
struct Effect {
  enum class Kind : uint8_t {
    kRead,      // of the resource behind `input`
    kWrite,     // likewise; reads it too unless the op overwrites it whole
    kCreate,    // the node's output is the resource (VariableV2, VarHandleOp)
    kOwnState,  // state of the node's own (a random generator): never merged or folded
    kOutside,   // the world outside (files, printing, Assert): never merged, folded or dropped
  };
  Kind kind;
  int input = -1;
};

class Op;
class GradientContext;
// Adds the nodes that compute the gradients of a node's inputs: see
// ops/gradients/gradient_context.h.
using GradientFn = void (*)(GradientContext&);

// A kernel of an op for a kind of device.
struct KernelDef {
  std::string device;  // "CPU"
  // Attributes that must have one of these types; empty: any.
  struct TypeConstraint {
    std::string attr;
    std::vector<DType> types;
  };
  std::vector<TypeConstraint> types;
  KernelFactory factory = nullptr;
  // Inputs and outputs that must be in host memory on any device.
  std::vector<int> host_inputs, host_outputs;
};

class Op {
 public:
  const std::string& name() const { return signature_.name; }
  const OpDefValue& signature() const { return signature_; }
  ShapeFn shape_fn() const { return shape_; }
  // The gradient that the definition itself gives; those of the built-in ops are
  // beside it, in GradientTable.
  GradientFn gradient() const { return gradient_; }
  // Why there is none; "" where the definition does not say so.
  const std::string& no_gradient_reason() const { return no_gradient_reason_; }
  const std::vector<Effect>& effects() const { return effects_; }
  const std::vector<KernelDef>& kernels() const { return kernels_; }
  // True where the op has effects: it is not merged with equals, folded or dropped.
  bool has_effects() const { return !effects_.empty(); }
  // Set for element-wise ops: the expression they are defined by (ops/expr).
  const struct Expression* expression() const { return expression_; }
  const AttrDef* FindAttr(std::string_view name) const;

  // The kernel for `device` whose type constraints the attributes meet, or null.
  const KernelDef* FindKernel(std::string_view device, const AttrMap& attrs) const;

 private:
  friend class OpBuilder;
  OpDefValue signature_;
  ShapeFn shape_ = nullptr;
  GradientFn gradient_ = nullptr;
  std::string no_gradient_reason_;
  std::vector<Effect> effects_;
  std::vector<KernelDef> kernels_;
  const struct Expression* expression_ = nullptr;
  std::vector<std::string> problems_;
  friend class Registry;
};

// Builds a definition; the registry checks it when the family is done (a missing
// shape function is an error then). The specifications of
// arguments and attributes read as in the registry's text:
//
//   registry.Define("MatMul")
//       .Input("a: T").Input("b: T").Output("product: T")
//       .Attr("transpose_a: bool = false")
//       .Attr("T: {bfloat16, half, float, double, int32, int64, complex64, complex128}")
//       .Shape(MatMulShape)
//       .Kernel("CPU", NewMatMul, {{"T", kFloatTypes}});
//
// Arguments: "x: T", "x: float", "x: N * T", "x: list-attribute", "x: Ref(T)".
// Attributes: "name: type [>= minimum] [= default]" with type one of string, int,
// float, bool, type, numbertype, realnumbertype, shape, tensor, func, list(...), or
// {allowed types} or {'allowed', 'strings'}, also inside list(...); defaults as
// DT_FLOAT, 'text', 1, 0.5, true, [], [1, 1]; of a shape {} (a scalar), {2, ?} or
// {unknown_rank: true}.
class OpBuilder {
 public:
  explicit OpBuilder(Op* op, std::string name);
  OpBuilder& Input(std::string_view spec);
  OpBuilder& Output(std::string_view spec);
  OpBuilder& Attr(std::string_view spec);
  // One line for listings, then what a user must know.
  OpBuilder& Doc(std::string_view text);
  OpBuilder& Commutative();
  OpBuilder& Aggregate();
  OpBuilder& Stateful();  // is_stateful of the registry's text
  OpBuilder& AllowsUninitializedInput();
  OpBuilder& Deprecated(int version, std::string_view explanation);
  OpBuilder& Shape(ShapeFn fn);
  // Each op has a gradient function (built-in ones in a *_grad.cc file beside the definition) or says why it
  // passes none on, silently; where asking is to be an error, the function is RefuseGradient.
  OpBuilder& NoGradient(std::string_view reason);
  OpBuilder& Gradient(GradientFn fn);
  OpBuilder& Reads(int input);
  OpBuilder& Writes(int input);
  OpBuilder& Creates();
  OpBuilder& OwnState();
  OpBuilder& Outside();
  OpBuilder& Kernel(std::string_view device, KernelFactory factory, std::vector<KernelDef::TypeConstraint> types = {});
  // An element-wise op: gives it its CPU kernel for every type the expression has.
  OpBuilder& Elementwise(const struct Expression* expression);

 private:
  Op* op_;
  void Fail(std::string message);
};

// All ops of a process that can be named. Immutable once built, so safe to read
// from any thread. Names are TensorFlow's.
class Registry {
 public:
  // The built-in ops, from ops/families.def. Built at the first call.
  static const Registry& BuiltIn();
  Registry() = default;
  Registry(const Registry&) = delete;
  // A registry that has what `base` has and takes more: a program's own ops
  // beside the built-in ones. `base` outlives it.
  static std::unique_ptr<Registry> Extending(const Registry& base = BuiltIn());

  OpBuilder Define(std::string name);
  // A gradient function by name: for nodes whose attribute "_gradient_op_type"
  // names it, whatever their op. A name that is there already is a problem.
  void DefineGradient(std::string name, GradientFn fn);
  // Null where there is none of that name.
  GradientFn FindGradient(std::string_view name) const;
  // What the definitions point into lives as long as the registry: see LoadOps.
  void KeepLoaded(std::shared_ptr<void> library) { libraries_.push_back(std::move(library)); }
  // Null where there is no such op.
  const Op* Find(std::string_view name) const;
  // In order of the names.
  std::vector<const Op*> ops() const;
  // Problems of the definitions (missing shape function, bad specification, a
  // name defined twice); empty when all is well.
  std::vector<std::string> Check() const;

 private:
  friend class OpBuilder;
  struct Less {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a < b; }
  };
  std::vector<std::shared_ptr<void>> libraries_;  // first: closed last
  const Registry* base_ = nullptr;
  std::map<std::string, std::unique_ptr<Op>, Less> ops_;
  std::map<std::string, GradientFn, Less> gradients_;
  std::vector<std::string> problems_;
};

// Dtypes of a node's arguments, from the signature and the attributes: one entry
// for every tensor, lists expanded. Reference arguments have reference types.
Status ArgumentTypes(const OpDefValue& signature, const AttrMap& attrs, std::vector<DType>* inputs,
                     std::vector<DType>* outputs);
// Fills absent attributes with their defaults and checks kinds, minima and
// allowed values of all that the op knows. Names the attribute, expected and
// found. Attributes that the op does not know are left alone.
Status CompleteAttrs(const Op& op, AttrMap* attrs);

}  // namespace millrace
