// Element-wise ops: the bodies of the instruction sets against each other, the
// functions against C's, the driver against a plain loop.
#include <cmath>
#include <cstring>
#include <random>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/kernel/evaluate.h"
#include "millrace/ops/math/special_functions.h"
#include "millrace/tests/ops/element_values.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const Op& OpNamed(std::string_view name) {
  const Op* op = Registry::BuiltIn().Find(name);
  REQUIRE(op != nullptr);
  return *op;
}

// Runs a body over vectors of `count` elements.
std::vector<char> RunOn(const Body& body, std::vector<std::vector<char>>& operands, int64_t count) {
  std::vector<char> out(static_cast<size_t>(count) * ElementSize(body.out));
  TensorView views[kMaxOperands];
  for (size_t j = 0; j < operands.size(); ++j) views[j] = {operands[j].data(), body.in[j], 1, &count, count};
  RunBody(body, {views, operands.size()}, {out.data(), body.out, 1, &count, count});
  return out;
}

TEST_CASE("bodies for AVX-512 give the bits of the bodies for the floor") {
  const Isa before = ActiveIsa();
  if (!SetIsaForTesting(Isa::kAvx512)) MR_SKIP("this CPU has no AVX-512");
  SetIsaForTesting(before);
  std::mt19937_64 random(7);
  constexpr int64_t kCount = 4099;
  int bodies = 0;
  for (const Op* op : Registry::BuiltIn().ops()) {
    const Expression* expression = op->expression();
    if (expression == nullptr || expression->bodies[1] == nullptr) continue;
    const BodyTable& wide = *expression->bodies[1];
    for (const Body& body : std::span(wide.bodies, static_cast<size_t>(wide.count))) {
      const size_t arity = static_cast<size_t>(Arity(body));
      const Body* floor = expression->Find({body.in, arity}, body.out, Isa::kAvx2);
      REQUIRE(floor != nullptr);
      REQUIRE(floor != &body);
      std::vector<std::vector<char>> operands;
      for (size_t j = 0; j < arity; ++j) {
        operands.emplace_back(kCount * ElementSize(body.in[j]));
        FillBits(body.in[j], operands.back(), random);
      }
      const auto compare = [&](const char* state) {
        const std::vector<char> a = RunOn(*floor, operands, kCount), b = RunOn(body, operands, kCount);
        const size_t size = ElementSize(body.out);
        int64_t different = 0;
        for (size_t i = 0; i < kCount; ++i) different += !SameElement(body.out, &a[i * size], &b[i * size]);
        INFO(op->name() << " " << DTypeName(body.in[0]) << " to " << DTypeName(body.out) << ", denormals " << state);
        CHECK(different == 0);
      };
      compare("kept");
      {
        const FlushDenormals flush;
        compare("flushed");
      }
      ++bodies;
    }
  }
  CHECK(bodies > 400);
}

struct RandomShapes {
  std::vector<int64_t> out, in[kMaxOperands];
};
// Shapes that broadcast to `out`, with leading dimensions left off now and then.
RandomShapes MakeShapes(std::mt19937_64& random, int arity) {
  const int64_t extents[] = {1, 2, 3, 5, 7, 16, 33, 50, 64, 65, 130};
  RandomShapes s;
  const size_t rank = random() % 5;
  int64_t total = 1;
  for (size_t d = 0; d < rank; ++d) {
    int64_t extent = extents[random() % std::size(extents)];
    if (total * extent > 20000) extent = 1;
    total *= extent;
    s.out.push_back(extent);
  }
  for (int j = 0; j < arity; ++j) {
    const size_t skip = random() % 3 == 0 ? random() % (rank + 1) : 0;
    for (size_t d = skip; d < rank; ++d) s.in[j].push_back(random() % 3 == 0 ? 1 : s.out[d]);
  }
  // What all operands have as 1 is 1 in the result.
  for (size_t d = 0; d < rank; ++d) {
    bool wide = false;
    for (int j = 0; j < arity; ++j) {
      const size_t off = rank - s.in[j].size();
      wide = wide || (d >= off && s.in[j][d - off] != 1);
    }
    if (!wide) s.out[d] = 1;
  }
  return s;
}
int64_t Count(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}
// The element of an operand that meets element `i` of the result.
int64_t Meets(const std::vector<int64_t>& out, const std::vector<int64_t>& in, int64_t i) {
  int64_t at = 0, stride = 1;
  for (size_t d = 1; d <= out.size(); ++d) {
    const int64_t index = i % out[out.size() - d];
    i /= out[out.size() - d];
    if (d > in.size()) continue;
    const int64_t extent = in[in.size() - d];
    at += extent == 1 ? 0 : index * stride;
    stride *= extent;
  }
  return at;
}

