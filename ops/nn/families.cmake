# millrace_ops_family(name [ISA] nn/file.cc)
