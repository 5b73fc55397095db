// Programs of clusters: to attributes and back, and as one step against the same
// ops one by one.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/kernel/isa.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/cluster_programs.h"
#include "millrace/tests/ops/run_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using cluster::Level;
using cluster::Program;

OpCall CallOf(const ClusterCase& c, int threads) {
  OpCall call{std::string(cluster::kClusterOp), cluster::ToAttrs(c.program), c.inputs, {}};
  call.threads = threads;
  return call;
}

std::string TextOf(const Program& p) {
  std::string text = Cat("row rank ", p.row_rank, "\n");
  for (int r = 0; r < p.num_registers(); ++r) {
    const auto inputs = static_cast<int>(p.inputs.size());
    text += Cat("  r", r, ": ", DTypeName(p.type(r)), " level ", static_cast<int>(p.level(r)));
    if (r >= inputs) {
      const cluster::Instruction& i = p.instructions[static_cast<size_t>(r - inputs)];
      text += Cat(" = ", i.op, "(", Join(i.operands, ", "), ")");
    }
    text += "\n";
  }
  for (const cluster::Output& o : p.outputs) text += Cat("  output r", o.reg, "\n");
  return text;
}

void CheckEqual(const std::vector<Tensor>& found, const std::vector<Tensor>& expected, std::string_view how) {
  REQUIRE(found.size() == expected.size());
  for (size_t o = 0; o < found.size(); ++o) {
    const std::string difference = DifferenceOf(found[o], expected[o]);
    if (difference.empty()) continue;
    FAIL(how << ", output " << o << ": " << difference);
  }
}

// As one step and op by op; by all threads and instruction sets; in place.
void CheckCase(const ClusterCase& c, bool all_ways) {
  const FlushDenormals flush;
  INFO(TextOf(c.program));
  for (const Tensor& t : c.inputs) UNSCOPED_INFO("input " << t.shape().ToString());
  const Registry& registry = Registry::BuiltIn();
  const Result<std::vector<Tensor>> expected = RunOpByOp(registry, {cluster::Canonical(c.program), c.inputs});
  if (!expected.ok()) {
    // A check of contents: the same words, from the same node. (Nothing is looked at
    // in an empty space.)
    for (const Tensor& t : c.inputs) {
      if (t.num_elements() == 0) return;
    }
    for (const int threads : {1, 4}) {
      CHECK(RunOp(registry, CallOf(c, threads)).status().ToString() == expected.status().ToString());
    }
    return;
  }
  const auto check = [&](const OpCall& call, std::string_view how) {
    const Result<std::vector<Tensor>> found = RunOp(registry, call);
    INFO(how);
    MR_REQUIRE_OK(found);
    CheckEqual(*found, *expected, how);
  };
  check(CallOf(c, 1), "one thread");
  if (!all_ways) return;
  check(CallOf(c, 2), "two threads");
  check(CallOf(c, 4), "four threads");
  if (ActiveIsa() == Isa::kAvx512 && SetIsaForTesting(Isa::kAvx2)) {
    check(CallOf(c, 1), "AVX2");
    SetIsaForTesting(Isa::kAvx512);
  }
  for (size_t o = 0; o < c.program.outputs.size(); ++o) {
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const Tensor& out = (*expected)[o];
      if (c.program.inputs[i].sliced() || c.program.inputs[i].level != c.program.level(c.program.outputs[o].reg) ||
          !(out.shape() == c.inputs[i].shape()) || ElementSize(out.dtype()) != ElementSize(c.inputs[i].dtype())) {
        continue;
      }
      OpCall call = CallOf(c, 2);
      // The output's type, the input's memory.
      call.in_place = {{static_cast<int>(o), static_cast<int>(i)}};
      check(call, Cat("output ", o, " in place of input ", i));
    }
  }
  if (c.program.outputs.size() > 1) {
    OpCall call = CallOf(c, 1);
    call.unwanted = {0};
    const Result<std::vector<Tensor>> found = RunOp(registry, call);
    MR_REQUIRE_OK(found);
    for (size_t o = 1; o < found->size(); ++o) CHECK(DifferenceOf((*found)[o], (*expected)[o]) == "");
  }
}

