// AttachCode: which clusters of a plan are compiled, and for what.
#include "millrace/compiler/api/code.h"
#include "millrace/compiler/codegen/Cache.h"
#include "millrace/compiler/codegen/Library.h"
#include "millrace/compiler/codegen/Tapes.h"
#include "millrace/ops/registry/plan_sizes.h"
#include "millrace/proto/value/strings.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <pthread.h>
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

CodeCost EstimateCode(int64_t elements, int64_t instructions, int64_t weight) {
  // Of an instruction that the runtime runs by itself: its call, and its operands
  // and result through cache (measured, one core: 10 ns and 0.05 ns an element).
  // Compiling: 3 ms a cluster and 15 us an operation.
  const double saved =
      static_cast<double>(instructions) * (0.010 + 0.00005 * static_cast<double>(elements));
  return {saved, 3000 + 15.0 * static_cast<double>(weight)};
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
  std::string blob; // empty where it failed
  bool cached = false;
  CompileTimes times = {};
};

// Runs `work` in this thread and at most `more` others, fewer where the system has
// none to give. They leave the host's signals alone.
template <class Work> void runInThreads(size_t more, Work &work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::vector<pthread_t> threads;
  while (threads.size() < more) {
    pthread_t thread;
    const auto entry = [](void *argument) -> void * {
      (*static_cast<Work *>(argument))();
      return nullptr;
    };
    if (pthread_create(&thread, nullptr, +entry,
                       const_cast<void *>(static_cast<const void *>(&work))) != 0)
      break;
    threads.push_back(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  work();
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
}

void run(std::vector<Job> &jobs, const CodeOptions &options, const Cache &cache,
         CodeReport &report) {
  std::atomic<size_t> next{0};
  std::atomic<bool> missing{false};
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < jobs.size();) {
      Job &job = jobs[i];
      const std::string entry = Cat(*job.key, "-", IsaName(job.isa));
      if (std::optional<std::string> blob = cache.get(entry)) {
        job.blob = std::move(*blob);
        job.cached = true;
        continue;
      }
      const Library *library = openLibrary();
      if (!library) {
        missing = true;
        continue;
      }
      const Result<cluster::CompiledProgram> program =
          library->compile(job.piece->segments, job.isa, &job.times);
      if (!program.ok())
        continue;
      job.blob = cluster::EncodeCode(*program);
      cache.put(entry, job.blob);
    }
  };
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t most =
      options.threads > 0 ? static_cast<size_t>(options.threads) : std::min(cores, 4u);
  runInThreads(std::min(most, jobs.size()) - 1, work);
  report.no_library = missing;
  if (std::any_of(jobs.begin(), jobs.end(),
                  [](const Job &job) { return !job.cached && !job.blob.empty(); }))
    cache.trim();
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
      int64_t elements = 1, weight = 0;
      for (const std::vector<uint32_t> *values : {&step.inputs, &step.outputs})
        for (uint32_t value : *values)
          if (value < block.values.size())
            elements = std::max(elements, elementsOf(block.values[value], sizes));
      for (const SegmentTape &segment : segments)
        weight += TapeWeight(segment.tape, 0, segment.tape.code.size());
      const CodeCost cost =
          EstimateCode(elements, static_cast<int64_t>(program->instructions.size()), weight);
      Piece &piece = pieces[contentKey(segments)];
      piece.wanted = piece.wanted || options.codegen == Codegen::kOn ||
                     cost.saved_per_run * options.expected_runs > cost.compile;
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
      jobs.push_back({&key, &piece, isa, {}, false, {}});
  }
  if (jobs.empty())
    return OkStatus();
  run(jobs, options, Cache(options.cache_dir, options.cache_bytes), report);
  for (size_t i = 0; i < jobs.size(); ++i) {
    Job &job = jobs[i];
    const bool first = i == 0 || jobs[i - 1].key != job.key;
    if (job.blob.empty()) {
      if (first)
        report.refused += static_cast<int>(job.piece->steps.size());
      continue;
    }
    ++(job.cached ? report.from_cache : report.compiled);
    report.mlir_us += job.times.mlir;
    report.llvm_us += job.times.llvm + job.times.link;
    for (plan::Step *step : job.piece->steps)
      step->attrs["code"] = *job.key;
    if (first)
      report.attached += static_cast<int>(job.piece->steps.size());
    plan->code.push_back({*job.key, std::string(IsaName(job.isa)), Bytes(std::move(job.blob))});
  }
  return OkStatus();
}

} // namespace millrace