TEST_CASE("polygamma and zeta functions obey their recurrences on either side of 0") {
  using math::Polygamma;
  using math::Zeta;
  const auto near = [](double found, double expected) {
    return std::fabs(found - expected) <= 1e-13 * std::max(1.0, std::fabs(expected));
  };
  CHECK(near(Zeta(2, 1), M_PI * M_PI / 6));
  CHECK(near(Zeta(4, 1), std::pow(M_PI, 4) / 90));
  CHECK(near(Polygamma(1, 0.5), M_PI * M_PI / 2));
  CHECK(Polygamma(0, 2.5) == math::Digamma(2.5));
  for (const double n : {1.0, 2.0, 3.0, 7.0}) {
    for (const double x : {-30.7, -2.5, -0.75, 0.1, 0.9, 3.3, 12.5, 400.0}) {
      // The sign of (-1)^n.
      const double step = (std::fmod(n, 2) == 0 ? 1 : -1) * std::tgamma(n + 1) * std::pow(x, -n - 1);
      INFO(n << " " << x);
      CHECK(near(Polygamma(n, x + 1) / step, Polygamma(n, x) / step + 1));
    }
  }
  // Far out: answers come, and soon.
  CHECK(near(Polygamma(1, -1e9 - 0.5), M_PI * M_PI - 1e-9));
  CHECK(Zeta(1e30, 1e10) == 0);
  CHECK(Zeta(1e9, 0.5) == INFINITY);
  CHECK(Zeta(1, 3) == INFINITY);
  CHECK(Zeta(2, -4) == INFINITY);
  for (const double bad : {Zeta(0.5, 1), Zeta(2.5, -0.5), Zeta(NAN, 1), Zeta(2, NAN), Polygamma(0.5, 1),
                           Polygamma(-1, 1), Polygamma(1, NAN)}) {
    CHECK(std::isnan(bad));
  }
}