// Memory that ends where a page begins that nobody may touch.
class GuardedAllocator final : public Allocator {
 public:
  Result<Buffer> Allocate(size_t bytes) override {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t room = (bytes + page - 1) / page * page;
    void* const base = mmap(nullptr, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(static_cast<char*>(base) + room, page, PROT_NONE) != 0) {
      return ResourceExhausted("mmap");
    }
    return Buffer::Borrow(static_cast<char*>(base) + (room - bytes), bytes,
                          [base, room, page] { munmap(base, room + page); });
  }
  AllocatorStats stats() const override { return {}; }
};

TEST_CASE("programs touch nothing behind their inputs, outputs and workspace") {
  const FlushDenormals flush;
  GuardedAllocator guarded;
  std::mt19937 rng(5);
  for (int round = 0; round < 400; ++round) {
    ClusterOptions options;
    options.space =
        std::vector<std::vector<int64_t>>{{1}, {77}, {1001}, {9, 83}, {3, 2001}, {501, 3}, {4, 300}}[round % 7];
    options.row_rank = round % 2;
    options.instructions = 1 + round % 12;
    options.float_only = round % 3 == 0;
    ClusterCase c = RandomCluster(rng, options);
    const Result<std::vector<Tensor>> expected = RunOp(Registry::BuiltIn(), CallOf(c, 1));
    for (Tensor& t : c.inputs) {
      Tensor copy = *Tensor::New(t.dtype(), t.shape(), guarded);
      std::memcpy(copy.data(), t.data(), t.bytes());
      t = copy;
    }
    OpCall call = CallOf(c, 1 + round % 3);
    call.allocator = &guarded;
    const Result<std::vector<Tensor>> found = RunOp(Registry::BuiltIn(), call);
    REQUIRE(found.ok() == expected.ok());
    if (found.ok()) CheckEqual(*found, *expected, "guarded");
  }
}

TEST_CASE("element-wise programs give the bits of the separate ops") {
  std::mt19937 rng(1);
  const std::vector<std::vector<int64_t>> spaces = {
      {}, {1}, {3}, {17}, {64}, {1000}, {0}, {5, 0}, {5000, 3}, {3, 5000}, {7, 5, 9}, {4, 1, 300}, {2, 3, 4, 5}};
  for (int round = 0; round < 260; ++round) {
    ClusterOptions options;
    options.space = spaces[static_cast<size_t>(round) % spaces.size()];
    options.instructions = 1 + round % 20;
    options.float_only = round % 3 == 0;
    CheckCase(RandomCluster(rng, options), round % 2 == 0);
  }
}

TEST_CASE("programs with ops over rows give the bits of the separate ops") {
  std::mt19937 rng(2);
  const std::vector<std::vector<int64_t>> spaces = {{1},       {17},      {1000},    {3, 1},     {5, 0},      {0, 5},
                                                    {5000, 3}, {3, 5000}, {70, 771}, {6, 5, 33}, {2, 300, 3}, {9, 256}};
  for (int round = 0; round < 360; ++round) {
    ClusterOptions options;
    options.space = spaces[static_cast<size_t>(round) % spaces.size()];
    options.row_rank = 1 + (round % 3 == 0 && options.space.size() > 1 ? 1 : 0);
    options.instructions = 2 + round % 20;
    options.float_only = round % 2 == 0;
    options.finite = round % 4 > 1;
    CheckCase(RandomCluster(rng, options), round % 2 == 0);
  }
}

TEST_CASE("rows of many pieces give the bits of the separate ops") {
  std::mt19937 rng(3);
  for (int round = 0; round < 12; ++round) {
    ClusterOptions options;
    options.space = round % 2 == 0 ? std::vector<int64_t>{300001} : std::vector<int64_t>{2, 140000};
    options.row_rank = 1;
    options.instructions = 4 + round;
    options.float_only = round % 3 != 0;
    options.finite = round % 4 > 0;
    CheckCase(RandomCluster(rng, options), true);
  }
}

