# millrace_ops_family(name [ISA] control/file.cc)
