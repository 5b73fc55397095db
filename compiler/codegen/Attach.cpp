// AttachCode: which clusters of a plan are compiled, and for what.
#include "millrace/compiler/api/code.h"
#include "millrace/compiler/codegen/Make.h"
#include "millrace/compiler/codegen/Tapes.h"
#include "millrace/compiler/codegen/Threads.h"
#include "millrace/ops/cluster/gain.h"
#include "millrace/ops/registry/plan_sizes.h"
#include "millrace/proto/value/strings.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

namespace millrace {

CodeOptions FromEnvironment(CodeOptions options) {
  if (const char *mode = getenv("MILLRACE_CODEGEN")) {
    const std::string_view name = mode;
    if (name == "off")
      options.codegen = Codegen::kOff;
    else if (name == "on")
      options.codegen = Codegen::kOn;
    else if (name == "auto")
      options.codegen = Codegen::kAuto;
  }
  if (const char *folder = getenv("MILLRACE_CODE_CACHE"))
    options.cache_dir = folder;
  return options;
}

namespace {

using namespace codegen;

// Extents that only a run knows count as this many, products as at most kLargest.
constexpr int64_t kAssumedExtent = 32;
constexpr int64_t kLargest = int64_t{1} << 40;

// The plan's expressions with every symbol assumed.
Result<PlanSizes> assumedSizes(const plan::Plan &plan) {
  std::map<std::string, int64_t> dims;
  for (const plan::Symbol &symbol : plan.symbols)
    dims[symbol.name] = kAssumedExtent;
  PlanSizes sizes;
  MR_RETURN_IF_ERROR(sizes.Read(plan, dims));
  return sizes;
}

int64_t elementsOf(const plan::Value &value, const PlanSizes &sizes) {
  int64_t n = 1;
  for (uint32_t d : value.dims) {
    const int64_t known = sizes.Expr(d).number();
    const int64_t extent = known >= 0 ? known : kAssumedExtent;
    n = extent != 0 && n > kLargest / extent ? kLargest : n * extent;
  }
  return n;
}

// A piece of code that some clusters share.
struct Piece {
  std::vector<SegmentTape> segments;
  std::vector<plan::Step *> steps;
  bool wanted = false;
};

// One compilation.
struct Job {
  const std::string *key;
  const Piece *piece;
  Isa isa;
  Made made = {};
};

// Makes the code of all jobs, in this thread and others.
void run(std::vector<Job> &jobs, const CodeOptions &options, const Cache &cache) {
  std::atomic<size_t> next{0};
  const std::function<void()> work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < jobs.size();)
      jobs[i].made = makeCode(*jobs[i].key, jobs[i].piece->segments, jobs[i].isa, cache);
  };
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t most =
      options.threads > 0 ? static_cast<size_t>(options.threads) : std::min(cores, 4u);
  std::vector<pthread_t> threads;
  for (pthread_t thread; threads.size() + 1 < std::min(most, jobs.size());) {
    if (!startThread(&thread, &work))
      break;
    threads.push_back(thread);
  }
  work();
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
}

} // namespace

Status AttachCode(plan::Plan *plan, const Registry &registry, const CodeOptions &options,
                  CodeReport *given) {
  CodeReport ignored;
  CodeReport &report = given ? *given : ignored;
  report = CodeReport();
  std::vector<Isa> targets;
  for (const std::string &name : options.targets) {
    if (name != IsaName(Isa::kAvx2) && name != IsaName(Isa::kAvx512))
      return InvalidArgument(Cat("no code is made for '", name, "'; there are avx2 and avx512"));
    targets.push_back(name == IsaName(Isa::kAvx2) ? Isa::kAvx2 : Isa::kAvx512);
  }
  if (targets.empty())
    targets.push_back(ActiveIsa());
  if (options.codegen == Codegen::kOff)
    return OkStatus();

  std::map<std::string, Piece> pieces;
  MR_ASSIGN_OR_RETURN(const PlanSizes sizes, assumedSizes(*plan));
  for (plan::Block &block : plan->blocks) {
    for (plan::Step &step : block.steps) {
      if (step.op != cluster::kClusterOp)
        continue;
      ++report.clusters;
      const Result<cluster::Program> program = cluster::FromAttrs(step.attrs);
      MR_RETURN_IF_ERROR(program.ok() ? OkStatus() : program.status().At(step.node, step.op));
      std::vector<SegmentTape> segments = recordProgram(*program, registry);
      if (segments.empty()) {
        ++report.refused;
        continue;
      }
      int64_t elements = 1;
      for (const std::vector<uint32_t> *values : {&step.inputs, &step.outputs})
        for (uint32_t value : *values)
          if (value < block.values.size())
            elements = std::max(elements, elementsOf(block.values[value], sizes));
      const cluster::CodeGain gain = cluster::GainOfCode(*program, registry);
      Piece &piece = pieces[contentKey(segments)];
      piece.wanted = piece.wanted || options.codegen == Codegen::kOn ||
                     gain.Of(elements) * options.expected_runs > gain.make;
      piece.segments = std::move(segments);
      piece.steps.push_back(&step);
    }
  }

  std::vector<Job> jobs;
  for (const auto &[key, piece] : pieces) {
    if (!piece.wanted) {
      report.declined += static_cast<int>(piece.steps.size());
      continue;
    }
    for (Isa isa : targets)
      jobs.push_back({&key, &piece, isa});
  }
  if (jobs.empty())
    return OkStatus();
  const Cache cache(options.cache_dir, options.cache_bytes);
  run(jobs, options, cache);
  for (size_t i = 0; i < jobs.size(); ++i) {
    Job &job = jobs[i];
    const bool first = i == 0 || jobs[i - 1].key != job.key;
    Made &made = job.made;
    report.no_library = report.no_library || made.noLibrary;
    if (made.blob.empty()) {
      if (first)
        report.refused += static_cast<int>(job.piece->steps.size());
      continue;
    }
    ++(made.cached ? report.from_cache : report.compiled);
    report.mlir_us += made.times.mlir;
    report.llvm_us += made.times.llvm + made.times.link;
    for (plan::Step *step : job.piece->steps)
      step->attrs["code"] = *job.key;
    if (first)
      report.attached += static_cast<int>(job.piece->steps.size());
    plan->code.push_back({*job.key, std::string(IsaName(job.isa)), Bytes(std::move(made.blob))});
  }
  if (report.compiled > 0)
    cache.trim();
  return OkStatus();
}

} // namespace millrace
