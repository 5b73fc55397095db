// Prints the speed of matrix products beside the measured peak of the
// multiply-add units: compare ratios, machines differ.
//   gemm_bench [m k n]...
#include <immintrin.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/linalg/gemm.h"

namespace {

using millrace::linalg::GemmArgs;

constexpr int kChains = 12;
constexpr int64_t kRounds = 200'000;

// Of processor time: other programs on the machine disturb less.
double Now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}
double Seconds(double since) { return Now() - since; }

// GFLOP/s of independent chains of multiply-adds in registers.
__attribute__((target("avx512f"))) double PeakAvx512() {
  __m512 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm512_set1_ps(1.0f);
  __m512 m = _mm512_set1_ps(0.5f);
  asm volatile("" : "+v"(m));
  const auto start = Now();
  for (int64_t r = 0; r < kRounds; ++r) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kChains; ++i) x[i] = _mm512_fmadd_ps(x[i], m, m);
  }
  for (int i = 0; i < kChains; ++i) asm volatile("" ::"v"(x[i]));
  return kRounds * kChains * 32 / Seconds(start) / 1e9;
}

double PeakAvx2() {
  __m256 x[kChains];
  for (int i = 0; i < kChains; ++i) x[i] = _mm256_set1_ps(1.0f);
  __m256 m = _mm256_set1_ps(0.5f);
  asm volatile("" : "+x"(m));
  const auto start = Now();
  for (int64_t r = 0; r < kRounds; ++r) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kChains; ++i) x[i] = _mm256_fmadd_ps(x[i], m, m);
  }
  for (int i = 0; i < kChains; ++i) asm volatile("" ::"x"(x[i]));
  return kRounds * kChains * 16 / Seconds(start) / 1e9;
}

float* Matrix(int64_t elements) {
  const size_t bytes = (static_cast<size_t>(elements) * sizeof(float) + 127) / 64 * 64;
  auto* p = static_cast<float*>(std::aligned_alloc(64, bytes));
  for (size_t i = 0; i < bytes / sizeof(float); ++i) p[i] = static_cast<float>(i % 7) * 0.1f;
  return p;
}

// Seconds of one call, the best of several rounds; `peak` becomes the best peak
// measured between them.
template <typename F>
double Best(double flops, double* peak, const F& call) {
  const auto repeats = static_cast<int64_t>(4e7 / flops) + 1;
  double best = 1e30;
  for (int round = 0; round < 30; ++round) {
    const auto start = Now();
    for (int64_t i = 0; i < repeats; ++i) call();
    best = std::min(best, Seconds(start) / static_cast<double>(repeats));
    *peak = std::max(*peak, millrace::ActiveIsa() == millrace::Isa::kAvx512 ? PeakAvx512() : PeakAvx2());
  }
  return best;
}

void Measure(int64_t m, int64_t k, int64_t n) {
  float* a = Matrix(m * k);
  float* b = Matrix(k * n);
  float* c = Matrix(m * n);
  float* bias = Matrix(n);
  float* packed = Matrix(millrace::linalg::PackedElements<float>(k, n));
  millrace::linalg::PackPanels(b, n, false, k, n, 0, (n + 31) / 32, packed);
  GemmArgs<float> g;
  g.m = m, g.k = k, g.n = n;
  g.a = a, g.a_stride = k;
  g.b = b, g.b_stride = n;
  g.c = c, g.c_stride = n;
  g.epilogue.bias = bias;
  g.epilogue.activation = millrace::linalg::Activation::kRelu;
  const double flops = 2.0 * static_cast<double>(m * k * n);
  double peak = 0;
  GemmArgs<float> constant = g;
  constant.packed_b = packed;
  void* scratch = Matrix(static_cast<int64_t>(
      std::max({millrace::linalg::GemmScratchBytes(g, 1), millrace::linalg::GemmScratchBytes(constant, 1), size_t{4}}) /
      4));
  const double with = Best(flops, &peak, [&] { millrace::linalg::GemmSerial(constant, scratch); });
  const double without = Best(flops, &peak, [&] { millrace::linalg::GemmSerial(g, scratch); });
  GemmArgs<float> bt = g;
  bt.b_transposed = true;
  bt.b_stride = k;
  std::free(scratch);
  scratch = Matrix(static_cast<int64_t>(millrace::linalg::GemmScratchBytes(bt, 1) / 4 + 1));
  const double transposed = Best(flops, &peak, [&] { millrace::linalg::GemmSerial(bt, scratch); });
  std::printf(
      "%5ld x%5ld x%5ld  packed %7.1f GFLOP/s (%3.0f%%) %9.2f us   b as is %3.0f%% %9.2f us   b transposed %3.0f%% "
      "%9.2f us\n",
      static_cast<long>(m), static_cast<long>(k), static_cast<long>(n), flops / with / 1e9, flops / with / peak / 1e7,
      with * 1e6, flops / without / peak / 1e7, without * 1e6, flops / transposed / peak / 1e7, transposed * 1e6);
  for (float* p : {a, b, c, bias, packed, static_cast<float*>(scratch)}) std::free(p);
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%s, peak %.1f GFLOP/s\n", millrace::IsaName(millrace::ActiveIsa()).data(),
              millrace::ActiveIsa() == millrace::Isa::kAvx512 ? PeakAvx512() : PeakAvx2());
  if (argc > 3) {
    for (int i = 1; i + 2 < argc; i += 3) Measure(std::atol(argv[i]), std::atol(argv[i + 1]), std::atol(argv[i + 2]));
    return 0;
  }
  for (const auto& s : std::vector<std::vector<int64_t>>{{8, 8, 8},
                                                         {8, 8, 32},
                                                         {64, 64, 64},
                                                         {128, 128, 128},
                                                         {512, 512, 512},
                                                         {32, 784, 128},
                                                         {128, 768, 3072},
                                                         {196, 256, 1024},
                                                         {256, 1000, 512},
                                                         {1, 1024, 1024}}) {
    Measure(s[0], s[1], s[2]);
  }
  return 0;
}
