millrace_ops_family(expr expr/access.cc expr/driver.cc expr/elementwise.cc expr/expression.cc expr/recorder.cc expr/tape.cc)
