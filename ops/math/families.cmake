millrace_ops_family(math_definitions math/definitions.cc)
millrace_ops_family(math_arithmetic ISA math/arithmetic.cc)
millrace_ops_family(math_exponential ISA math/exponential.cc)
