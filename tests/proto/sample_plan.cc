#include "millrace/tests/proto/sample_plan.h"

namespace millrace {
namespace {

using namespace plan;  // NOLINT: the test is about these names

Bytes Raw(const std::vector<float>& v) {
  return Bytes(std::string(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float)));
}

// One argument, one result, one kernel in between.
Block Unary(const std::string& name, const std::string& op, DType result) {
  Block b;
  b.name = name;
  b.arguments = {0};
  b.results = {1};
  b.values = {{.dtype = DType::kFloat, .storage = Storage::kFeed, .index = 0, .dims = {1}, .name = name + "/x"},
              {.dtype = result, .storage = Storage::kLate, .dims = {kNone}, .name = name + "/y:0"}};
  b.steps = {{.op = op, .node = name + "/y", .inputs = {0}, .outputs = {1}}};
  return b;
}

}  // namespace

Plan SamplePlan() {
  Plan p;
  p.user_ops_hash = 77;
  p.devices = {{"CPU", 0}};
  p.symbols = {{"batch"}};
  p.exprs = {{DimOp::kConstant, 0, 0, 3}, {DimOp::kSymbol, 0, 0, 0}, {DimOp::kConstant, 0, 0, 1},
             {DimOp::kConstant, 0, 0, 4}, {DimOp::kMul, 1, 3, 0},    {DimOp::kConstant, 0, 0, 2}};
  p.constants = {{.dtype = DType::kFloat, .dims = {3, 1}, .content = Raw({1, 2.5f, -3}), .name = "w/initial"},
                 {.dtype = DType::kString, .dims = {2}, .strings = {"yes", std::string("n\0o", 3)}, .name = "labels"},
                 {.dtype = DType::kInt64, .dims = {0}, .name = "empty"}};
  p.resources = {{.kind = "Variable", .container = "", .name = "w", .dtype = DType::kFloat, .dims = {3, -1}}};

  Block init;
  init.name = "init";
  init.values = {
      {.dtype = MakeRef(DType::kFloat), .storage = Storage::kResource, .index = 0, .dims = {0, kNone}, .name = "w:0"},
      {.dtype = DType::kFloat, .storage = Storage::kConstant, .index = 0, .dims = {0, 2}, .name = "w/initial:0"}};
  init.steps = {{.op = "Assign",
                 .node = "w/assign",
                 .attrs = {{"T", DType::kFloat}, {"validate_shape", true}},
                 .inputs = {0, 1},
                 .outputs = {kNone}}};

  Block train;
  train.name = "train";
  train.arguments = {0};
  train.results = {4, 5, 6};
  train.slots = {{4}};
  train.values = {
      {.dtype = DType::kFloat, .storage = Storage::kFeed, .index = 0, .dims = {1, 0}, .name = "x:0"},
      {.dtype = MakeRef(DType::kFloat), .storage = Storage::kResource, .index = 0, .dims = {0, kNone}, .name = "w:0"},
      {.dtype = DType::kFloat, .storage = Storage::kLate, .dims = {0, kNone}, .name = "w/read:0"},
      {.dtype = DType::kFloat, .storage = Storage::kSlot, .index = 0, .dims = {1, 2}, .name = "y:0"},
      {.dtype = DType::kFloat, .storage = Storage::kAlias, .index = 3, .dims = {1}, .name = "y/flat:0"},
      {.dtype = DType::kInt32, .storage = Storage::kDims, .dims = {5}, .elements = {1, 0}, .name = "x/shape:0"},
      {.dtype = DType::kFloat, .storage = Storage::kLate, .unknown_rank = true, .name = "loop:0"},
      {.dtype = DType::kBool, .storage = Storage::kLate, .name = "any:0"},
  };
  train.steps = {
      {.op = "Identity", .node = "w/read", .attrs = {{"T", DType::kFloat}}, .inputs = {1}, .outputs = {2}},
      {.op = "MatMul",
       .node = "y",
       .attrs = {{"T", DType::kFloat}, {"transpose_a", false}},
       .inputs = {0, 2},
       .outputs = {3},
       .after = {0},
       .fused_nodes = {"bias", "relu"}},
      {.kind = StepKind::kCall, .node = "any", .inputs = {4}, .outputs = {7}, .blocks = {2}, .after = {1}},
      {.kind = StepKind::kWhile, .node = "loop", .inputs = {4}, .outputs = {6}, .blocks = {2, 3}, .after = {1}},
      {.kind = StepKind::kIf,
       .node = "branch",
       .inputs = {7, 4},
       .outputs = {kNone},
       .blocks = {3, 3},
       .after = {2, 3}},
      {.kind = StepKind::kStackPush, .node = "push", .inputs = {4}, .after = {1}},
  };
  p.blocks = {init, train, Unary("condition", "Any", DType::kBool), Unary("body", "Relu", DType::kFloat)};
  p.signatures = {{.name = "init", .block = 0, .targets = {"w/assign"}},
                  {.name = "train",
                   .block = 1,
                   .feeds = {{.name = "x:0", .dtype = DType::kFloat, .dims = {-1, 3}, .symbols = {0, kNone}}},
                   .fetches = {"y/flat:0", "x/shape:0", "loop:0"}}};
  p.code = {{"cluster_0", "avx2 fma", Bytes(std::string("\xc3"))}};
  return p;
}

}  // namespace millrace
