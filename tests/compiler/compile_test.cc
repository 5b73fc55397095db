// Whole compiles of small graphs: what the plan says, and what is refused.
#include "millrace/compiler/api/compile.h"

#include <algorithm>

#include "millrace/proto/plan/print.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/compiler/graphs.h"

namespace millrace {
namespace {

plan::Plan MustCompile(const Graph& graph, const std::vector<SignatureSpec>& specs,
                       const CompileOptions& options = {}) {
  Result<plan::Plan> plan = Compile(graph, specs, options);
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  const Status valid = plan::Validate(*plan);
  INFO(valid.ToString());
  REQUIRE(valid.ok());
  return std::move(*plan);
}

Status CompileError(const Graph& graph, const SignatureSpec& spec, const CompileOptions& options = {}) {
  const Result<plan::Plan> plan = Compile(graph, {spec}, options);
  REQUIRE_FALSE(plan.ok());
  return plan.status();
}

std::vector<std::string> Ops(const plan::Plan& plan, size_t block = 0) {
  std::vector<std::string> ops;
  for (const plan::Step& s : plan.blocks[block].steps) ops.push_back(s.op);
  return ops;
}

// list(type) of one float.
ListValue FloatList() {
  ListValue list;
  list.type = {DType::kFloat};
  return list;
}

using Names = std::vector<std::string>;

TEST_CASE("a small plan reads as expected, to the letter") {
  auto graph = MakeGraph({Input("x", {-1, 3}), Floats("w", {3, 1}, {1, 2, 3}),
                          N("y", "MatMul", {"x", "w"}, {{"T", DType::kFloat}}), Op1("z", "Neg", {"y"})});
  const std::string expected = R"(plan
device d0 = CPU:0
symbol s0 = "x.0"
expr e2 = mul(4, x.0)
constant c0 = float[3,1] "w" {1, 2, 3}
block 0 "run" (v0) -> (v3):
  slot m0 = e2 bytes
  slot m1 = e2 bytes
  v0 = float[x.0,3] feed 0 "x:0"
  v1 = float[3,1] constant c0 "w:0"
  v2 = float[x.0,1] slot m0 "y:0"
  v3 = float[x.0,1] slot m1 "z:0"
  0: MatMul "y" (v0, v1) -> (v2) on d0 {T=float, grad_a=false, grad_b=false, transpose_a=false, transpose_b=false}
  1: Neg "z" (v2) -> (v3) on d0 {T=float} after [0]
signature "run" block 0:
  feed 0 float[?:x.0,3] "x:0"
  fetch 0 "z:0"
)";
  CHECK(plan::Print(MustCompile(*graph, {{"run", {"x:0"}, {"z:0"}, {}}})) == expected);
}

TEST_CASE("two open feeds that meet stay undecided in one plan") {
  auto graph =
      MakeGraph({Input("x", {-1}), Input("t", {-1}), Op1("d", "Sub", {"x", "t"}), Op1("q", "Mul", {"d", "d"})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {"x:0", "t:0"}, {"q:0"}, {}}});
  REQUIRE(plan.symbols.size() == 2);
  const plan::Value& q = plan.blocks[0].values[plan.blocks[0].results[0]];
  REQUIRE(q.dims.size() == 1);
  const plan::DimExpr& e = plan.exprs[q.dims[0]];
  CHECK(e.op == plan::DimOp::kBroadcast);
  CHECK(plan.exprs[e.a].op == plan::DimOp::kSymbol);
  CHECK(q.storage == plan::Storage::kSlot);
}

TEST_CASE("shape arithmetic leaves no step") {
  const AttrMap shape_attrs = {{"T", DType::kFloat}};
  auto graph = MakeGraph(
      {Input("x", {-1, 4}), N("s", "Shape", {"x"}, shape_attrs), Ints("zero", {1}, {0}), Ints("one", {1}, {1}),
       N("n", "StridedSlice", {"s", "zero", "one", "one"},
         {{"T", DType::kInt32}, {"Index", DType::kInt32}, {"shrink_axis_mask", 1}}),
       Ints("two", {}, {2}), N("m", "Mul", {"n", "two"}, {{"T", DType::kInt32}}),
       N("t", "Pack", {"m", "two"}, {{"T", DType::kInt32}, {"N", 2}}),
       N("r", "Reshape", {"x", "t"}, {{"T", DType::kFloat}, {"Tshape", DType::kInt32}}), Op1("y", "Neg", {"r"})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {"x:0"}, {"y:0", "t:0"}, {}}});
  CHECK(Ops(plan) == Names{"Neg"});
  // The fetched shape is [2 n, 2], made of the feed's dimension.
  const plan::Value& t = plan.blocks[0].values[plan.blocks[0].results[1]];
  CHECK(t.storage == plan::Storage::kDims);
  REQUIRE(t.elements.size() == 2);
  CHECK(plan.exprs[t.elements[0]].op == plan::DimOp::kMul);
  CHECK(plan.exprs[t.elements[1]].value == 2);
}

