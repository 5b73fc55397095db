#include "millrace/tests/fuzz/try_graph.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "millrace/devices/api/buffer.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/end_to_end/compare.h"

// As the tests have it: LLVM's libraries come without instrumentation.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1:detect_container_overflow=0:allow_user_poisoning=0";
}

namespace millrace::fuzz {
namespace {

constexpr int64_t kMostFed = 4096;

std::unique_ptr<Session> NewSession(const std::shared_ptr<Graph>& graph, std::vector<std::string> disabled_passes) {
  SessionOptions options;
  options.threads = 1;
  options.limits.memory_bytes = 64 << 20;
  options.code.codegen = Codegen::kOff;
  options.disabled_passes = std::move(disabled_passes);
  auto session = Session::New(graph, options);
  if (!session.ok()) std::abort();
  return std::move(*session);
}

bool IsHandle(DType type) { return BaseType(type) == DType::kResource || BaseType(type) == DType::kVariant; }

bool HasEffects(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const auto& n) { return n->op().has_effects(); });
}

// Prints, reads a file, calls the host.
bool ReachesOutside(const Graph& graph) {
  const auto outside = [](const Effect& e) { return e.kind == Effect::Kind::kOutside; };
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const auto& n) {
    return std::any_of(n->op().effects().begin(), n->op().effects().end(), outside);
  });
}

// Time and memory differ with the passes, what is wrong with a node does not.
bool OutOfBounds(const Status& s) {
  return s.code() == Code::kDeadlineExceeded || s.code() == Code::kResourceExhausted;
}

void Compare(const Result<std::vector<Tensor>>& plain, const Result<std::vector<Tensor>>& found,
             const std::vector<std::string>& fetches) {
  if (!plain.ok() || (!found.ok() && OutOfBounds(found.status()))) return;
  if (!found.ok()) {
    std::fprintf(stderr, "fails with passes alone: %s\n", found.status().ToString().c_str());
    std::abort();
  }
  for (size_t i = 0; i < plain->size(); ++i) {
    const std::string difference = end_to_end::BitDifference((*found)[i], (*plain)[i]);
    if (difference.empty()) continue;
    std::fprintf(stderr, "%s differs with passes: %s\n", fetches[i].c_str(), difference.c_str());
    std::abort();
  }
}

// A few numbers, over and over; zeros and empty strings for other types.
Result<Tensor> Feed(const Node& placeholder) {
  Shape shape;
  for (const Dim d : placeholder.output(0).shape.dims) shape.Append(d.known() ? d.value() : 2);
  if (shape.NumElements().value_or(kMostFed + 1) > kMostFed) return OutOfRange("too large for a try");
  MR_ASSIGN_OR_RETURN(Tensor out, Tensor::New(BaseType(placeholder.output_types()[0]), shape, HostAllocator()));
  constexpr float kFloats[] = {1, -2, 0, 0.5f, 3, -1};
  constexpr int32_t kInts[] = {0, 1, 2, 1, 0, 2};
  const auto n = static_cast<size_t>(out.num_elements());
  if (out.dtype() == DType::kFloat) {
    for (size_t i = 0; i < n; ++i) static_cast<float*>(out.data())[i] = kFloats[i % std::size(kFloats)];
  } else if (out.dtype() == DType::kInt32) {
    for (size_t i = 0; i < n; ++i) static_cast<int32_t*>(out.data())[i] = kInts[i % std::size(kInts)];
  } else if (!IsObject(out.dtype()) && n > 0) {
    std::memset(out.data(), 0, out.bytes());
  }
  return out;
}

}  // namespace

void TryGraph(const std::shared_ptr<Graph>& graph) {
  if (ReachesOutside(*graph)) return;
  std::vector<std::pair<std::string, Tensor>> feeds;
  for (const auto& node : graph->nodes()) {
    if (node->op().name() != "Placeholder") continue;
    Result<Tensor> feed = Feed(*node);
    if (!feed.ok()) return;
    feeds.emplace_back(node->name() + ":0", std::move(*feed));
  }
  const auto session = NewSession(graph, {"fold-batch-norm"}), plain = NewSession(graph, {"all"});
  const bool repeatable = !HasEffects(*graph);
  // The last node alone, and the last few together.
  for (size_t count : {size_t{1}, size_t{6}}) {
    std::vector<std::string> fetches;
    for (size_t i = graph->nodes().size(); i-- > 0 && fetches.size() < count;) {
      const Node& node = *graph->nodes()[i];
      if (node.num_outputs() == 0 || IsHandle(node.output_types()[0])) continue;
      fetches.push_back(node.name() + ":0");
    }
    const RunOptions limit = {.timeout_ms = 500};
    const auto found = session->Run(feeds, fetches, {}, limit);
    if (repeatable) Compare(plain->Run(feeds, fetches, {}, limit), found, fetches);
  }
}

}  // namespace millrace::fuzz