// Narrow rows and wide ones, a single column, pieces, remainders; beside a reduction
// of rows and a full result.
TEST_CASE("reductions over the rows give the bits of the separate ops") {
  std::mt19937 rng(6);
  const std::vector<std::vector<int64_t>> spaces = {
      {1, 7},    {63, 7}, {64, 300}, {65, 1},    {511, 32},   {512, 32},  {513, 33},  {1000, 1},    {4097, 3},
      {5000, 6}, {0, 4},  {4, 0},    {70000, 1}, {140001, 1}, {70000, 5}, {3000, 64}, {40, 30, 17}, {150, 4099}};
  for (const std::vector<int64_t>& space : spaces) {
    for (const DType type : {DType::kFloat, DType::kBfloat16, DType::kInt8, DType::kDouble}) {
      const auto row_rank = static_cast<int>(space.size() == 3 ? 1 + rng() % 2 : 1);
      ClusterCase c;
      c.program.row_rank = row_rank;
      c.program.inputs = {{type, Level::kFull, true}};
      c.inputs = {RandomTensor(rng, type, Shape(std::span<const int64_t>(space)), /*finite=*/true)};
      const auto add = [&](const char* op, Level level, int operand) {
        c.program.instructions.push_back({op, op, type, level, {operand}, 0, false});
        return c.program.num_registers() - 1;
      };
      const int negative = add("Neg", Level::kFull, 0);
      const int absolute = add("Abs", Level::kFull, negative);
      c.program.outputs = {{absolute, true}};
      for (const char* op : {"Sum", "Mean", "Max", "Min", "Prod"}) {
        c.program.outputs.push_back({add(op, Level::kColumn, rng() % 2 == 0 ? negative : 0), rng() % 2 == 0});
      }
      if (row_rank == 1) c.program.outputs.push_back({add("BiasAddGrad", Level::kColumn, absolute), false});
      c.program.outputs.push_back({add("Sum", Level::kRow, absolute), true});
      if (row_rank == 1 && space.back() > 0) {
        c.program.outputs.push_back({add("ArgMin", Level::kRow, absolute), true});
        c.program.instructions.back().type = DType::kInt64;
      }
      c.program.outputs.push_back(c.program.outputs[1]);
      CheckCase(c, true);
    }
  }
}

TEST_CASE("there is nothing to choose from in an empty row") {
  Program p;
  p.row_rank = 1;
  p.inputs = {{DType::kFloat, Level::kFull, true}};
  p.instructions = {{"Neg", "negative", DType::kFloat, Level::kFull, {0}, 0, false},
                    {"ArgMax", "best", DType::kInt64, Level::kRow, {1}, 0, false}};
  p.outputs = {{2, false}};
  const Registry& registry = Registry::BuiltIn();
  for (const Shape& shape : {Shape{3, 0}, Shape{0, 0}, Shape{0, 3}}) {
    const ClusterCase c{p, {*Tensor::New(DType::kFloat, shape, HostAllocator())}};
    const Status expected = RunOpByOp(registry, c).status();
    CHECK(expected.ok() == (shape.dim(0) == 0));
    CHECK(RunOp(registry, CallOf(c, 1)).status().ToString() == expected.ToString());
  }
}

TEST_CASE("long programs stop when the run is cancelled") {
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{1 << 20}, {5000, 300}, {2, 200000}}) {
    for (const int row_rank : {0, 1}) {
      Program p;
      p.row_rank = row_rank;
      p.inputs = {{DType::kFloat, Level::kFull, true}};
      p.instructions = {{"Neg", "neg", DType::kFloat, Level::kFull, {0}, 0, false}};
      p.outputs = {{1, true}};
      const Tensor x = *Tensor::New(DType::kFloat, Shape(std::span<const int64_t>(dims)), HostAllocator());
      std::memset(x.data(), 0, x.bytes());
      for (const int threads : {1, 2}) {
        OpCall call = CallOf({p, {x}}, threads);
        CHECK(RunOp(Registry::BuiltIn(), call).ok());
        call.cancelled = true;
        CHECK(RunOp(Registry::BuiltIn(), call).status().code() == Code::kCancelled);
      }
    }
  }
}

