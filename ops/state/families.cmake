millrace_ops_family(state state/assign_arithmetic.cc state/checkpoint.cc state/scatter_ops.cc state/variable.cc state/variable_ops.cc)
