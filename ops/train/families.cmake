millrace_ops_family(train train/adam.cc train/adaptive.cc train/descent.cc train/ftrl.cc train/update_many.cc)
millrace_ops_gradients(train/update_grad.cc)
