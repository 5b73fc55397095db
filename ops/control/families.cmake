# One file a subject; those of a family of ops carry its name.
millrace_ops_family(control control/deferred.cc control/frames.cc)
millrace_ops_gradients(control/deferred_grad.cc control/frames_grad.cc)
