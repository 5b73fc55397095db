# One file a subject; those of a family of ops carry its name.
millrace_ops_family(control control/deferred.cc)
millrace_ops_gradients(control/deferred_grad.cc)
