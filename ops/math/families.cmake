millrace_ops_family(math
  math/add_n.cc math/bias.cc math/checks.cc math/complex.cc math/cross.cc math/definitions.cc math/equality.cc
  math/fill_like.cc math/selection.cc math/special_functions.cc math/strings.cc)
millrace_ops_family(math_expressions ISA
  math/activation.cc math/arithmetic.cc math/cast.cc math/comparison.cc math/division.cc math/exponential.cc
  math/logical.cc math/power.cc math/rounding.cc math/select.cc math/special.cc math/trigonometric.cc)
millrace_ops_gradients(
  math/activation_grad.cc math/arithmetic_grad.cc math/bias_grad.cc math/cast_grad.cc math/complex_grad.cc
  math/cross_grad.cc math/division_grad.cc math/exponential_grad.cc math/power_grad.cc math/rounding_grad.cc
  math/select_grad.cc math/special_grad.cc math/trigonometric_grad.cc)
