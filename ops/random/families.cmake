# millrace_ops_family(name [ISA] random/file.cc)
