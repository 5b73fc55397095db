millrace_ops_family(reduce
  reduce/arg.cc reduce/extremes.cc reduce/layout.cc reduce/mean.cc reduce/prod.cc reduce/scan.cc
  reduce/sum.cc)
