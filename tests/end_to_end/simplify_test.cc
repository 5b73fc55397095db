// Simplified graphs give the bits of the graphs as they are written: special
// values, layouts, transposed products, moved axes.
#include <cmath>
#include <cstring>
#include <limits>

#include "millrace/compiler/api/compile.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/compiler/graphs.h"

namespace millrace {
namespace {

using Feeds = std::vector<std::pair<std::string, Tensor>>;

std::vector<Tensor> Results(const std::shared_ptr<const Graph>& graph, const Feeds& feeds,
                            const std::vector<std::string>& fetches, std::vector<std::string> disabled) {
  SessionOptions options;
  options.threads = 1;
  options.disabled_passes = std::move(disabled);
  auto session = Session::New(graph, options);
  MR_REQUIRE_OK(session);
  auto results = (*session)->Run(feeds, fetches);
  MR_REQUIRE_OK(results);
  return std::move(*results);
}

template <typename T>
void CheckSame(const Tensor& a, const Tensor& b, const std::string& name) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.elements<T>(), y = b.elements<T>();
  for (size_t i = 0; i < x.size(); ++i) {
    INFO(name << " element " << i << ": " << x[i] << " simplified, " << y[i] << " as written");
    if (std::isnan(x[i]) && std::isnan(y[i])) continue;
    CHECK(std::memcmp(&x[i], &y[i], sizeof(T)) == 0);
  }
}

// Folded batch norm rounds differently, and says so.
template <typename T = float>
void CheckBits(std::vector<NodeDef> nodes, const Feeds& feeds, const std::vector<std::string>& fetches) {
  const std::shared_ptr<const Graph> graph = MakeGraph(std::move(nodes));
  const auto simplified = Results(graph, feeds, fetches, {"fold-batch-norm"});
  const auto written = Results(graph, feeds, fetches, {"all"});
  for (size_t i = 0; i < fetches.size(); ++i) CheckSame<T>(simplified[i], written[i], fetches[i]);
}

template <typename T>
std::vector<T> Special() {
  using L = std::numeric_limits<T>;
  return {T(0),          T(-0.0),        T(1),           T(-1),           T(3.7),           T(-2.5),
          L::infinity(), -L::infinity(), L::quiet_NaN(), L::denorm_min(), -L::denorm_min(), L::min() / 2,
          -L::min() / 4, L::min(),       -L::min(),      L::max()};
}

Tensor Noise(const Shape& shape, uint32_t seed) {
  size_t n = 1;
  for (int64_t d : shape.dims()) n *= static_cast<size_t>(d);
  std::vector<float> v(n);
  for (float& x : v) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-31f;
  }
  return Tensor::Of<float>(shape, v);
}

NodeDef Number(std::string name, DType dtype, double value) {
  TensorValue t;
  t.dtype = dtype;
  t.shape = Shape(std::vector<int64_t>{});
  if (dtype == DType::kFloat) t.float_val = {static_cast<float>(value)};
  else t.double_val = {value};
  return N(std::move(name), "Const", {}, {{"dtype", dtype}, {"value", std::move(t)}});
}