TEST_CASE("feeding a tensor cuts what only it needed, control edges too") {
  auto graph = MakeGraph({Input("x", {2}), N("print", "Assert", {"ok", "x"}, {{"T", FloatList()}}),
                          N("ok", "Placeholder", {}, {{"dtype", DType::kBool}, {"shape", Shape()}}),
                          Op1("a", "Neg", {"x", "^print"}), Op1("b", "Exp", {"a"})});
  CHECK(Ops(MustCompile(*graph, {{"run", {"a:0"}, {"b:0"}, {}}})) == Names{"Exp"});
  // Without it everything is reached, so placeholders must be fed.
  const Status s = CompileError(*graph, {"run", {"x:0"}, {"b:0"}, {}});
  CHECK(s.code() == Code::kInvalidArgument);
  CHECK(s.node() == "ok");
  CHECK(std::string(s.message()).find("must be fed") != std::string::npos);
}

TEST_CASE("an interior tensor that is fed and fetched is the feed") {
  auto graph = MakeGraph({Input("x", {2}), Op1("a", "Neg", {"x"}), Op1("b", "Exp", {"a"})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {"a:0"}, {"a:0", "b:0"}, {}}});
  CHECK(plan.blocks[0].results[0] == plan.blocks[0].arguments[0]);
}

TEST_CASE("what is asked wrongly is an error that names it") {
  auto graph = MakeGraph({Input("x", {2}), Op1("a", "Neg", {"x"}), Var("v", {2}), Op1("w", "Assign", {"v", "x"})});
  CHECK(CompileError(*graph, {"run", {"x:0"}, {"nothing:0"}, {}}).code() == Code::kNotFound);
  CHECK(CompileError(*graph, {"run", {"x:0"}, {"a:1"}, {}}).ToString().find("a") != std::string::npos);
  CHECK(CompileError(*graph, {"run", {"nothing:0"}, {"a:0"}, {}}).code() == Code::kNotFound);
  CHECK(CompileError(*graph, {"run", {"x:0"}, {}, {"nothing"}}).ToString().find("'nothing'") != std::string::npos);
  CHECK(CompileError(*graph, {"run", {"x:0", "x"}, {"a:0"}, {}}).ToString().find("fed twice") != std::string::npos);
  const Status fed_variable = CompileError(*graph, {"run", {"x:0", "v:0"}, {}, {"w"}});
  CHECK(fed_variable.node() == "w");
  CHECK(fed_variable.code() == Code::kInvalidArgument);
}

TEST_CASE("ops without a kernel are all named, and only if a run reaches them") {
  TensorValue text;
  text.dtype = DType::kString;
  text.string_val = {"file"};
  TensorValue names = text;
  names.shape = {1};
  const AttrMap str = {{"dtype", DType::kString}, {"value", text}},
                strs = {{"dtype", DType::kString}, {"value", names}};
  auto graph =
      MakeGraph({Input("x", {2}), Op1("a", "Neg", {"x"}), N("file", "Const", {}, str), N("n", "Const", {}, strs),
                 N("save", "SaveV2", {"file", "n", "n", "a"}, {{"dtypes", FloatList()}}),
                 N("restore", "RestoreV2", {"file", "n", "n"}, {{"dtypes", FloatList()}})});
  MustCompile(*graph, {{"run", {"x:0"}, {"a:0"}, {}}});
  const Status s = CompileError(*graph, {"run", {"x:0"}, {"restore:0"}, {"save"}});
  CHECK(s.code() == Code::kUnimplemented);
  CHECK(s.ToString().find("RestoreV2 (node 'restore'), SaveV2 (node 'save')") != std::string::npos);
}

TEST_CASE("reads come before unordered writes, and a write waits for them") {
  auto graph =
      MakeGraph({Var("v", {2}), Floats("one", {2}, {1, 1}), N("add", "AssignAdd", {"v", "one"}, {{"T", DType::kFloat}}),
                 N("read", "Identity", {"v"}, {{"T", DType::kFloat}}), Op1("y", "Neg", {"read"})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {}, {"y:0"}, {"add"}}});
  REQUIRE(Ops(plan) == Names{"Identity", "Neg", "AssignAdd"});
  CHECK(plan.blocks[0].steps[2].after == std::vector<uint32_t>{0, 1});
  CHECK(plan.blocks[0].steps[0].node == "read");
}

