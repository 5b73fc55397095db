# millrace_ops_family(name [ISA] train/file.cc)
