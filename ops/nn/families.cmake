millrace_ops_family(depthwise_tile ISA nn/depthwise_tile.cc)
millrace_ops_family(conv2d nn/window.cc nn/convolution.cc nn/conv2d.cc)
millrace_ops_family(depthwise nn/depthwise.cc)