template <typename T>
void CheckArithmetic(DType d) {
  const std::vector<T> special = Special<T>();
  const auto n = static_cast<int64_t>(special.size());
  const auto op = [&](const char* name, const char* kind, std::vector<std::string> in) {
    return N(name, kind, std::move(in), {{"T", d}});
  };
  const auto cast = [&](const char* name, const char* in, DType from, DType to) {
    return N(name, "Cast", {in}, {{"SrcT", from}, {"DstT", to}, {"Truncate", false}});
  };
  const DType wide = DType::kDouble;
  std::vector<NodeDef> nodes = {
      Input("x", Shape({n}), d),
      Input("y", Shape({n, 1}), d),
      Number("one", d, 1),
      Number("zero", d, 0),
      Number("minus", d, -0.0),
      Number("four", d, 4),
      Number("huge", d, std::numeric_limits<T>::max() / 2 + std::numeric_limits<T>::max() / 4),
      Number("three", d, 3)};
  const std::vector<NodeDef> ops = {op("mul1", "Mul", {"x", "one"}),
                                    op("mul1sum", "AddV2", {"mul1", "y"}),
                                    op("div1", "RealDiv", {"x", "one"}),
                                    op("div1exp", "Exp", {"div1"}),
                                    op("add0", "AddV2", {"x", "zero"}),
                                    op("addm", "AddV2", {"x", "minus"}),
                                    op("sub0", "Sub", {"x", "zero"}),
                                    op("subm", "Sub", {"x", "minus"}),
                                    op("div4", "RealDiv", {"x", "four"}),
                                    op("div3", "RealDiv", {"x", "three"}),
                                    op("divhuge", "RealDiv", {"x", "huge"}),
                                    op("nx", "Neg", {"x"}),
                                    op("nnx", "Neg", {"nx"}),
                                    op("ny", "Neg", {"y"}),
                                    op("addneg", "AddV2", {"x", "ny"}),
                                    op("negadd", "AddV2", {"nx", "y"}),
                                    op("subneg", "Sub", {"x", "ny"}),
                                    op("mulneg", "Mul", {"nx", "ny"}),
                                    op("mulsame", "Mul", {"x", "x"}),
                                    op("absneg", "Abs", {"nx"}),
                                    op("squareneg", "Square", {"nx"}),
                                    op("relu", "Relu", {"x"}),
                                    op("relu2", "Relu", {"relu"}),
                                    op("maxsame", "Maximum", {"x", "x"}),
                                    op("minsame", "Minimum", {"x", "x"}),
                                    op("max1", "Maximum", {"y", "x"}),
                                    op("max2", "Maximum", {"x", "y"}),
                                    op("swapped", "Mul", {"y", "x"}),
                                    op("sq1", "SquaredDifference", {"y", "x"}),
                                    op("zeros", "ZerosLike", {"x"}),
                                    op("ones", "OnesLike", {"x"}),
                                    op("addzeros", "AddV2", {"x", "zeros"}),
                                    op("mulones", "Mul", {"ones", "x"}),
                                    cast("wide", "x", d, wide),
                                    cast("back", "wide", wide, d),
                                    op("round", "Floor", {"x"}),
                                    op("round2", "Floor", {"round"})};
  std::vector<std::string> fetches;
  for (const NodeDef& node : ops) {
    nodes.push_back(node);
    if (node.name != "wide") fetches.push_back(node.name + ":0");
  }
  const Feeds feeds = {{"x:0", Tensor::Of<T>(Shape({n}), special)}, {"y:0", Tensor::Of<T>(Shape({n, 1}), special)}};
  CheckBits<T>(nodes, feeds, fetches);
  // One by one as well: who else sees a value decides what may become of it.
  for (const std::string& fetch : fetches) CheckBits<T>(nodes, feeds, {fetch});
}

TEST_CASE("algebra keeps the bits of special values of float") { CheckArithmetic<float>(DType::kFloat); }
TEST_CASE("algebra keeps the bits of special values of double") { CheckArithmetic<double>(DType::kDouble); }

TEST_CASE("a product of a transposed operand has the bits of the product behind the transpose") {
  const int64_t sizes[][3] = {{1, 7, 5},      {64, 33, 17}, {3, 128, 1},   {1, 1024, 64},
                              {128, 256, 96}, {33, 1, 40},  {200, 700, 30}};
  for (const auto& [m, k, n] : sizes) {
    INFO(m << " x " << k << " x " << n);
    std::vector<NodeDef> nodes = {Input("a", Shape({k, m})),     Input("b", Shape({n, k})),
                                  Ints("p", Shape({2}), {1, 0}), Input("c", Shape({2, k, m})),
                                  Input("d", Shape({2, n, k})),  Ints("q", Shape({3}), {0, 2, 1})};
    for (const char* x : {"a", "b", "c", "d"}) {
      nodes.push_back(N(std::string(x) + "t", "Transpose", {x, x < std::string("c") ? "p" : "q"},
                        {{"T", DType::kFloat}, {"Tperm", DType::kInt32}}));
    }
    nodes.push_back(N("m", "MatMul", {"at", "bt"}, {{"T", DType::kFloat}}));
    nodes.push_back(N("n", "BatchMatMulV2", {"ct", "dt"}, {{"T", DType::kFloat}}));
    CheckBits(nodes,
              {{"a:0", Noise(Shape({k, m}), 1)},
               {"b:0", Noise(Shape({n, k}), 2)},
               {"c:0", Noise(Shape({2, k, m}), 3)},
               {"d:0", Noise(Shape({2, n, k}), 4)}},
              {"m:0", "n:0"});
  }
}

