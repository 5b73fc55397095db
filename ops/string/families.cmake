millrace_ops_family(string string/join.cc)
