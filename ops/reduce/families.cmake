# millrace_ops_family(name [ISA] reduce/file.cc)
