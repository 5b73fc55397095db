millrace_ops_family(random random/generate.cc random/random_ops.cc random/stateless.cc)
