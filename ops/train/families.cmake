millrace_ops_family(train train/adam.cc train/adaptive.cc train/descent.cc train/ftrl.cc)
