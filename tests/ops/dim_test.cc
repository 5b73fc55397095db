#include "millrace/ops/registry/dim.h"

#include "millrace/tests/test.h"

namespace millrace {
namespace {

SymElement E(Dim d) { return SymElement::Of(d); }
SymElement N(int64_t v) { return SymElement::Number(v); }

TEST_CASE("equal arithmetic on symbols gives equal handles") {
  DimTable t;
  const Dim n = t.Symbol("n"), m = t.Symbol("m");
  CHECK(t.Symbol("n") == n);
  CHECK_FALSE(n == m);
  CHECK(t.Sub(t.Add(n, 2), 2) == n);
  CHECK(t.Add(n, n) == t.Mul(2, n));
  CHECK(t.Mul(t.Add(n, 1), t.Sub(n, 1)) == t.Sub(t.Mul(n, n), 1));
  CHECK(t.Mul(n, m) == t.Mul(m, n));
  CHECK(t.Add(t.Mul(n, m), t.Add(m, 3)) == t.Add(t.Add(m, t.Mul(m, n)), 3));
  CHECK(t.Sub(n, n) == Dim(0));
  CHECK(t.Mul(n, 0) == Dim(0));
  CHECK_FALSE(t.Add(n, 1) == t.Add(m, 1));
}

TEST_CASE("quotients, remainders and roundings agree with each other") {
  DimTable t;
  const Dim n = t.Symbol("n"), m = t.Symbol("m");
  CHECK(t.FloorDiv(t.Mul(n, 6), 3) == t.Mul(n, 2));
  CHECK(t.FloorDiv(t.Mul(n, m), m) == n);
  CHECK(t.Add(t.FloorDiv(t.Sub(n, 3), 2), 1) == t.FloorDiv(t.Sub(n, 1), 2));
  CHECK(t.CeilDiv(n, 2) == t.FloorDiv(t.Add(n, 1), 2));
  CHECK(t.FloorDiv(t.FloorDiv(n, 2), 3) == t.FloorDiv(n, 6));
  CHECK(t.CeilDiv(t.CeilDiv(n, 2), 2) == t.CeilDiv(n, 4));
  CHECK(t.Mod(t.Mul(n, 4), 2) == Dim(0));
  CHECK(t.Add(t.Mod(n, 5), t.Mul(5, t.FloorDiv(n, 5))) == n);
  CHECK(t.FloorDiv(n, m).unknown());
  CHECK(t.FloorDiv(n, t.Add(m, 1)).symbolic());
  CHECK(t.FloorDiv(n, 0).unknown());
  CHECK(t.FloorDiv(7, 2) == Dim(3));
  CHECK(t.CeilDiv(7, 2) == Dim(4));
}

TEST_CASE("maxima and minima use what is known of symbols") {
  DimTable t;
  const Dim n = t.Symbol("n"), m = t.Symbol("m");
  CHECK(t.Max(n, 0) == n);
  CHECK(t.Min(n, 0) == Dim(0));
  CHECK(t.Max(t.Add(n, m), n) == t.Add(n, m));
  CHECK(t.Max(t.Max(n, 3), m) == t.Max(m, t.Max(3, n)));
  CHECK(t.Max(t.Max(n, 3), 5) == t.Max(n, 5));
  CHECK(t.Max(t.Sub(n, 1), 0).symbolic());
}

TEST_CASE("broadcasts of open extents are decided as far as they can be") {
  DimTable t;
  const Dim n = t.Symbol("n"), m = t.Symbol("m");
  CHECK(t.Broadcast(n, 1) == n);
  CHECK(t.Broadcast(1, n) == n);
  CHECK(t.Broadcast(n, n) == n);
  CHECK(t.Broadcast(n, 5) == Dim(5));
  CHECK(t.Broadcast(Dim::Unknown(), 5) == Dim(5));
  CHECK(t.Broadcast(Dim::Unknown(), n).unknown());
  CHECK(t.Broadcast(n, m) == t.Broadcast(m, n));
  CHECK(t.Broadcast(t.Broadcast(n, m), n) == t.Broadcast(n, m));
}

TEST_CASE("what is not an extent is unknown") {
  DimTable t;
  const Dim n = t.Symbol("n");
  CHECK(t.Sub(2, 5).unknown());
  CHECK(t.Mul(int64_t{1} << 40, int64_t{1} << 40).unknown());
  CHECK(t.Mul(t.Mul(n, int64_t{1} << 40), int64_t{1} << 40).unknown());
  CHECK(t.Add(Dim::Unknown(), 1).unknown());
  CHECK(t.Mul(Dim::Unknown(), 0) == Dim(0));
}

TEST_CASE("elements may be negative") {
  DimTable t;
  const Dim n = t.Symbol("n");
  CHECK(t.Apply(plan::DimOp::kSub, N(2), N(5)) == N(-3));
  CHECK(t.Apply(plan::DimOp::kAdd, t.Apply(plan::DimOp::kSub, N(0), E(n)), E(n)) == N(0));
  CHECK(t.Apply(plan::DimOp::kFloorDiv, N(-7), N(2)) == N(-4));
  CHECK(t.Apply(plan::DimOp::kFloorDiv, N(7), N(-2)) == N(-4));
  CHECK(t.Apply(plan::DimOp::kMod, N(-7), N(3)) == N(2));
  CHECK(t.Apply(plan::DimOp::kMax, N(-7), N(-9)) == N(-7));
}

TEST_CASE("expressions read as people write them") {
  DimTable t;
  const Dim n = t.Symbol("batch"), m = t.Symbol("time");
  CHECK(t.ToString(t.Add(t.Mul(n, 2), 1)) == "2*batch + 1");
  CHECK(t.ToString(t.Sub(t.Mul(n, m), 3)) == "batch*time - 3");
  CHECK(t.ToString(t.FloorDiv(t.Add(n, 1), 2)) == "floor((batch + 1)/2)");
  CHECK(t.ToString(t.Broadcast(n, m)) == "broadcast(batch, time)");
  CHECK(t.ToString(Dim::Unknown()) == "?");
  CHECK(t.ToString(SymShape({n, Dim(3), Dim()})) == "[batch, 3, ?]");
}

TEST_CASE("operands are earlier expressions of the table, however large sums grow") {
  DimTable t;
  Dim sum = 1, product = 1;
  for (int i = 0; i < 100; ++i) {
    const Dim s = t.Symbol("s" + std::to_string(i));
    sum = t.Add(sum, s);
    product = t.Mul(product, t.Add(s, 1));
  }
  CHECK(sum.symbolic());
  CHECK(product.symbolic());
  for (size_t i = 0; i < t.exprs().size(); ++i) {
    const plan::DimExpr& e = t.exprs()[i];
    if (e.op == plan::DimOp::kConstant || e.op == plan::DimOp::kSymbol) continue;
    CHECK(e.a < i);
    CHECK(e.b < i);
  }
  CHECK(t.exprs().size() < 20000);
  CHECK_FALSE(t.ToString(product).empty());
}

}  // namespace
}  // namespace millrace
