#include "millrace/tests/ops/nn_check.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/isa.h"
#include "millrace/tests/test.h"

namespace millrace {

ListValue Ints(std::vector<int64_t> v) {
  ListValue list;
  list.i = std::move(v);
  return list;
}
ListValue Strings(std::vector<std::string> v) {
  ListValue list;
  list.s = std::move(v);
  return list;
}

double Error(const reference::Values& found, const reference::Values& expected) {
  REQUIRE(found.size() == expected.size());
  double scale = 1e-30, worst = 0;
  for (const double v : expected) scale = std::max(scale, std::fabs(v));
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::isnan(found[i]) != std::isnan(expected[i])) return 1e30;
    worst = std::max(worst, std::fabs(found[i] - expected[i]) / scale);
  }
  return worst;
}

bool SameBits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

std::vector<Tensor> All(const OpCall& call) {
  Result<std::vector<Tensor>> r = RunOp(Registry::BuiltIn(), call);
  MR_REQUIRE_OK(r);
  return *r;
}
Tensor Only(const OpCall& call) { return All(call)[0]; }

namespace {

bool AllSameBits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameBits);
}

}  // namespace

Tensor Checked(OpCall call, int constant) {
  const Isa isa = ActiveIsa();
  const std::vector<Tensor> first = All(call);
  for (const int threads : {2, 3, 4}) {
    call.threads = threads;
    CHECK(AllSameBits(All(call), first));
  }
  call.constants.assign(call.inputs.size(), false);
  if (constant >= 0) call.constants[static_cast<size_t>(constant)] = true;
  CHECK(AllSameBits(All(call), first));
  for (const Isa other : {Isa::kAvx2, Isa::kAvx512}) {
    if (!SetIsaForTesting(other)) continue;
    CHECK(AllSameBits(All(call), first));
    call.threads = 1;
    call.constants.clear();
  }
  SetIsaForTesting(isa);
  return first[0];
}

int64_t Pick(std::mt19937& rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

Tensor ToNchw(const Tensor& t) {
  const auto d = t.shape().dims();
  std::vector<float> v(static_cast<size_t>(t.num_elements()));
  for (int64_t n = 0, i = 0; n < d[0]; ++n) {
    for (int64_t p = 0; p < d[1] * d[2]; ++p) {
      for (int64_t c = 0; c < d[3]; ++c, ++i) {
        v[static_cast<size_t>((n * d[3] + c) * d[1] * d[2] + p)] = t.elements<float>()[static_cast<size_t>(i)];
      }
    }
  }
  return Tensor::Of<float>({d[0], d[3], d[1], d[2]}, v);
}

}  // namespace millrace