ListValue List(std::vector<int64_t> values) {
  ListValue list;
  list.i = std::move(values);
  return list;
}

// Images with the channels second.
struct Network {
  std::vector<NodeDef> nodes;
  int next = 0;

  std::string Weights(const Shape& shape, float scale = 0.3f) {
    Tensor t = Noise(shape, static_cast<uint32_t>(nodes.size()) + 7);
    std::vector<float> v(t.elements<float>().begin(), t.elements<float>().end());
    for (float& x : v) x *= scale;
    nodes.push_back(Floats(Name("w"), shape, v));
    return nodes.back().name;
  }
  std::string Name(const std::string& what) { return what + std::to_string(next++); }
  std::string Add(const std::string& op, std::vector<std::string> inputs, AttrMap attrs = {}) {
    attrs["T"] = DType::kFloat;
    nodes.push_back(N(Name(op), op, std::move(inputs), std::move(attrs)));
    return nodes.back().name;
  }
  std::string Conv(const std::string& x, int64_t in, int64_t out, int64_t size, int64_t stride, const char* padding,
                   const char* op = "Conv2D") {
    return Add(op, {x, Weights(Shape({size, size, in, out}))},
               {{"strides", List({1, 1, stride, stride})},
                {"padding", std::string(padding)},
                {"data_format", std::string("NCHW")}});
  }
  std::string Bias(const std::string& x, int64_t n) {
    return Add("BiasAdd", {x, Weights(Shape({n}))}, {{"data_format", std::string("NCHW")}});
  }
  std::string Pool(const std::string& x, const char* op, int64_t size, const char* padding) {
    return Add(op, {x},
               {{"ksize", List({1, 1, size, size})},
                {"strides", List({1, 1, 2, 2})},
                {"padding", std::string(padding)},
                {"data_format", std::string("NCHW")}});
  }
};

TEST_CASE("a network with the channels second runs with the channels last, and has the same bits") {
  Network net;
  net.nodes.push_back(Input("x", Shape({-1, 3, 17, 15})));
  std::string x = net.Add("Relu", {net.Bias(net.Conv("x", 3, 8, 3, 2, "SAME"), 8)});
  std::string y = net.Conv(x, 8, 8, 3, 1, "SAME");
  std::vector<std::string> statistics;
  for (int i = 0; i < 4; ++i) statistics.push_back(net.Weights(Shape({8}), i == 3 ? 0.0f : 0.5f));
  y = net.Add("FusedBatchNormV3", {y, statistics[0], statistics[1], statistics[2], statistics[3]},
              {{"U", DType::kFloat}, {"epsilon", 0.5f}, {"is_training", false}, {"data_format", std::string("NCHW")}});
  // A residual, a scale by channel, a squeezed excitation.
  x = net.Add("Relu6", {net.Add("AddV2", {y, x})});
  x = net.Add("Mul", {x, net.Weights(Shape({8, 1, 1}))});
  y = net.Conv(x, 8, 1, 3, 1, "SAME", "DepthwiseConv2dNative");
  net.nodes.push_back(Ints("axis", Shape(std::vector<int64_t>{}), {1}));
  net.nodes.push_back(Ints("amounts", Shape({4, 2}), {0, 0, 0, 0, 1, 2, 2, 1}));
  x = net.Add("ConcatV2", {x, y, "axis"}, {{"N", int64_t{2}}, {"Tidx", DType::kInt32}});
  x = net.Add("Pad", {x, "amounts"}, {{"Tpaddings", DType::kInt32}});
  x = net.Pool(x, "MaxPool", 3, "VALID");
  x = net.Conv(x, 16, 12, 1, 1, "VALID");
  x = net.Pool(x, "AvgPool", 2, "SAME");
  net.nodes.push_back(Ints("image", Shape({2}), {2, 3}));
  std::string mean = net.Add("Mean", {x, "image"}, {{"Tidx", DType::kInt32}, {"keep_dims", false}});
  const Feeds feeds = {{"x:0", Noise(Shape({2, 3, 17, 15}), 5)}};
  CheckBits(net.nodes, feeds, {mean + ":0"});
  CheckBits(net.nodes, feeds, {x + ":0", y + ":0"});

  // All transposes but that of the feed and that of the mean's operand are gone.
  const auto graph = MakeGraph(net.nodes);
  auto text = CompileToText(*graph, {{.name = "run", .feeds = {"x:0"}, .fetches = {mean + ":0"}}}, "simplify");
  MR_REQUIRE_OK(text);
  size_t transposes = 0;
  for (size_t at = 0; (at = text->find("\"graph.Transpose\"", at)) != std::string::npos; ++at) ++transposes;
  CHECK(transposes == 2);
  CHECK(text->find("NCHW") == std::string::npos);
}

