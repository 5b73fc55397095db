# millrace_ops_family(name [ISA] linalg/file.cc)
