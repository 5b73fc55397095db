#include "millrace/ops/registry/inference.h"

#include "millrace/ops/registry/sym_eval.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

InferenceContext::Input In(SymShape shape, const SymTensor* elements = nullptr) {
  InferenceContext::Input in;
  in.dtype = DType::kInt32;
  in.shape = std::move(shape);
  in.elements = elements;
  return in;
}

TEST_CASE("shapes broadcast as NumPy's, open extents included") {
  DimTable t;
  const Dim n = t.Symbol("n");
  SymShape out;
  MR_REQUIRE_OK(BroadcastShapes(t, SymShape({n, Dim(1), Dim(3)}), SymShape({Dim(4), Dim(1)}), &out));
  CHECK(out == SymShape({n, Dim(4), Dim(3)}));
  MR_REQUIRE_OK(BroadcastShapes(t, SymShape(), SymShape({Dim(4)}), &out));
  CHECK_FALSE(out.has_rank);
  MR_REQUIRE_OK(BroadcastShapes(t, SymShape({Dim(0)}), SymShape({Dim(1)}), &out));
  CHECK(out == SymShape({Dim(0)}));
  const Status s = BroadcastShapes(t, SymShape({Dim(2), Dim(3)}), SymShape({Dim(2)}), &out);
  CHECK(s.code() == Code::kInvalidArgument);
  CHECK(std::string(s.message()) == "expected shapes that broadcast, found [2, 3] and [2]");
}

TEST_CASE("merging fills what one side does not know") {
  DimTable t;
  const Dim n = t.Symbol("n");
  const AttrMap attrs;
  InferenceContext c(attrs, {}, 0, t);
  SymShape out;
  MR_REQUIRE_OK(c.Merge(SymShape({n, Dim(), Dim(3)}), SymShape({Dim(5), n, Dim()}), &out));
  CHECK(out == SymShape({Dim(5), n, Dim(3)}));
  MR_REQUIRE_OK(c.Merge(SymShape(), SymShape({n}), &out));
  CHECK(out == SymShape({n}));
  CHECK_FALSE(c.Merge(SymShape({n}), SymShape({n, n}), &out).ok());
  CHECK_FALSE(c.Merge(SymShape({Dim(2)}), SymShape({Dim(3)}), &out).ok());
}

TEST_CASE("an input read as a shape") {
  DimTable t;
  const AttrMap attrs;
  const Dim n = t.Symbol("n");
  SymTensor elements{false, {SymElement::Of(n), SymElement::Number(-1), SymElement::Number(4), SymElement()}};
  const SymTensor minus_two{false, {SymElement::Number(-2)}};
  const SymTensor scalar{true, {SymElement::Number(-1)}};
  const int64_t wide[] = {7, -1};
  const int64_t dims[] = {2};
  const TensorView constant{const_cast<int64_t*>(wide), DType::kInt64, 1, dims, 2};
  InferenceContext::Input by_contents = In(SymShape({Dim(2)}));
  by_contents.constant = &constant;
  InferenceContext c(
      attrs,
      {In(SymShape({Dim(4)}), &elements), In(SymShape({Dim(1)}), &minus_two), In(SymShape::Scalar(), &scalar),
       In(SymShape({Dim(2)})), In(SymShape()), In(SymShape({Dim(1), Dim(1)})), In(SymShape({Dim(1000)})), by_contents},
      0, t);
  SymShape shape;
  MR_REQUIRE_OK(c.InputAsShape(0, &shape));
  CHECK(shape == SymShape({n, Dim(), Dim(4), Dim()}));
  CHECK(c.InputAsShape(1, &shape).code() == Code::kInvalidArgument);
  MR_REQUIRE_OK(c.InputAsShape(2, &shape));
  CHECK_FALSE(shape.has_rank);
  MR_REQUIRE_OK(c.InputAsShape(3, &shape));
  CHECK(shape == SymShape::Unknown(2));
  MR_REQUIRE_OK(c.InputAsShape(4, &shape));
  CHECK_FALSE(shape.has_rank);
  CHECK(c.InputAsShape(5, &shape).code() == Code::kInvalidArgument);
  CHECK(c.InputAsShape(6, &shape).code() == Code::kInvalidArgument);
  MR_REQUIRE_OK(c.InputAsShape(7, &shape));
  CHECK(shape == SymShape({Dim(7), Dim()}));
}

TEST_CASE("rank checks name the input, expected and found") {
  DimTable t;
  const AttrMap attrs;
  InferenceContext c(attrs, {In(SymShape()), In(SymShape({Dim(2)}))}, 0, t);
  CHECK(c.WithRank(0, 3).ok());
  CHECK(c.WithRankAtLeast(1, 1).ok());
  CHECK(std::string(c.WithRank(1, 2).message()) == "input 1: expected rank 2, found shape [2]");
  CHECK(std::string(c.WithRankAtLeast(1, 2).message()) == "input 1: expected rank 2 or more, found shape [2]");
}

TEST_CASE("shape arithmetic goes through small integer tensors") {
  DimTable t;
  const AttrMap attrs;
  const Dim n = t.Symbol("n");
  const SymTensor a{false, {SymElement::Of(n), SymElement::Number(6)}}, two{true, {SymElement::Number(2)}};
  const SymTensor big{false, {SymElement::Number(1 << 30), SymElement()}};
  const auto eval = [&](const SymTensor& x, const SymTensor& y, plan::DimOp op) {
    InferenceContext c(attrs, {In(SymShape(), &x), In(SymShape(), &y)}, 1, t);
    EvalBinary(c, op);
    return c.outputs()[0];
  };
  CHECK(eval(a, two, plan::DimOp::kMul).elements ==
        SymTensor{false, {SymElement::Of(t.Mul(n, 2)), SymElement::Number(12)}});
  CHECK(eval(two, a, plan::DimOp::kSub).elements.elements[1] == SymElement::Number(-4));
  CHECK(eval(two, two, plan::DimOp::kMax).elements == two);
  // What int32 cannot hold is not known.
  CHECK_FALSE(eval(big, two, plan::DimOp::kMul).has_elements);
  InferenceContext c(attrs, {In(SymShape(), &a)}, 1, t);
  EvalCast(c, DType::kInt64);
  CHECK(c.outputs()[0].elements == a);
  InferenceContext f(attrs, {In(SymShape(), &a)}, 1, t);
  EvalCast(f, DType::kFloat);
  CHECK_FALSE(f.outputs()[0].has_elements);
}

}  // namespace
}  // namespace millrace
