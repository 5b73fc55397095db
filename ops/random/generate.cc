#include "millrace/ops/random/generate.h"

#include <random>

#include "millrace/ops/array/operands.h"
#include "millrace/proto/value/strings.h"

namespace millrace::random {
namespace {

uint64_t SystemSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

Philox MakeGenerator(int64_t seed, int64_t seed2) {
  if (seed == 0 && seed2 == 0) return Philox(SystemSeed(), SystemSeed());
  return Philox(static_cast<uint64_t>(seed), static_cast<uint64_t>(seed2));
}

}  // namespace

RandomState::RandomState(int64_t seed, int64_t seed2) : next_(MakeGenerator(seed, seed2)) {}

Philox RandomState::Reserve(int64_t values) {
  const std::lock_guard lock(mutex_);
  const Philox now = next_;
  next_.Skip(static_cast<uint64_t>(values) * 256);
  return now;
}

Result<std::shared_ptr<RandomState>> StateOf(const KernelInit& init) {
  const int64_t seed = init.attr<int64_t>("seed"), seed2 = init.attr<int64_t>("seed2");
  const auto make = [&] { return std::make_shared<RandomState>(seed, seed2); };
  if (init.resources() == nullptr) return make();
  MR_ASSIGN_OR_RETURN(std::shared_ptr<Resource> state,
                      init.resources()->LookupOrCreate(RandomState::kKind, "", init.node(), make));
  return std::static_pointer_cast<RandomState>(std::move(state));
}

Philox FromSeedPair(uint64_t seed0, uint64_t seed1, uint64_t* key, uint64_t* counter_high) {
  const Philox::Block mix = Philox::At((uint64_t{0x02461e29} << 32) | 0x3ec8f720, seed0, seed1);
  const uint64_t k = mix[0] | static_cast<uint64_t>(mix[1]) << 32, c = mix[2] | static_cast<uint64_t>(mix[3]) << 32;
  if (key != nullptr) *key = k;
  if (counter_high != nullptr) *counter_high = c;
  return Philox(k, c);
}

Status ShapeFromInput(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  if (const auto dims = array::IntConstant(ctx, 0)) {
    for (const int64_t d : *dims) {
      if (d < 0) return InvalidArgument(Cat("a shape must not be negative, found ", array::DimsText(*dims)));
    }
  }
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &out));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status PrepareFromShape(KernelContext& ctx) {
  const TensorView& operand = ctx.input(0);
  if (operand.num_elements > Shape::kMaxRank) {
    return InvalidArgument(Cat("a shape has at most ", Shape::kMaxRank, " dimensions, found ", operand.num_elements));
  }
  const array::Ints dims = array::ReadInts(operand);
  if (!ElementCount(array::SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(array::SpanOf(dims))));
  }
  return array::PrepareOutput(ctx, 0, array::SpanOf(dims));
}

}  // namespace millrace::random
