// FusedBatchNorm in its three versions, and their gradients.
#include <algorithm>
#include <cmath>

#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::Widened;

// An image of any number of spatial dimensions: outer x channels x inner, where
// inner is 1 when the channels come last.
struct Layout {
  int64_t outer = 1, channels = 0, inner = 1;
  bool channels_last = true;
  int64_t count() const { return outer * inner; }  // elements of a channel
  Layout(std::span<const int64_t> dims, bool last) : channels_last(last) {
    const size_t at = last ? dims.size() - 1 : 1;
    channels = dims[at];
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i != at) (!last && i > at ? inner : outer) *= dims[i];
    }
  }
};

bool ChannelsLast(const AttrMap& attrs) { return attrs.find("data_format")->second.get<std::string>()->back() == 'C'; }
int ChannelAxis(const AttrMap& attrs, int rank) { return ChannelsLast(attrs) ? rank - 1 : 1; }

// Sums of two terms over each channel, in double, over blocks of rows that depend
// on the shape alone.
class ChannelSums {
 public:
  explicit ChannelSums(const Layout& l) : l_(l) {
    if (!l.channels_last) return;
    constexpr int64_t kMostBlocks = 64, kRows = 64;
    rows_ = std::max(kRows, (l.outer + kMostBlocks - 1) / kMostBlocks);
    blocks_ = (l.outer + rows_ - 1) / rows_;
  }
  // Of the workspace that Run needs, and of a pair of results.
  size_t bytes() const { return static_cast<size_t>((blocks_ + 1) * 2 * l_.channels) * sizeof(double); }

  // term(element, channel, &first, &second); answers sums[channel] and
  // sums[channels + channel], in `workspace`.
  template <typename Term>
  double* Run(KernelContext& ctx, void* workspace, const Term& term) const {
    double* const sums = static_cast<double*>(workspace);
    const int64_t n = l_.channels;
    if (!l_.channels_last) {
      ctx.ParallelFor(n, BlockFor(static_cast<double>(l_.count())), [&](int64_t begin, int64_t end, int) {
        for (int64_t c = begin; c < end; ++c) {
          constexpr int kLanes = 8;
          double a[kLanes] = {}, b[kLanes] = {};
          for (int64_t o = 0; o < l_.outer; ++o) {
            const int64_t base = (o * n + c) * l_.inner;
            int64_t i = 0;
            for (; i + kLanes <= l_.inner; i += kLanes) {
              for (int l = 0; l < kLanes; ++l) Add(term, base + i + l, c, &a[l], &b[l]);
            }
            for (int l = 0; i + l < l_.inner; ++l) Add(term, base + i + l, c, &a[l], &b[l]);
          }
          sums[c] = sums[n + c] = 0;
          for (int l = 0; l < kLanes; ++l) sums[c] += a[l], sums[n + c] += b[l];
        }
      });
      return sums;
    }
    double* const partial = sums + 2 * n;
    ctx.ParallelFor(blocks_, BlockFor(static_cast<double>(rows_ * n)), [&](int64_t begin, int64_t end, int) {
      for (int64_t block = begin; block < end; ++block) {
        double* const a = partial + block * 2 * n;
        double* const b = a + n;
        std::fill(a, a + 2 * n, 0.0);
        const int64_t last = std::min(l_.outer, (block + 1) * rows_);
        for (int64_t r = block * rows_; r < last; ++r) {
          for (int64_t c = 0; c < n; ++c) Add(term, r * n + c, c, &a[c], &b[c]);
        }
      }
    });
    std::fill(sums, sums + 2 * n, 0.0);
    for (int64_t block = 0; block < blocks_; ++block) {
      for (int64_t i = 0; i < 2 * n; ++i) sums[i] += partial[block * 2 * n + i];
    }
    return sums;
  }

 private:
  template <typename Term>
  static void Add(const Term& term, int64_t element, int64_t channel, double* a, double* b) {
    double first, second;
    term(element, channel, &first, &second);
    *a += first;
    *b += second;
  }
  const Layout& l_;
  int64_t rows_ = 0, blocks_ = 0;
};

// f(element, channel) for every element.
template <typename F>
void ForEachElement(KernelContext& ctx, const Layout& l, const F& f) {
  if (l.channels_last) {
    ctx.ParallelFor(l.outer, BlockFor(static_cast<double>(l.channels) * 0.5), [&](int64_t begin, int64_t end, int) {
      for (int64_t r = begin; r < end; ++r) {
        for (int64_t c = 0; c < l.channels; ++c) f(r * l.channels + c, c);
      }
    });
    return;
  }
  ctx.ParallelFor(l.outer * l.channels, BlockFor(static_cast<double>(l.inner) * 0.5),
                  [&](int64_t begin, int64_t end, int) {
                    for (int64_t u = begin; u < end; ++u) {
                      const int64_t c = u % l.channels;
                      for (int64_t i = u * l.inner; i < (u + 1) * l.inner; ++i) f(i, c);
                    }
                  });
}

