millrace_ops_family(image image/sampling.cc image/resize.cc)
millrace_ops_gradients(image/resize_grad.cc)
