// Compile time and memory over the size of a graph, by phase:
//   compile_bench [KIND NODES [passes]]
// Each line is a kind of graph, its nodes, milliseconds of the process and the peak of the process's
// memory beyond what the graph itself takes. Kinds differ in what could be quadratic:
// long chains, wide sums, one node that all wait for, shapes that are computed,
// transposes that sink, constants that are folded, variables with many reads.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

struct Made {
  GraphDef def;
  SignatureSpec spec;

  std::string Add(std::string name, std::string op, std::vector<std::string> inputs, AttrMap attrs = {}) {
    NodeDef n;
    n.name = std::move(name);
    n.op = std::move(op);
    n.inputs = std::move(inputs);
    n.attrs = std::move(attrs);
    def.nodes.push_back(std::move(n));
    return def.nodes.back().name;
  }
  std::string Float(std::string name, std::string op, std::vector<std::string> inputs) {
    return Add(std::move(name), std::move(op), std::move(inputs), {{"T", DType::kFloat}});
  }
  std::string Ints(std::string name, const Shape& shape, std::vector<int32_t> values) {
    TensorValue t;
    t.dtype = DType::kInt32;
    t.shape = shape;
    t.int_val = std::move(values);
    return Add(std::move(name), "Const", {}, {{"dtype", DType::kInt32}, {"value", std::move(t)}});
  }
  std::string Feed(const Shape& shape) {
    spec.feeds = {"x:0"};
    return Add("x", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", shape}});
  }
  int64_t size() const { return static_cast<int64_t>(def.nodes.size()); }
};

// A chain of operations, none of which fuses away.
void Chain(Made& g, int64_t nodes) {
  std::string v = g.Feed(Shape({4, 4}));
  while (g.size() < nodes)
    v = g.Float(Cat("m", g.size()), g.size() % 8 == 0 ? "MatMul" : "Exp",
                g.size() % 8 == 0 ? std::vector<std::string>{v, v} : std::vector<std::string>{v});
  g.spec.fetches = {v + ":0"};
}

// Everybody reads one value, and one operation takes them all.
void Wide(Made& g, int64_t nodes) {
  const std::string x = g.Feed(Shape({4}));
  std::vector<std::string> parts;
  while (g.size() < nodes)
    parts.push_back(g.Float(Cat("m", g.size()), "LeakyRelu", {x})),
        g.def.nodes.back().attrs["alpha"] = 1.0f / static_cast<float>(g.size());
  const auto count = static_cast<int64_t>(parts.size());
  g.Add("sum", "AddN", parts, {{"T", DType::kFloat}, {"N", count}});
  g.spec.fetches = {"sum:0"};
}

// Assignments that wait for each other and for one, and reads between them.
void Control(Made& g, int64_t nodes) {
  const std::string x = g.Feed(Shape({4}));
  const std::string v = g.Add("v", "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape({4})}});
  std::string last = g.Float("first", "AssignAdd", {v, x});
  std::vector<std::string> all;
  while (g.size() + 1 < nodes) {
    const std::string read = g.Float(Cat("read", g.size()), "Identity", {v, "^" + last});
    last = g.Float(Cat("assign", g.size()), "AssignAdd", {v, read, "^first"});
    all.push_back("^" + last);
  }
  g.Add("done", "NoOp", {}, {});
  g.def.nodes.back().inputs = all;
  g.spec.targets = {"done"};
}

// Extents of a batch that is not known, taken apart and put together.
void Shapes(Made& g, int64_t nodes) {
  std::string v = g.Feed(Shape({-1, -1, 4}));
  const std::string zero = g.Ints("zero", Shape({1}), {0}), one = g.Ints("one", Shape({1}), {1}),
                    two = g.Ints("two", Shape({1}), {2});
  const std::string four = g.Ints("four", Shape(std::vector<int64_t>{}), {4});
  const AttrMap slice = {{"T", DType::kInt32}, {"Index", DType::kInt32}, {"shrink_axis_mask", int64_t{1}}};
  while (g.size() < nodes) {
    const std::string n = std::to_string(g.size());
    const std::string s = g.Add("s" + n, "Shape", {v}, {{"T", DType::kFloat}});
    const std::string b = g.Add("b" + n, "StridedSlice", {s, zero, one, one}, slice);
    const std::string t = g.Add("t" + n, "StridedSlice", {s, one, two, one}, slice);
    const std::string m = g.Add("m" + n, "Mul", {b, t}, {{"T", DType::kInt32}});
    const std::string p = g.Add("p" + n, "Pack", {m, four}, {{"T", DType::kInt32}, {"N", int64_t{2}}});
    const std::string r = g.Add("r" + n, "Reshape", {v, p}, {{"T", DType::kFloat}});
    const std::string q = g.Add("q" + n, "Pack", {b, t, four}, {{"T", DType::kInt32}, {"N", int64_t{3}}});
    v = g.Float("e" + n, "Exp", {g.Add("u" + n, "Reshape", {r, q}, {{"T", DType::kFloat}})});
  }
  g.spec.fetches = {v + ":0"};
}

// A residual network whose blocks are transposed back and forth.
void Transposes(Made& g, int64_t nodes) {
  std::string v = g.Feed(Shape({-1, 4, 5}));
  const std::string there = g.Ints("there", Shape({3}), {0, 2, 1});
  while (g.size() < nodes) {
    const std::string n = std::to_string(g.size());
    const AttrMap attrs = {{"T", DType::kFloat}};
    const std::string t = g.Add("t" + n, "Transpose", {v, there}, attrs);
    const std::string r = g.Float("r" + n, "Relu", {t});
    const std::string a = g.Float("a" + n, "AddV2", {r, t});
    v = g.Float("s" + n, "Softmax", {g.Add("u" + n, "Transpose", {a, there}, attrs)});
  }
  g.spec.fetches = {v + ":0"};
}

// Arithmetic on constants, which ends in one.
void Constants(Made& g, int64_t nodes) {
  const std::string x = g.Feed(Shape({2}));
  std::string v = g.Ints("c", Shape({2}), {1, 2});
  const std::string one = g.Ints("one", Shape({1}), {1});
  while (g.size() + 2 < nodes) v = g.Add(Cat("a", g.size()), "AddV2", {v, one}, {{"T", DType::kInt32}});
  g.Add("f", "Cast", {v}, {{"SrcT", DType::kInt32}, {"DstT", DType::kFloat}});
  g.Float("y", "AddV2", {x, "f"});
  g.spec.fetches = {"y:0"};
}

// Many variables, each with an update.
void Variables(Made& g, int64_t nodes) {
  const std::string x = g.Feed(Shape({4}));
  std::vector<std::string> all;
  while (g.size() + 1 < nodes) {
    const std::string n = std::to_string(g.size());
    const std::string v = g.Add("v" + n, "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape({4})}});
    const std::string d = g.Float("d" + n, "Mul", {v, x});
    all.push_back("^" + g.Float("u" + n, "AssignSub", {v, d}));
  }
  g.Add("train", "NoOp", {}, {});
  g.def.nodes.back().inputs = all;
  g.spec.targets = {"train"};
}

// The process's own time, so that what else the machine does is not counted.
double Now() { return static_cast<double>(std::clock()) * 1000 / CLOCKS_PER_SEC; }
double PeakMiB() {
  rusage use = {};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

int Measure(const std::string& kind, const std::function<void(Made&, int64_t)>& make, int64_t nodes, bool passes) {
  Made made;
  made.def.has_versions = true;
  made.def.versions.producer = 1882;
  make(made, nodes);
  const int64_t size = made.size();
  Graph graph;
  if (const Status s = graph.Import(made.def); !s.ok()) return std::fprintf(stderr, "%s\n", s.ToString().c_str()), 1;
  made.def = {};
  const double before = PeakMiB();
  std::vector<std::pair<std::string, double>> spent;
  double start = Now(), last = start;
  std::string current = "import";
  const auto close = [&](std::string_view next) {
    const double now = Now();
    if (spent.empty() || spent.back().first != current) spent.emplace_back(current, 0);
    spent.back().second += now - last;
    last = now;
    current = passes ? std::string(next) : std::string(next.substr(0, next.find('/')));
  };
  CompileOptions options;
  options.before_pass = close;
  const Result<plan::Plan> plan = Compile(graph, {made.spec}, options);
  close("end");
  if (!plan.ok()) return std::fprintf(stderr, "%s\n", plan.status().ToString().c_str()), 1;
  std::printf("%-10s %8lld nodes %9.1f ms %7.0f MiB %8.2f us/node %6zu steps ", kind.c_str(),
              static_cast<long long>(size), last - start, PeakMiB() - before,
              (last - start) * 1000 / static_cast<double>(size), plan->blocks[0].steps.size());
  for (const auto& [name, ms] : spent) std::printf(" %s %.1f", name.c_str(), ms);
  std::printf("\n");
  return 0;
}

}  // namespace
}  // namespace millrace

// Each measurement in a process of its own, so that peaks are apart: without
// arguments the program calls itself.
int main(int argc, char** argv) {
  using namespace millrace;
  const std::vector<std::pair<std::string, void (*)(Made&, int64_t)>> kinds = {
      {"chain", Chain},           {"wide", Wide},           {"control", Control},    {"shapes", Shapes},
      {"transposes", Transposes}, {"constants", Constants}, {"variables", Variables}};
  if (argc >= 3 && std::atoll(argv[2]) > 0) {
    for (const auto& [name, make] : kinds) {
      if (name == argv[1]) return Measure(name, make, std::atoll(argv[2]), argc > 3);
    }
  }
  if (argc == 1) {
    for (const auto& [name, make] : kinds) {
      for (const char* nodes : {"1000", "10000", "30000", "100000"}) {
        std::fflush(stdout);
        const std::string command = Cat("'", argv[0], "' ", name, " ", nodes);
        if (std::system(command.c_str()) != 0) return 1;
      }
    }
    return 0;
  }
  std::fprintf(stderr, "usage: compile_bench [KIND NODES [passes]]\nkinds:");
  for (const auto& kind : kinds) std::fprintf(stderr, " %s", kind.first.c_str());
  std::fprintf(stderr, "\n");
  return 2;
}
