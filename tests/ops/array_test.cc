// Moving elements: against plain indexing, on random shapes and specifications.
#include <algorithm>
#include <random>

#include "millrace/ops/array/strided_slice_spec.h"
#include "millrace/tests/ops/run_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Tensor Counting(const Shape& shape) {
  std::vector<int32_t> values(static_cast<size_t>(*shape.NumElements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  return Tensor::Of<int32_t>(shape, values);
}
Tensor Ints(const std::vector<int32_t>& v) { return Tensor::Of<int32_t>(Shape({static_cast<int64_t>(v.size())}), v); }

std::vector<int32_t> ValuesOf(const Result<std::vector<Tensor>>& r) {
  const std::span<int32_t> e = (*r)[0].elements<int32_t>();
  return {e.begin(), e.end()};
}

Result<std::vector<Tensor>> Slice(const Tensor& x, std::vector<int32_t> begin, std::vector<int32_t> end,
                                  std::vector<int32_t> strides, AttrMap masks) {
  masks["T"] = DType::kInt32;
  masks["Index"] = DType::kInt32;
  return RunOp(Registry::BuiltIn(), {"StridedSlice", masks, {x, Ints(begin), Ints(end), Ints(strides)}, {}, 1});
}

TEST_CASE("a strided slice means what Python's indexing means") {
  const Tensor x = Counting(Shape({4, 3}));
  SECTION("x[1:-1]") {
    const auto y = Slice(x, {1}, {-1}, {1}, {});
    MR_REQUIRE_OK(y);
    CHECK((*y)[0].shape() == Shape({2, 3}));
    CHECK(ValuesOf(y) == std::vector<int32_t>{3, 4, 5, 6, 7, 8});
  }
  SECTION("x[::-2, ::2]") {
    const auto y = Slice(x, {0, 0}, {0, 0}, {-2, 2}, {{"begin_mask", 3}, {"end_mask", 3}});
    MR_REQUIRE_OK(y);
    CHECK(ValuesOf(y) == std::vector<int32_t>{9, 11, 3, 5});
  }
  SECTION("x[..., None, -1]") {
    const auto y = Slice(x, {0, 0, -1}, {0, 0, 0}, {1, 1, 1},
                         {{"ellipsis_mask", 1}, {"new_axis_mask", 2}, {"shrink_axis_mask", 4}});
    MR_REQUIRE_OK(y);
    CHECK((*y)[0].shape() == Shape({4, 1}));
    CHECK(ValuesOf(y) == std::vector<int32_t>{2, 5, 8, 11});
  }
  SECTION("x[3:1] and beyond the ends") {
    const auto y = Slice(x, {3}, {1}, {1}, {});
    MR_REQUIRE_OK(y);
    CHECK((*y)[0].shape() == Shape({0, 3}));
    const auto z = Slice(x, {-100}, {100}, {3}, {});
    MR_REQUIRE_OK(z);
    CHECK(ValuesOf(z) == std::vector<int32_t>{0, 1, 2, 9, 10, 11});
  }
  SECTION("what is refused") {
    CHECK(Slice(x, {0}, {1}, {0}, {}).status().code() == Code::kInvalidArgument);
    CHECK(Slice(x, {4}, {5}, {1}, {{"shrink_axis_mask", 1}}).status().code() == Code::kInvalidArgument);
    CHECK(Slice(x, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}, {}).status().code() == Code::kInvalidArgument);
    CHECK(Slice(x, {0, 0}, {0, 0}, {1, 1}, {{"ellipsis_mask", 3}}).status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("a transpose puts every element where the permutation says, whatever the size of an element") {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const size_t rank = 1 + random() % 5;
    std::vector<int64_t> dims(rank);
    std::vector<int32_t> perm(rank);
    for (size_t k = 0; k < rank; ++k) {
      dims[k] = 1 + static_cast<int64_t>(random() % (rank < 3 ? 70 : 9));
      perm[k] = static_cast<int32_t>(k);
    }
    std::shuffle(perm.begin(), perm.end(), random);
    const Tensor x = Counting(Shape(dims));
    const auto y =
        RunOp(Registry::BuiltIn(),
              {"Transpose", {{"T", DType::kInt32}, {"Tperm", DType::kInt32}}, {x, Ints(perm)}, {}, 1 + round % 3});
    MR_REQUIRE_OK(y);
    // The same as bytes, strings and pairs.
    std::vector<std::string> texts;
    for (const int32_t v : x.elements<int32_t>()) texts.push_back(std::to_string(v));
    const auto s = RunOp(Registry::BuiltIn(), {"Transpose",
                                               {{"T", DType::kString}, {"Tperm", DType::kInt32}},
                                               {Tensor::Of<std::string>(Shape(dims), texts), Ints(perm)},
                                               {},
                                               1});
    MR_REQUIRE_OK(s);
    std::vector<int64_t> strides(rank, 1), at(rank, 0);
    for (size_t k = rank - 1; k-- > 0;) strides[k] = strides[k + 1] * dims[k + 1];
    bool same = true;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      int64_t from = 0;
      for (size_t k = 0; k < rank; ++k) from += at[k] * strides[static_cast<size_t>(perm[k])];
      same = same && (*y)[0].elements<int32_t>()[static_cast<size_t>(i)] == from &&
             (*s)[0].elements<std::string>()[static_cast<size_t>(i)] == std::to_string(from);
      for (size_t k = rank; k-- > 0;) {
        if (++at[k] < (*y)[0].shape().dim(static_cast<int>(k))) break;
        at[k] = 0;
      }
    }
    INFO("shape " << Shape(dims));
    CHECK(same);
  }
}

TEST_CASE("indices out of range name themselves") {
  const Tensor params = Counting(Shape({3, 2}));
  const auto gathered =
      RunOp(Registry::BuiltIn(), {"GatherV2",
                                  {{"Tparams", DType::kInt32}, {"Tindices", DType::kInt32}, {"Taxis", DType::kInt32}},
                                  {params, Ints({0, 3}), Tensor::Scalar<int32_t>(0)},
                                  {},
                                  1});
  REQUIRE_FALSE(gathered.ok());
  CHECK(gathered.status().code() == Code::kInvalidArgument);
  CHECK(gathered.status().message().find("indices[1] = 3") != std::string_view::npos);
}

TEST_CASE("an empty result whose extents multiply to no number is refused") {
  const Result<Tensor> x = Tensor::New(DType::kFloat, Shape({0, int64_t{1} << 40}), HostAllocator());
  MR_REQUIRE_OK(x);
  const auto y = RunOp(Registry::BuiltIn(), {"MatrixDiag", {{"T", DType::kFloat}}, {*x}, {}, 1});
  CHECK(y.status().code() == Code::kInvalidArgument);
  INFO(y.status().ToString());
  CHECK(y.status().message().find("[0,1099511627776,1099511627776]") != std::string_view::npos);
}

TEST_CASE("broadcast gradients are summed where the run says") {
  const auto axes = [](std::vector<int32_t> a, std::vector<int32_t> b) {
    return RunOp(Registry::BuiltIn(), {"BroadcastGradientArgs", {{"T", DType::kInt32}}, {Ints(a), Ints(b)}, {}, 1});
  };
  const auto equal = axes({5}, {5}), left = axes({5, 3}, {3}), right = axes({1, 3}, {5, 1});
  MR_REQUIRE_OK(equal);
  CHECK((*equal)[0].num_elements() == 0);
  MR_REQUIRE_OK(left);
  CHECK((*left)[0].num_elements() == 0);
  CHECK((*left)[1].elements<int32_t>()[0] == 0);
  MR_REQUIRE_OK(right);
  CHECK((*right)[0].elements<int32_t>()[0] == 0);
  CHECK((*right)[1].elements<int32_t>()[0] == 1);
  CHECK(axes({5}, {3}).status().code() == Code::kInvalidArgument);
}

// Symbolic inference.
SymShape Infer(const std::string& op, AttrMap attrs, std::vector<InferenceContext::Input> inputs, DimTable& table,
               SymTensor* elements = nullptr) {
  const Op* definition = Registry::BuiltIn().Find(op);
  REQUIRE(definition != nullptr);
  MR_REQUIRE_OK(CompleteAttrs(*definition, &attrs));
  InferenceContext ctx(attrs, std::move(inputs), 1, table);
  MR_REQUIRE_OK(definition->shape_fn()(ctx));
  if (elements != nullptr) *elements = ctx.outputs()[0].elements;
  return ctx.outputs()[0].shape;
}
InferenceContext::Input Symbolic(DType dtype, std::vector<Dim> dims) {
  InferenceContext::Input input;
  input.dtype = dtype;
  input.shape = SymShape(std::move(dims));
  return input;
}
InferenceContext::Input WithElements(const SymTensor& elements) {
  InferenceContext::Input input;
  input.dtype = DType::kInt32;
  input.shape = elements.scalar ? SymShape::Scalar() : SymShape({Dim(static_cast<int64_t>(elements.elements.size()))});
  input.elements = &elements;
  return input;
}

TEST_CASE("shape arithmetic goes through slices and packs") {
  DimTable table;
  const Dim batch = table.Symbol("batch");
  // shape(x)[0:1], then pack([batch, 7]).
  const SymTensor shape{false, {SymElement::Of(batch), SymElement::Number(28), SymElement::Number(3)}};
  const SymTensor zero{false, {SymElement::Number(0)}}, one{false, {SymElement::Number(1)}};
  SymTensor taken;
  const SymShape scalar =
      Infer("StridedSlice", {{"T", DType::kInt32}, {"Index", DType::kInt32}, {"shrink_axis_mask", 1}},
            {WithElements(shape), WithElements(zero), WithElements(one), WithElements(one)}, table, &taken);
  CHECK(scalar == SymShape::Scalar());
  REQUIRE(taken.elements.size() == 1);
  CHECK(taken.elements[0].dim() == batch);
  CHECK(taken.scalar);
  const SymTensor seven{true, {SymElement::Number(7)}};
  SymTensor packed;
  const SymShape vector =
      Infer("Pack", {{"N", 2}, {"T", DType::kInt32}}, {WithElements(taken), WithElements(seven)}, table, &packed);
  CHECK(vector == SymShape({Dim(2)}));
  REQUIRE(packed.elements.size() == 2);
  CHECK(packed.elements[0].dim() == batch);
  CHECK(packed.elements[1].number == 7);
  // fill(pack, 0) has that shape.
  InferenceContext::Input value = Symbolic(DType::kFloat, {});
  CHECK(Infer("Fill", {{"T", DType::kFloat}, {"index_type", DType::kInt32}}, {WithElements(packed), value}, table) ==
        SymShape({batch, Dim(7)}));
}

TEST_CASE("symbolic dims go through concatenation, padding and reduction") {
  DimTable table;
  const Dim n = table.Symbol("n");
  const SymTensor axis{true, {SymElement::Number(1)}};
  CHECK(Infer("ConcatV2", {{"N", 2}, {"T", DType::kFloat}, {"Tidx", DType::kInt32}},
              {Symbolic(DType::kFloat, {n, Dim(3)}), Symbolic(DType::kFloat, {n, Dim(4)}), WithElements(axis)},
              table) == SymShape({n, Dim(7)}));
  const SymTensor axes{false, {SymElement::Number(-1)}};
  CHECK(Infer("Sum", {{"T", DType::kFloat}, {"Tidx", DType::kInt32}, {"keep_dims", true}},
              {Symbolic(DType::kFloat, {n, Dim(3)}), WithElements(axes)}, table) == SymShape({n, Dim(1)}));
  const Tensor paddings = Tensor::Of<int32_t>(Shape({2, 2}), {1, 1, 0, 2});
  const TensorView view = paddings.view();
  InferenceContext::Input operand = Symbolic(DType::kInt32, {Dim(2), Dim(2)});
  operand.constant = &view;
  CHECK(Infer("Pad", {{"T", DType::kFloat}, {"Tpaddings", DType::kInt32}},
              {Symbolic(DType::kFloat, {n, Dim(3)}), operand}, table) == SymShape({table.Add(n, Dim(2)), Dim(5)}));
}

}  // namespace
}  // namespace millrace
