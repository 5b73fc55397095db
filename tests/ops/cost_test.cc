#include "millrace/ops/registry/cost.h"

#include "millrace/tests/test.h"

using namespace millrace;

namespace {

// A view without elements: shapes are all that costs are made of.
struct Shaped {
  std::vector<int64_t> dims;
  TensorView view() const {
    TensorView v;
    v.dtype = DType::kFloat;
    v.rank = static_cast<int>(dims.size());
    v.dims = dims.data();
    v.num_elements = 1;
    for (int64_t d : dims) v.num_elements *= d;
    return v;
  }
};

double Flops(std::string_view op, const std::vector<Shaped>& inputs, const Shaped& output, const AttrMap& attrs = {}) {
  std::vector<TensorView> in;
  for (const Shaped& s : inputs) in.push_back(s.view());
  const TensorView out = output.view();
  return FloatingPointOps(op, attrs, in, {&out, 1});
}

}  // namespace

TEST_CASE("Products cost two operations for each element that meets another") {
  CHECK(Flops("MatMul", {{{5, 7}}, {{7, 3}}}, {{5, 3}}) == 2 * 5 * 7 * 3);
  CHECK(Flops("MatMul", {{{7, 5}}, {{7, 3}}}, {{5, 3}}, {{"transpose_a", true}}) == 2 * 5 * 7 * 3);
  CHECK(Flops("_FusedMatMul", {{{5, 7}}, {{7, 3}}, {{3}}}, {{5, 3}}) == 2 * 5 * 7 * 3);
  CHECK(Flops("BatchMatMulV2", {{{2, 5, 7}}, {{2, 7, 3}}}, {{2, 5, 3}}) == 2 * 2 * 5 * 7 * 3);
}

TEST_CASE("Convolutions and their gradients cost the same") {
  const Shaped x = {{2, 8, 8, 3}}, filter = {{3, 3, 3, 4}}, y = {{2, 6, 6, 4}}, sizes = {{4}};
  const double forward = 2.0 * 2 * 6 * 6 * 4 * 3 * 3 * 3;
  CHECK(Flops("Conv2D", {x, filter}, y) == forward);
  CHECK(Flops("_FusedConv2D", {x, filter, {{4}}}, y) == forward);
  CHECK(Flops("Conv2DBackpropInput", {sizes, filter, y}, x) == forward);
  CHECK(Flops("Conv2DBackpropFilter", {x, sizes, y}, filter) == forward);
  CHECK(Flops("DepthwiseConv2dNative", {x, {{3, 3, 3, 2}}}, {{2, 6, 6, 6}}) == 2.0 * 2 * 6 * 6 * 6 * 3 * 3);
}

TEST_CASE("Other ops, and shapes that are none of theirs, cost nothing known") {
  CHECK(Flops("Tanh", {{{5}}}, {{5}}) == 0);
  CHECK(Flops("MatMul", {{{5}}, {{5}}}, {{5}}) == 0);
  CHECK(Flops("Conv2D", {{{5}}, {{5}}}, {{5}}) == 0);
  CHECK(Flops("Conv2DBackpropInput", {{{4}}, {{3, 3, 3, 4}}}, {{5}}) == 0);
}