Program Example() {
  Program p;
  p.row_rank = 1;
  p.inputs = {{DType::kFloat, Level::kFull, true}, {DType::kFloat, Level::kOne, true}};
  p.instructions = {{"Mean", "mean", DType::kFloat, Level::kRow, {0}, 0, false},
                    {"Mul", "half", DType::kFloat, Level::kOne, {1, 1}, 0, false},
                    {"Sub", "centred", DType::kFloat, Level::kFull, {0, 2}, 0, false},
                    {"LeakyRelu", "leaky", DType::kFloat, Level::kFull, {4}, 0.5F, false},
                    {"Softmax", "soft", DType::kFloat, Level::kFull, {5}, 0, false}};
  p.outputs = {{6, true}, {2, false}, {3, true}};
  return p;
}

TEST_CASE("programs go to attributes and back in canonical order") {
  const Result<Program> back = cluster::FromAttrs(cluster::ToAttrs(Example()));
  MR_REQUIRE_OK(back);
  CHECK(cluster::ToAttrs(*back) == cluster::ToAttrs(Example()));
  std::vector<std::string> nodes;
  for (const cluster::Instruction& i : back->instructions) nodes.push_back(i.node);
  CHECK(nodes == std::vector<std::string>{"half", "mean", "centred", "leaky", "soft"});
  CHECK(back->outputs[1].reg == 3);
  CHECK(!back->outputs[1].keeps_dims);
  CHECK(back->instructions[3].value == 0.5F);
  CHECK(cluster::PhasesOf(*back) == std::vector<int>{0, 0, 1, 1, 1});
  const std::vector<cluster::Segment> segments = cluster::SegmentsOf(*back);
  REQUIRE(segments.size() == 4);
  CHECK(segments[2].level == Level::kFull);
  CHECK(segments[2].reads == std::vector<int>{0, 3});
  CHECK(segments[2].writes == std::vector<int>{5});
}

