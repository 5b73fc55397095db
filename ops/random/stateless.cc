// The stateless random ops: the same inputs, the same values.
#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/random/generate.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Philox, or whichever the runtime prefers, which is Philox.
constexpr int64_t kPhiloxAlgorithm = 1, kAutoAlgorithm = 3;

// Version 1: input 1 is a seed of two numbers.
Status SeedInput(KernelContext& ctx, random::Philox* gen) {
  const TensorView& seed = ctx.input(1);
  if (seed.num_elements != 2) return InvalidArgument(Cat("seed should have 2 elements, found ", seed.num_elements));
  *gen =
      random::FromSeedPair(static_cast<uint64_t>(array::IntAt(seed, 0)), static_cast<uint64_t>(array::IntAt(seed, 1)));
  return OkStatus();
}
// Version 2: inputs 1 to 3 are key, counter and algorithm.
Status KeyInput(KernelContext& ctx, random::Philox* gen) {
  const TensorView &key = ctx.input(1), &counter = ctx.input(2);
  if (key.num_elements != 1) return InvalidArgument(Cat("key should have 1 element, found ", key.num_elements));
  if (counter.num_elements < 2) {
    return InvalidArgument(Cat("counter should have at least 2 elements, found ", counter.num_elements));
  }
  const int64_t alg = array::IntAt(ctx.input(3), 0);
  if (alg != kPhiloxAlgorithm && alg != kAutoAlgorithm) {
    return Unimplemented(Cat("algorithm should be 1 (Philox) or 3 (any), found ", alg));
  }
  *gen = random::Philox(key.as<uint64_t>()[0], counter.as<uint64_t>()[1], counter.as<uint64_t>()[0]);
  return OkStatus();
}

using ReadGenerator = Status (*)(KernelContext&, random::Philox*);

template <template <typename> typename D, ReadGenerator kRead>
Status RunFloats(KernelContext& ctx) {
  random::Philox gen(0, 0);
  MR_RETURN_IF_ERROR(kRead(ctx, &gen));
  MR_RETURN_IF_ERROR(random::PrepareFromShape(ctx));
  const TensorView& out = ctx.output(0);
  return VisitType(out.dtype, FloatTypes(), [&]<typename T>() {
    random::Generate(ctx, D<T>(), gen, out);
    return OkStatus();
  });
}

template <typename T>
Status FillInts(KernelContext& ctx, const random::Philox& gen, int bounds) {
  using U = std::make_unsigned_t<T>;
  const T low = ctx.input(bounds).scalar<T>(), high = ctx.input(bounds + 1).scalar<T>();
  if (low >= high) return InvalidArgument(Cat("minval must be less than maxval, found ", low, " and ", high));
  random::Generate(ctx, random::UniformInt<T>{low, static_cast<U>(static_cast<U>(high) - static_cast<U>(low))}, gen,
                   ctx.output(0));
  return OkStatus();
}

template <ReadGenerator kRead, int kBounds>
Status RunInts(KernelContext& ctx) {
  random::Philox gen(0, 0);
  MR_RETURN_IF_ERROR(kRead(ctx, &gen));
  MR_RETURN_IF_ERROR(random::PrepareFromShape(ctx));
  switch (ctx.output(0).dtype) {
    case DType::kInt32:
      return FillInts<int32_t>(ctx, gen, kBounds);
    case DType::kInt64:
      return FillInts<int64_t>(ctx, gen, kBounds);
    case DType::kUint32:
      return FillInts<uint32_t>(ctx, gen, kBounds);
    case DType::kUint64:
      return FillInts<uint64_t>(ctx, gen, kBounds);
    default:
      return Unimplemented(Cat("no kernel for ", DTypeName(ctx.output(0).dtype)));
  }
}

// Input i is a vector of two numbers.
Status CheckSeed(const InferenceContext& ctx, int i) {
  MR_RETURN_IF_ERROR(ctx.WithRank(i, 1));
  Dim two;
  return ctx.input(i).has_rank ? ctx.Merge(ctx.input(i).dims[0], Dim(2), &two) : OkStatus();
}
// All bits of each number.
template <ReadGenerator kRead>
Status RunBits(KernelContext& ctx) {
  random::Philox gen(0, 0);
  MR_RETURN_IF_ERROR(kRead(ctx, &gen));
  MR_RETURN_IF_ERROR(random::PrepareFromShape(ctx));
  const TensorView& out = ctx.output(0);
  if (ElementSize(out.dtype) == 8) random::Generate(ctx, random::UniformBits<uint64_t>(), gen, out);
  else random::Generate(ctx, random::UniformBits<uint32_t>(), gen, out);
  return OkStatus();
}

Status SeedShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(CheckSeed(ctx, 1));
  return random::ShapeFromInput(ctx);
}
Status KeyCounterShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(CheckSeed(ctx, 0));
  ctx.set_output(0, SymShape({Dim(1)}));
  ctx.set_output(1, SymShape({Dim(2)}));
  if (ctx.num_outputs() > 2) ctx.set_output(2, SymShape::Scalar());
  return OkStatus();
}
Status RunKeyCounter(KernelContext& ctx) {
  const TensorView& seed = ctx.input(0);
  if (seed.num_elements != 2) return InvalidArgument(Cat("seed should have 2 elements, found ", seed.num_elements));
  uint64_t key = 0, high = 0;
  random::FromSeedPair(static_cast<uint64_t>(array::IntAt(seed, 0)), static_cast<uint64_t>(array::IntAt(seed, 1)), &key,
                       &high);
  if (ctx.output_wanted(0)) *ctx.output(0).as<uint64_t>() = key;
  if (ctx.output_wanted(1)) {
    ctx.output(1).as<uint64_t>()[0] = 0;
    ctx.output(1).as<uint64_t>()[1] = high;
  }
  if (ctx.num_outputs() > 2 && ctx.output_wanted(2)) *ctx.output(2).as<int32_t>() = kPhiloxAlgorithm;
  return OkStatus();
}
Status RunGetAlgorithm(KernelContext& ctx) {
  *ctx.output(0).as<int32_t>() = kPhiloxAlgorithm;
  return OkStatus();
}