size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

float* Wanted(KernelContext& ctx, int i) {
  return i < ctx.num_outputs() && ctx.output_wanted(i) ? ctx.output(i).as<float>() : nullptr;
}

template <typename T>
class BatchNorm final : public Kernel {
 public:
  explicit BatchNorm(const KernelInit& init)
      : epsilon_(init.attr<float>("epsilon")),
        training_(init.attr<bool>("is_training")),
        channels_last_(ChannelsLast(init.attrs())),
        factor_(1.0f) {
    if (const auto it = init.attrs().find("exponential_avg_factor"); it != init.attrs().end()) {
      factor_ = *it->second.get<float>();
    }
  }

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &y = ctx.output(0);
    const Layout l(x.shape(), channels_last_);
    const float *scale = ctx.input(1).as<float>(), *offset = ctx.input(2).as<float>();
    const float *mean = ctx.input(3).as<float>(), *variance = ctx.input(4).as<float>();
    const bool blends = training_ && factor_ != 1.0f;
    if ((!training_ || blends) &&
        (ctx.input(3).num_elements != l.channels || ctx.input(4).num_elements != l.channels)) {
      return InvalidArgument(Cat("expected mean and variance of ", l.channels, " elements, found ",
                                 ctx.input(3).num_elements, " and ", ctx.input(4).num_elements));
    }
    Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.AddResult(y);
    const ChannelSums sums(l);
    const size_t channel_bytes = Align(static_cast<size_t>(l.channels) * sizeof(float));
    MR_RETURN_IF_ERROR(operands.Allocate(2 * channel_bytes + (training_ ? sums.bytes() : 0)));
    char* const workspace = static_cast<char*>(operands.workspace());
    float* const centre = reinterpret_cast<float*>(workspace);
    float* const factor = reinterpret_cast<float*>(workspace + channel_bytes);
    void* const sum_space = workspace + 2 * channel_bytes;
    const float* const in = operands[xi];

    float *batch_mean = Wanted(ctx, 1), *batch_variance = Wanted(ctx, 2);
    float *saved_mean = Wanted(ctx, 3), *saved_variance = Wanted(ctx, 4);
    const auto count = static_cast<double>(l.count());
    const double* total = nullptr;
    if (training_) {
      total = sums.Run(ctx, sum_space, [&](int64_t i, int64_t, double* a, double* b) { *a = in[i], *b = 0; });
      for (int64_t c = 0; c < l.channels; ++c) centre[c] = static_cast<float>(count > 0 ? total[c] / count : 0);
      total = sums.Run(ctx, sum_space, [&](int64_t i, int64_t c, double* a, double* b) {
        const double d = static_cast<double>(in[i]) - static_cast<double>(centre[c]);
        *a = d * d, *b = d;
      });
    }
    for (int64_t c = 0; c < l.channels; ++c) {
      float var, unbiased;
      if (training_) {
        // The mean was rounded: what the differences from it sum to is taken out.
        const double shift = count > 0 ? total[l.channels + c] / count : 0;
        const double biased = count > 0 ? std::max(0.0, total[c] / count - shift * shift) : 0;
        var = static_cast<float>(biased);
        unbiased = static_cast<float>(count > 1 ? biased * (count / (count - 1)) : biased);
        // An empty batch has no statistics.
        if (count == 0) centre[c] = unbiased = NAN;
      } else {
        centre[c] = mean[c];
        var = unbiased = variance[c];
      }
      const auto blend = [&](float old, float fresh) { return (1.0f - factor_) * old + factor_ * fresh; };
      if (batch_mean != nullptr) batch_mean[c] = blends ? blend(mean[c], centre[c]) : centre[c];
      if (batch_variance != nullptr) batch_variance[c] = blends ? blend(variance[c], unbiased) : unbiased;
      if (saved_mean != nullptr) saved_mean[c] = centre[c];
      if (saved_variance != nullptr) saved_variance[c] = var;
      factor[c] = scale[c] / std::sqrt(var + epsilon_);
    }
    if (ctx.output_wanted(0)) {
      float* const out = operands.result(yi);
      ForEachElement(ctx, l, [&](int64_t i, int64_t c) { out[i] = (in[i] - centre[c]) * factor[c] + offset[c]; });
      operands.Finish();
    }
    return OkStatus();
  }

 private:
  float epsilon_;
  bool training_, channels_last_;
  float factor_;
};

