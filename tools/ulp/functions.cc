#include "millrace/tools/ulp/functions.h"

#include <cmath>
#include <vector>

#include "millrace/ops/user/expression_op.h"

namespace millrace::ulp {
namespace {

struct SiluFn {
  template <class S>
  static S Of(S x) {
    return Silu(x);
  }
};
struct GeluTanhFn {
  template <class S>
  static S Of(S x) {
    return GeluTanh(x);
  }
};

// `f` takes x, y of any floating-point type.
template <class F>
Function Make(std::string_view name, std::string_view op, int arity, F f, double low, double high, double bound = 1.5,
              double double_bound = 2) {
  Function made;
  made.name = name;
  made.op = op;
  made.arity = arity;
  made.in_float = f;
  made.in_double = f;
  made.in_long_double = f;
  made.low = low, made.high = high;
  made.float_bound = bound, made.double_bound = double_bound;
  return made;
}
template <class F>
Function Own(std::string_view name, const Expression* expression, F f, double low, double high, double bound) {
  Function made = Make(name, "", 1, f, low, high, bound, bound);
  made.expression = expression;
  return made;
}
Function LeavingOut(Function f, bool (*leave_out)(double, double)) {
  f.leave_out = leave_out;
  return f;
}

// Bounds of what is made of several functions.
constexpr double kComposite = 2.5;

#define MILLRACE_OF(expression) \
  [](auto x, auto y) {          \
    (void)y;                    \
    using T = decltype(x);      \
    return T(expression);       \
  }
std::vector<Function> MakeFunctions() {
  return {
      Make("exp", "Exp", 1, MILLRACE_OF(std::exp(x)), -745, 710),
      Make("expm1", "Expm1", 1, MILLRACE_OF(std::expm1(x)), -2, 2),
      Make("log", "Log", 1, MILLRACE_OF(std::log(x)), 0.5, 2),
      Make("log1p", "Log1p", 1, MILLRACE_OF(std::log1p(x)), -1, 2),
      Make("tanh", "Tanh", 1, MILLRACE_OF(std::tanh(x)), -3, 3),
      Make("sigmoid", "Sigmoid", 1, MILLRACE_OF(1 / (1 + std::exp(-x))), -40, 10),
      Make("rsqrt", "Rsqrt", 1, MILLRACE_OF(1 / std::sqrt(x)), 0.5, 4),
      // The reference's erf of double has no value where the square overflows.
      LeavingOut(Make("erf", "Erf", 1, MILLRACE_OF(std::erf(x)), -4, 4),
                 [](double x, double) { return std::fabs(x) > 1e150; }),
      Make("erfc", "Erfc", 1, MILLRACE_OF(std::erfc(x)), -3, 27),
      Make("sin", "Sin", 1, MILLRACE_OF(std::sin(x)), -1e5, 1e5),
      Make("cos", "Cos", 1, MILLRACE_OF(std::cos(x)), -1e5, 1e5),
      Make("tan", "Tan", 1, MILLRACE_OF(std::tan(x)), -1e5, 1e5),
      Make("asin", "Asin", 1, MILLRACE_OF(std::asin(x)), -1, 1),
      Make("acos", "Acos", 1, MILLRACE_OF(std::acos(x)), -1, 1),
      Make("atan", "Atan", 1, MILLRACE_OF(std::atan(x)), -4, 4),
      Make("sinh", "Sinh", 1, MILLRACE_OF(std::sinh(x)), -3, 3),
      Make("cosh", "Cosh", 1, MILLRACE_OF(std::cosh(x)), -3, 3),
      Make("asinh", "Asinh", 1, MILLRACE_OF(std::asinh(x)), -3, 3),
      Make("acosh", "Acosh", 1, MILLRACE_OF(std::acosh(x)), 1, 3),
      Make("atanh", "Atanh", 1, MILLRACE_OF(std::atanh(x)), -1, 1),
      Make("pow", "Pow", 2, MILLRACE_OF(std::pow(x, y)), -60, 60),
      Make("atan2", "Atan2", 2, MILLRACE_OF(std::atan2(x, y)), -4, 4),
      Make("softplus", "Softplus", 1, MILLRACE_OF(std::fmax(x, T(0)) + std::log1p(std::exp(-std::fabs(x)))), -40, 10,
           kComposite),
      Make("elu", "Elu", 1, MILLRACE_OF(x < 0 ? std::expm1(x) : x), -4, 1, kComposite),
      // So close to 0 the reference has 0.
      LeavingOut(Make("selu", "Selu", 1,
                      MILLRACE_OF(x < 0 ? T(1.7580993408473768599402175208123L) * std::expm1(x)
                                        : T(1.0507009873554804934193349852946L) * x),
                      -4, 1, kComposite),
                 [](double x, double) { return x < 0 && x > -1e-30; }),
      Make("xlogy", "Xlogy", 2, MILLRACE_OF(x == 0 ? T(0) : x * std::log(y)), 0, 4, kComposite, kComposite),
      Make("xlog1py", "Xlog1py", 2, MILLRACE_OF(x == 0 ? T(0) : x * std::log1p(y)), -1, 4, kComposite, kComposite),
      // Of an infinity with the other sign the limit, where the product has no value.
      LeavingOut(
          Own("silu", ExpressionOf<SiluFn, float, double>(), MILLRACE_OF(x / (1 + std::exp(-x))), -40, 10, kComposite),
          [](double x, double) { return std::isinf(x); }),
      LeavingOut(
          Own("gelu (tanh)", ExpressionOf<GeluTanhFn, float, double>(),
              MILLRACE_OF(x / (1 + std::exp(T(-1.5957691216057307117597842397375L) * (x + T(0.044715L) * x * x * x)))),
              -12, 5, kComposite),
          [](double x, double) { return std::fabs(x) > 1e30; }),
  };
}
#undef MILLRACE_OF

}  // namespace

std::span<const Function> Functions() {
  static const std::vector<Function>* const functions = new std::vector<Function>(MakeFunctions());
  return *functions;
}

const Function* FindFunction(std::string_view name) {
  for (const Function& f : Functions()) {
    if (f.name == name || f.name.substr(0, f.name.find(' ')) == name) return &f;
  }
  return nullptr;
}

}  // namespace millrace::ulp
