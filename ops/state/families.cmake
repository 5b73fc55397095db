millrace_ops_family(state state/assign_arithmetic.cc state/checkpoint.cc state/scatter_ops.cc state/variable.cc state/variable_ops.cc)
millrace_ops_gradients(state/variable_grad.cc)
