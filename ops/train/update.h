// One optimiser step over variables: the loop, the definition and the kernel
// that ApplyX and ResourceApplyX share. An update U is a struct of
//   kName       "Adam": ops ApplyAdam and ResourceApplyAdam
//   kVars       names of the variables, which come first
//   kOperands   names of the other inputs; kGrad is the gradient's number among them, the
//               others are scalars
//   kFlag       its own attribute, "use_nesterov: bool = false", or ""
//   Step<C>     made from the scalars (in order, without the gradient) and the
//               flag; called with one element of each variable and of the gradient
// Elements are independent and every variable is read and written once: one pass
// over memory. 16-bit types are computed in float.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/compute_type.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"

namespace millrace::train {

// The name of U's own attribute.
template <typename U>
std::string_view FlagName() {
  const std::string_view spec = U::kFlag;
  return spec.substr(0, spec.find(':'));
}

// The operands but for the gradient, which "indices" follows where `sparse`.
template <typename U, typename T, typename C, size_t kCount>
Status ReadScalars(KernelContext& ctx, bool sparse, std::array<C, kCount>* scalars) {
  size_t count = 0;
  for (size_t i = 0; i < U::kOperands.size(); ++i) {
    if (i == U::kGrad) continue;
    const size_t skipped = sparse && i > U::kGrad ? 1 : 0;
    const TensorView& operand = ctx.input(static_cast<int>(U::kVars.size() + i + skipped));
    if (operand.num_elements != 1) {
      return InvalidArgument(
          Cat(U::kOperands[i], " should be a scalar, found shape ", array::DimsText(operand.shape())));
    }
    (*scalars)[count++] = static_cast<C>(operand.scalar<T>());
  }
  return OkStatus();
}

// Elements [begin, end) of the variables at `data` and of the gradient.
template <typename U, typename Step, typename T, size_t kVars>
void ApplyStep(const Step& step, const std::array<T*, kVars>& data, const T* g, int64_t begin, int64_t end) {
  using C = ComputeType<T>;
  [&]<size_t... I>(std::index_sequence<I...>) {
    const Step s = step;  // in registers, whatever is stored below
    T* const p[] = {data[I]...};
    for (int64_t i = begin; i < end; ++i) {
      C v[] = {static_cast<C>(p[I][i])...};
      s(v[I]..., static_cast<C>(g[i]));
      ((p[I][i] = static_cast<T>(v[I])), ...);
    }
  }(std::make_index_sequence<kVars>());
}

template <typename U, typename T>
class Update final : public Kernel {
 public:
  static constexpr size_t kVars = U::kVars.size(), kOperands = U::kOperands.size();
  using C = ComputeType<T>;
  using Step = typename U::template Step<C>;

  explicit Update(const KernelInit& init) : flag_(!U::kFlag.empty() && init.attr<bool>(FlagName<U>())) {}

  Status Run(KernelContext& ctx) const override {
    std::array<VariableResource*, kVars> variables{};
    for (size_t i = 0; i < kVars; ++i) {
      MR_ASSIGN_OR_RETURN(variables[i], VariableInput(ctx, static_cast<int>(i), kDTypeOf<T>));
    }
    std::array<C, kOperands> scalars{};
    MR_RETURN_IF_ERROR((ReadScalars<U, T>(ctx, /*sparse=*/false, &scalars)));
    const TensorView& grad = ctx.input(static_cast<int>(kVars + U::kGrad));
    VariableUpdate update;
    MR_RETURN_IF_ERROR(update.Lock(variables, Code::kFailedPrecondition));
    std::array<T*, kVars> data{};
    for (size_t i = 0; i < kVars; ++i) {
      const TensorView value = update.value(i);
      if (!std::ranges::equal(value.shape(), grad.shape())) {
        return InvalidArgument(Cat("variable '", variables[i]->name(), "' (", U::kVars[i], ") has shape ",
                                   array::DimsText(value.shape()), ", ", U::kOperands[U::kGrad], " has ",
                                   array::DimsText(grad.shape())));
      }
      MR_RETURN_IF_ERROR(update.MakeMutable(i));
    }
    for (size_t i = 0; i < kVars; ++i) data[i] = update.value(i).template as<T>();
    const Step step(scalars.data(), flag_);
    const T* g = grad.as<T>();
    ctx.ParallelFor(grad.num_elements, BlockFor(1.0 + static_cast<double>(kVars)),
                    [&](int64_t begin, int64_t end, int) { ApplyStep<U>(step, data, g, begin, end); });
    return OkStatus();
  }

