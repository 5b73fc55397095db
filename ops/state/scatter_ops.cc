// Scatter and gather on variables: rows, and slices by coordinates.
#include "millrace/ops/array/gather_rows.h"
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/scatter_slices.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::ScatterWay;
using array::SpanOf;

SymShape VariableShapeOf(const InferenceContext& ctx) {
  const InferenceContext::Input& variable = ctx.input_info(0);
  if (variable.handle_shape != nullptr) return *variable.handle_shape;
  return IsRef(variable.dtype) ? variable.shape : SymShape();
}

// updates is a scalar, or indices + variable[1:].
Status ScatterShape(InferenceContext& ctx) {
  const SymShape variable = VariableShapeOf(ctx);
  const SymShape &indices = ctx.input(1), &updates = ctx.input(2);
  if (variable.has_rank && variable.rank() == 0)
    return InvalidArgument("the variable must have at least one dimension");
  if (variable.has_rank && indices.has_rank && updates.has_rank && updates.rank() != 0) {
    SymShape expected = indices;
    expected.dims.insert(expected.dims.end(), variable.dims.begin() + 1, variable.dims.end());
    MR_RETURN_IF_ERROR(ctx.Merge(expected, updates, &expected));
  }
  if (ctx.num_outputs() > 0) ctx.set_output(0, variable);
  return OkStatus();
}

// updates is indices[:-1] + variable[indices.shape[-1]:].
Status ScatterNdShape(InferenceContext& ctx) {
  const SymShape variable = VariableShapeOf(ctx);
  const SymShape &indices = ctx.input(1), &updates = ctx.input(2);
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 1));
  if (variable.has_rank && indices.has_rank && updates.has_rank && indices.dims.back().known()) {
    const int64_t depth = indices.dims.back().value();
    if (depth > variable.rank()) {
      return InvalidArgument(
          Cat("indices have ", depth, " entries each, the variable only ", variable.rank(), " dimensions"));
    }
    SymShape expected(std::vector<Dim>(indices.dims.begin(), indices.dims.end() - 1));
    expected.dims.insert(expected.dims.end(), variable.dims.begin() + depth, variable.dims.end());
    MR_RETURN_IF_ERROR(ctx.Merge(expected, updates, &expected));
  }
  if (ctx.num_outputs() > 0) ctx.set_output(0, variable);
  return OkStatus();
}

template <ScatterWay kWay, bool kByCoordinates>
Status RunScatter(KernelContext& ctx) {
  const TensorView &indices = ctx.input(1), &updates = ctx.input(2);
  MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0, updates.dtype));
  VariableUpdate update;
  MR_RETURN_IF_ERROR(update.Lock({&variable, 1}, Code::kFailedPrecondition));
  const TensorView before = update.value(0);
  const int64_t depth = !kByCoordinates ? 1 : indices.rank > 0 ? indices.dim(indices.rank - 1) : 0;
  const int lead = kByCoordinates ? indices.rank - 1 : indices.rank;  // dimensions of `updates` that count slices
  bool fits = lead >= 0 && depth <= before.rank;
  const bool scalar = !kByCoordinates && updates.rank == 0;
  if (fits && !scalar) {
    fits = updates.rank == lead + before.rank - depth;
    for (int k = 0; fits && k < updates.rank; ++k) {
      fits = updates.dim(k) == (k < lead ? indices.dim(k) : before.dim(k - lead + static_cast<int>(depth)));
    }
  }
  if (!fits) {
    return InvalidArgument(Cat("indices of shape ", array::DimsText(indices.shape()), " and updates of shape ",
                               array::DimsText(updates.shape()), " do not fit variable '", variable->name(),
                               "' of shape ", array::DimsText(before.shape())));
  }
  int64_t count = 1;
  for (int k = 0; k < lead; ++k) count *= indices.dim(k);
  MR_RETURN_IF_ERROR(update.MakeMutable(0));
  return array::ScatterSlices(kWay, update.value(0), indices, count, static_cast<int>(depth), updates, nullptr);
}

