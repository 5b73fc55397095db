#include "millrace/ops/kernel/isa.h"

#include <atomic>
#include <cstdlib>

namespace millrace {
namespace {

bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

Isa Detect() {
  const char* wish = std::getenv("MILLRACE_ISA");
  if (wish != nullptr && std::string_view(wish) == "avx2") return Isa::kAvx2;
  return HasAvx512() ? Isa::kAvx512 : Isa::kAvx2;
}

constexpr int kUndecided = -1;
std::atomic<int> active{kUndecided};

}  // namespace

Isa ActiveIsa() {
  int isa = active.load(std::memory_order_relaxed);
  if (isa == kUndecided) {
    isa = static_cast<int>(Detect());
    active.store(isa, std::memory_order_relaxed);
  }
  return static_cast<Isa>(isa);
}

bool SetIsaForTesting(Isa isa) {
  if (isa == Isa::kAvx512 && !HasAvx512()) return false;
  active.store(static_cast<int>(isa), std::memory_order_relaxed);
  return true;
}

std::string_view IsaName(Isa isa) { return isa == Isa::kAvx512 ? "avx512" : "avx2"; }

}  // namespace millrace
