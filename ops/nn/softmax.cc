// Softmax, LogSoftmax and the two cross-entropy losses on logits.
#include "millrace/ops/nn/softmax.h"

#include <algorithm>
#include <type_traits>

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/nn/softmax_rows.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::Widened;

constexpr double kCyclesPerElement = 1.5;

template <typename C>
nn::RowFunctions<C> Functions() {
  const nn::SoftmaxRows& rows = ActiveIsa() == Isa::kAvx512 ? expr::avx512::kSoftmaxRows : expr::avx2::kSoftmaxRows;
  if constexpr (std::is_same_v<C, float>) {
    return rows.f32;
  } else {
    return rows.f64;
  }
}

// Rows of softmax, or of its logarithm; 16-bit floats by way of a row of floats.
template <typename T, bool log>
void SoftmaxRowsOf(const void* x, int64_t rows, int64_t n, void* out, void* workspace) {
  using C = linalg::ComputeType<T>;
  constexpr bool kWidened = !std::is_same_v<T, C>;
  const nn::RowFunctions<C> f = Functions<C>();
  for (int64_t r = 0; r < rows; ++r) {
    const T* from = static_cast<const T*>(x) + r * n;
    T* const result = static_cast<T*>(out) + r * n;
    const C* row;
    C* to;
    if constexpr (kWidened) {
      row = to = static_cast<C*>(workspace);
      linalg::Widen(from, n, to);
    } else {
      row = from;
      to = result;
    }
    C max;
    if (log) {
      const C sum = f.exp_sum(row, n, nullptr, &max);
      const C log_sum = f.log(sum);
      for (int64_t i = 0; i < n; ++i) to[i] = (row[i] - max) - log_sum;
    } else {
      const C scale = 1 / f.exp_sum(row, n, to, &max);
      for (int64_t i = 0; i < n; ++i) to[i] *= scale;
    }
    if constexpr (kWidened) linalg::Narrow(to, n, result);
  }
}

template <typename T, bool log>
constexpr nn::SoftmaxFunction kSoftmax = {
    SoftmaxRowsOf<T, log>, std::is_same_v<T, linalg::ComputeType<T>> ? 0 : sizeof(linalg::ComputeType<T>)};
template <bool log>
const nn::SoftmaxFunction* SoftmaxOf(DType type) {
  switch (type) {
    case DType::kFloat:
      return &kSoftmax<float, log>;
    case DType::kDouble:
      return &kSoftmax<double, log>;
    case DType::kHalf:
      return &kSoftmax<Half, log>;
    case DType::kBfloat16:
      return &kSoftmax<BFloat16, log>;
    default:
      return nullptr;
  }
}

template <bool log>
class SoftmaxKernel final : public Kernel {
 public:
  explicit SoftmaxKernel(const KernelInit& init) : function_(*SoftmaxOf<log>(init.input_type(0))) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &y = ctx.output(0);
    if (y.num_elements == 0) return OkStatus();
    const int64_t columns = x.dim(x.rank - 1), rows = x.num_elements / columns;
    const int64_t workspace = (columns * function_.workspace_bytes + 63) / 64 * 64;
    char* scratch = nullptr;
    if (workspace > 0) {
      MR_ASSIGN_OR_RETURN(void* p, ctx.Scratch(static_cast<size_t>(workspace * ctx.workers())));
      scratch = static_cast<char*>(p);
    }
    const auto row_bytes = columns * static_cast<int64_t>(ElementSize(x.dtype));
    ctx.ParallelFor(rows, BlockFor(kCyclesPerElement * static_cast<double>(columns) + 30),
                    [&](int64_t begin, int64_t end, int worker) {
                      function_.rows(x.as<char>() + begin * row_bytes, end - begin, columns,
                                     y.as<char>() + begin * row_bytes, scratch + worker * workspace);
                    });
    return OkStatus();
  }

 private:
  const nn::SoftmaxFunction& function_;
};

// The sum of terms i < count in a fixed number of lanes.
template <typename C, typename Term>
C LaneSum(int64_t count, const Term& term) {
  constexpr int kLanes = 64 / sizeof(C);
  C lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += term(i + l);
  }
  for (int l = 0; i + l < count; ++l) lanes[l] += term(i + l);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

