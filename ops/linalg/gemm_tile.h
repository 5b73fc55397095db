// The innermost part of matrix products and convolutions: a block of rows and
// columns of the result, computed in registers. Compiled once for every
// instruction set; everything above it (blocking, packing, threads) is compiled
// once and calls through Tiles().
//
// Every element of the result is one chain of fused multiply-adds over k, in
// order, in one vector lane. Hence its bits depend neither on the instruction
// set nor on how the work was cut.
#pragma once

#include <cstdint>

namespace millrace::linalg {

// Columns of a packed panel: two AVX-512 vectors, four of AVX2.
template <typename T>
inline constexpr int64_t kPanelColumns = 128 / static_cast<int64_t>(sizeof(T));

enum class Activation : int32_t { kNone, kRelu, kRelu6, kLeakyRelu };

// What happens to a finished element before it is stored: + bias, + residual,
// activation, in this order. Relu and Relu6 keep NaN.
template <typename T>
struct Epilogue {
  const T* bias = nullptr;      // one for each column
  const T* residual = nullptr;  // as large as the result
  int64_t residual_stride = 0;  // elements from row to row
  Activation activation = Activation::kNone;
  T alpha = 0;  // of LeakyRelu

  bool empty() const { return bias == nullptr && residual == nullptr && activation == Activation::kNone; }
};

// c[i, j] = sum over k of a(i, k) * b(k, j), for rows i and columns j of the
// block. A row of `a` is outer_count * inner_count runs of run_length elements:
// one run for a plain matrix, one for each tap of a convolution's window.
template <typename T>
struct TileArgs {
  const T* a;
  int64_t a_row_stride;
  int64_t outer_count, outer_stride;
  int64_t inner_count, inner_stride;
  int64_t run_length;

  // Row k of panel p starts at b + p * b_panel_stride + k * b_row_stride. Reads
  // stay inside the block's columns, so b may be packed or a plain matrix (with
  // panels kPanelColumns apart).
  const T* b;
  int64_t b_row_stride, b_panel_stride;
  // Where the work goes on in b, which may be far away: asked for while the rows
  // after the first ones run, or all where b_near says that these columns of b have
  // just been read.
  const T* next_b = nullptr;
  int64_t next_elements = 0;
  bool b_near = false;

  T* c;
  int64_t c_row_stride;
  int64_t rows, columns;
  bool accumulate;  // starts from what c holds, for a product that is cut along k
  Epilogue<T> epilogue;
};

struct TileKernels {
  void (*f32)(const TileArgs<float>&);
  void (*f64)(const TileArgs<double>&);
};
// For this CPU, or the one that MILLRACE_ISA asks for.
const TileKernels& Tiles();

namespace avx2 {
extern const TileKernels kTileKernels;
}
namespace avx512 {
extern const TileKernels kTileKernels;
}

inline void RunTile(const TileArgs<float>& args) { Tiles().f32(args); }
inline void RunTile(const TileArgs<double>& args) { Tiles().f64(args); }

}  // namespace millrace::linalg