TEST_CASE("a read that waits for a write comes behind it") {
  auto graph = MakeGraph(
      {Var("v", {2}), Floats("one", {2}, {1, 1}), N("add", "AssignAdd", {"v", "one"}, {{"T", DType::kFloat}}),
       N("read", "Identity", {"v", "^add"}, {{"T", DType::kFloat}}),
       N("through", "Identity", {"add"}, {{"T", DType::kFloat}}), N("old", "Identity", {"v"}, {{"T", DType::kFloat}})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {}, {"read:0", "through:0", "old:0"}, {}}});
  REQUIRE(Ops(plan) == Names{"Identity", "AssignAdd", "Identity", "Identity"});
  CHECK(plan.blocks[0].steps[0].node == "old");
  CHECK(plan.blocks[0].steps[1].after == std::vector<uint32_t>{0});
  CHECK(plan.blocks[0].steps[2].after == std::vector<uint32_t>{1});
  CHECK(plan.blocks[0].steps[3].after == std::vector<uint32_t>{1});
}

TEST_CASE("signatures share constants and variables") {
  auto graph =
      MakeGraph({Input("x", {2}), Var("v", {2}), Floats("start", {2}, {1, 2}), Op1("init", "Assign", {"v", "start"}),
                 Op1("train", "AssignAdd", {"v", "x"}), Op1("y", "Mul", {"v", "start"})});
  const plan::Plan plan = MustCompile(
      *graph, {{"init", {}, {}, {"init"}}, {"train", {"x:0"}, {}, {"train"}}, {"predict", {}, {"y:0"}, {}}});
  CHECK(plan.signatures.size() == 3);
  CHECK(plan.resources.size() == 1);
  CHECK(plan.constants.size() == 1);
  CHECK(CompileError(*graph, {"run", {}, {"x:0"}, {}}).node() == "x");
  CHECK_FALSE(Compile(*graph, {{"a", {}, {"y:0"}, {}}, {"a", {}, {"y:0"}, {}}}).ok());
}

TEST_CASE("large constants are the graph's own memory") {
  TensorValue t;
  t.dtype = DType::kFloat;
  t.shape = {32, 32};
  t.content = Bytes(std::string(32 * 32 * 4, '\1'));
  auto graph = MakeGraph({Input("x", {-1, 32}), N("w", "Const", {}, {{"dtype", DType::kFloat}, {"value", t}}),
                          Op1("y", "MatMul", {"x", "w"})});
  const plan::Plan plan = MustCompile(*graph, {{"run", {"x:0"}, {"y:0"}, {}}});
  REQUIRE(plan.constants.size() == 1);
  CHECK(plan.constants[0].content.data() == t.content.data());
}

TEST_CASE("constants of every dtype reach the plan bit for bit") {
  const DType dtypes[] = {DType::kFloat,  DType::kDouble, DType::kHalf,      DType::kBfloat16,   DType::kInt8,
                          DType::kInt16,  DType::kInt32,  DType::kInt64,     DType::kUint8,      DType::kUint16,
                          DType::kUint32, DType::kUint64, DType::kComplex64, DType::kComplex128, DType::kBool,
                          DType::kQint8,  DType::kQuint8, DType::kQint32};
  for (const DType dtype : dtypes) {
    for (const int64_t n : {0, 1, 3, 64, 65}) {
      INFO(DTypeName(dtype) << " " << n);
      TensorValue t;
      t.dtype = dtype;
      t.shape = {n};
      std::string bytes(static_cast<size_t>(n) * ElementSize(dtype), '\0');
      for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(dtype == DType::kBool ? (i % 3 == 0) : (n == 3 ? 255 : i * 37));
      }
      t.content = Bytes(bytes);
      auto graph = MakeGraph({N("c", "Const", {}, {{"dtype", dtype}, {"value", t}})});
      const plan::Plan plan = MustCompile(*graph, {{"run", {}, {"c:0"}, {}}});
      REQUIRE(plan.constants.size() == 1);
      CHECK(plan.constants[0].content.view() == bytes);
      CHECK(plan.constants[0].dims == std::vector<int64_t>{n});
    }
  }
}

TEST_CASE("folding batch norm can be switched off by name") {
  auto graph = MakeGraph({Input("x", {-1, 2}), Floats("w", {2, 2}, {1, 2, 3, 4}), Floats("s", {2}, {2, 3}),
                          Op1("p", "MatMul", {"x", "w"}), Op1("y", "Mul", {"p", "s"})});
  const SignatureSpec spec{"run", {"x:0"}, {"y:0"}, {}};
  CHECK(Ops(MustCompile(*graph, {spec})) == Names{"_FusedMatMul"});
  CompileOptions off;
  off.disabled_passes = {"fold-batch-norm"};
  CHECK(Ops(MustCompile(*graph, {spec}, off)) == Names{"MatMul", "Mul"});
  off.disabled_passes = {"no-such-pass"};
  CHECK(CompileError(*graph, spec, off).ToString().find("'no-such-pass'") != std::string::npos);
}

