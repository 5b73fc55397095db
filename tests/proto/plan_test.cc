#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "millrace/proto/plan/print.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/plan/validate.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/tests/proto/sample_plan.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using namespace plan;  // NOLINT: the test is about these names

TEST_CASE("a plan is the same after writing and reading") {
  const Plan sample = SamplePlan();
  const Result<std::string> bytes = Write(sample);
  MR_REQUIRE_OK(bytes);
  const Result<Plan> read = Read(Bytes(*bytes));
  MR_REQUIRE_OK(read);
  CHECK(Print(*read) == Print(sample));
  CHECK(read->user_ops_hash == 77);
  CHECK(read->constants[0].content == sample.constants[0].content);
  CHECK(read->constants[1].strings == sample.constants[1].strings);
  CHECK(read->code[0].content == sample.code[0].content);
  for (size_t b = 0; b < sample.blocks.size(); ++b) {
    for (size_t s = 0; s < sample.blocks[b].steps.size(); ++s) {
      CHECK(read->blocks[b].steps[s].attrs == sample.blocks[b].steps[s].attrs);
    }
  }
  const Result<std::string> again = Write(*read);
  MR_REQUIRE_OK(again);
  CHECK(*again == *bytes);
}

TEST_CASE("an empty plan is a plan") {
  const Result<std::string> bytes = Write(Plan());
  MR_REQUIRE_OK(bytes);
  MR_REQUIRE_OK(Read(Bytes(*bytes)));
}

TEST_CASE("contents of constants stay in place and are aligned") {
  const Result<std::string> written = Write(SamplePlan());
  MR_REQUIRE_OK(written);
  // At a multiple of 64 in one case, beside one in the other.
  std::shared_ptr<char> memory(static_cast<char*>(std::aligned_alloc(64, written->size() + 64)), std::free);
  for (size_t shift : {0, 8}) {
    std::memcpy(memory.get() + shift, written->data(), written->size());
    const Result<Plan> read = Read(Bytes({memory.get() + shift, written->size()}, memory));
    MR_REQUIRE_OK(read);
    const char* data = read->constants[0].content.data();
    CHECK(reinterpret_cast<uintptr_t>(data) % 64 == 0);
    CHECK((data >= memory.get() && data < memory.get() + written->size()) == (shift == 0));
    CHECK(read->constants[0].content == SamplePlan().constants[0].content);
  }
}

TEST_CASE("a plan file holds the plan's bytes, and is not left half written") {
  const std::string path = std::tmpnam(nullptr);
  MR_REQUIRE_OK(WriteFile(SamplePlan(), path));
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  CHECK(content.str() == *Write(SamplePlan()));
  std::remove(path.c_str());

  Plan bad = SamplePlan();
  bad.blocks[0].steps[0].inputs[0] = 99;
  CHECK(!WriteFile(bad, path).ok());
  CHECK(!std::filesystem::exists(path));
  CHECK(WriteFile(SamplePlan(), "/no/such/folder/plan").code() == millrace::Code::kNotFound);
}

TEST_CASE("code can be refused") {
  Plan sample = SamplePlan();
  const Result<Plan> read = Read(Bytes(*Write(sample)), {.no_code = true});
  REQUIRE(!read.ok());
  CHECK(read.status().code() == millrace::Code::kFailedPrecondition);
  sample.code.clear();
  MR_REQUIRE_OK(Read(Bytes(*Write(sample)), {.no_code = true}));
}

