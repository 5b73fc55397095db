# millrace_ops_family(name [ISA] math/file.cc)
