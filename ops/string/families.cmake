# millrace_ops_family(name [ISA] string/file.cc)