TEST_CASE("the text of a plan") {
  CHECK(Print(SamplePlan()) == R"(plan user_ops_hash 77
device d0 = CPU:0
symbol s0 = "batch"
expr e4 = mul(batch, 4)
constant c0 = float[3,1] "w/initial" {1, 2.5, -3}
constant c1 = string[2] "labels" {"yes", "n\x00o"}
constant c2 = int64[0] "empty" {}
resource r0 = Variable float[3,?] "w"
block 0 "init" () -> ():
  v0 = float_ref[3,?] resource r0 "w:0"
  v1 = float[3,1] constant c0 "w/initial:0"
  0: Assign "w/assign" (v0, v1) -> (_) on d0 {T=float, validate_shape=true}
block 1 "train" (v0) -> (v4, v5, v6):
  slot m0 = e4 bytes
  v0 = float[batch,3] feed 0 "x:0"
  v1 = float_ref[3,?] resource r0 "w:0"
  v2 = float[3,?] late "w/read:0"
  v3 = float[batch,1] slot m0 "y:0"
  v4 = float[batch] alias v3 "y/flat:0"
  v5 = int32[2] dims [batch,3] "x/shape:0"
  v6 = float[*] late "loop:0"
  v7 = bool[] late "any:0"
  0: Identity "w/read" (v1) -> (v2) on d0 {T=float}
  1: MatMul "y" (v0, v2) -> (v3) on d0 {T=float, transpose_a=false} after [0] fused [bias, relu]
  2: call "any" (v4) -> (v7) on d0 blocks [2] after [1]
  3: while "loop" (v4) -> (v6) on d0 blocks [2, 3] after [1]
  4: if "branch" (v7, v4) -> (_) on d0 blocks [3, 3] after [2, 3]
  5: push "push" (v4) -> () on d0 after [1]
block 2 "condition" (v0) -> (v1):
  v0 = float[batch] feed 0 "condition/x"
  v1 = bool[?] late "condition/y:0"
  0: Any "condition/y" (v0) -> (v1) on d0
block 3 "body" (v0) -> (v1):
  v0 = float[batch] feed 0 "body/x"
  v1 = float[?] late "body/y:0"
  0: Relu "body/y" (v0) -> (v1) on d0
signature "init" block 0:
  target "w/assign"
signature "train" block 1:
  feed 0 float[?:batch,3] "x:0"
  fetch 0 "y/flat:0"
  fetch 1 "x/shape:0"
  fetch 2 "loop:0"
code 0 = cluster_0 1 bytes for "avx2 fma"
)");
}

struct Break {
  const char* message;  // part of what Validate says
  void (*change)(Plan&);
};

