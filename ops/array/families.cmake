# millrace_ops_family(name [ISA] array/file.cc)
