millrace_ops_family(image image/sampling.cc image/resize.cc image/non_max_suppression.cc)
millrace_ops_gradients(image/resize_grad.cc)
