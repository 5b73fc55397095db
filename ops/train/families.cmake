millrace_ops_family(train train/adam.cc train/adaptive.cc train/descent.cc train/ftrl.cc)
millrace_ops_gradients(train/update_grad.cc)