TEST_CASE("every pass that a plan can be made without can be left out") {
  auto graph = MakeGraph({Input("x", {-1, 2}), Floats("w", {2, 2}, {1, 2, 3, 4}), Floats("b", {2}, {2, 3}),
                          Op1("p", "MatMul", {"x", "w"}), Op1("q", "BiasAdd", {"p", "b"}), Op1("i", "Identity", {"q"}),
                          Op1("y", "Relu", {"i"}), N("s", "Shape", {"y"}, {{"T", DType::kFloat}})});
  for (const std::string& name : OptionalPassNames()) {
    CompileOptions options;
    options.disabled_passes = {name};
    INFO(name);
    MustCompile(*graph, {{"run", {"x:0"}, {"y:0", "s:0"}, {}}}, options);
  }
}

TEST_CASE("each phase has its text, with the names of the nodes") {
  auto graph = MakeGraph({Input("x", {-1, 2}), Op1("some/name", "Neg", {"x"})});
  for (const std::string& phase : PhaseNames()) {
    Result<std::string> text = CompileToText(*graph, {{"run", {"x:0"}, {"some/name:0"}, {}}}, phase);
    MR_REQUIRE_OK(text);
    CHECK(text->find("\"some/name\"") != std::string::npos);
    CHECK((text->find("plan.step") != std::string::npos) == (phase == "schedule" || phase == "emit"));
  }
  CHECK(CompileToText(*graph, {{"run", {"x:0"}, {"some/name:0"}, {}}}, "nowhere").status().code() == Code::kNotFound);
}

TEST_CASE("a long chain compiles in linear time, and can be cancelled") {
  constexpr int kNodes = 100000;
  GraphDef def;
  def.nodes.push_back(Input("n0", {4}));
  for (int i = 1; i < kNodes; ++i) def.nodes.push_back(Op1(Cat("n", i), "Exp", {Cat("n", i - 1)}));
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  const SignatureSpec spec{"run", {"n0:0"}, {Cat("n", kNodes - 1, ":0")}, {}};
  CompileOptions separate;
  separate.disabled_passes = {"fuse-clusters"};
  const plan::Plan plan = MustCompile(graph, {spec}, separate);
  CHECK(plan.blocks[0].steps.size() == kNodes - 1);
  CHECK(plan.blocks[0].slots.size() == 2);
  for (int after : {0, 3, 40}) {
    int asked = 0;
    CompileOptions options;
    options.cancelled = [&] { return asked++ >= after; };
    CHECK(CompileError(graph, spec, options).code() == Code::kCancelled);
  }
}

TEST_CASE("a compile that grows past a limit is an error that says which") {
  const auto graph = MakeGraph({Input("x", {2}), Op1("a", "Neg", {"x"}), Op1("b", "Exp", {"a"}),
                                Ints("n", Shape({1}), {1000}), Floats("one", Shape(std::vector<int64_t>{}), {1}),
                                N("f", "Fill", {"n", "one"}, {{"T", DType::kFloat}, {"index_type", DType::kInt32}}),
                                Op1("c", "Add", {"b", "x"})});
  const SignatureSpec spec{"run", {"x:0"}, {"c:0", "f:0"}, {}};
  CompileOptions options;
  options.limits.compile_nodes = 3;
  Status error = CompileError(*graph, spec, options);
  CHECK(error.code() == Code::kResourceExhausted);
  CHECK(error.message().find("the limit compile_nodes is 3, found ") != std::string::npos);
  options.limits = {};
  options.limits.constant_bytes = 3999;
  error = CompileError(*graph, spec, options);
  CHECK(error.code() == Code::kResourceExhausted);
  CHECK(error.message().find("the limit constant_bytes is 3999, found 4000") != std::string::npos);
  options.limits.constant_bytes = 4000;
  MustCompile(*graph, {spec}, options);
}

TEST_CASE("a compile says which pass comes next") {
  const auto graph = MakeGraph({Input("x", {2}), Op1("a", "Exp", {"x"})});
  std::vector<std::string> passes;
  CompileOptions options;
  options.disabled_passes = {"cse"};
  options.before_pass = [&](std::string_view name) { passes.emplace_back(name); };
  MustCompile(*graph, {{"run", {"x:0"}, {"a:0"}, {}}}, options);
  CHECK(std::count(passes.begin(), passes.end(), "infer/infer-shapes") == 1);
  CHECK(std::count(passes.begin(), passes.end(), "simplify/cse") == 0);
  CHECK(passes.back() == "emit");
}

}  // namespace
}  // namespace millrace
