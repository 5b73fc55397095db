millrace_ops_family(math
  math/add_n.cc math/bias.cc math/checks.cc math/complex.cc math/definitions.cc math/equality.cc math/fill_like.cc
  math/selection.cc math/special_functions.cc math/strings.cc)
millrace_ops_family(math_expressions ISA
  math/activation.cc math/arithmetic.cc math/cast.cc math/comparison.cc math/division.cc math/exponential.cc
  math/logical.cc math/power.cc math/rounding.cc math/select.cc math/special.cc math/trigonometric.cc)