TEST_CASE("broadcasting agrees with a loop over the indices") {
  std::mt19937_64 random(11);
  const DType add_types[] = {DType::kFloat, DType::kFloat};
  const DType select_types[] = {DType::kBool, DType::kDouble, DType::kDouble};
  const DType clip_types[] = {DType::kInt16, DType::kInt16, DType::kInt16};
  for (Isa isa : {Isa::kAvx2, ActiveIsa()}) {
    const Body* add = OpNamed("Add").expression()->Find(add_types, DType::kFloat, isa);
    const Body* select = OpNamed("SelectV2").expression()->Find(select_types, DType::kDouble, isa);
    const Body* clip = OpNamed("ClipByValue").expression()->Find(clip_types, DType::kInt16, isa);
    for (int round = 0; round < 400; ++round) {
      const int arity = round % 3 == 0 ? 2 : 3;
      const RandomShapes s = MakeShapes(random, arity);
      const int64_t n = Count(s.out);
      const auto view = [](auto& v, DType type, const std::vector<int64_t>& dims) {
        return TensorView{v.data(), type, static_cast<int>(dims.size()), dims.data(), Count(dims)};
      };
      const auto fill = [&](auto& v, const std::vector<int64_t>& dims) {
        v.resize(static_cast<size_t>(Count(dims)));
        for (auto& e : v) e = static_cast<std::decay_t<decltype(e)>>(static_cast<int>(random() % 2001) - 1000);
      };
      int64_t wrong = 0;
      if (round % 3 == 0) {
        std::vector<float> x, y, z(static_cast<size_t>(n));
        fill(x, s.in[0]), fill(y, s.in[1]);
        const TensorView in[] = {view(x, DType::kFloat, s.in[0]), view(y, DType::kFloat, s.in[1])};
        RunBody(*add, in, view(z, DType::kFloat, s.out));
        for (int64_t i = 0; i < n; ++i) {
          wrong += z[static_cast<size_t>(i)] !=
                   x[static_cast<size_t>(Meets(s.out, s.in[0], i))] + y[static_cast<size_t>(Meets(s.out, s.in[1], i))];
        }
      } else if (round % 3 == 1) {
        std::vector<uint8_t> c;
        std::vector<double> x, y, z(static_cast<size_t>(n));
        fill(c, s.in[0]), fill(x, s.in[1]), fill(y, s.in[2]);
        for (uint8_t& b : c) b &= 1;
        const TensorView in[] = {view(c, DType::kBool, s.in[0]), view(x, DType::kDouble, s.in[1]),
                                 view(y, DType::kDouble, s.in[2])};
        RunBody(*select, in, view(z, DType::kDouble, s.out));
        for (int64_t i = 0; i < n; ++i) {
          const bool condition = c[static_cast<size_t>(Meets(s.out, s.in[0], i))] != 0;
          wrong += z[static_cast<size_t>(i)] != (condition ? x[static_cast<size_t>(Meets(s.out, s.in[1], i))]
                                                           : y[static_cast<size_t>(Meets(s.out, s.in[2], i))]);
        }
      } else {
        std::vector<int16_t> t, low, high, z(static_cast<size_t>(n));
        fill(t, s.in[0]), fill(low, s.in[1]), fill(high, s.in[2]);
        const TensorView in[] = {view(t, DType::kInt16, s.in[0]), view(low, DType::kInt16, s.in[1]),
                                 view(high, DType::kInt16, s.in[2])};
        RunBody(*clip, in, view(z, DType::kInt16, s.out));
        for (int64_t i = 0; i < n; ++i) {
          const int16_t v = std::min(t[static_cast<size_t>(Meets(s.out, s.in[0], i))],
                                     high[static_cast<size_t>(Meets(s.out, s.in[2], i))]);
          wrong += z[static_cast<size_t>(i)] != std::max(v, low[static_cast<size_t>(Meets(s.out, s.in[1], i))]);
        }
      }
      INFO("round " << round);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("the result may take the memory of an operand") {
  const DType types[] = {DType::kInt32, DType::kInt32};
  const Body* body = OpNamed("Sub").expression()->Find(types, DType::kInt32, ActiveIsa());
  for (int64_t n = 1; n < 200; ++n) {
    for (int alias = 0; alias < 2; ++alias) {
      for (bool scalar : {false, true}) {
        // One operand of one element, on the side that is not overwritten.
        std::vector<int32_t> values[2];
        for (int j = 0; j < 2; ++j) {
          values[j].resize(static_cast<size_t>(scalar && j != alias ? 1 : n));
          for (size_t i = 0; i < values[j].size(); ++i) values[j][i] = static_cast<int32_t>(i * 7 + 1000u * j);
        }
        const std::vector<int32_t> x = values[0], y = values[1];
        TensorView views[2];
        int64_t counts[2];
        for (int j = 0; j < 2; ++j) {
          counts[j] = static_cast<int64_t>(values[j].size());
          views[j] = {values[j].data(), DType::kInt32, 1, &counts[j], counts[j]};
        }
        RunBody(*body, views, views[alias]);
        bool right = true;
        for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
          right = right && values[alias][i] == x[x.size() == 1 ? 0 : i] - y[y.size() == 1 ? 0 : i];
        }
        INFO(n << " elements, over operand " << alias);
        CHECK(right);
      }
    }
  }
}

Status Divide(const char* op, int32_t divisor, std::vector<Tensor>* outputs) {
  const Tensor inputs[] = {Tensor::Of<int32_t>({3}, {7, -7, 5}), Tensor::Of<int32_t>({3}, {2, 2, divisor})};
  return Evaluate(OpNamed(op), {{"T", DType::kInt32}}, inputs, outputs);
}

TEST_CASE("integers divided by zero are an error, of the code that the op has") {
  std::vector<Tensor> out;
  for (const char* op : {"Div", "FloorDiv", "FloorMod", "Mod", "TruncateMod"}) {
    INFO(op);
    MR_REQUIRE_OK(Divide(op, 1, &out));
    CHECK(Divide(op, 0, &out).code() == Code::kInvalidArgument);
  }
  CHECK(Divide("TruncateDiv", 0, &out).code() == Code::kInternal);
  MR_REQUIRE_OK(Divide("FloorDiv", -1, &out));
  CHECK(out[0].elements<int32_t>()[1] == -4);
  MR_REQUIRE_OK(Divide("Div", -1, &out));
  CHECK(out[0].elements<int32_t>()[1] == -3);
}

TEST_CASE("the one quotient that overflows wraps") {
  const Tensor inputs[] = {Tensor::Of<int64_t>({1}, {INT64_MIN}), Tensor::Of<int64_t>({1}, {-1})};
  std::vector<Tensor> out;
  MR_REQUIRE_OK(Evaluate(OpNamed("FloorDiv"), {{"T", DType::kInt64}}, inputs, &out));
  CHECK(out[0].elements<int64_t>()[0] == INT64_MIN);
  MR_REQUIRE_OK(Evaluate(OpNamed("FloorMod"), {{"T", DType::kInt64}}, inputs, &out));
  CHECK(out[0].elements<int64_t>()[0] == 0);
}

TEST_CASE("a vector condition of Select chooses rows") {
  bool condition_values[] = {true, false};
  const int64_t two = 2;
  Result<Tensor> condition = Tensor::New(DType::kBool, {two}, HostAllocator());
  MR_REQUIRE_OK(condition);
  std::memcpy(condition->data(), condition_values, 2);
  const Tensor inputs[] = {*condition, Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6}),
                           Tensor::Of<float>({2, 3}, {-1, -2, -3, -4, -5, -6})};
  std::vector<Tensor> out;
  MR_REQUIRE_OK(Evaluate(OpNamed("Select"), {{"T", DType::kFloat}}, inputs, &out));
  const std::vector<float> expected = {1, 2, 3, -4, -5, -6};
  CHECK(std::equal(expected.begin(), expected.end(), out[0].elements<float>().begin()));
  CHECK_FALSE(Evaluate(OpNamed("SelectV2"), {{"T", DType::kFloat}}, inputs, &out).ok());
}

TEST_CASE("shapes that do not broadcast name both shapes, or are unequal") {
  const Tensor inputs[] = {Tensor::Of<float>({2}, {1, 2}), Tensor::Of<float>({3}, {1, 2, 3})};
  std::vector<Tensor> out;
  const Status status = Evaluate(OpNamed("Add"), {{"T", DType::kFloat}}, inputs, &out);
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(status.message().find("[2]") != std::string_view::npos);
  CHECK(status.message().find("[3]") != std::string_view::npos);
  MR_REQUIRE_OK(
      Evaluate(OpNamed("NotEqual"), {{"T", DType::kFloat}, {"incompatible_shape_error", false}}, inputs, &out));
  CHECK(out[0].shape().rank() == 0);
  CHECK(*static_cast<bool*>(out[0].data()));
}

}  // namespace
}  // namespace millrace
