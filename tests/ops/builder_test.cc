// Calls: dtypes of literals, lists, several outputs, attributes, operators, and
// the graph that comes out.
#include <complex>
#include <limits>

#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Output Feed(const Scope& s, DType dtype, Shape shape = {2, 3}) {
  return ops::Placeholder(s, dtype, {.shape = std::move(shape)});
}

DType TypeAttr(const Output& output, const char* name) { return *output.node().attrs().at(name).get<DType>(); }

// The constant that input i of a node is.
Tensor Constant(const Output& output, int i) {
  const Node& node = *output.node().inputs()[static_cast<size_t>(i)].node;
  REQUIRE(node.op().name() == "Const");
  const auto value = *node.attrs().at("value").get<std::shared_ptr<const TensorValue>>();
  const Result<Tensor> tensor = Tensor::FromValue(*value, HostAllocator());
  MR_REQUIRE_OK(tensor);
  return *tensor;
}

template <typename T>
std::vector<T> Elements(const Tensor& tensor) {
  REQUIRE(tensor.dtype() == kDTypeOf<T>);
  const auto elements = tensor.elements<T>();
  return {elements.begin(), elements.end()};
}

TEST_CASE("a literal takes the dtype of the tensor beside it") {
  const Scope s = Scope::NewRoot();
  CHECK(Elements<float>(Constant(Feed(s, DType::kFloat) * 2, 1)) == std::vector<float>{2});
  CHECK(Elements<double>(Constant(Feed(s, DType::kDouble) + 0.1, 1)) == std::vector<double>{0.1});
  CHECK(Elements<int64_t>(Constant(2 - Feed(s, DType::kInt64), 0)) == std::vector<int64_t>{2});
  CHECK(Elements<uint8_t>(Constant(ops::Maximum(s, 255, Feed(s, DType::kUint8)), 0)) == std::vector<uint8_t>{255});
  CHECK(Elements<Half>(Constant(Feed(s, DType::kHalf) * 0.5, 1)) == std::vector<Half>{Half(0.5f)});
  CHECK(Elements<BFloat16>(Constant(Feed(s, DType::kBfloat16) * 3, 1)) == std::vector<BFloat16>{BFloat16(3.0f)});
  CHECK(Elements<std::complex<float>>(Constant(Feed(s, DType::kComplex64) * 2, 1)) ==
        std::vector<std::complex<float>>{2});
  CHECK(Elements<bool>(Constant(Feed(s, DType::kBool) && true, 1)) == std::vector<bool>{true});
  CHECK(Elements<std::string>(Constant(ops::Equal(s, Feed(s, DType::kString), "a"), 1)) ==
        std::vector<std::string>{"a"});
  const Output filled = Feed(s, DType::kDouble) * std::vector<double>{1, 2, 3};
  CHECK(Elements<double>(Constant(filled, 1)) == std::vector<double>{1, 2, 3});
  // The float stays what it is.
  CHECK(Elements<double>(Constant(Feed(s, DType::kDouble) * 0.1f, 1)) == std::vector<double>{0.1f});
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("where no tensor decides, the attribute's default does, if it holds the literals") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat);
  CHECK(TypeAttr(ops::Sum(s, x, {0, 1}), "Tidx") == DType::kInt32);
  CHECK(TypeAttr(ops::Sum(s, x, {}), "Tidx") == DType::kInt32);
  CHECK(ops::Range(s, 0, 10, 2).dtype() == DType::kInt32);
  CHECK(ops::Range(s, 0, 10, 0.5).dtype() == DType::kFloat);
  CHECK(ops::Range(s, 0, int64_t{1} << 40, int64_t{1} << 38).dtype() == DType::kInt64);
  CHECK(TypeAttr(ops::Reshape(s, x, {-1, 2}), "Tshape") == DType::kInt32);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("the default comes before what a literal is by itself") {
  const std::unique_ptr<Registry> registry = Registry::Extending();
  registry->Define("Wide")
      .Input("x: T")
      .Input("y: T")
      .Output("z: T")
      .Attr("T: {int64, int32, double, float} = DT_INT64")
      .Shape(shape_fns::BroadcastBinary)
      .NoGradient("test");
  REQUIRE(registry->Check().empty());
  const Scope s = Scope::NewRoot(*registry);
  CHECK(Call(s, "Wide", {1, 2}).output().dtype() == DType::kInt64);
  CHECK(Call(s, "Wide", {1, 0.5}).output().dtype() == DType::kFloat);
  CHECK(Call(s, "Wide", {1, 1e300}).output().dtype() == DType::kDouble);
  CHECK(Call(s, "Wide", {1, Feed(s, DType::kInt32)}).output().dtype() == DType::kInt32);
  CHECK(Call(s, "Wide", {1, 2}, {{"T", DType::kDouble}}).output().dtype() == DType::kDouble);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("else a literal has its own dtype, or the first that the op allows and that holds it") {
  const Scope s = Scope::NewRoot();
  CHECK(ops::Identity(s, 2).dtype() == DType::kInt32);
  CHECK(ops::Identity(s, int64_t{1} << 40).dtype() == DType::kInt64);
  CHECK(ops::Identity(s, 0.5).dtype() == DType::kFloat);
  CHECK(ops::Identity(s, true).dtype() == DType::kBool);
  CHECK(ops::Identity(s, "a").dtype() == DType::kString);
  CHECK(ops::Pack(s, {1, 0.5}).dtype() == DType::kFloat);
  // Softmax takes floating-point numbers only.
  const DType softmax = ops::Softmax(s, {{1, 2}}).dtype();
  CHECK(IsFloating(softmax));
  CHECK(ops::IdentityN(s, {1, 0.5, "a"}).size() == 3);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("literals have the shape of their braces") {
  const Scope s = Scope::NewRoot();
  CHECK(Const(s, 1).shape() == SymShape(Shape()));
  CHECK(Const(s, {1, 2, 3}).shape() == SymShape(Shape({3})));
  CHECK(Const(s, {{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}).shape() == SymShape(Shape({3, 2})));
  CHECK(Const(s, {{1}, {2}}).shape() == SymShape(Shape({2, 1})));
  CHECK(Const(s, {{{true, false}}}).shape() == SymShape(Shape({1, 1, 2})));
  CHECK(Elements<std::string>(Constant(ops::Identity(s, {"a", "b"}), 0)) == std::vector<std::string>{"a", "b"});
  CHECK(Elements<float>(Constant(ops::Identity(s, {1, 0.5, -2}), 0)) == std::vector<float>{1, 0.5, -2});
  CHECK(Const(s, {}).shape() == SymShape(Shape({0})));
  CHECK(Const(s, std::vector<float>{}, DType::kDouble).dtype() == DType::kDouble);
  CHECK(Const(s, 1, DType::kHalf).dtype() == DType::kHalf);
  const Tensor t = Tensor::Of<int16_t>({2}, {1, 2});
  CHECK(Const(s, t).dtype() == DType::kInt16);
  // What is a tensor of the graph already passes through.
  const Output x = Feed(s, DType::kFloat);
  CHECK(Const(s, x) == x);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("a literal that its dtype does not hold is an error") {
  const auto refused = [](DType dtype, const Operand& literal) {
    const Scope s = Scope::NewRoot();
    Const(s, literal, dtype);
    return !s.ok();
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  CHECK(refused(DType::kInt32, 0.5));
  CHECK(refused(DType::kInt32, 2.0));
  CHECK(refused(DType::kInt8, 128));
  CHECK(!refused(DType::kInt8, -128));
  CHECK(refused(DType::kUint64, -1));
  CHECK(refused(DType::kFloat, 1e300));
  CHECK(!refused(DType::kFloat, kInfinity));
  CHECK(refused(DType::kHalf, 70000));
  CHECK(!refused(DType::kDouble, 1e300));
  CHECK(refused(DType::kBool, 1));
  CHECK(refused(DType::kFloat, true));
  CHECK(refused(DType::kFloat, "1"));
  CHECK(refused(DType::kString, 1));
  CHECK(refused(DType::kResource, {}));
  CHECK(refused(DType::kInt32, {{1, 2}, {3}}));
  CHECK(refused(DType::kFloat, {{1, 2}, 3}));
  CHECK(refused(DType::kFloat, {1, true}));
}

TEST_CASE("operators build their ops") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat), i = Feed(s, DType::kInt32), b = Feed(s, DType::kBool);
  const auto op = [](const Output& output) { return output.valid() ? output.node().op().name() : "none"; };
  CHECK(op(x + x) == "AddV2");
  CHECK(op(x - 1) == "Sub");
  CHECK(op(x * x) == "Mul");
  CHECK(op(x / 2) == "RealDiv");
  CHECK(op(i / 2) == "FloorDiv");
  CHECK(op(2 / i) == "FloorDiv");
  CHECK(op(1.0 / x) == "RealDiv");
  CHECK(op(i % 3) == "FloorMod");
  CHECK(op(-x) == "Neg");
  CHECK(op(x < x) == "Less");
  CHECK(op(x <= 1) == "LessEqual");
  CHECK(op(x > 0.5) == "Greater");
  CHECK(op(x >= x) == "GreaterEqual");
  CHECK(op(b && b) == "LogicalAnd");
  CHECK(op(b || true) == "LogicalOr");
  CHECK(op(!b) == "LogicalNot");
  CHECK(op(2 * x) == "Mul");
  CHECK(op(1 + i) == "AddV2");
  CHECK((x < x).dtype() == DType::kBool);
  MR_REQUIRE_OK(s.status());
  CHECK(!(Output() + 1).valid());
}

TEST_CASE("references are read where a tensor is wanted") {
  const Scope s = Scope::NewRoot();
  const Output v = ops::VariableV2(s, Shape({2, 3}), DType::kFloat);
  CHECK(v.dtype() == MakeRef(DType::kFloat));
  CHECK(TypeAttr(v * 2, "T") == DType::kFloat);
  const Output assigned = ops::Assign(s, v, {{1, 2, 3}, {4, 5, 6}});
  CHECK(assigned.dtype() == MakeRef(DType::kFloat));
  CHECK(TypeAttr(assigned, "T") == DType::kFloat);
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("lists give their number and their types") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat), i = Feed(s, DType::kInt32);
  CHECK(*ops::AddN(s, {x, x, x}).node().attrs().at("N").get<int64_t>() == 3);
  const std::vector<Output> both = ops::IdentityN(s, {x, i});
  REQUIRE(both.size() == 2);
  CHECK(both[0].dtype() == DType::kFloat);
  CHECK(both[1].dtype() == DType::kInt32);
  const std::vector<Output> parts = ops::Split(s, 1, x, 3);
  CHECK(ops::ConcatV2(s, parts, 1).shape() == x.shape());
  REQUIRE(parts.size() == 3);
  CHECK(parts[2].name() == "Split:2");
  CHECK(parts[0].shape() == SymShape(Shape({2, 1})));
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("several outputs come as a struct, none as an operation") {
  const Scope s = Scope::NewRoot();
  const ops::TopKV2Outputs top = ops::TopKV2(s, Feed(s, DType::kFloat), 2);
  CHECK(top.values.dtype() == DType::kFloat);
  CHECK(top.indices.dtype() == DType::kInt32);
  CHECK(top.indices.index() == 1);
  const Operation nothing = ops::NoOp(s);
  CHECK(nothing.valid());
  CHECK(nothing.num_outputs() == 0);
  const Operation call = Call(s, "Split", {0, Feed(s, DType::kFloat)}, {{"num_split", 2}});
  CHECK(OutputList(call, 0).size() == 2);
  CHECK(OutputList(call, 1).empty());
  CHECK(OutputList(Operation(), 0).empty());
  MR_REQUIRE_OK(s.status());
}

TEST_CASE("attributes have the registry's defaults, and others where they are given") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat, {1, 3, 8, 8}), f = Feed(s, DType::kFloat, {3, 3, 3, 4});
  const Output y = ops::Conv2D(s, x, f, {1, 1, 2, 2}, "SAME", {.data_format = "NCHW"});
  MR_REQUIRE_OK(s.status());
  CHECK(y.shape() == SymShape(Shape({1, 4, 4, 4})));
  CHECK(y.node().attrs().at("dilations").get<ListValue>()->i == std::vector<int64_t>{1, 1, 1, 1});
  CHECK(*y.node().attrs().at("use_cudnn_on_gpu").get<bool>());
  // One struct for each op, with the definition's defaults in it.
  for (const AttrDef& attr : y.node().op().signature().attrs) {
    if (!attr.has_default || attr.name == "data_format") continue;
    INFO(attr.name);
    CHECK(y.node().attrs().at(attr.name) == attr.default_value);
  }
}

TEST_CASE("an op of the user's own is called by name, with all that built-in ones have") {
  const std::unique_ptr<Registry> registry = Registry::Extending();
  registry->Define("ScaleAll")
      .Input("values: N * T")
      .Input("by: T")
      .Output("scaled: N * T")
      .Output("count: int32")
      .Attr("N: int >= 1")
      .Attr("T: {float, double}")
      .Attr("label: string = 'none'")
      .Shape(shape_fns::UnknownOutputs)
      .NoGradient("test");
  REQUIRE(registry->Check().empty());
  const Scope s = Scope::NewRoot(*registry);
  const Output x = Feed(s, DType::kDouble);
  const Operation scaled = Call(s.WithOpName("mine"), "ScaleAll", {Operands{x, 1}, 2}, {{"label", "two"}});
  MR_REQUIRE_OK(s.status());
  CHECK(scaled.name() == "mine");
  CHECK(scaled.num_outputs() == 3);
  CHECK(OutputList(scaled, 0).size() == 2);
  CHECK(OutputList(scaled, 1)[0].dtype() == DType::kInt32);
  CHECK(Elements<double>(Constant(scaled.output(), 2)) == std::vector<double>{2});
  CHECK(*scaled.node()->attrs().at("label").get<std::string>() == "two");
}

TEST_CASE("the graph goes out and in again as it was") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat);
  const Scope a = s.NewSubScope("a").WithDevice("/device:CPU:0").ColocateWith(x);
  const Output y = ops::Relu(a, ops::MatMul(a, x, x, {.transpose_b = true}) * 2 + std::vector<float>{1, 2});
  ops::Concat(s.WithControlDependencies(y), 0, {y, y});
  MR_REQUIRE_OK(s.status());
  const GraphDef def = s.graph()->ToGraphDef();
  Graph copy;
  MR_REQUIRE_OK(copy.Import(def));
  CHECK(copy.ToGraphDef() == def);
  // And through bytes.
  const Result<GraphDef> read = ParseGraphDef(Bytes(SerializeGraphDef(def)));
  MR_REQUIRE_OK(read);
  CHECK(*read == def);
}

}  // namespace
}  // namespace millrace
