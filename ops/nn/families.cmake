millrace_ops_family(conv2d nn/window.cc nn/convolution.cc nn/conv2d.cc)