template <typename T>
class BatchNormGrad final : public Kernel {
 public:
  explicit BatchNormGrad(const KernelInit& init)
      : epsilon_(init.attr<float>("epsilon")),
        training_(init.attr<bool>("is_training")),
        channels_last_(ChannelsLast(init.attrs())) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &dy = ctx.input(0), &x = ctx.input(1);
    const Layout l(x.shape(), channels_last_);
    const float *scale = ctx.input(2).as<float>(), *mean = ctx.input(3).as<float>(),
                *variance = ctx.input(4).as<float>();
    Widened<T> operands(ctx);
    const int dyi = operands.Add(dy), xi = operands.Add(x), dxi = operands.AddResult(ctx.output(0));
    const ChannelSums sums(l);
    const size_t channel_bytes = Align(static_cast<size_t>(l.channels) * sizeof(float));
    MR_RETURN_IF_ERROR(operands.Allocate(3 * channel_bytes + sums.bytes()));
    char* const workspace = static_cast<char*>(operands.workspace());
    float* const factor = reinterpret_cast<float*>(workspace);
    float* const mean_dy = reinterpret_cast<float*>(workspace + channel_bytes);
    float* const slope = reinterpret_cast<float*>(workspace + 2 * channel_bytes);
    const float *g = operands[dyi], *in = operands[xi];
    // Sums of dy and of dy (x - mean).
    const double* const total =
        sums.Run(ctx, workspace + 3 * channel_bytes, [&](int64_t i, int64_t c, double* a, double* b) {
          *a = g[i];
          *b = static_cast<double>(g[i]) * (static_cast<double>(in[i]) - static_cast<double>(mean[c]));
        });
    float *d_scale = Wanted(ctx, 1), *d_offset = Wanted(ctx, 2);
    const auto count = std::max(1.0, static_cast<double>(l.count()));
    for (int64_t c = 0; c < l.channels; ++c) {
      const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon_));
      if (d_scale != nullptr) d_scale[c] = static_cast<float>(total[l.channels + c] * inverse);
      if (d_offset != nullptr) d_offset[c] = static_cast<float>(total[c]);
      factor[c] = static_cast<float>(scale[c] * inverse);
      mean_dy[c] = training_ ? static_cast<float>(total[c] / count) : 0.0f;
      slope[c] = training_ ? static_cast<float>(total[l.channels + c] / count * inverse * inverse) : 0.0f;
    }
    if (ctx.output_wanted(0)) {
      float* const dx = operands.result(dxi);
      ForEachElement(ctx, l, [&](int64_t i, int64_t c) {
        dx[i] = factor[c] * ((g[i] - mean_dy[c]) - (in[i] - mean[c]) * slope[c]);
      });
      operands.Finish();
    }
    return OkStatus();
  }

 private:
  float epsilon_;
  bool training_, channels_last_;
};

Result<std::unique_ptr<Kernel>> NewBatchNorm(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return NewKernel<BatchNorm<float>>(init);
    case DType::kHalf:
      return NewKernel<BatchNorm<Half>>(init);
    default:
      return NewKernel<BatchNorm<BFloat16>>(init);
  }
}
Result<std::unique_ptr<Kernel>> NewBatchNormGrad(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return NewKernel<BatchNormGrad<float>>(init);
    case DType::kHalf:
      return NewKernel<BatchNormGrad<Half>>(init);
    default:
      return NewKernel<BatchNormGrad<BFloat16>>(init);
  }
}

// The rank that data_format says, and the channels of input i merged into
// `channels`.
Status MergeImage(InferenceContext& ctx, int i, Dim* channels) {
  const int rank = static_cast<int>(ctx.attr<std::string>("data_format").size());
  MR_RETURN_IF_ERROR(ctx.WithRank(i, rank));
  if (!ctx.input(i).has_rank) return OkStatus();
  return ctx.Merge(*channels, ctx.input(i).dims[static_cast<size_t>(ChannelAxis(ctx.attrs(), rank))], channels);
}
Status MergeVector(InferenceContext& ctx, int i, Dim* channels) {
  MR_RETURN_IF_ERROR(ctx.WithRank(i, 1));
  if (!ctx.input(i).has_rank) return OkStatus();
  return ctx.Merge(*channels, ctx.input(i).dims[0], channels);
}

