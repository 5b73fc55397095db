millrace_ops_family(cluster cluster/code.cc cluster/definition.cc cluster/program.cc cluster/shapes.cc)