constexpr std::string_view kNone = "its inputs are shapes and seeds";

// The two versions of an op that gives values of D: from a seed of two numbers, and
// from key and counter.
template <template <typename> typename D>
void DefineFloats(Registry& registry, std::string_view name, std::string_view what) {
  registry.Define(Cat("Stateless", name))
      .Input("shape: T")
      .Input("seed: Tseed")
      .Output("output: dtype")
      .Attr("dtype: {half, bfloat16, float, double} = DT_FLOAT")
      .Attr("T: {int32, int64} = DT_INT32")
      .Attr("Tseed: {int32, int64} = DT_INT64")
      .Doc(Cat(what, ", from the seed alone."))
      .Shape(SeedShape)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunFloats<D, SeedInput>>);
  registry.Define(Cat("Stateless", name, "V2"))
      .Input("shape: Tshape")
      .Input("key: uint64")
      .Input("counter: uint64")
      .Input("alg: int32")
      .Output("output: dtype")
      .Attr("dtype: {half, bfloat16, float, double} = DT_FLOAT")
      .Attr("Tshape: {int32, int64} = DT_INT32")
      .Doc(Cat(what, ", from key and counter."))
      .Shape(random::ShapeFromInput)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunFloats<D, KeyInput>>);
}

}  // namespace

namespace families {
void random_stateless(Registry& registry) {
  using random::Normal, random::TruncatedNormal, random::Uniform;
  DefineFloats<Uniform>(registry, "RandomUniform", "Values evenly from [0, 1)");
  DefineFloats<Normal>(registry, "RandomNormal", "Normal values");
  DefineFloats<TruncatedNormal>(registry, "TruncatedNormal", "Normal values within two deviations");
  registry.Define("StatelessRandomUniformInt")
      .Input("shape: T")
      .Input("seed: Tseed")
      .Input("minval: dtype")
      .Input("maxval: dtype")
      .Output("output: dtype")
      .Attr("dtype: {int32, int64}")
      .Attr("T: {int32, int64}")
      .Attr("Tseed: {int32, int64} = DT_INT64")
      .Doc("Integers evenly from [minval, maxval), from the seed alone.")
      .Shape(SeedShape)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunInts<SeedInput, 2>>);
  registry.Define("StatelessRandomUniformIntV2")
      .Input("shape: Tshape")
      .Input("key: uint64")
      .Input("counter: uint64")
      .Input("alg: int32")
      .Input("minval: dtype")
      .Input("maxval: dtype")
      .Output("output: dtype")
      .Attr("dtype: {int32, int64, uint32, uint64}")
      .Attr("Tshape: {int32, int64} = DT_INT32")
      .Doc("Integers evenly from [minval, maxval), from key and counter.")
      .Shape(random::ShapeFromInput)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunInts<KeyInput, 4>>);
  registry.Define("StatelessRandomGetKeyCounter")
      .Input("seed: Tseed")
      .Output("key: uint64")
      .Output("counter: uint64")
      .Attr("Tseed: {int32, int64} = DT_INT64")
      .Doc("The key and counter that a seed of two numbers stands for.")
      .Shape(KeyCounterShape)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunKeyCounter>);
  registry.Define("StatelessRandomGetKeyCounterAlg")
      .Input("seed: Tseed")
      .Output("key: uint64")
      .Output("counter: uint64")
      .Output("alg: int32")
      .Attr("Tseed: {int32, int64} = DT_INT64")
      .Doc("The key, counter and algorithm that a seed of two numbers stands for.")
      .Shape(KeyCounterShape)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunKeyCounter>);
  registry.Define("StatelessRandomGetAlg")
      .Output("alg: int32")
      .Stateful()
      .Doc("The number of the algorithm: Philox.")
      .Shape(shape_fns::ScalarOutput)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunGetAlgorithm>);
  registry.Define("StatelessRandomUniformFullInt")
      .Input("shape: T")
      .Input("seed: Tseed")
      .Output("output: dtype")
      .Attr("dtype: {int32, int64, uint32, uint64} = DT_UINT64")
      .Attr("T: {int32, int64} = DT_INT32")
      .Attr("Tseed: {int32, int64, uint32, uint64} = DT_INT64")
      .Doc("Integers evenly from all of their type, from the seed alone.")
      .Shape(SeedShape)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunBits<SeedInput>>);
  registry.Define("StatelessRandomUniformFullIntV2")
      .Input("shape: Tshape")
      .Input("key: uint64")
      .Input("counter: uint64")
      .Input("alg: int32")
      .Output("output: dtype")
      .Attr("dtype: {int32, int64, uint32, uint64} = DT_UINT64")
      .Attr("Tshape: {int32, int64} = DT_INT32")
      .Doc("Integers evenly from all of their type, from key and counter.")
      .Shape(random::ShapeFromInput)
      .NoGradient(kNone)
      .Kernel("CPU", MakeKernel<RunBits<KeyInput>>);
}
}  // namespace families
}  // namespace millrace