// Features and labels may broadcast to [rows, columns].
template <typename T>
Status RunCrossEntropy(KernelContext& ctx) {
  using C = linalg::ComputeType<T>;
  const TensorView &x = ctx.input(0), &labels = ctx.input(1), &loss = ctx.output(0), &backprop = ctx.output(1);
  const int64_t rows = backprop.dim(0), columns = backprop.dim(1);
  if (rows == 0) return OkStatus();
  if (columns == 0) {
    if (!ctx.output_wanted(0)) return OkStatus();
    for (int64_t r = 0; r < rows; ++r) loss.as<T>()[r] = T();
    return OkStatus();
  }
  Widened<T> operands(ctx);
  const int xi = operands.Add(x), li = operands.Add(labels);
  const int loss_index = operands.AddResult(loss), back_index = operands.AddResult(backprop);
  // A row of features, broadcast, and one of a gradient that nobody wants.
  const size_t row_bytes = (static_cast<size_t>(columns) * sizeof(C) + 63) / 64 * 64;
  MR_RETURN_IF_ERROR(operands.Allocate(2 * row_bytes * static_cast<size_t>(ctx.workers())));
  C* const losses = operands.result(loss_index);
  C* const backprops = operands.result(back_index);
  const int64_t x_row = x.dim(0) == 1 ? 0 : x.dim(1), x_step = x.dim(1) == 1 ? 0 : 1;
  const int64_t l_row = labels.dim(0) == 1 ? 0 : labels.dim(1), l_step = labels.dim(1) == 1 ? 0 : 1;
  const nn::RowFunctions<C> f = Functions<C>();
  ctx.ParallelFor(
      rows, BlockFor(2 * kCyclesPerElement * static_cast<double>(columns) + 50),
      [&](int64_t begin, int64_t end, int worker) {
        char* const scratch = static_cast<char*>(operands.workspace()) + 2 * row_bytes * static_cast<size_t>(worker);
        C* const copy = reinterpret_cast<C*>(scratch);
        C* const unwanted = reinterpret_cast<C*>(scratch + row_bytes);
        for (int64_t r = begin; r < end; ++r) {
          const C* row = operands[xi] + r * x_row;
          if (x_step == 0) {
            std::fill(copy, copy + columns, *row);
            row = copy;
          }
          const C* label = operands[li] + r * l_row;
          C* back = backprops != nullptr ? backprops + r * columns : unwanted;
          C max;
          const C sum = f.exp_sum(row, columns, back, &max);
          const C log_sum = f.log(sum), scale = 1 / sum;
          if (losses != nullptr) {
            losses[r] = LaneSum<C>(columns, [&](int64_t i) { return label[i * l_step] * (log_sum - (row[i] - max)); });
          }
          for (int64_t i = 0; i < columns; ++i) back[i] = back[i] * scale - label[i * l_step];
        }
      });
  operands.Finish();
  return OkStatus();
}

template <typename T, typename Label>
Status RunSparseCrossEntropy(KernelContext& ctx) {
  using C = linalg::ComputeType<T>;
  const TensorView &x = ctx.input(0), &labels = ctx.input(1), &loss = ctx.output(0), &backprop = ctx.output(1);
  const int64_t rows = x.dim(0), columns = x.dim(1);
  if (rows == 0) return OkStatus();
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t label = labels.as<Label>()[r];
    if (label < 0 || label >= columns) {
      return InvalidArgument(Cat("label ", r, ": expected a class from 0 to ", columns - 1, ", found ", label));
    }
  }
  Widened<T> operands(ctx);
  const int xi = operands.Add(x), loss_index = operands.AddResult(loss), back_index = operands.AddResult(backprop);
  MR_RETURN_IF_ERROR(operands.Allocate(0));
  C* const losses = operands.result(loss_index);
  C* const backprops = operands.result(back_index);
  const nn::RowFunctions<C> f = Functions<C>();
  ctx.ParallelFor(rows, BlockFor(kCyclesPerElement * static_cast<double>(columns) + 50),
                  [&](int64_t begin, int64_t end, int) {
                    for (int64_t r = begin; r < end; ++r) {
                      const C* row = operands[xi] + r * columns;
                      C* back = backprops != nullptr ? backprops + r * columns : nullptr;
                      const auto label = static_cast<int64_t>(labels.as<Label>()[r]);
                      C max;
                      const C sum = f.exp_sum(row, columns, back, &max);
                      if (losses != nullptr) losses[r] = f.log(sum) - (row[label] - max);
                      if (back == nullptr) continue;
                      const C scale = 1 / sum;
                      for (int64_t i = 0; i < columns; ++i) back[i] *= scale;
                      back[label] -= 1;
                    }
                  });
  operands.Finish();
  return OkStatus();
}

