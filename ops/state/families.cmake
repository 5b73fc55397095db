millrace_ops_family(state state/variable.cc state/variable_ops.cc)
