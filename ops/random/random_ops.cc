// RandomUniform, RandomStandardNormal, TruncatedNormal, RandomUniformInt: streams
// that go on from run to run.
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/random/generate.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

template <template <typename> typename D>
class RandomFloats final : public Kernel {
 public:
  explicit RandomFloats(std::shared_ptr<random::RandomState> state) : state_(std::move(state)) {}
  static Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
    MR_ASSIGN_OR_RETURN(std::shared_ptr<random::RandomState> state, random::StateOf(init));
    return std::unique_ptr<Kernel>(new RandomFloats(std::move(state)));
  }
  Status Run(KernelContext& ctx) const override {
    MR_RETURN_IF_ERROR(random::PrepareFromShape(ctx));
    const TensorView& out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const random::Philox gen = state_->Reserve(out.num_elements);
    return VisitType(out.dtype, FloatTypes(), [&]<typename T>() {
      random::Generate(ctx, D<T>(), gen, out);
      return OkStatus();
    });
  }

 private:
  const std::shared_ptr<random::RandomState> state_;
};

class RandomInts final : public Kernel {
 public:
  explicit RandomInts(std::shared_ptr<random::RandomState> state) : state_(std::move(state)) {}
  static Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
    MR_ASSIGN_OR_RETURN(std::shared_ptr<random::RandomState> state, random::StateOf(init));
    return std::unique_ptr<Kernel>(new RandomInts(std::move(state)));
  }
  Status Run(KernelContext& ctx) const override {
    MR_RETURN_IF_ERROR(random::PrepareFromShape(ctx));
    const TensorView& out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    return out.dtype == DType::kInt32 ? Fill<int32_t>(ctx) : Fill<int64_t>(ctx);
  }

 private:
  template <typename T>
  Status Fill(KernelContext& ctx) const {
    const T low = ctx.input(1).scalar<T>(), high = ctx.input(2).scalar<T>();
    if (low >= high) return InvalidArgument(Cat("minval must be less than maxval, found ", low, " and ", high));
    using U = std::make_unsigned_t<T>;
    const random::UniformInt<T> distribution{low, static_cast<U>(static_cast<U>(high) - static_cast<U>(low))};
    random::Generate(ctx, distribution, state_->Reserve(ctx.output(0).num_elements), ctx.output(0));
    return OkStatus();
  }
  const std::shared_ptr<random::RandomState> state_;
};

Status UniformIntShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  return random::ShapeFromInput(ctx);
}

}  // namespace

namespace families {
void random_stateful(Registry& registry) {
  registry.Define("RandomUniform")
      .Input("shape: T")
      .Output("output: dtype")
      .Attr("seed: int = 0")
      .Attr("seed2: int = 0")
      .Attr("dtype: {half, bfloat16, float, double}")
      .Attr("T: {int32, int64}")
      .Stateful()
      .Doc("Values evenly from [0, 1).")
      .Shape(random::ShapeFromInput)
      .NoGradient("its input is a shape")
      .OwnState()
      .Kernel("CPU", RandomFloats<random::Uniform>::New);
  registry.Define("RandomStandardNormal")
      .Input("shape: T")
      .Output("output: dtype")
      .Attr("seed: int = 0")
      .Attr("seed2: int = 0")
      .Attr("dtype: {half, bfloat16, float, double}")
      .Attr("T: {int32, int64}")
      .Stateful()
      .Doc("Normal values of mean 0 and deviation 1.")
      .Shape(random::ShapeFromInput)
      .NoGradient("its input is a shape")
      .OwnState()
      .Kernel("CPU", RandomFloats<random::Normal>::New);
  registry.Define("TruncatedNormal")
      .Input("shape: T")
      .Output("output: dtype")
      .Attr("seed: int = 0")
      .Attr("seed2: int = 0")
      .Attr("dtype: {half, bfloat16, float, double}")
      .Attr("T: {int32, int64}")
      .Stateful()
      .Doc("Normal values of mean 0 and deviation 1, those beyond 2 drawn again.")
      .Shape(random::ShapeFromInput)
      .NoGradient("its input is a shape")
      .OwnState()
      .Kernel("CPU", RandomFloats<random::TruncatedNormal>::New);
  registry.Define("RandomUniformInt")
      .Input("shape: T")
      .Input("minval: Tout")
      .Input("maxval: Tout")
      .Output("output: Tout")
      .Attr("seed: int = 0")
      .Attr("seed2: int = 0")
      .Attr("Tout: {int32, int64}")
      .Attr("T: {int32, int64}")
      .Stateful()
      .Doc("Integers evenly from [minval, maxval).")
      .Shape(UniformIntShape)
      .NoGradient("its result is a whole number")
      .OwnState()
      .Kernel("CPU", RandomInts::New);
}
}  // namespace families
}  // namespace millrace