// One attribute changed: what is wrong is found when the attributes are read.
TEST_CASE("damaged attributes of a program are refused by name") {
  struct Damage {
    const char* attr;
    void (*change)(ListValue&);
    const char* message;
  };
  static constexpr Damage kDamages[] = {
      {"levels", [](ListValue& l) { l.i.pop_back(); }, "'levels': expected 7 elements, found 6"},
      {"levels", [](ListValue& l) { l.i[0] = 3; }, "'levels': input 0 is of the level of columns"},
      {"levels", [](ListValue& l) { l.i[0] = 4; }, "'levels'"},
      {"levels", [](ListValue& l) { l.i[3] = 3; }, "'levels'"},
      {"levels", [](ListValue& l) { l.i[0] = -1; }, "'levels'"},
      {"slices", [](ListValue& l) { l.i = {0, 0, 0}; }, "'slices': expected four numbers"},
      {"slices", [](ListValue& l) { l.i = {1, 0, 0, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {9, 0, 0, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {0, -1, 0, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {0, 999, 0, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {0, 0, -1, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {0, 0, INT64_MAX, 1}; }, "'slices'"},
      {"slices", [](ListValue& l) { l.i = {0, 0, 0, 1, 0, 0, 0, 1}; }, "'slices'"},
      {"levels", [](ListValue& l) { l.i[0] = int64_t{1} << 40; }, "'levels'"},
      {"levels", [](ListValue& l) { l.i[4] = 1; }, "'levels'"},
      {"levels", [](ListValue& l) { l.i[0] = 0; }, "'levels'"},
      {"ops", [](ListValue& l) { l.s.pop_back(); }, "'levels'"},
      {"ops", [](ListValue& l) { l.s.assign(5000, "Neg"); }, "at most 4096"},
      {"ops", [](ListValue& l) { l.s[3] = "Sum"; }, "do not fit an op over rows"},
      {"nodes", [](ListValue& l) { l.s.clear(); }, "'nodes'"},
      {"types", [](ListValue& l) { l.type.push_back(DType::kFloat); }, "'types'"},
      {"types", [](ListValue& l) { l.type[1] = DType::kDouble; }, "do not fit an op over rows"},
      {"types", [](ListValue& l) { l.type[0] = DType::kString; }, "plain elements, found string"},
      {"types", [](ListValue& l) { l.type[0] = static_cast<DType>(77); }, "plain elements"},
      {"types", [](ListValue& l) { l.type[0] = MakeRef(DType::kFloat); }, "plain elements"},
      {"Tin", [](ListValue& l) { l.type[0] = DType::kResource; }, "'Tin'"},
      {"Tin", [](ListValue& l) { l.type.assign(300, DType::kFloat); }, "at most 256"},
      {"Tin", [](ListValue& l) { l.type.pop_back(); }, "'levels'"},
      {"Tout", [](ListValue& l) { l.type[0] = DType::kInt32; }, "'Tout'"},
      {"Tout", [](ListValue& l) { l.type.pop_back(); }, "'outputs'"},
      {"arities", [](ListValue& l) { l.i[0] = 0; }, "'arities'"},
      {"arities", [](ListValue& l) { l.i[0] = 4; }, "'arities'"},
      {"arities", [](ListValue& l) { l.i[0] = int64_t{1} << 62; }, "'arities'"},
      {"arities", [](ListValue& l) { l.i[0] = 1; }, "'operands'"},
      {"operands", [](ListValue& l) { l.i.pop_back(); }, "'operands'"},
      {"operands", [](ListValue& l) { l.i[0] = -1; }, "'operands'"},
      {"operands", [](ListValue& l) { l.i[0] = 2; }, "'operands': expected registers below 2, found 2"},
      {"operands", [](ListValue& l) { l.i[0] = int64_t{1} << 40; }, "'operands'"},
      {"values", [](ListValue& l) { l.f.clear(); }, "'values'"},
      {"variants", [](ListValue& l) { l.b.clear(); }, "'variants'"},
      {"outputs", [](ListValue& l) { l.i[0] = 1; }, "'outputs'"},
      {"outputs", [](ListValue& l) { l.i[0] = 7; }, "'outputs'"},
      {"input_keeps_dims", [](ListValue& l) { l.b.clear(); }, "'input_keeps_dims'"},
      {"output_keeps_dims", [](ListValue& l) { l.b.push_back(true); }, "'output_keeps_dims'"},
  };
  for (const Damage& damage : kDamages) {
    AttrMap attrs = cluster::ToAttrs(Example());
    ListValue list = *attrs[damage.attr].get<ListValue>();
    damage.change(list);
    attrs[damage.attr] = list;
    const Status status = cluster::FromAttrs(attrs).status();
    INFO(damage.attr << ", expected: " << damage.message << ", found: " << status.ToString());
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(status.message().find(damage.message) != std::string_view::npos);
    attrs.erase(damage.attr);
    // Slices are not there in older plans.
    CHECK(cluster::FromAttrs(attrs).ok() == (std::string_view(damage.attr) == "slices"));
    attrs[damage.attr] = int64_t{1};
    CHECK(cluster::FromAttrs(attrs).status().code() == Code::kInvalidArgument);
  }
  for (const int64_t rank : {int64_t{-1}, int64_t{0}, int64_t{255}, int64_t{1} << 40}) {
    AttrMap attrs = cluster::ToAttrs(Example());
    attrs["row_rank"] = rank;
    CHECK(cluster::FromAttrs(attrs).status().code() == Code::kInvalidArgument);
  }
}

// Numbers of the attributes changed at random: an error, or a run that ends.
TEST_CASE("programs with changed numbers are refused or run") {
  const FlushDenormals flush;
  std::mt19937 rng(4);
  int ran = 0;
  for (int round = 0; round < 3000; ++round) {
    ClusterOptions options;
    options.space = {5, 33};
    options.row_rank = round % 3;
    options.instructions = 8;
    const ClusterCase c = RandomCluster(rng, options);
    OpCall call = CallOf(c, 1);
    for (int changes = 1 + static_cast<int>(rng() % 2); changes > 0; --changes) {
      static constexpr const char* kAttrs[] = {"levels", "arities", "operands", "outputs",
                                               "types",  "ops",     "slices",   "row_rank"};
      const char* name = kAttrs[rng() % 8];
      if (std::string_view(name) == "row_rank") {
        call.attrs[name] = static_cast<int64_t>(rng() % 4);
        continue;
      }
      ListValue list = *call.attrs[name].get<ListValue>();
      const auto small = static_cast<int64_t>(rng() % 14);
      if (!list.i.empty()) list.i[rng() % list.i.size()] = small;
      if (!list.type.empty()) list.type[rng() % list.type.size()] = static_cast<DType>(small);
      if (!list.s.empty()) list.s[rng() % list.s.size()] = small % 2 == 0 ? "Sum" : small % 3 == 0 ? "Neg" : "AddV2";
      call.attrs[name] = list;
    }
    if (RunOp(Registry::BuiltIn(), call).ok()) ++ran;
  }
  CHECK(ran > 100);
  CHECK(ran < 2900);
}

TEST_CASE("ops that a cluster cannot hold, and shapes that do not fit it, are named") {
  const Registry& registry = Registry::BuiltIn();
  const Tensor x = Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6}), one = Tensor::Scalar(2.0F);
  const auto run = [&](const Program& p, std::vector<Tensor> inputs) {
    return RunOp(registry, CallOf({p, std::move(inputs)}, 1)).status().ToString();
  };
  Program p = Example();
  CHECK(run(p, {x, one}) == "OK");
  p.instructions[2].op = "MatMul";
  CHECK(run(p, {x, one}).find("node 'centred' (MatMul)") != std::string::npos);
  p.instructions[2].op = "NoSuchOp";
  CHECK(run(p, {x, one}).find("node 'centred' (NoSuchOp)") != std::string::npos);
  p = Example();
  p.instructions[2].operands = {0, 2, 2};
  CHECK(run(p, {x, one}).find("node 'centred' (Sub)") != std::string::npos);
  p = Example();
  p.instructions[2].op = "LogicalAnd";
  CHECK(run(p, {x, one}).find("node 'centred' (LogicalAnd)") != std::string::npos);
  p = Example();
  CHECK(run(p, {x, x}).find("expected one element") != std::string::npos);
  CHECK(run(p, {one, one}).find("row dimensions") != std::string::npos);
  // Two full-level inputs that do not broadcast; a row-level one of other rows.
  p.inputs[1].level = Level::kFull;
  p.instructions[1].level = Level::kFull;
  CHECK(run(p, {x, Tensor::Of<float>({2}, {1, 2})}).find("broadcast") != std::string::npos);
  p.inputs[1].level = Level::kRow;
  p.instructions[1].level = Level::kRow;
  CHECK(run(p, {x, Tensor::Of<float>({3, 1}, {1, 2, 3})}).find("a value for each row") != std::string::npos);
  // A part that the tensor does not have.
  p = Example();
  p.inputs[0].slice_axis = 1;
  p.inputs[0].slice_begin = 2;
  p.inputs[0].slice_extent = 1;
  CHECK(run(p, {x, one}) == "OK");
  p.inputs[0].slice_extent = 2;
  CHECK(run(p, {x, one}).find("input 0: expected 4 elements or more along axis 1") != std::string::npos);
  p.inputs[0].slice_axis = 2;
  CHECK(run(p, {x, one}).find("along axis 2") != std::string::npos);
  // A reduction of what repeats over the row.
  p = Example();
  p.inputs[1].level = Level::kFull;
  p.instructions[1].level = Level::kFull;
  p.instructions[0].operands = {1};
  CHECK(run(p, {x, Tensor::Of<float>({2, 1}, {1, 2})}).find("node 'mean' (Mean)") != std::string::npos);
}

}  // namespace
}  // namespace millrace
