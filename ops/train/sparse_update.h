// The same step (see update.h) for rows of variables: SparseApplyX and
// ResourceSparseApplyX. Input "indices" follows the gradient; grad[i] is applied
// to row indices[i] of every variable, in the order of the indices, so that equal
// ones give the same bits in every run. Rows that are not named stay as they are.
#pragma once

#include "millrace/ops/train/update.h"

namespace millrace::train {

template <typename U, typename T>
class SparseUpdate final : public Kernel {
 public:
  static constexpr size_t kVars = U::kVars.size(), kOperands = U::kOperands.size();
  using C = ComputeType<T>;
  using Step = typename U::template Step<C>;

  explicit SparseUpdate(const KernelInit& init) : flag_(!U::kFlag.empty() && init.attr<bool>(FlagName<U>())) {}

  Status Run(KernelContext& ctx) const override {
    constexpr int kGradInput = static_cast<int>(kVars + U::kGrad);
    std::array<VariableResource*, kVars> variables{};
    for (size_t i = 0; i < kVars; ++i) {
      MR_ASSIGN_OR_RETURN(variables[i], VariableInput(ctx, static_cast<int>(i), kDTypeOf<T>));
    }
    std::array<C, kOperands> scalars{};
    MR_RETURN_IF_ERROR((ReadScalars<U, T>(ctx, /*sparse=*/true, &scalars)));
    const TensorView &grad = ctx.input(kGradInput), &indices = ctx.input(kGradInput + 1);
    VariableUpdate update;
    MR_RETURN_IF_ERROR(update.Lock(variables, Code::kFailedPrecondition));
    const TensorView var = update.value(0);
    for (size_t i = 0; i < kVars; ++i) {
      const TensorView value = update.value(i);
      if (!std::ranges::equal(value.shape(), var.shape())) {
        return InvalidArgument(Cat("variable '", variables[i]->name(), "' (", U::kVars[i], ") has shape ",
                                   array::DimsText(value.shape()), ", expected ", array::DimsText(var.shape())));
      }
    }
    bool fits = var.rank > 0 && indices.rank == 1 && grad.rank == var.rank && grad.dim(0) == indices.dim(0);
    for (int k = 1; fits && k < var.rank; ++k) fits = grad.dim(k) == var.dim(k);
    if (!fits) {
      return InvalidArgument(Cat("indices of shape ", array::DimsText(indices.shape()), " and ", U::kOperands[U::kGrad],
                                 " of shape ", array::DimsText(grad.shape()), " do not fit variable '",
                                 variables[0]->name(), "' of shape ", array::DimsText(var.shape())));
    }
    const int64_t rows = indices.num_elements;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = array::IntAt(indices, i);
      if (row < 0 || row >= var.dim(0)) {
        return InvalidArgument(Cat("indices[", i, "] = ", row, " is not in [0, ", var.dim(0), ") of variable '",
                                   variables[0]->name(), "'"));
      }
    }
    if (grad.num_elements == 0) return OkStatus();
    for (size_t i = 0; i < kVars; ++i) MR_RETURN_IF_ERROR(update.MakeMutable(i));
    std::array<T*, kVars> data{};
    for (size_t i = 0; i < kVars; ++i) data[i] = update.value(i).template as<T>();
    const Step step(scalars.data(), flag_);
    const T* g = grad.as<T>();
    const int64_t inner = grad.num_elements / rows;
    // Cut along the columns: every row's updates stay in order.
    ctx.ParallelFor(inner, BlockFor((1.0 + static_cast<double>(kVars)) * static_cast<double>(rows)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t i = 0; i < rows; ++i) {
                        std::array<T*, kVars> row = data;
                        for (T*& p : row) p += array::IntAt(indices, i) * inner;
                        ApplyStep<U>(step, row, g + i * inner, begin, end);
                      }
                    });
    return OkStatus();
  }

 private:
  const bool flag_;
};

// The gradient has the variables' shape but for its rows, as many as indices.
template <typename U>
Status SparseUpdateShape(InferenceContext& ctx) {
  constexpr int kVars = static_cast<int>(U::kVars.size()), kOperands = static_cast<int>(U::kOperands.size());
  constexpr int kGradInput = kVars + static_cast<int>(U::kGrad);
  SymShape shape;
  for (int i = 0; i < kVars; ++i) MR_RETURN_IF_ERROR(ctx.Merge(shape, VariableShape(ctx, i), &shape));
  MR_RETURN_IF_ERROR(ctx.WithRank(kGradInput + 1, 1));
  if (shape.has_rank) {
    if (shape.rank() == 0) return InvalidArgument("the variable must have at least one dimension");
    SymShape expected = shape;
    expected.dims[0] = ctx.input(kGradInput + 1).has_rank ? ctx.input(kGradInput + 1).dims[0] : Dim();
    MR_RETURN_IF_ERROR(ctx.Merge(expected, ctx.input(kGradInput), &expected));
  }
  for (int i = 0; i < kOperands; ++i) {
    if (i == static_cast<int>(U::kGrad)) continue;
    MR_RETURN_IF_ERROR(ctx.WithRank(kVars + i + (i > static_cast<int>(U::kGrad) ? 1 : 0), 0));
  }
  if (ctx.num_outputs() > 0) ctx.set_output(0, std::move(shape));
  return OkStatus();
}

// SparseApplyX (unless it never had one) and ResourceSparseApplyX. The gradient is
// "grad" in all of them, whatever the dense form calls it.
template <typename U>
void DefineSparseUpdate(Registry& registry, std::string_view doc, bool has_reference_form = true) {
  for (const bool by_reference : {true, false}) {
    if (by_reference && !has_reference_form) continue;
    OpBuilder op = registry.Define(Cat(by_reference ? "SparseApply" : "ResourceSparseApply", U::kName));
    DefineVariables<U>(op, by_reference);
    for (size_t i = 0; i < U::kOperands.size(); ++i) {
      op.Input(Cat(i == U::kGrad ? "grad" : U::kOperands[i], ": T"));
      if (i == U::kGrad) op.Input("indices: Tindices");
    }
    if (by_reference) op.Output("out: Ref(T)");
    op.Attr(kNumberTypes).Attr("Tindices: {int32, int64}").Attr("use_locking: bool = false");
    if (!U::kFlag.empty()) op.Attr(U::kFlag);
    if (!by_reference) op.Stateful();
    op.Doc(doc).Shape(SparseUpdateShape<U>).NoGradient("a write of state");
    op.Kernel("CPU", NewUpdate<U, SparseUpdate>);
  }
}

}  // namespace millrace::train
