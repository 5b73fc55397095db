millrace_ops_family(cluster
  cluster/code.cc cluster/definition.cc cluster/frame.cc cluster/gain.cc cluster/kernel.cc cluster/late_code.cc
  cluster/prepared.cc cluster/program.cc cluster/run.cc cluster/shapes.cc cluster/small.cc cluster/space.cc)