 private:
  const bool flag_;
};

// What is known of the variable behind input i.
inline SymShape VariableShape(const InferenceContext& ctx, int i) {
  const InferenceContext::Input& variable = ctx.input_info(i);
  if (variable.handle_shape != nullptr) return *variable.handle_shape;
  return IsRef(variable.dtype) ? variable.shape : SymShape();
}

// All operands but the gradient are scalars; all variables and the gradient
// have one shape.
template <typename U>
Status UpdateShape(InferenceContext& ctx) {
  constexpr int kVars = static_cast<int>(U::kVars.size()), kOperands = static_cast<int>(U::kOperands.size());
  SymShape shape = ctx.input(kVars + static_cast<int>(U::kGrad));
  for (int i = 0; i < kVars; ++i) {
    MR_RETURN_IF_ERROR(ctx.Merge(shape, VariableShape(ctx, i), &shape));
  }
  for (int i = 0; i < kOperands; ++i) {
    if (i != static_cast<int>(U::kGrad)) MR_RETURN_IF_ERROR(ctx.WithRank(kVars + i, 0));
  }
  if (ctx.num_outputs() > 0) ctx.set_output(0, std::move(shape));
  return OkStatus();
}

// K is Update or SparseUpdate.
template <typename U, template <typename, typename> class K>
Result<std::unique_ptr<Kernel>> NewUpdate(const KernelInit& init) {
  switch (init.attr<DType>("T")) {
    case DType::kFloat:
      return std::unique_ptr<Kernel>(new K<U, float>(init));
    case DType::kDouble:
      return std::unique_ptr<Kernel>(new K<U, double>(init));
    case DType::kHalf:
      return std::unique_ptr<Kernel>(new K<U, Half>(init));
    case DType::kBfloat16:
      return std::unique_ptr<Kernel>(new K<U, BFloat16>(init));
    default:
      return Unimplemented(Cat("no kernel for ", DTypeName(init.attr<DType>("T"))));
  }
}

inline constexpr std::string_view kNumberTypes =
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
    "quint16, uint16, complex128, half, uint32, uint64}";

template <typename U>
void DefineVariables(OpBuilder& op, bool by_reference) {
  int input = 0;
  for (const char* name : U::kVars) {
    op.Input(Cat(name, by_reference ? ": Ref(T)" : ": resource"));
    op.Writes(input++);
  }
}

template <typename U>
void DefineOne(Registry& registry, bool by_reference, std::string_view doc) {
  OpBuilder op = registry.Define(Cat(by_reference ? "Apply" : "ResourceApply", U::kName));
  DefineVariables<U>(op, by_reference);
  for (const char* name : U::kOperands) op.Input(Cat(name, ": T"));
  if (by_reference) op.Output("out: Ref(T)");
  op.Attr(kNumberTypes).Attr("use_locking: bool = false");
  if (!U::kFlag.empty()) op.Attr(U::kFlag);
  if (!by_reference) op.Stateful();
  op.Doc(doc).Shape(UpdateShape<U>).NoGradient("a write of state").Kernel("CPU", NewUpdate<U, Update>);
}

// ApplyX (unless it never had one) and ResourceApplyX.
template <typename U>
void DefineUpdate(Registry& registry, std::string_view doc, bool has_reference_form = true) {
  if (has_reference_form) DefineOne<U>(registry, true, doc);
  DefineOne<U>(registry, false, doc);
}

}  // namespace millrace::train
