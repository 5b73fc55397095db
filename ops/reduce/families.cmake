millrace_ops_family(reduce
  reduce/arg.cc reduce/arg_rows.cc reduce/columns.cc reduce/definitions.cc reduce/engine.cc reduce/extremes.cc reduce/layout.cc
  reduce/mean.cc reduce/prod.cc reduce/rows.cc reduce/rows_of_loops.cc reduce/scan.cc reduce/sum.cc)
millrace_ops_gradients(
  reduce/back.cc reduce/extremes_grad.cc reduce/prod_grad.cc reduce/scan_grad.cc reduce/sum_grad.cc)
