// Whole compiles of small graphs: what the plan says.
#include "millrace/compiler/api/compile.h"
#include "millrace/proto/plan/print.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/tests/compiler/graphs.h"

namespace millrace {
namespace {

std::string PlanText(const Graph& graph, const std::vector<SignatureSpec>& specs, const CompileOptions& options = {}) {
  Result<plan::Plan> plan = Compile(graph, specs, options);
  if (!plan.ok()) return plan.status().ToString();
  const Status valid = plan::Validate(*plan);
  return valid.ok() ? plan::Print(*plan) : valid.ToString();
}

TEST_CASE("show") {
  auto g = MakeGraph({Input("x", {-1, 3}), Input("t", {-1}), Var("w", {3, 4}), Floats("b", {3}, {1, 2, 3}),
                      Op1("m", "MatMul", {"x", "w"}), Op1("s", "AddV2", {"x", "b"}), Op1("tt", "Mul", {"t", "t"}),
                      N("shape", "Shape", {"x"}, {{"T", DType::kFloat}}),
                      Ints("i0", {1}, {0}), Ints("i1", {1}, {1}), Ints("m1", {}, {-1}),
                      N("n", "StridedSlice", {"shape", "i0", "i1", "i1"}, {{"T", DType::kInt32}, {"Index", DType::kInt32}, {"shrink_axis_mask", 1}}),
                      N("target", "Pack", {"n", "m1"}, {{"T", DType::kInt32}, {"N", 2}}),
                      N("r", "Reshape", {"m", "target"}, {{"T", DType::kFloat}}),
                      Op1("u", "Sub", {"t", "b"}),
                      Op1("a", "Assign", {"w", "w0"}), Floats("w0", {3,4}, {0.5})});
  for (auto ph : PhaseNames()) printf("%s\n", CompileToText(*g, {{"run", {"x:0", "t:0"}, {"r:0", "u:0"}, {"a"}}}, ph).value().c_str());
  printf("%s\n", PlanText(*g, {{"run", {"x:0", "t:0"}, {"r:0", "u:0", "s:0"}, {"a"}}}).c_str());
}

}  // namespace
}  // namespace millrace
