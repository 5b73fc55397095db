// Writes what the fuzzers start from: fuzz_seeds FOLDER.
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/train/update_many.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/proto/sample_plan.h"

namespace millrace {
namespace {

NodeDef Node(std::string name, std::string op, std::vector<std::string> inputs, AttrMap attrs) {
  NodeDef node;
  node.name = std::move(name);
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.attrs = std::move(attrs);
  return node;
}

AttrMap Constant(DType dtype, Shape shape) {
  TensorValue value;
  value.dtype = dtype;
  value.shape = std::move(shape);
  if (dtype == DType::kFloat) value.float_val = {0.5f};
  if (dtype == DType::kInt32) value.int_val = {1};
  if (dtype == DType::kString) value.string_val = {"text"};
  return {{"dtype", dtype}, {"value", std::move(value)}};
}

// A dense layer with a loss, shape arithmetic and a variable.
GraphDef Layer() {
  const DType f = DType::kFloat, i = DType::kInt32;
  GraphDef g;
  g.nodes = {
      Node("x", "Placeholder", {}, {{"dtype", f}, {"shape", Shape{-1, 4}}}),
      Node("w", "Const", {}, Constant(f, {4, 3})),
      Node("b", "Const", {}, Constant(f, {3})),
      Node("product", "MatMul", {"x", "w"}, {{"T", f}, {"transpose_a", false}, {"transpose_b", false}}),
      Node("sum", "BiasAdd", {"product", "b"}, {{"T", f}, {"data_format", "NHWC"}}),
      Node("relu", "Relu", {"sum"}, {{"T", f}}),
      Node("axis", "Const", {}, Constant(i, {1})),
      Node("mean", "Mean", {"relu", "axis"}, {{"T", f}, {"Tidx", i}, {"keep_dims", true}}),
      Node("shape", "Shape", {"relu", "^mean"}, {{"T", f}, {"out_type", i}}),
      Node("flat", "Reshape", {"relu", "shape"}, {{"T", f}, {"Tshape", i}}),
      Node("v", "VariableV2", {}, {{"dtype", f}, {"shape", Shape{4, 3}}, {"container", ""}, {"shared_name", ""}}),
      Node("assign", "Assign", {"v", "w"}, {{"T", f}, {"use_locking", true}, {"validate_shape", true}}),
      Node("name", "Const", {}, Constant(DType::kString, {})),
  };
  g.has_versions = true;
  g.versions.producer = 1087;
  return g;
}

// A function, and attributes of the rarer kinds.
GraphDef Odd() {
  GraphDef g;
  FunctionDef function;
  function.signature.name = "F";
  ArgDef arg;
  arg.name = "x";
  arg.type = DType::kFloat;
  function.signature.inputs = {arg};
  function.nodes = {Node("y", "Neg", {"x"}, {{"T", AttrPlaceholder{"T"}}})};
  function.ret = {{"y", "y:y:0"}};
  g.has_library = true;
  g.library.functions = {function};
  ListValue list;
  list.shape = {{Shape{1, -1}, {}}, {Shape::UnknownRank(), {}}};
  g.nodes = {Node("n", "NoOp", {}, {{"_shapes", list}, {"_f", FuncValue{"F", nullptr}}}),
             Node("p", "Placeholder", {"^n"}, {{"dtype", DType::kHalf}, {"shape", Shape::UnknownRank()}})};
  return g;
}

// One step, a cluster with rows: what a fuzzer of plans changes is its program.
plan::Plan ClusterPlan() {
  using cluster::Level;
  const DType f = DType::kFloat;
  cluster::Program program;
  program.row_rank = 1;
  program.inputs = {{f, Level::kFull, true}, {f, Level::kOne, true}};
  program.instructions = {{"Mean", "mean", f, Level::kRow, {0}, 0, false},
                          {"Sub", "centred", f, Level::kFull, {0, 2}, 0, false},
                          {"LeakyRelu", "leaky", f, Level::kFull, {3}, 0.5f, false},
                          {"Softmax", "soft", f, Level::kFull, {4}, 0, false},
                          {"Cast", "cast", DType::kInt32, Level::kFull, {5}, 0, false},
                          {"FloorDiv", "divided", DType::kInt32, Level::kFull, {6, 6}, 0, false},
                          {"AddV2", "sum", f, Level::kRow, {2, 1}, 0, false}};
  program.outputs = {{4, true}, {7, true}, {8, false}};
  plan::Plan p;
  p.devices = {{"CPU", 0}};
  p.symbols = {{"batch"}};
  p.exprs = {{plan::DimOp::kSymbol, 0, 0, 0}, {plan::DimOp::kConstant, 0, 0, 5}, {plan::DimOp::kConstant, 0, 0, 1}};
  plan::Block block;
  block.name = "run";
  block.arguments = {0, 1};
  block.results = {2, 3, 4};
  block.values = {{.dtype = f, .storage = plan::Storage::kFeed, .index = 0, .dims = {0, 1}, .name = "x:0"},
                  {.dtype = f, .storage = plan::Storage::kFeed, .index = 1, .name = "y:0"},
                  {.dtype = f, .storage = plan::Storage::kLate, .dims = {0, 1}, .name = "leaky:0"},
                  {.dtype = DType::kInt32, .storage = plan::Storage::kLate, .dims = {0, 1}, .name = "divided:0"},
                  {.dtype = f, .storage = plan::Storage::kLate, .dims = {0}, .name = "sum:0"}};
  block.steps = {{.op = std::string(cluster::kClusterOp),
                  .node = "cluster",
                  .attrs = cluster::ToAttrs(program),
                  .inputs = {0, 1},
                  .outputs = {2, 3, 4}}};
  p.blocks = {block};
  p.signatures = {{.name = "run",
                   .block = 0,
                   .feeds = {{.name = "x:0", .dtype = f, .dims = {-1, 5}, .symbols = {0, plan::kNone}},
                             {.name = "y:0", .dtype = f}},
                   .fetches = {"leaky:0", "divided:0", "sum:0"}}};
  return p;
}

// Two variables are assigned, then updated in one step.
plan::Plan UpdatePlan() {
  constexpr DType f = DType::kFloat;
  ListValue types, nodes;
  types.type = {MakeRef(f), f, f, MakeRef(f), f, f};
  nodes.s = {"first", "second"};
  const auto attrs = std::make_shared<const AttrMap>(AttrMap{{"T", f}, {"use_locking", false}});
  plan::Plan p;
  p.devices = {{"CPU", 0}};
  p.exprs = {{plan::DimOp::kConstant, 0, 0, 3}};
  p.resources = {{.kind = "Variable", .name = "v", .dtype = f, .dims = {3}},
                 {.kind = "Variable", .name = "w", .dtype = f, .dims = {3}}};
  plan::Block block;
  block.name = "run";
  block.arguments = {0, 1};
  block.values = {{.dtype = f, .storage = plan::Storage::kFeed, .index = 0, .name = "rate:0"},
                  {.dtype = f, .storage = plan::Storage::kFeed, .index = 1, .dims = {0}, .name = "delta:0"},
                  {.dtype = MakeRef(f), .storage = plan::Storage::kResource, .index = 0, .dims = {0}, .name = "v:0"},
                  {.dtype = MakeRef(f), .storage = plan::Storage::kResource, .index = 1, .dims = {0}, .name = "w:0"}};
  for (uint32_t variable : {2, 3}) {
    block.steps.push_back({.op = "Assign",
                           .node = "assign" + std::to_string(variable),
                           .attrs = {{"T", f}},
                           .inputs = {variable, 1},
                           .outputs = {plan::kNone}});
  }
  block.steps.push_back(
      {.op = std::string(train::kUpdateManyOp),
       .node = "first",
       .attrs = {{"Tin", types}, {"nodes", nodes}, {"update", FuncValue{"ApplyGradientDescent", attrs}}},
       .inputs = {2, 0, 1, 3, 0, 1},
       .after = {0, 1},
       .fused_nodes = {"second"}});
  p.blocks = {block};
  p.signatures = {{.name = "run",
                   .block = 0,
                   .feeds = {{.name = "rate:0", .dtype = f},
                             {.name = "delta:0", .dtype = f, .dims = {3}, .symbols = {plan::kNone}}},
                   .targets = {"first", "second"}}};
  return p;
}

// An array of NumPy, and an archive of one.
std::string Npy() {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
  header.append(117 - header.size(), ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00v\x00", 10) + header + std::string(8, '\x3f');
}

// As DEFLATE has it: with codes of its own, and with the fixed ones.
std::string Deflated(const std::string& bytes, int strategy) {
  z_stream z = {};
  std::string out(bytes.size() + 100, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  if (deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, strategy) == Z_OK) deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// `stored` is the array, by way of `method`.
std::string Npz(const std::string& stored, int method) {
  const auto number = [](size_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
  };
  // Version, flags, method, time, checksum; then sizes, and lengths of name and extra.
  const std::string common = number(20, 2) + number(0, 2) + number(static_cast<size_t>(method), 2) + number(0, 8) +
                             number(stored.size(), 4) + number(Npy().size(), 4) + number(5, 2) + number(0, 2);
  const std::string local = "PK\x03\x04" + common + "a.npy" + stored;
  const std::string member = std::string("PK\x01\x02\x14\0", 6) + common + std::string(14, '\0') + "a.npy";
  return local + member + std::string("PK\x05\x06\0\0\0\0\x01\0\x01\0", 12) + number(member.size(), 4) +
         number(local.size(), 4) + number(0, 2);
}

// Files of the small formats, by way of `write`.
template <typename Write>
bool WriteSmallSeeds(const Write& write) {
  bool ok = write("npy/array", Npy()) && write("npy/archive", Npz(Npy(), 0));
  ok = write("npy/deflated", Npz(Deflated(Npy(), Z_DEFAULT_STRATEGY), 8)) && ok;
  ok = write("npy/fixed", Npz(Deflated(Npy(), Z_FIXED), 8)) && ok;
  for (DType type : {DType::kFloat, DType::kInt32, DType::kString}) {
    const AttrMap attrs = Constant(type, Shape{2, 3});
    const auto& value = *attrs.find("value")->second.get<std::shared_ptr<const TensorValue>>();
    ok = write(std::filesystem::path("tensor") / std::string(DTypeName(type)), SerializeTensor(*value)) && ok;
  }
  // device_count {"CPU": 2}, intra_op_parallelism_threads 2; timeout_in_ms 1000.
  ok = write("config/config", std::string("\x0a\x07\x0a\x03"
                                          "CPU\x10\x02\x10\x02",
                                          11)) &&
       ok;
  ok = write("config/run", std::string("\x10\xe8\x07", 3)) && ok;
  const char* const arguments[] = {
      "train: feed=x,y fetch=loss:0 target=step",     "images.0=64", "x=8,3", "x=all.npz[layer/w:0]",
      "/job:localhost/replica:0/task:0/device:CPU:0", "^name:3"};
  int number = 0;
  for (const char* text : arguments) {
    ok = write(std::filesystem::path("arguments") / std::to_string(number++), std::string(text)) && ok;
  }
  // Decisions of the graph fuzzer: any will do.
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::string decisions;
    for (unsigned i = 0; i < 120; ++i) decisions += static_cast<char>((i * i * 31 + i * seed * 57 + seed) % 251);
    ok = write(std::filesystem::path("graph") / std::to_string(seed), decisions) && ok;
  }
  return ok;
}

// The names of ops and attributes, as a dictionary.
std::string Names() {
  std::set<std::string_view> names;
  for (const Op* op : Registry::BuiltIn().ops()) {
    names.insert(op->name());
    for (const AttrDef& attr : op->signature().attrs) names.insert(attr.name);
  }
  std::string out;
  for (const std::string_view name : names) out += Cat("\"", name, "\"\n");
  return out;
}

// Graphs of other programs that a fuzzer gets through in no time.
constexpr uint64_t kLargestGraph = 12 << 10;

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER [GRAPHS]: seeds, and the small GraphDefs below GRAPHS\n");
    return 2;
  }
  const auto write = [&](const fs::path& name, const std::string& bytes) {
    const fs::path path = argv[1] / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return fs::exists(path);
  };
  using namespace millrace;  // NOLINT
  bool ok = write("graph_def/layer", SerializeGraphDef(Layer()));
  ok = write("graph_def/odd", SerializeGraphDef(Odd())) && ok;
  ok = WriteSmallSeeds(write) && ok;
  ok = write("graph_def.dict", Names()) && ok;
  if (argc == 3) {
    for (const auto& entry : fs::recursive_directory_iterator(argv[2])) {
      const fs::path& path = entry.path();
      if (path.extension() != ".pb" || !entry.is_regular_file() || entry.file_size() > kLargestGraph) continue;
      std::ifstream in(path, std::ios::binary);
      ok = write(fs::path("graph_def") / path.filename(), std::string(std::istreambuf_iterator<char>(in), {})) && ok;
    }
  }
  const auto write_plan = [&](const char* name, const plan::Plan& p) {
    const Result<std::string> bytes = plan::Write(p);
    if (!bytes.ok()) std::fprintf(stderr, "%s: %s\n", name, bytes.status().ToString().c_str());
    return bytes.ok() && write(name, *bytes);
  };
  ok = write_plan("plan/sample", SamplePlan()) && ok;
  ok = write_plan("plan/cluster", ClusterPlan()) && ok;
  ok = write_plan("plan/updates", UpdatePlan()) && ok;
  return ok ? 0 : 1;
}
