// Measures a graph through TensorFlow's C interface, in whatever library has it:
//   abi_bench LIBRARY GRAPH --feed x:0,float,8x3 --fetch y:0 --target t --init i
// One line of JSON: median and first run, memory, the sums of what is fetched by the
// first run that is measured. Feeds are "name,type,dims" with float or int32 elements,
// and for integers "modN": below N. The library is loaded by name, so that one program measures
// all of them the same way; against.py does it in turn.
#include <dlfcn.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "millrace/runtime/c_api/c_api.h"

namespace {

using Clock = std::chrono::steady_clock;

double Micros(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "abi_bench: %s\n", message.c_str());
  std::exit(1);
}

// The functions that are used, from the library.
struct Api {
  void* library;
  explicit Api(const char* path) : library(Open(path)) {}
  static void* Open(const char* path) {
    void* opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) Fail(dlerror());
    return opened;
  }
  template <class Fn>
  Fn* Find(const char* name) const {
    void* f = dlsym(library, name);
    if (f == nullptr) Fail(dlerror());
    return reinterpret_cast<Fn*>(f);
  }
#define MR_FUNCTION(name) decltype(&::name) name = Find<decltype(::name)>(#name)
  MR_FUNCTION(TF_NewStatus);
  MR_FUNCTION(TF_DeleteStatus);
  MR_FUNCTION(TF_GetCode);
  MR_FUNCTION(TF_Message);
  MR_FUNCTION(TF_NewGraph);
  MR_FUNCTION(TF_DeleteGraph);
  MR_FUNCTION(TF_NewImportGraphDefOptions);
  MR_FUNCTION(TF_DeleteImportGraphDefOptions);
  MR_FUNCTION(TF_GraphImportGraphDef);
  MR_FUNCTION(TF_GraphOperationByName);
  MR_FUNCTION(TF_NewSessionOptions);
  MR_FUNCTION(TF_DeleteSessionOptions);
  MR_FUNCTION(TF_SetConfig);
  MR_FUNCTION(TF_NewSession);
  MR_FUNCTION(TF_CloseSession);
  MR_FUNCTION(TF_DeleteSession);
  MR_FUNCTION(TF_SessionRun);
  MR_FUNCTION(TF_AllocateTensor);
  MR_FUNCTION(TF_DeleteTensor);
  MR_FUNCTION(TF_TensorData);
  MR_FUNCTION(TF_TensorByteSize);
  MR_FUNCTION(TF_TensorType);
#undef MR_FUNCTION
};

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> out(1);
  for (char c : text) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

class Bench {
 public:
  explicit Bench(const char* library) : api_(library), status_(api_.TF_NewStatus()) {}