Result<std::unique_ptr<Kernel>> NewCrossEntropy(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return MakeKernel<RunCrossEntropy<float>>(init);
    case DType::kDouble:
      return MakeKernel<RunCrossEntropy<double>>(init);
    case DType::kHalf:
      return MakeKernel<RunCrossEntropy<Half>>(init);
    default:
      return MakeKernel<RunCrossEntropy<BFloat16>>(init);
  }
}
template <typename T>
Result<std::unique_ptr<Kernel>> SparseOf(const KernelInit& init) {
  return init.input_type(1) == DType::kInt32 ? MakeKernel<RunSparseCrossEntropy<T, int32_t>>(init)
                                             : MakeKernel<RunSparseCrossEntropy<T, int64_t>>(init);
}
Result<std::unique_ptr<Kernel>> NewSparseCrossEntropy(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return SparseOf<float>(init);
    case DType::kDouble:
      return SparseOf<double>(init);
    case DType::kHalf:
      return SparseOf<Half>(init);
    default:
      return SparseOf<BFloat16>(init);
  }
}

Status SoftmaxShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

Status CrossEntropyShape(InferenceContext& ctx) {
  SymShape both = SymShape::Unknown(2);
  if (ctx.input(0).has_rank && ctx.input(1).has_rank) {
    MR_RETURN_IF_ERROR(BroadcastShapes(ctx.dims(), ctx.input(0), ctx.input(1), &both));
    if (both.rank() != 2 || ctx.input(0).rank() != 2 || ctx.input(1).rank() != 2) {
      return InvalidArgument(Cat("expected matrices, found ", ctx.input(0).ToShape().ToString(), " and ",
                                 ctx.input(1).ToShape().ToString()));
    }
  }
  ctx.set_output(0, SymShape({both.dims[0]}));
  ctx.set_output(1, both);
  return OkStatus();
}

Status SparseCrossEntropyShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape x = ctx.input(0).has_rank ? ctx.input(0) : SymShape::Unknown(2);
  Dim rows = x.dims[0];
  if (ctx.input(1).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(x.dims[0], ctx.input(1).dims[0], &rows));
  ctx.set_output(0, SymShape({rows}));
  ctx.set_output(1, SymShape({rows, x.dims[1]}));
  return OkStatus();
}

}  // namespace

const nn::SoftmaxFunction* nn::FindSoftmax(std::string_view op, DType type) {
  if (op == "Softmax") return SoftmaxOf<false>(type);
  if (op == "LogSoftmax") return SoftmaxOf<true>(type);
  return nullptr;
}

namespace families {

void softmax(Registry& registry) {
  const char* const types = "T: {half, bfloat16, float, double}";
  registry.Define("Softmax")
      .Input("logits: T")
      .Output("softmax: T")
      .Attr(types)
      .Doc("exp(logits), scaled so that each row of the last dimension sums to 1.")
      .Shape(SoftmaxShape)
      .Kernel("CPU", NewKernel<SoftmaxKernel<false>>);
  registry.Define("LogSoftmax")
      .Input("logits: T")
      .Output("logsoftmax: T")
      .Attr(types)
      .Doc("The logarithm of Softmax.")
      .Shape(SoftmaxShape)
      .Kernel("CPU", NewKernel<SoftmaxKernel<true>>);
  registry.Define("SoftmaxCrossEntropyWithLogits")
      .Input("features: T")
      .Input("labels: T")
      .Output("loss: T")
      .Output("backprop: T")
      .Attr(types)
      .Doc("Cross entropy of each row's softmax and its labels, and the gradient by the features.")
      .Shape(CrossEntropyShape)
      .Kernel("CPU", NewCrossEntropy);
  registry.Define("SparseSoftmaxCrossEntropyWithLogits")
      .Input("features: T")
      .Input("labels: Tlabels")
      .Output("loss: T")
      .Output("backprop: T")
      .Attr(types)
      .Attr("Tlabels: {int32, int64} = DT_INT64")
      .Doc("Cross entropy of each row's softmax and one class, and the gradient by the features.")
      .Shape(SparseCrossEntropyShape)
      .Kernel("CPU", NewSparseCrossEntropy);
}

}  // namespace families
}  // namespace millrace
