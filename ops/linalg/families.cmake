millrace_ops_family(gemm_tile ISA linalg/gemm_tile.cc)
millrace_ops_family(late_activation ISA linalg/late_activation.cc)
millrace_ops_family(matmul linalg/fused_ops.cc linalg/gemm.cc linalg/matmul.cc kernel/isa.cc)
millrace_ops_gradients(linalg/matmul_grad.cc)