  ~Bench() {
    if (session_ != nullptr) api_.TF_CloseSession(session_, status_);
    if (session_ != nullptr) api_.TF_DeleteSession(session_, status_);
    if (graph_ != nullptr) api_.TF_DeleteGraph(graph_);
    for (TF_Tensor* t : feeds_) api_.TF_DeleteTensor(t);
    api_.TF_DeleteStatus(status_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void Open(const std::string& path, char threads) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const size_t size = file ? static_cast<size_t>(file.tellg()) : 0;
    const auto bytes = std::make_unique_for_overwrite<char[]>(size);
    file.seekg(0).read(bytes.get(), static_cast<std::streamsize>(size));
    if (size == 0 || !file) Fail("cannot read " + path);
    const TF_Buffer content{bytes.get(), size, nullptr};
    graph_ = api_.TF_NewGraph();
    TF_ImportGraphDefOptions* const import = api_.TF_NewImportGraphDefOptions();
    api_.TF_GraphImportGraphDef(graph_, &content, import, status_);
    api_.TF_DeleteImportGraphDefOptions(import);
    Check("import");
    // ConfigProto: intra_op_parallelism_threads = 2, inter_op_parallelism_threads = 5.
    const char config[] = {0x10, threads, 0x28, threads};
    TF_SessionOptions* const options = api_.TF_NewSessionOptions();
    api_.TF_SetConfig(options, config, sizeof config, status_);
    session_ = api_.TF_NewSession(graph_, options, status_);
    api_.TF_DeleteSessionOptions(options);
    Check("session");
  }

  TF_Output At(const std::string& name) const {
    const size_t colon = name.rfind(':');
    TF_Operation* op = api_.TF_GraphOperationByName(graph_, name.substr(0, colon).c_str());
    if (op == nullptr) Fail("the graph has no " + name);
    return {op, colon == std::string::npos ? 0 : std::atoi(name.c_str() + colon + 1)};
  }
  TF_Operation* Target(const std::string& name) const { return At(name).oper; }

  // "x:0,float,8x3" or "ids:0,int32,8,mod1000".
  TF_Tensor* Feed(const std::string& spec) {
    const std::vector<std::string> parts = Split(spec, ',');
    if (parts.size() < 3) Fail("expected name,type,dims, found " + spec);
    std::vector<int64_t> dims;
    int64_t count = 1;
    if (!parts[2].empty()) {
      for (const std::string& d : Split(parts[2], 'x')) count *= dims.emplace_back(std::atoll(d.c_str()));
    }
    const bool integers = parts[1] == "int32";
    TF_Tensor* const t = api_.TF_AllocateTensor(integers ? TF_INT32 : TF_FLOAT, dims.data(),
                                                static_cast<int>(dims.size()), static_cast<size_t>(count) * 4);
    feeds_.push_back(t);
    const uint32_t below =
        parts.size() > 3 && parts[3].rfind("mod", 0) == 0 ? static_cast<uint32_t>(std::atoi(parts[3].c_str() + 3)) : 2;
    uint32_t seed = 1;
    for (int64_t i = 0; i < count; ++i) {
      seed = seed * 1664525u + 1013904223u;
      if (integers) {
        static_cast<int32_t*>(api_.TF_TensorData(t))[i] = static_cast<int32_t>((seed >> 8) % below);
      } else {
        static_cast<float*>(api_.TF_TensorData(t))[i] = static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f;
      }
    }
    return t;
  }

  std::vector<TF_Tensor*> Fetch(const std::vector<TF_Output>& at, const std::vector<TF_Tensor*>& feeds,
                                const std::vector<TF_Output>& fetches,
                                const std::vector<TF_Operation*>& targets) const {
    std::vector<TF_Tensor*> out(fetches.size(), nullptr);
    api_.TF_SessionRun(session_, nullptr, at.data(), feeds.data(), static_cast<int>(at.size()), fetches.data(),
                       out.data(), static_cast<int>(out.size()), targets.data(), static_cast<int>(targets.size()),
                       nullptr, status_);
    Check("run");
    return out;
  }

  void Run(const std::vector<TF_Output>& at, const std::vector<TF_Tensor*>& feeds,
           const std::vector<TF_Output>& fetches, const std::vector<TF_Operation*>& targets) const {
    for (TF_Tensor* t : Fetch(at, feeds, fetches, targets)) api_.TF_DeleteTensor(t);
  }

  // Of each that holds floats. The tensors go.
  std::vector<double> Sums(const std::vector<TF_Tensor*>& tensors) const {
    std::vector<double> sums;
    for (TF_Tensor* t : tensors) {
      if (api_.TF_TensorType(t) == TF_FLOAT) {
        double sum = 0;
        const float* data = static_cast<const float*>(api_.TF_TensorData(t));
        for (size_t i = 0; i < api_.TF_TensorByteSize(t) / 4; ++i) sum += static_cast<double>(data[i]);
        sums.push_back(sum);
      }
      api_.TF_DeleteTensor(t);
    }
    return sums;
  }

 private:
  void Check(const char* what) const {
    if (api_.TF_GetCode(status_) != TF_OK) Fail(std::string(what) + ": " + api_.TF_Message(status_));
  }

  Api api_;
  TF_Status* status_;
  TF_Graph* graph_ = nullptr;
  TF_Session* session_ = nullptr;
  std::vector<TF_Tensor*> feeds_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures a graph through TensorFlow's C interface, in whatever library has it.");
  std::string library, graph;
  std::vector<std::string> feed_specs, fetch_names, target_names, init_names;
  double seconds = 1;
  int threads = 1;
  app.add_option("library", library, "with TensorFlow's C interface")->required();
  app.add_option("graph", graph, "serialized GraphDef")->required();
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* what) {
    app.add_option(name, values, what)->allow_extra_args(false);
  };
  list("--feed", feed_specs, "name,type,dims: x:0,float,8x3 or ids:0,int32,8,mod1000");
  list("--fetch", fetch_names, "tensor to compute: y:0");
  list("--target", target_names, "node to run for its effects");
  list("--init", init_names, "node to run once before");
  app.add_option("--seconds", seconds, "how long to measure")->capture_default_str();
  app.add_option("--threads", threads, "a run may use")->check(CLI::Range(1, 100))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Bench bench(library.c_str());
  std::vector<TF_Tensor*> feeds;
  for (const std::string& spec : feed_specs) feeds.push_back(bench.Feed(spec));
  // The first result: what the library does from the file's name to the tensors. Feeds are made before, and what was
  // fetched is summed behind it.
  const Clock::time_point start = Clock::now();
  bench.Open(graph, static_cast<char>(threads));
  std::vector<TF_Output> at, fetches;
  std::vector<TF_Operation*> targets, init;
  for (const std::string& spec : feed_specs) at.push_back(bench.At(Split(spec, ',')[0]));
  for (const std::string& name : fetch_names) fetches.push_back(bench.At(name));
  for (const std::string& name : target_names) targets.push_back(bench.Target(name));
  for (const std::string& name : init_names) init.push_back(bench.Target(name));
  if (!init.empty()) bench.Run({}, {}, {}, init);
  const std::vector<TF_Tensor*> results = bench.Fetch(at, feeds, fetches, targets);
  const double first = Micros(start);
  const std::vector<double> sums = bench.Sums(results);

  // Short runs are timed several at a time.
  std::vector<double> times;
  int64_t together = 1;
  for (const Clock::time_point begin = Clock::now(); Micros(begin) < seconds * 1e6 || times.size() < 3;) {
    const Clock::time_point t = Clock::now();
    for (int64_t i = 0; i < together; ++i) bench.Run(at, feeds, fetches, targets);
    const double spent = Micros(t);
    times.push_back(spent / static_cast<double>(together));
    if (spent < 20) {
      together *= 2;
      times.clear();
    }
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"median_us\": %.3f, \"first_ms\": %.3f, \"peak_rss_mib\": %.1f, \"sums\": [", times[times.size() / 2],
              first / 1000, static_cast<double>(usage.ru_maxrss) / 1024);
  for (size_t i = 0; i < sums.size(); ++i) std::printf("%s%.9g", i == 0 ? "" : ", ", sums[i]);
  std::printf("]}\n");
}