TEST_CASE("gradients of images have the same bits in both layouts") {
  const AttrMap conv = {{"T", DType::kFloat},
                        {"strides", List({1, 1, 2, 1})},
                        {"padding", std::string("EXPLICIT")},
                        {"explicit_paddings", List({0, 0, 0, 0, 1, 2, 0, 1})},
                        {"data_format", std::string("NCHW")}};
  AttrMap pool = {{"T", DType::kFloat},
                  {"ksize", List({1, 1, 2, 3})},
                  {"strides", List({1, 1, 2, 2})},
                  {"padding", std::string("VALID")},
                  {"data_format", std::string("NCHW")}};
  for (const char* op : {"Conv2D", "DepthwiseConv2dNative"}) {
    const std::string kind = op;
    const int64_t out = kind == "Conv2D" ? 6 : 4;
    std::vector<NodeDef> nodes = {
        Input("x", Shape({2, 4, 9, 8})),
        Input("w", kind == "Conv2D" ? Shape({3, 2, 4, 6}) : Shape({3, 2, 4, 1})),
        Input("dy", Shape({2, out, 5, 8})),
        Ints("xs", Shape({4}), {2, 4, 9, 8}),
        Ints("ws", Shape({4}), kind == "Conv2D" ? std::vector<int32_t>{3, 2, 4, 6} : std::vector<int32_t>{3, 2, 4, 1}),
        N("y", kind, {"x", "w"}, conv),
        N("dx", kind + "BackpropInput", {"xs", "w", "dy"}, conv),
        N("dw", kind + "BackpropFilter", {"x", "ws", "dy"}, conv),
        N("p", "MaxPool", {"dx"}, pool),
        N("dp", "MaxPoolGrad", {"dx", "p", "p"}, pool),
        N("a", "AvgPoolGrad", {"xs", "p"}, pool)};
    CheckBits(nodes,
              {{"x:0", Noise(Shape({2, 4, 9, 8}), 1)},
               {"w:0", Noise(kind == "Conv2D" ? Shape({3, 2, 4, 6}) : Shape({3, 2, 4, 1}), 2)},
               {"dy:0", Noise(Shape({2, out, 5, 8}), 3)}},
              {"y:0", "dx:0", "dw:0", "dp:0", "a:0"});
  }
}

void CheckBatchNorm(DType d, bool channels_last, bool constant) {
  const std::vector<float> special = Special<float>();
  const Shape shape = channels_last ? Shape({2, 4, 2, 3}) : Shape({2, 3, 2, 4}), vector({3});
  std::vector<float> elements;
  for (size_t i = 0; i < 48; ++i) elements.push_back(special[i % special.size()]);
  const auto cast = [](const char* name, const char* x, DType from, DType to) {
    return N(name, "Cast", {x}, {{"SrcT", from}, {"DstT", to}});
  };
  std::vector<NodeDef> nodes = {Input("x", shape), cast("c", "x", DType::kFloat, d), N("n", "Neg", {"c"}, {{"T", d}})};
  Feeds feeds = {{"x:0", Tensor::Of<float>(shape, elements)}};
  const std::vector<float> parts[] = {{0.3f, -2, 1e-3f}, {0.1f, 0, -3}, {0.7f, -0.0f, 2}, {1.3f, 0, 5e-7f}};
  for (size_t k = 0; k < 4; ++k) {
    const std::string name = "v" + std::to_string(k);
    nodes.push_back(constant ? Floats(name, vector, parts[k]) : Input(name, vector));
    if (!constant) feeds.emplace_back(name + ":0", Tensor::Of<float>(vector, parts[k]));
  }
  nodes.push_back(N("b", "FusedBatchNormV3", {"n", "v0", "v1", "v2", "v3"},
                    {{"T", d},
                     {"U", DType::kFloat},
                     {"epsilon", 0.001f},
                     {"is_training", false},
                     {"data_format", std::string(channels_last ? "NHWC" : "NCHW")}}));
  nodes.push_back(N("r", "Relu", {"b"}, {{"T", d}}));
  nodes.push_back(cast("y", "r", d, DType::kFloat));
  nodes.push_back(cast("z", "b", d, DType::kFloat));
  CheckBits(nodes, feeds, {"y:0", "z:0"});
}

