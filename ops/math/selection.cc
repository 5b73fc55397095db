#include "millrace/ops/math/selection.h"

#include <algorithm>
#include <string>

#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

extern const Expression kSelect;

namespace math {
namespace {

// The three operands with a vector condition that chooses rows written as a
// column, so that it broadcasts. `dims` is the memory of its shape.
struct SelectOperands {
  TensorView views[3];
  int64_t dims[Shape::kMaxRank];

  SelectOperands(KernelContext& ctx, bool rows) : views{ctx.input(0), ctx.input(1), ctx.input(2)} {
    TensorView& condition = views[0];
    const int rank = views[1].rank;
    if (!rows || condition.rank != 1 || rank < 2 || rank > Shape::kMaxRank) return;
    std::fill_n(dims, rank, 1);
    dims[0] = condition.dims[0];
    condition.dims = dims;
    condition.rank = rank;
  }
};

class SelectKernel final : public Kernel {
 public:
  SelectKernel(const Body* body, bool rows) : body_(body), rows_(rows) {}

  Status Run(KernelContext& ctx) const override {
    const SelectOperands operands(ctx, rows_);
    const TensorView& out = ctx.output(0);
    if (body_ != nullptr) {
      RunBody(ctx, *body_, operands.views, out, 1);
      return OkStatus();
    }
    const bool* condition = operands.views[0].as<bool>();
    const std::string *t = operands.views[1].as<std::string>(), *e = operands.views[2].as<std::string>();
    std::string* to = out.as<std::string>();
    ForEachBroadcast(operands.views, out,
                     [&](int64_t i, const int64_t* at) { to[i] = condition[at[0]] ? t[at[1]] : e[at[2]]; });
    return OkStatus();
  }

 private:
  const Body* const body_;  // null for strings
  const bool rows_;
};

template <bool kRows, bool kStrings>
Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
  const Body* body = nullptr;
  if (!kStrings) {
    const DType type = init.output_type(0), in[] = {DType::kBool, type, type};
    body = kSelect.Find(in, type, ActiveIsa());
    if (body == nullptr) return Unimplemented(Cat("no kernel that selects between elements of ", DTypeName(type)));
  }
  return std::unique_ptr<Kernel>(new SelectKernel(body, kRows));
}

}  // namespace

Status SelectShape(InferenceContext& c) {
  SymShape values;
  MR_RETURN_IF_ERROR(c.Merge(c.input(1), c.input(2), &values));
  const SymShape& condition = c.input(0);
  if (condition.rank() == 1 && values.rank() > 0) {
    Dim rows;
    const Status fits = c.Merge(condition.dims[0], values.dims[0], &rows);
    if (!fits.ok()) {
      return InvalidArgument(Cat("input 0: a vector condition chooses rows: ", fits.message()));
    }
    values.dims[0] = rows;
  } else if (condition.rank() > 1 || (condition.rank() == 1 && values.has_rank)) {
    MR_RETURN_IF_ERROR(c.Merge(condition, values, &values));
  }
  c.set_output(0, std::move(values));
  return OkStatus();
}

Status SelectV2Shape(InferenceContext& c) {
  SymShape values, out;
  MR_RETURN_IF_ERROR(BroadcastShapes(c.dims(), c.input(1), c.input(2), &values));
  MR_RETURN_IF_ERROR(BroadcastShapes(c.dims(), c.input(0), values, &out));
  c.set_output(0, std::move(out));
  return OkStatus();
}

Status ClipShape(InferenceContext& c) {
  SymShape out = c.input(0);
  for (int i = 1; i < 3; ++i) {
    // A bound is a scalar or has the shape of what is clipped.
    if (c.input(i).rank() > 0) MR_RETURN_IF_ERROR(c.Merge(out, c.input(i), &out));
  }
  c.set_output(0, std::move(out));
  return OkStatus();
}

Result<std::unique_ptr<Kernel>> NewSelect(const KernelInit& init) { return New<true, false>(init); }
Result<std::unique_ptr<Kernel>> NewStringSelect(const KernelInit& init) { return New<true, true>(init); }
Result<std::unique_ptr<Kernel>> NewStringSelectV2(const KernelInit& init) { return New<false, true>(init); }

}  // namespace math
}  // namespace millrace
