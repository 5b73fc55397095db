# millrace_ops_family(name [ISA] expr/file.cc)
