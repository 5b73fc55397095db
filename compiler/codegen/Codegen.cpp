// The library's door: tapes to machine code.
#include "millrace/compiler/codegen/Codegen.h"

#include "millrace/compiler/codegen/Link.h"
#include "millrace/compiler/codegen/Lower.h"
#include "millrace/compiler/codegen/Machine.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Target/TargetMachine.h"

#include <ctime>
#include <mutex>

namespace millrace::codegen {
namespace {

// Of the calling thread, in microseconds.
double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

// What a compilation works with, and what is dear to make: dialects are loaded into
// the context, a code generator prepares itself for its CPU.
struct Workshop {
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<llvm::TargetMachine> machines[2]; // by Isa; made when wanted
};

// A call takes a workshop that is free and puts it back. They stay until the process
// ends; no thread is bound to one.
class Workshops {
public:
  std::unique_ptr<Workshop> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!free.empty()) {
        std::unique_ptr<Workshop> workshop = std::move(free.back());
        free.pop_back();
        return workshop;
      }
    }
    mlir::DialectRegistry registry;
    registerDialects(registry);
    auto workshop = std::make_unique<Workshop>();
    workshop->context =
        std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
    workshop->context->loadAllAvailableDialects();
    return workshop;
  }
  void give(std::unique_ptr<Workshop> workshop) {
    const std::lock_guard<std::mutex> lock(mutex);
    free.push_back(std::move(workshop));
  }
  static Workshops &all() {
    static Workshops *workshops = new Workshops; // never destroyed: calls may outlive main
    return *workshops;
  }

private:
  std::mutex mutex;
  std::vector<std::unique_ptr<Workshop>> free;
};

// To an object, in the workshop; when each part was done goes to `lowered`.
Status compileIn(Workshop &workshop, std::span<const SegmentTape> segments, Isa isa,
                 llvm::SmallVectorImpl<char> &object, double &lowered) {
  mlir::OwningOpRef<mlir::ModuleOp> module = lowerSegments(*workshop.context, segments, isa);
  MR_RETURN_IF_ERROR(lowerToLlvm(*module));
  lowered = now();
  std::unique_ptr<llvm::TargetMachine> &machine = workshop.machines[static_cast<int>(isa)];
  if (!machine)
    machine = newMachine(isa);
  if (!machine)
    return Unimplemented("codegen: LLVM has no code generator for x86-64");
  return compileToObject(*module, isa, *machine, object);
}

Result<cluster::CompiledProgram> compile(std::span<const SegmentTape> segments, Isa isa,
                                         CompileTimes *times) {
  cluster::CompiledProgram program;
  for (const SegmentTape &segment : segments) {
    MR_RETURN_IF_ERROR(ValidateTape(segment.tape));
    program.segments.push_back({segment.segment, lanesOf(segment.tape, isa), 0, 0, segment.digest});
  }
  std::unique_ptr<Workshop> workshop = Workshops::all().take();
  llvm::SmallVector<char, 0> object;
  const double start = now();
  double lowered = start;
  const Status status = compileIn(*workshop, segments, isa, object, lowered);
  Workshops::all().give(std::move(workshop));
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
