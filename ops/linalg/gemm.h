// Gemm: matrix products of float and double with an epilogue. Blocks, packing
// and threads; the arithmetic is in gemm_tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/linalg/gemm_tile.h"
#include "millrace/ops/linalg/late_activation.h"

namespace millrace::linalg {

// c = epilogue(a b), with a of m x k, b of k x n and c of m x n elements. Strides
// are elements from row to row of what is stored; a transposed operand is stored
// the other way round. Matrices do not overlap.
template <typename T>
struct GemmArgs {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t a_stride = 0;
  bool a_transposed = false;
  const T* b = nullptr;
  int64_t b_stride = 0;
  bool b_transposed = false;
  const T* packed_b = nullptr;  // made by PackPanels; b is not read then
  T* c = nullptr;
  int64_t c_stride = 0;
  Epilogue<T> epilogue;
  LateActivation late = LateActivation::kNone;  // of float products, behind the epilogue
};

// Elements that a packed b of k x n takes.
template <typename T>
int64_t PackedElements(int64_t k, int64_t n) {
  return (n + kPanelColumns<T> - 1) / kPanelColumns<T> * kPanelColumns<T> * k;
}
// Packs panels [begin, end) of b: panel p holds columns [p * kPanelColumns,
// ...), row by row, the last one filled up with zeros.
template <typename T>
void PackPanels(const T* b, int64_t b_stride, bool b_transposed, int64_t k, int64_t n, int64_t begin, int64_t end,
                T* packed);

// Bytes of workspace for Gemm with so many workers; 0 for small products.
template <typename T>
size_t GemmScratchBytes(const GemmArgs<T>& args, int workers);
// Runs the product on the context's threads. `scratch` has GemmScratchBytes(args,
// ctx.workers()), aligned to 64.
template <typename T>
void Gemm(KernelContext& ctx, const GemmArgs<T>& args, void* scratch);
// The same in the caller's thread (one worker), with the same bits.
template <typename T>
void GemmSerial(const GemmArgs<T>& args, void* scratch);

}  // namespace millrace::linalg