TEST_CASE("batch normalisation of inference has the bits of the op") {
  for (const DType d : {DType::kFloat, DType::kHalf, DType::kBfloat16}) {
    for (const bool channels_last : {true, false}) {
      CheckBatchNorm(d, channels_last, true);
      CheckBatchNorm(d, channels_last, false);
    }
  }
}

// The gates of a recurrent cell, and a part of a part.
TEST_CASE("parts of a tensor that are read in place have the bits of copies") {
  const AttrMap type = {{"T", DType::kFloat}};
  const AttrMap slice = {{"T", DType::kFloat}, {"Index", DType::kInt32}};
  std::vector<NodeDef> nodes = {Input("z", Shape({-1, 12})),
                                Input("c", Shape({-1, 3})),
                                Ints("axis", Shape(std::vector<int64_t>{}), {1}),
                                Ints("begin", Shape({2}), {0, 1}),
                                Ints("size", Shape({2}), {-1, 2}),
                                Input("w", Shape({4, 3})),
                                Ints("first", Shape({2}), {1, 0}),
                                Ints("rows", Shape({2}), {2, 3})};
  nodes.push_back(N("g", "Split", {"axis", "z"}, {{"T", DType::kFloat}, {"num_split", int64_t{4}}}));
  const auto add = [&](const char* name, const char* op, std::vector<std::string> inputs) {
    nodes.push_back(N(name, op, std::move(inputs), type));
  };
  add("i", "Sigmoid", {"g"});
  add("j", "Tanh", {"g:1"});
  add("f", "Sigmoid", {"g:2"});
  add("o", "Sigmoid", {"g:3"});
  add("ij", "Mul", {"i", "j"});
  add("fc", "Mul", {"f", "c"});
  add("state", "AddV2", {"ij", "fc"});
  add("t", "Tanh", {"state"});
  add("h", "Mul", {"t", "o"});
  nodes.push_back(N("part", "Slice", {"h", "begin", "size"}, slice));
  add("n", "Neg", {"part"});
  add("y", "Exp", {"n"});
  nodes.push_back(N("some", "Slice", {"w", "first", "rows"}, slice));
  add("v", "Neg", {"some"});
  add("u", "Square", {"v"});
  for (const int64_t batch : {1, 2, 300}) {
    CheckBits(
        nodes,
        {{"z:0", Noise(Shape({batch, 12}), 1)}, {"c:0", Noise(Shape({batch, 3}), 2)}, {"w:0", Noise(Shape({4, 3}), 3)}},
        {"h:0", "state:0", "y:0", "u:0"});
  }
}