TEST_CASE("a plan that makes no sense is refused with a reason") {
  const Break breaks[] = {
      {"no operation has the number 99", [](Plan& p) { p.exprs[4].op = static_cast<DimOp>(99); }},
      {"expr 4: expected a number below 4 of an earlier expr, found 4", [](Plan& p) { p.exprs[4].a = 4; }},
      {"expr 1: expected a number below 1 of a symbol, found 7", [](Plan& p) { p.exprs[1].value = 7; }},
      {"found -1", [](Plan& p) { p.exprs[1].value = -1; }},
      {"a constant cannot be resource", [](Plan& p) { p.constants[0].dtype = DType::kResource; }},
      {"float[3,2] expects 24 bytes of content, found 12", [](Plan& p) { p.constants[0].dims[1] = 2; }},
      {"too many elements", [](Plan& p) { p.constants[0].dims = {int64_t{1} << 40, int64_t{1} << 40}; }},
      {"expected dims of at least 0, found -1", [](Plan& p) { p.constants[0].dims[0] = -1; }},
      {"expected 2 strings, found 1", [](Plan& p) { p.constants[1].strings.pop_back(); }},
      {"unknown rank with 2 dims", [](Plan& p) { p.resources[0].unknown_rank = true; }},
      {"argument 0 is value 1, which is not that feed", [](Plan& p) { p.blocks[1].arguments[0] = 1; }},
      {"of a value, found 50", [](Plan& p) { p.blocks[1].arguments[0] = 50; }},
      {"slot 0: expected a number below 6 of an expr, found 9", [](Plan& p) { p.blocks[1].slots[0].bytes = 9; }},
      {"of a slot, found 3", [](Plan& p) { p.blocks[1].values[3].index = 3; }},
      {"cannot live in a slot", [](Plan& p) { p.blocks[1].values[3].dtype = DType::kString; }},
      {"of a constant, found 8", [](Plan& p) { p.blocks[0].values[1].index = 8; }},
      {"dims differ from [3,1] of constant 0", [](Plan& p) { p.blocks[0].values[1].dims[0] = 5; }},
      {"constant 0 is float, expected double", [](Plan& p) { p.blocks[0].values[1].dtype = DType::kDouble; }},
      {"of a resource, found 4", [](Plan& p) { p.blocks[0].values[0].index = 4; }},
      {"expected a reference or a handle", [](Plan& p) { p.blocks[0].values[0].dtype = DType::kFloat; }},
      {"is an alias of itself", [](Plan& p) { p.blocks[1].values[4].index = 4; }},
      {"cannot share the elements of", [](Plan& p) { p.blocks[1].values[4].dtype = DType::kDouble; }},
      {"no storage has the number 12", [](Plan& p) { p.blocks[1].values[4].storage = static_cast<Storage>(12); }},
      {"no dtype has the number 60", [](Plan& p) { p.blocks[1].values[4].dtype = static_cast<DType>(60); }},
      {"must be int32 or int64", [](Plan& p) { p.blocks[1].values[5].dtype = DType::kFloat; }},
      {"does not fit 3 elements", [](Plan& p) { p.blocks[1].values[5].elements.push_back(0); }},
      {"1 elements, which only", [](Plan& p) { p.blocks[1].values[3].elements = {0}; }},
      {"the rank cannot be unknown here", [](Plan& p) { p.blocks[1].values[3].unknown_rank = true; }},
      {"expected a number below 6 of an expr", [](Plan& p) { p.blocks[1].values[3].dims[0] = kNone; }},
      {"of a device, found 1", [](Plan& p) { p.blocks[1].steps[0].device = 1; }},
      {"expected the name of an op", [](Plan& p) { p.blocks[1].steps[0].op = ""; }},
      {"no kind has the number 9", [](Plan& p) { p.blocks[1].steps[0].kind = static_cast<StepKind>(9); }},
      {"input value 3 is not made by an earlier step", [](Plan& p) { p.blocks[1].steps[0].inputs[0] = 3; }},
      {"input value 4 is not made by an earlier step", [](Plan& p) { p.blocks[1].steps[0].inputs[0] = 4; }},
      {"of an earlier step, found 1", [](Plan& p) { p.blocks[1].steps[1].after[0] = 1; }},
      {"is made by an earlier step already", [](Plan& p) { p.blocks[1].steps[1].outputs[0] = 2; }},
      {"cannot be written to", [](Plan& p) { p.blocks[1].steps[0].outputs[0] = 0; }},
      {"expected 1 blocks, found 0", [](Plan& p) { p.blocks[1].steps[2].blocks.clear(); }},
      {"of a block, found 17", [](Plan& p) { p.blocks[1].steps[2].blocks[0] = 17; }},
      {"expected 2 arguments of the function, found 1", [](Plan& p) { p.blocks[1].steps[2].inputs.push_back(0); }},
      {"expected 0 results of the function, found 1", [](Plan& p) { p.blocks[1].steps[2].outputs.clear(); }},
      {"expected 0 arguments of the condition", [](Plan& p) { p.blocks[1].steps[3].inputs.clear(); }},
      {"expected a predicate", [](Plan& p) { p.blocks[1].steps[4].inputs.clear(); }},
      {"expected 1 inputs, found 0", [](Plan& p) { p.blocks[1].steps[5].inputs.clear(); }},
      {"contains itself",
       [](Plan& p) {
         p.blocks[2].steps[0].kind = StepKind::kCall;
         p.blocks[2].steps[0].blocks = {3};
         p.blocks[3].steps[0].kind = StepKind::kCall;
         p.blocks[3].steps[0].blocks = {2};
       }},
      {"nested deeper than 64",
       [](Plan& p) {
         Block call = p.blocks[3];
         call.steps[0].kind = StepKind::kCall;
         for (uint32_t i = 0; i < 70; ++i) {
           call.steps[0].blocks = {i == 0 ? 3 : static_cast<uint32_t>(p.blocks.size() - 1)};
           p.blocks.push_back(call);
         }
       }},
      {"result value 3 is not made", [](Plan& p) { p.blocks[1].steps.clear(), p.blocks[1].results[0] = 3; }},
      {"another signature has this name", [](Plan& p) { p.signatures[1].name = "init"; }},
      {"signature 1 'train': expected a number below 4 of a block, found 4",
       [](Plan& p) { p.signatures[1].block = 4; }},
      {"expected 1 feeds, found 0", [](Plan& p) { p.signatures[1].feeds.clear(); }},
      {"expected 3 fetches, found 2", [](Plan& p) { p.signatures[1].fetches.pop_back(); }},
      {"the block's argument is float, found int32", [](Plan& p) { p.signatures[1].feeds[0].dtype = DType::kInt32; }},
      {"the block's argument has rank 2, found 1",
       [](Plan& p) { p.signatures[1].feeds[0].dims = {3}, p.signatures[1].feeds[0].symbols = {kNone}; }},
      {"expected 2 symbols", [](Plan& p) { p.signatures[1].feeds[0].symbols.pop_back(); }},
      {"of a symbol, found 2", [](Plan& p) { p.signatures[1].feeds[0].symbols[0] = 2; }},
  };
  MR_REQUIRE_OK(Validate(SamplePlan()));
  for (const Break& b : breaks) {
    Plan plan = SamplePlan();
    b.change(plan);
    const Status status = Validate(plan);
    INFO(b.message << "\n" << status.ToString());
    REQUIRE(!status.ok());
    CHECK(status.message().find(b.message) != std::string_view::npos);
    CHECK(!Write(plan).ok());
  }
}

}  // namespace
}  // namespace millrace
