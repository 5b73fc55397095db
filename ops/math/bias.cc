// BiasAdd: a vector added along the channels; and its gradient.
#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/engine.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

extern const Expression kAdd;

namespace {

// "NCHW" puts the channels second, otherwise they are last. Absent in BiasAddV1.
bool ChannelsFirst(const AttrMap& attrs) {
  const auto it = attrs.find("data_format");
  return it != attrs.end() && *it->second.get<std::string>() == "NCHW";
}
int ChannelAxis(bool channels_first, int rank) { return channels_first ? 1 : rank - 1; }

class BiasAddKernel final : public Kernel {
 public:
  BiasAddKernel(const Body& body, bool channels_first) : body_(body), channels_first_(channels_first) {}

  Status Run(KernelContext& ctx) const override {
    TensorView operands[] = {ctx.input(0), ctx.input(1)};
    int64_t dims[Shape::kMaxRank];
    if (channels_first_) {
      // The bias as [C, 1, 1 ...].
      TensorView& bias = operands[1];
      const int rank = operands[0].rank - 1;
      std::fill_n(dims, rank, 1);
      dims[0] = bias.num_elements;
      bias.dims = dims;
      bias.rank = rank;
    }
    RunBody(ctx, body_, operands, ctx.output(0), 1);
    return OkStatus();
  }

 private:
  const Body& body_;
  const bool channels_first_;
};

Result<std::unique_ptr<Kernel>> NewBiasAdd(const KernelInit& init) {
  const DType type = init.output_type(0), in[] = {type, type};
  const Body* body = kAdd.Find(in, type, ActiveIsa());
  if (body == nullptr) return Unimplemented("no kernel that adds a bias of " + DTypeName(type));
  return std::unique_ptr<Kernel>(new BiasAddKernel(*body, ChannelsFirst(init.attrs())));
}

// The value with its channels; `channels` is unknown where the rank is.
Status ChannelsOf(InferenceContext& c, Dim* channels) {
  const bool first = ChannelsFirst(c.attrs());
  MR_RETURN_IF_ERROR(c.WithRankAtLeast(0, 2));
  const SymShape& value = c.input(0);
  *channels = Dim();
  if (value.has_rank) *channels = value.dims[static_cast<size_t>(ChannelAxis(first, value.rank()))];
  return OkStatus();
}

Status BiasAddShape(InferenceContext& c) {
  Dim channels;
  MR_RETURN_IF_ERROR(ChannelsOf(c, &channels));
  MR_RETURN_IF_ERROR(c.WithRank(1, 1));
  SymShape out = c.input(0);
  if (out.has_rank && c.input(1).has_rank) {
    const size_t axis = static_cast<size_t>(ChannelAxis(ChannelsFirst(c.attrs()), out.rank()));
    const Status fits = c.Merge(channels, c.input(1).dims[0], &out.dims[axis]);
    if (!fits.ok()) {
      return InvalidArgument(
          Cat("input 1: expected a bias for each channel (dimension ", axis, " of input 0): ", fits.message()));
    }
  }
  c.set_output(0, std::move(out));
  return OkStatus();
}

Status BiasAddGradShape(InferenceContext& c) {
  Dim channels;
  MR_RETURN_IF_ERROR(ChannelsOf(c, &channels));
  c.set_output(0, SymShape({channels}));
  return OkStatus();
}

template <class T>
struct BiasSum {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.12 * sizeof(T);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) { return reduce::Plus(a, b); }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

// The sum over everything but the channels.
class BiasAddGradKernel final : public Kernel {
 public:
  BiasAddGradKernel(const reduce::Loops& loops, bool channels_first) : loops_(loops), channels_first_(channels_first) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView& in = ctx.input(0);
    const int axis = ChannelAxis(channels_first_, in.rank);
    const int64_t channels = in.dims[axis];
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; ++i) outer *= in.dims[i];
    for (int i = axis + 1; i < in.rank; ++i) inner *= in.dims[i];
    reduce::Layout layout;
    layout.reduced.push_back({outer, channels * inner});
    layout.reduced_count = outer;
    if (inner == 1) {
      layout.inner = {channels, 1};
      layout.inner_reduced = false;
    } else {
      layout.inner = {inner, 1};
      layout.kept.push_back({channels, inner});
      layout.kept_count = channels;
    }
    return reduce::Reduce(ctx, loops_, layout, in.data, ctx.output(0).data);
  }

 private:
  const reduce::Loops& loops_;
  const bool channels_first_;
};

Result<std::unique_ptr<Kernel>> NewBiasAddGrad(const KernelInit& init) {
  const reduce::Loops* loops = reduce::FindLoops<BiasSum>(NumberTypes(), init.input_type(0));
  if (loops == nullptr) return Unimplemented("no kernel that sums a bias of " + DTypeName(init.input_type(0)));
  return std::unique_ptr<Kernel>(new BiasAddGradKernel(*loops, ChannelsFirst(init.attrs())));
}

}  // namespace

namespace families {

void bias(Registry& r) {
  constexpr const char* kTypes =
      "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
      "quint16, uint16, complex128, half, uint32, uint64}";
  constexpr const char* kFormat = "data_format: {'NHWC', 'NCHW'} = 'NHWC'";
  const std::vector<DType> types = {DType::kFloat,     DType::kDouble,    DType::kHalf,   DType::kBfloat16,
                                    DType::kInt8,      DType::kInt16,     DType::kInt32,  DType::kInt64,
                                    DType::kUint8,     DType::kUint16,    DType::kUint32, DType::kUint64,
                                    DType::kComplex64, DType::kComplex128};
  const auto define = [&](const char* name) {
    OpBuilder b = r.Define(name);
    b.Input("value: T").Input("bias: T").Output("output: T").Attr(kTypes);
    b.Shape(BiasAddShape).Kernel("CPU", NewBiasAdd, {{"T", types}});
    return b;
  };
  define("BiasAdd").Attr(kFormat).Doc(
      "A vector added along the channels.\nThese are the last dimension, or the second with NCHW.");
  define("BiasAddV1").Doc("A vector added along the last dimension.");
  r.Define("BiasAddGrad")
      .Input("out_backprop: T")
      .Output("output: T")
      .Attr(kTypes)
      .Attr(kFormat)
      .Doc("The sum over all dimensions but the channels.")
      .Shape(BiasAddGradShape)
      .Kernel("CPU", NewBiasAddGrad, {{"T", types}});
}

}  // namespace families
}  // namespace millrace
