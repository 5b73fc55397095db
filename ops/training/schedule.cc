#include "millrace/ops/training/schedule.h"

#include <numbers>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// The operands of a schedule in its dtype, below its name.
class Schedule {
 public:
  Schedule(At at, std::string_view name, const Operand& learning_rate)
      : in_(at.In(at.scope().ForCall(name))),
        rate_(learning_rate.output() != nullptr ? *learning_rate.output()
                                                : Const(Named("learning_rate"), learning_rate, Own(learning_rate))) {}

  const At& in() const { return in_; }
  bool ok() const { return in_.scope().ok() && rate_.valid(); }
  const Output& rate() const { return rate_; }
  DType dtype() const { return BaseType(rate_.dtype()); }

  Output Number(std::string_view name, const Operand& value) const {
    if (value.output() == nullptr) return Const(Named(name), value, dtype());
    const Output& output = *value.output();
    return !output.valid() || BaseType(output.dtype()) == dtype() ? output : ops::Cast(in_, output, dtype());
  }
  // step / decay_steps, rounded down for a staircase.
  Output Periods(const Output& step, const Operand& decay_steps, const StaircaseOption& options) const {
    const Output periods = ops::RealDiv(in_, Number("step", step), Number("decay_steps", decay_steps));
    return options.staircase ? ops::Floor(in_, periods) : periods;
  }

 private:
  At Named(std::string_view name) const { return in_.In(in_.scope().WithOpName(name)); }
  static DType Own(const Operand& value) { return value.literal() != nullptr ? DType::kFloat : DType::kInvalid; }

  const At in_;
  const Output rate_;
};

}  // namespace

Output ExponentialDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                        const Operand& decay_rate, const StaircaseOption& options) {
  const Schedule s(at, "ExponentialDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output decay = ops::Pow(s.in(), s.Number("decay_rate", decay_rate), s.Periods(step, decay_steps, options));
  return ops::Mul(s.in(), s.rate(), decay);
}

Output NaturalExpDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                       const Operand& decay_rate, const StaircaseOption& options) {
  const Schedule s(at, "NaturalExpDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output exponent =
      ops::Mul(s.in(), ops::Neg(s.in(), s.Number("decay_rate", decay_rate)), s.Periods(step, decay_steps, options));
  return ops::Mul(s.in(), s.rate(), ops::Exp(s.in(), exponent));
}

Output InverseTimeDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                        const Operand& decay_rate, const StaircaseOption& options) {
  const Schedule s(at, "InverseTimeDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output below = ops::Mul(s.in(), s.Number("decay_rate", decay_rate), s.Periods(step, decay_steps, options));
  return ops::RealDiv(s.in(), s.rate(), ops::AddV2(s.in(), s.Number("one", 1), below));
}

Output PolynomialDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                       const PolynomialDecayOptions& options) {
  const Schedule s(at, "PolynomialDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output one = s.Number("one", 1), end = s.Number("end_learning_rate", options.end_learning_rate);
  Output now = s.Number("step", step), steps = s.Number("decay_steps", decay_steps);
  if (options.cycle) {
    // As many periods as it takes to be past the step; one at the beginning.
    const Output periods = ops::Maximum(s.in(), one, ops::Ceil(s.in(), ops::RealDiv(s.in(), now, steps)));
    steps = ops::Mul(s.in(), steps, periods);
  } else {
    now = ops::Minimum(s.in(), now, steps);
  }
  const Output left = ops::Sub(s.in(), one, ops::RealDiv(s.in(), now, steps));
  const Output part = ops::Pow(s.in(), left, s.Number("power", options.power));
  return ops::AddV2(s.in(), ops::Mul(s.in(), ops::Sub(s.in(), s.rate(), end), part), end);
}

Output PiecewiseConstant(At at, const Output& step, const std::vector<double>& boundaries,
                         const std::vector<double>& values) {
  const Scope& scope = at.scope();
  if (!scope.ok() || !step.valid()) return Output();
  const At in = at.In(scope.ForCall("PiecewiseConstant"));
  if (values.size() != boundaries.size() + 1) {
    scope.Fail(InvalidArgument(Cat("expected one value more than boundaries, found ", boundaries.size(),
                                   " boundaries and ", values.size(), " values"))
                   .At(in.scope().name_scope(), "PiecewiseConstant"),
               at.where());
    return Output();
  }
  const Output now = ops::Cast(in, step, DType::kDouble);
  Output value = Const(in, values.back(), DType::kFloat);
  for (size_t i = boundaries.size(); i-- > 0;) {
    if (i > 0 && !(boundaries[i - 1] < boundaries[i])) {
      scope.Fail(InvalidArgument(Cat("boundaries should rise, found ", boundaries[i], " after ", boundaries[i - 1]))
                     .At(in.scope().name_scope(), "PiecewiseConstant"),
                 at.where());
      return Output();
    }
    value = ops::SelectV2(in, ops::LessEqual(in, now, boundaries[i]), Const(in, values[i], DType::kFloat), value);
  }
  return value;
}

Output CosineDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                   const CosineDecayOptions& options) {
  const Schedule s(at, "CosineDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output one = s.Number("one", 1), alpha = s.Number("alpha", options.alpha);
  const Output steps = s.Number("decay_steps", decay_steps);
  const Output part = ops::RealDiv(s.in(), ops::Minimum(s.in(), s.Number("step", step), steps), steps);
  const Output cosine = ops::Cos(s.in(), ops::Mul(s.in(), part, s.Number("pi", std::numbers::pi)));
  const Output wave = ops::Mul(s.in(), ops::AddV2(s.in(), one, cosine), s.Number("half", 0.5));
  const Output factor = ops::AddV2(s.in(), ops::Mul(s.in(), ops::Sub(s.in(), one, alpha), wave), alpha);
  return ops::Mul(s.in(), s.rate(), factor);
}

Output NoamDecay(At at, const Operand& learning_rate, const Output& step, const Operand& model_size,
                 const Operand& warmup_steps) {
  const Schedule s(at, "NoamDecay", learning_rate);
  if (!s.ok()) return Output();
  const Output t = ops::AddV2(s.in(), s.Number("step", step), s.Number("one", 1));
  const Output rise =
      ops::Mul(s.in(), t, ops::Pow(s.in(), s.Number("warmup_steps", warmup_steps), s.Number("exponent", -1.5)));
  const Output size = ops::Rsqrt(s.in(), s.Number("model_size", model_size));
  return ops::Mul(s.in(), ops::Mul(s.in(), s.rate(), size), ops::Minimum(s.in(), ops::Rsqrt(s.in(), t), rise));
}

Output LinearWarmup(At at, const Operand& learning_rate, const Output& step, const Operand& warmup_steps) {
  const Schedule s(at, "LinearWarmup", learning_rate);
  if (!s.ok()) return Output();
  const Output one = s.Number("one", 1);
  const Output t = ops::AddV2(s.in(), s.Number("step", step), one);
  const Output part = ops::Minimum(s.in(), one, ops::RealDiv(s.in(), t, s.Number("warmup_steps", warmup_steps)));
  return ops::Mul(s.in(), s.rate(), part);
}

}  // namespace millrace