Status BatchNormShape(InferenceContext& ctx) {
  Dim channels;
  MR_RETURN_IF_ERROR(MergeImage(ctx, 0, &channels));
  const bool training = ctx.attr<bool>("is_training");
  for (int i = 1; i < 5; ++i) {
    // In training, mean and variance may be empty.
    if (training && i > 2) {
      MR_RETURN_IF_ERROR(ctx.WithRank(i, 1));
    } else {
      MR_RETURN_IF_ERROR(MergeVector(ctx, i, &channels));
    }
  }
  SymShape y = ctx.input(0);
  if (!y.has_rank) y = SymShape::Unknown(static_cast<int>(ctx.attr<std::string>("data_format").size()));
  y.dims[static_cast<size_t>(ChannelAxis(ctx.attrs(), y.rank()))] = channels;
  ctx.set_output(0, std::move(y));
  for (int i = 1; i < 5; ++i) ctx.set_output(i, SymShape({channels}));
  if (ctx.num_outputs() > 5) ctx.set_output(5, SymShape({Dim(0)}));
  return OkStatus();
}

Status BatchNormGradShape(InferenceContext& ctx) {
  Dim channels;
  MR_RETURN_IF_ERROR(MergeImage(ctx, 0, &channels));
  MR_RETURN_IF_ERROR(MergeImage(ctx, 1, &channels));
  for (int i = 2; i < 5; ++i) MR_RETURN_IF_ERROR(MergeVector(ctx, i, &channels));
  SymShape dx;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0), ctx.input(1), &dx));
  if (dx.has_rank) dx.dims[static_cast<size_t>(ChannelAxis(ctx.attrs(), dx.rank()))] = channels;
  ctx.set_output(0, std::move(dx));
  ctx.set_output(1, SymShape({channels}));
  ctx.set_output(2, SymShape({channels}));
  ctx.set_output(3, SymShape({Dim(0)}));
  ctx.set_output(4, SymShape({Dim(0)}));
  return OkStatus();
}

}  // namespace

namespace families {

void batch_norm(Registry& registry) {
  const char* const planar = "data_format: {'NHWC', 'NCHW'} = 'NHWC'";
  const char* const any = "data_format: {'NHWC', 'NCHW', 'NDHWC', 'NCDHW'} = 'NHWC'";
  for (int version = 1; version <= 3; ++version) {
    const std::string u = version == 1 ? "T" : "U";
    OpBuilder op = registry.Define(version == 1 ? "FusedBatchNorm" : Cat("FusedBatchNormV", version));
    op.Input("x: T");
    for (const char* name : {"scale: ", "offset: ", "mean: ", "variance: "}) op.Input(name + u);
    op.Output("y: T");
    for (const char* name : {"batch_mean: ", "batch_variance: ", "reserve_space_1: ", "reserve_space_2: "}) {
      op.Output(name + u);
    }
    if (version == 3) op.Output("reserve_space_3: U");
    op.Attr(version == 1 ? "T: {float}" : "T: {half, bfloat16, float}");
    if (version > 1) op.Attr(version == 3 ? "U: {bfloat16, float}" : "U: {float}");
    op.Attr("epsilon: float = 0.0001").Attr("exponential_avg_factor: float = 1.0");
    op.Attr(version == 3 ? any : planar).Attr("is_training: bool = true");
    op.Doc(
        "Batch normalisation: (x - mean) scale / sqrt(variance + epsilon) + offset, over the channels. In training "
        "mean and variance are the batch's; it normalises with the biased variance and answers the unbiased one.");
    op.Shape(BatchNormShape);
    if (version == 1) {
      op.Kernel("CPU", NewBatchNorm);
    } else {
      op.Kernel("CPU", NewBatchNorm, {{"U", {DType::kFloat}}});
    }
  }
  for (int version = 1; version <= 3; ++version) {
    const std::string u = version == 1 ? "T" : "U";
    OpBuilder op = registry.Define(version == 1 ? "FusedBatchNormGrad" : Cat("FusedBatchNormGradV", version));
    op.Input("y_backprop: T").Input("x: T").Input(version == 1 ? "scale: T" : "scale: float");
    op.Input("reserve_space_1: " + u).Input("reserve_space_2: " + u);
    if (version == 3) op.Input("reserve_space_3: U");
    op.Output("x_backprop: T").Output("scale_backprop: " + u).Output("offset_backprop: " + u);
    op.Output((version == 3 ? "reserve_space_4: " : "reserve_space_3: ") + u);
    op.Output((version == 3 ? "reserve_space_5: " : "reserve_space_4: ") + u);
    op.Attr(version == 1 ? "T: {float}" : "T: {half, bfloat16, float}");
    if (version > 1) op.Attr("U: {float}");
    op.Attr("epsilon: float = 0.0001").Attr(version == 3 ? any : planar).Attr("is_training: bool = true");
    op.Doc("Gradient of batch normalisation, from the mean and the biased variance that the forward op kept.");
    op.Shape(BatchNormGradShape).Kernel("CPU", NewBatchNormGrad);
  }
}

}  // namespace families
}  // namespace millrace