TEST_CASE("copies that move nothing keep the bits of special values") {
  const std::vector<float> special = Special<float>();
  const Shape shape({16, 1});
  const AttrMap axes = {{"T", DType::kFloat}, {"Tidx", DType::kInt32}, {"keep_dims", false}};
  std::vector<NodeDef> nodes = {Input("x", shape),
                                Ints("one", Shape({1}), {1}),
                                Ints("ones", Shape({2}), {1, 1}),
                                Ints("none", Shape({0}), {}),
                                Ints("zeros", Shape({2, 2}), {0, 0, 0, 0}),
                                Ints("p", Shape({2}), {1, 0})};
  std::vector<std::string> fetches;
  for (const char* op : {"Sum", "Prod", "Mean", "Max", "Min"}) {
    for (const char* over : {"one", "none"}) {
      nodes.push_back(N(std::string(op) + over, op, {"x", over}, axes));
      fetches.push_back(nodes.back().name + ":0");
    }
  }
  nodes.push_back(N("pad", "Pad", {"x", "zeros"}, {{"T", DType::kFloat}, {"Tpaddings", DType::kInt32}}));
  nodes.push_back(N("tile", "Tile", {"pad", "ones"}, {{"T", DType::kFloat}, {"Tmultiples", DType::kInt32}}));
  nodes.push_back(N("transpose", "Transpose", {"tile", "p"}, {{"T", DType::kFloat}, {"Tperm", DType::kInt32}}));
  nodes.push_back(N("addn", "AddN", {"transpose"}, {{"T", DType::kFloat}, {"N", int64_t{1}}}));
  fetches.push_back("addn:0");
  CheckBits(nodes, {{"x:0", Tensor::Of<float>(shape, special)}}, fetches);
}

// An axis of the batch is summed over in runs where the batch is 1.
TEST_CASE("sums of gradients of broadcasts keep the bits of special values, whatever the batch") {
  const AttrMap floats = {{"T", DType::kFloat}}, sum = {{"T", DType::kFloat}, {"Tidx", DType::kInt32}},
                keep = {{"T", DType::kFloat}, {"Tidx", DType::kInt32}, {"keep_dims", true}},
                reshape = {{"T", DType::kFloat}, {"Tshape", DType::kInt32}};
  const std::vector<NodeDef> nodes = {Input("x", Shape({-1, 2, 8})),
                                      Ints("last", Shape({1}), {2}),
                                      N("y", "Max", {"x", "last"}, keep),
                                      N("shape_x", "Shape", {"x"}, floats),
                                      N("shape_y", "Shape", {"y"}, floats),
                                      N("axes", "BroadcastGradientArgs", {"shape_x", "shape_y"}),
                                      N("sum_x", "Sum", {"x", "axes"}, sum),
                                      N("sum_y", "Sum", {"x", "axes:1"}, sum),
                                      N("dx", "Reshape", {"sum_x", "shape_x"}, reshape),
                                      N("dy", "Reshape", {"sum_y", "shape_y"}, reshape)};
  for (const int64_t batch : {1, 4}) {
    std::vector<float> x;
    for (int64_t i = 0; i < batch; ++i) {
      const std::vector<float> special = Special<float>();
      x.insert(x.end(), special.begin(), special.end());
    }
    CheckBits(nodes, {{"x:0", Tensor::Of<float>(Shape({batch, 2, 8}), x)}}, {"dx:0", "dy:0"});
  }
}

TEST_CASE("the gradients of a pooling and of the activation before it keep the bits of special values as one") {
  for (const char* const gate : {"ReluGrad", "Relu6Grad"}) {
    for (const int64_t channels : {1, 9}) {
      for (const int64_t stride : {1, 2}) {
        const AttrMap window = {{"T", DType::kFloat},
                                {"ksize", List({1, 2, 2, 1})},
                                {"strides", List({1, 2, stride, 1})},
                                {"padding", "SAME"}};
        const Shape image({2, 7, 6, channels}), pooled({2, 4, 6 / stride, channels});
        const std::vector<float> special = Special<float>();
        std::vector<float> y;
        const Tensor noise = Noise(image, 1);
        for (float f : noise.elements<float>()) {
          y.push_back(y.size() % 3 == 0 ? special[y.size() / 3 % special.size()] : 4 * f);
        }
        CheckBits({Input("y", image), Input("g", pooled), N("p", "MaxPool", {"y"}, window),
                   N("d", "MaxPoolGrad", {"y", "p", "g"}, window), Op1("r", gate, {"d", "y"}),
                   Op1("b", "BiasAddGrad", {"r"}), Op1("n", "Neg", {"r"})},
                  {{"y:0", Tensor::Of<float>(image, y)}, {"g:0", Noise(pooled, 2)}}, {"r:0", "b:0", "n:0"});
      }
    }
  }
}

}  // namespace
}  // namespace millrace