Status GatherShapeFn(InferenceContext& ctx) {
  const SymShape variable = VariableShapeOf(ctx);
  const SymShape& indices = ctx.input(1);
  int64_t batch = ctx.attr<int64_t>("batch_dims");
  if (!variable.has_rank || !indices.has_rank) return OkStatus();
  if (batch < 0) batch += indices.rank();
  if (batch < 0 || batch > indices.rank() || batch >= variable.rank()) {
    return InvalidArgument(Cat("batch_dims ", ctx.attr<int64_t>("batch_dims"), " does not fit a variable of rank ",
                               variable.rank(), " and indices of rank ", indices.rank()));
  }
  SymShape out = indices;
  for (int k = 0; k < batch; ++k) {
    const size_t i = static_cast<size_t>(k);
    MR_RETURN_IF_ERROR(ctx.Merge(variable.dims[i], indices.dims[i], &out.dims[i]));
  }
  out.dims.insert(out.dims.end(), variable.dims.begin() + batch + 1, variable.dims.end());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

class ResourceGather final : public Kernel {
 public:
  explicit ResourceGather(const KernelInit& init) : batch_dims_(init.attr<int64_t>("batch_dims")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& indices = ctx.input(1);
    MR_ASSIGN_OR_RETURN(VariableResource * variable, VariableInput(ctx, 0));
    MR_ASSIGN_OR_RETURN(const Tensor value, variable->Snapshot());
    const TensorView params = value.view();
    const int64_t batch = batch_dims_ < 0 ? batch_dims_ + indices.rank : batch_dims_;
    if (batch < 0 || batch > indices.rank || batch >= params.rank) {
      return InvalidArgument(Cat("batch_dims ", batch_dims_, " does not fit variable '", variable->name(),
                                 "' of shape ", array::DimsText(params.shape())));
    }
    array::GatherShape shape;
    Ints dims;
    for (int k = 0; k < indices.rank; ++k) {
      dims.push_back(indices.dim(k));
      if (k < batch) {
        if (params.dim(k) != indices.dim(k)) return InvalidArgument(Cat("batch dimension ", k, " differs"));
        shape.batches *= indices.dim(k);
      } else {
        shape.indices *= indices.dim(k);
      }
    }
    shape.rows = params.dim(static_cast<int>(batch));
    for (int k = static_cast<int>(batch) + 1; k < params.rank; ++k) {
      dims.push_back(params.dim(k));
      shape.inner *= params.dim(k);
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    return array::GatherRows(ctx, shape, params, indices, ctx.output(0).data);
  }

 private:
  const int64_t batch_dims_;
};

constexpr std::string_view kWrite = "a write of state";

// The types that a scatter of this kind takes, as an attribute `name`.
std::string TypesAttr(std::string_view name, ScatterWay way, bool by_reference) {
  if (way == ScatterWay::kUpdate) return Cat(name, ": type");
  if (by_reference && (way == ScatterWay::kMin || way == ScatterWay::kMax)) {
    return Cat(name, ": {half, bfloat16, float, double, int32, int64}");
  }
  return Cat(name,
             ": {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
             "quint16, uint16, complex128, half, uint32, uint64}");
}
// The default of use_locking, which replacing has the other way round.
std::string LockingAttr(bool locks) { return Cat("use_locking: bool = ", locks ? "true" : "false"); }

// ScatterX and ResourceScatterX: rows by index.
template <ScatterWay kWay>
void DefineRowScatter(Registry& registry, std::string_view name, std::string_view does) {
  registry.Define(Cat("Scatter", name))
      .Input("ref: Ref(T)")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output_ref: Ref(T)")
      .Attr(TypesAttr("T", kWay, true))
      .Attr("Tindices: {int32, int64}")
      .Attr(LockingAttr(kWay == ScatterWay::kUpdate))
      .Doc(Cat(does, " rows of the variable."))
      .Shape(ScatterShape)
      .NoGradient(kWrite)
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunScatter<kWay, false>>);
  registry.Define(Cat("ResourceScatter", name))
      .Input("resource: resource")
      .Input("indices: Tindices")
      .Input("updates: dtype")
      .Attr(TypesAttr("dtype", kWay, false))
      .Attr("Tindices: {int32, int64}")
      .Stateful()
      .Doc(Cat(does, " rows of the variable behind the handle."))
      .Shape(ScatterShape)
      .NoGradient(kWrite)
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunScatter<kWay, false>>);
}

// ScatterNdX and ResourceScatterNdX: slices by their coordinates.
template <ScatterWay kWay>
void DefineSliceScatter(Registry& registry, std::string_view name, std::string_view does) {
  registry.Define(Cat("ScatterNd", name))
      .Input("ref: Ref(T)")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output_ref: Ref(T)")
      .Attr(TypesAttr("T", kWay, true))
      .Attr("Tindices: {int32, int64}")
      .Attr(LockingAttr(kWay == ScatterWay::kUpdate))
      .Attr("bad_indices_policy: string = ''")
      .Doc(Cat(does, " slices of the variable."))
      .Shape(ScatterNdShape)
      .NoGradient(kWrite)
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunScatter<kWay, true>>);
  registry.Define(Cat("ResourceScatterNd", name))
      .Input("ref: resource")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Attr("T: type")
      .Attr("Tindices: {int32, int64}")
      .Attr(LockingAttr(true))
      .Attr("bad_indices_policy: string = ''")
      .Stateful()
      .Doc(Cat(does, " slices of the variable behind the handle."))
      .Shape(ScatterNdShape)
      .NoGradient(kWrite)
      .Writes(0)
      .Kernel("CPU", MakeKernel<RunScatter<kWay, true>>);
}

}  // namespace

namespace families {
void state_scatter(Registry& registry) {
  registry.Define("ResourceGather")
      .Input("resource: resource")
      .Input("indices: Tindices")
      .Output("output: dtype")
      .Attr("batch_dims: int = 0")
      .Attr("validate_indices: bool = true")
      .Attr("dtype: type")
      .Attr("Tindices: {int32, int64}")
      .Stateful()
      .Doc("Rows of the variable by index.")
      .Shape(GatherShapeFn)
      .Reads(0)
      .Kernel("CPU", NewKernel<ResourceGather>);
  DefineRowScatter<ScatterWay::kUpdate>(registry, "Update", "Replaces");
  DefineRowScatter<ScatterWay::kAdd>(registry, "Add", "Adds to");
  DefineRowScatter<ScatterWay::kSub>(registry, "Sub", "Subtracts from");
  DefineRowScatter<ScatterWay::kMul>(registry, "Mul", "Multiplies");
  DefineRowScatter<ScatterWay::kDiv>(registry, "Div", "Divides");
  DefineRowScatter<ScatterWay::kMin>(registry, "Min", "Takes the smaller into");
  DefineRowScatter<ScatterWay::kMax>(registry, "Max", "Takes the larger into");
  DefineSliceScatter<ScatterWay::kUpdate>(registry, "Update", "Replaces");
  DefineSliceScatter<ScatterWay::kAdd>(registry, "Add", "Adds to");
  DefineSliceScatter<ScatterWay::kSub>(registry, "Sub", "Subtracts from");
}
}  // namespace families
}  // namespace millrace
