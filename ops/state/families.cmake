# millrace_ops_family(name [ISA] state/file.cc)
