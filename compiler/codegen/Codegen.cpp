// The library's door: tapes to machine code.
#include "millrace/compiler/codegen/Codegen.h"

#include "millrace/compiler/codegen/Link.h"
#include "millrace/compiler/codegen/Lower.h"
#include "millrace/compiler/codegen/Machine.h"

#include "mlir/IR/MLIRContext.h"

#include <ctime>
#include <mutex>

namespace millrace::codegen {
namespace {

// Contexts are dear to make (dialects are loaded into each): a call takes one that
// is free and puts it back. They stay until the process ends; no thread is bound
// to one.
class Contexts {
public:
  std::unique_ptr<mlir::MLIRContext> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!free.empty()) {
        std::unique_ptr<mlir::MLIRContext> context = std::move(free.back());
        free.pop_back();
        return context;
      }
    }
    mlir::DialectRegistry registry;
    registerDialects(registry);
    auto context =
        std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    return context;
  }
  void give(std::unique_ptr<mlir::MLIRContext> context) {
    const std::lock_guard<std::mutex> lock(mutex);
    free.push_back(std::move(context));
  }
  static Contexts &all() {
    static Contexts *contexts = new Contexts; // never destroyed: calls may outlive main
    return *contexts;
  }

private:
  std::mutex mutex;
  std::vector<std::unique_ptr<mlir::MLIRContext>> free;
};

// Of the calling thread, in microseconds.
double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

Result<cluster::CompiledProgram> compile(std::span<const SegmentTape> segments, Isa isa,
                                         CompileTimes *times) {
  cluster::CompiledProgram program;
  for (const SegmentTape &segment : segments) {
    MR_RETURN_IF_ERROR(ValidateTape(segment.tape));
    program.segments.push_back({segment.segment, lanesOf(segment.tape, isa), 0, 0, segment.digest});
  }
  std::unique_ptr<mlir::MLIRContext> context = Contexts::all().take();
  llvm::SmallVector<char, 0> object;
  Status status;
  const double start = now();
  double lowered = start;
  {
    mlir::OwningOpRef<mlir::ModuleOp> module = lowerSegments(*context, segments, isa);
    status = lowerToLlvm(*module);
    lowered = now();
    if (status.ok())
      status = compileToObject(*module, isa, object);
  }
  Contexts::all().give(std::move(context));
  MR_RETURN_IF_ERROR(status);
  const double compiled = now();
  MR_RETURN_IF_ERROR(linkObject(llvm::StringRef(object.data(), object.size()), program));
  if (times)
    *times = {lowered - start, compiled - lowered, now() - compiled};
  return program;
}

} // namespace
} // namespace millrace::codegen

// Nothing of LLVM's in this library is destroyed when the process ends: a thread of the
// host's may still be in `compile` then. (Its static objects register here.)
extern "C" __attribute__((visibility("hidden"))) int __cxa_atexit(void (*)(void *), void *,
                                                                  void *) {
  return 0;
}

extern "C" __attribute__((visibility("default")))
const millrace::codegen::Library millrace_codegen = {millrace::codegen::kVersion,
                                                     &millrace::codegen::compile};
