// ulp: errors of elementary functions in units of the last place. See kUsage.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "millrace/tools/ulp/measure.h"

namespace millrace::ulp {
namespace {

constexpr const char* kUsage =
    "ulp NAME [OPTION...]    the errors of one function\n"
    "ulp --all [OPTION...]   a table of all, in Markdown\n"
    "  --type=float|double   float\n"
    "  --exhaustive          every float (functions of one argument)\n"
    "  --stride=N            every N-th float: 1009\n"
    "  --samples=N           of double, and of two arguments: 2^20\n"
    "  --threads=N           1\n"
    "  --results=FILE        also measures results from elsewhere: floats, one for each of the bit patterns\n"
    "                        0, N, 2N ... of --stride=N; with --all a folder of NAME.f32\n"
    "Errors are against the C library in the next wider type; the library's own are of one sample in 61.\n"
    "--exhaustive asks our kernel for double first, and the C library where that finds more than well within\n"
    "the bound, and for one float in 61.\n"
    "Denormal arguments and results count as zero, as in a run.\n"
    "Example: ulp exp --exhaustive\n";

struct Options {
  std::string name, results;
  bool all = false, twice = false, exhaustive = false;
  uint64_t stride = 1009;
  int64_t samples = int64_t{1} << 20;
  int threads = 1;
};
constexpr uint64_t kFloats = uint64_t{1} << 32;
// Of one argument in so many the C library is asked as well.
constexpr int kCLibraryEvery = 61;

void Add(Report& all, const Report& part) {
  all.ours.Add(part.ours);
  all.c_library.Add(part.c_library);
  all.given.Add(part.given);
}

// Runs part(i) for each of `threads` threads and adds up.
template <class Part>
Report InThreads(int threads, Part part) {
  std::vector<Report> parts(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&, i] { parts[static_cast<size_t>(i)] = part(i); });
  for (std::thread& t : running) t.join();
  Report all;
  for (const Report& r : parts) Add(all, r);
  return all;
}

Report Floats(const Function& f, const Options& o) {
  if (f.arity == 1) {
    return InThreads(o.threads, [&](int i) {
      // Runs of neighbours, so that threads have values of all magnitudes.
      Report report;
      const uint64_t step = o.exhaustive ? 1 << 20 : o.stride << 20, count = static_cast<uint64_t>(o.threads);
      for (uint64_t at = step * static_cast<uint64_t>(i); at < kFloats; at += step * count) {
        const uint64_t end = std::min(kFloats, at + step);
        Add(report, o.exhaustive ? MeasureEveryFloat(f, at, end, kCLibraryEvery)
                                 : MeasureFloats(f, at, end, o.stride, kCLibraryEvery));
      }
      return report;
    });
  }
  return InThreads(o.threads, [&](int i) {
    return MeasureSamples<float>(f, o.samples / o.threads, static_cast<uint64_t>(i) + 1, kCLibraryEvery);
  });
}
Report Doubles(const Function& f, const Options& o) {
  return InThreads(o.threads, [&](int i) {
    return MeasureSamples<double>(f, o.samples / o.threads, static_cast<uint64_t>(i) + 1, kCLibraryEvery);
  });
}

// Errors of the results in a file; nothing where there is no file.
Errors Given(const Function& f, const std::string& path, uint64_t stride) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr || f.arity != 1) return {};
  const GivenResults read = [&](std::span<float> results) {
    return std::fread(results.data(), sizeof(float), results.size(), file.get()) == results.size();
  };
  return MeasureFloats(f, 0, kFloats, stride, 0, read).given;
}

std::string Cell(const Errors& e) {
  if (e.count == 0) return " | ";
  char text[64];
  const char* format = e.max < 1e4 ? "%.2f | %.3f" : e.max < 1e9 ? "%.0e | %.0e" : "no value | ";
  std::snprintf(text, sizeof text, format, e.max, e.mean());
  return text;
}

int PrintTable(const Options& o) {
  std::printf(
      "| function | float max | mean | C's max | mean | reference's max | mean | double max | mean | C's max | mean "
      "|\n");
  std::printf("|---|---|---|---|---|---|---|---|---|---|---|\n");
  bool within = true;
  for (const Function& f : Functions()) {
    const Report single = Floats(f, o), twice = Doubles(f, o);
    const std::string file = o.results + "/" + std::string(f.name.substr(0, f.name.find(' '))) + ".f32";
    const Errors given = o.results.empty() ? Errors() : Given(f, file, o.stride);
    std::printf("| %s | %s | %s | %s | %s | %s |\n", std::string(f.name).c_str(), Cell(single.ours).c_str(),
                Cell(single.c_library).c_str(), Cell(given).c_str(), Cell(twice.ours).c_str(),
                Cell(twice.c_library).c_str());
    std::fflush(stdout);
    within = within && single.ours.max <= f.float_bound && twice.ours.max <= f.double_bound;
  }
  return within ? 0 : 1;
}

void PrintErrors(const char* whose, const Errors& e, int arity) {
  if (e.count == 0) return;
  std::printf("%-10s max %.3f, mean %.4f of %lld values; worst at %a", whose, e.max, e.mean(),
              static_cast<long long>(e.count), e.worst[0]);
  if (arity == 2) std::printf(", %a", e.worst[1]);
  std::printf("\n");
}

int PrintOne(const Options& o) {
  const Function* f = FindFunction(o.name);
  if (f == nullptr) {
    std::fprintf(stderr, "ulp: no function %s; there are:", o.name.c_str());
    for (const Function& known : Functions()) std::fprintf(stderr, " %s", std::string(known.name).c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  Report report = o.twice ? Doubles(*f, o) : Floats(*f, o);
  if (!o.results.empty()) report.given = Given(*f, o.results, o.stride);
  PrintErrors("ours", report.ours, f->arity);
  PrintErrors("C library", report.c_library, f->arity);
  PrintErrors("given", report.given, f->arity);
  return report.ours.max <= (o.twice ? f->double_bound : f->float_bound) ? 0 : 1;
}

bool Parse(int argc, char** argv, Options* o) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto value = [&](const char* name, int64_t low, auto* out) {
      const std::string prefix = std::string(name) + "=";
      if (!arg.starts_with(prefix)) return false;
      char* end = nullptr;
      const long long number = std::strtoll(arg.c_str() + prefix.size(), &end, 10);
      if (*end != '\0' || number < low || number > (1ll << 40)) return false;
      *out = static_cast<std::remove_pointer_t<decltype(out)>>(number);
      return true;
    };
    if (arg == "--all") o->all = true;
    else if (arg == "--exhaustive") o->exhaustive = true;
    else if (arg == "--type=float") o->twice = false;
    else if (arg == "--type=double") o->twice = true;
    else if (arg.starts_with("--results=")) o->results = arg.substr(10);
    else if (value("--stride", 1, &o->stride) || value("--samples", 1, &o->samples) ||
             (value("--threads", 1, &o->threads) && o->threads <= 256)) {
    } else if (arg.starts_with("-") || !o->name.empty()) {
      return false;
    } else {
      o->name = arg;
    }
  }
  return o->all == o->name.empty();
}

}  // namespace
}  // namespace millrace::ulp

int main(int argc, char** argv) {
  millrace::ulp::Options options;
  if (!millrace::ulp::Parse(argc, argv, &options)) {
    std::fputs(millrace::ulp::kUsage, stderr);
    return 2;
  }
  return options.all ? millrace::ulp::PrintTable(options) : millrace::ulp::PrintOne(options);
}
