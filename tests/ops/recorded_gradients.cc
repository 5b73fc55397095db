#include "millrace/tests/ops/recorded_gradients.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/io/record.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/case.h"
#include "millrace/tests/end_to_end/compare.h"
#include "millrace/tests/ops/graph_replay.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using end_to_end::Case;
using end_to_end::NamedTensor;

Shape Hide(const Shape& shape, Hidden hidden) {
  if (hidden == Hidden::kNothing || !shape.has_rank()) return shape;
  return hidden == Hidden::kExtents ? Shape(std::vector<int64_t>(shape.dims().size(), -1)) : Shape::UnknownRank();
}

// Constants become placeholders that are fed with them. The reference wants the
// rank of a block shape, and so do we.
Status HideFrom(Case& c, Hidden hidden) {
  for (NodeDef& node : c.graph.nodes) {
    const bool ranked = node.name == "block_shape";
    if (node.op == "Const" && hidden == Hidden::kRanksAndOperands) {
      const auto& content = *node.attrs.find("value")->second.get<std::shared_ptr<const TensorValue>>();
      MR_ASSIGN_OR_RETURN(Tensor value, Tensor::FromValue(*content, HostAllocator()));
      NamedTensor feed;
      feed.name = node.name + ":0";
      node.op = "Placeholder";
      node.attrs = {{"dtype", value.dtype()}, {"shape", ranked ? Shape({-1}) : Shape::UnknownRank()}};
      feed.value = std::move(value);
      c.feeds.push_back(std::move(feed));
    } else if (node.op == "Placeholder") {
      AttrValue& shape = node.attrs["shape"];
      shape = Hide(shape.get<ShapeValue>()->shape, ranked ? std::min(hidden, Hidden::kExtents) : hidden);
    }
  }
  return OkStatus();
}

Status CheckGradients(Case c, Hidden hidden) {
  MR_RETURN_IF_ERROR(HideFrom(c, hidden));
  auto graph = std::make_shared<Graph>();
  MR_RETURN_IF_ERROR(graph->Import(c.graph));
  const Scope scope(graph);
  const auto find = [&](const std::vector<std::string>& names, std::vector<Output>* found) -> Status {
    for (const std::string& name : names) {
      MR_ASSIGN_OR_RETURN(Endpoint endpoint, graph->FindEndpoint(name));
      found->emplace_back(endpoint, scope.state());
    }
    return OkStatus();
  };
  std::vector<Output> ys, xs;
  MR_RETURN_IF_ERROR(find(c.grad_ys_of, &ys));
  MR_RETURN_IF_ERROR(find(c.grad_xs, &xs));
  std::map<std::string, Tensor> feeds;
  for (const NamedTensor& feed : c.feeds) feeds[feed.name] = feed.value;
  GradientOptions options;
  for (const NamedTensor& seed : c.grad_seed) {
    options.grad_ys.push_back(
        ops::Placeholder(scope.WithOpName("seed"), seed.value.dtype(), {.shape = Hide(seed.value.shape(), hidden)}));
    feeds[options.grad_ys.back().name()] = seed.value;
  }
  std::vector<std::string> fetches;
  for (const Gradient& gradient : Gradients(scope, ys, xs, options)) {
    fetches.push_back(gradient.none() ? "" : gradient.ToDense(scope).name());
  }
  MR_RETURN_IF_ERROR(scope.status());
  const GraphDef def = graph->ToGraphDef();
  GraphReplay replay(def, 1);
  std::vector<Tensor> found;
  for (const std::string& target : c.targets) MR_RETURN_IF_ERROR(replay.Run(feeds, {}, {target}, &found));
  for (size_t i = 0; i < fetches.size(); ++i) {
    const NamedTensor& expected = c.grad_expected[i];
    if (fetches[i].empty() != expected.none) return Internal(Cat(c.grad_xs[i], ": there should be ", expected.none));
    if (expected.none) continue;
    found.clear();
    MR_RETURN_IF_ERROR(replay.Run(feeds, {fetches[i]}, {}, &found));
    const std::string d = end_to_end::Difference(found[0], expected.value, expected.rtol, expected.atol);
    if (!d.empty()) return Internal(Cat(c.grad_xs[i], ": ", d));
  }
  return OkStatus();
}

}  // namespace

void CheckRecordedGradients(std::initializer_list<const char*> ops, Hidden hidden) {
  for (const char* op : ops) {
    auto reader = RecordReader::Open(Cat(SharedDir(), "/oracle/ops/", op, ".rec"));
    MR_REQUIRE_OK(reader);
    int cases = 0;
    while (!reader->done()) {
      const Result<std::string_view> record = reader->Next();
      MR_REQUIRE_OK(record);
      Result<Case> c = end_to_end::ParseCase(*record);
      MR_REQUIRE_OK(c);
      if (c->grad_xs.empty()) continue;
      ++cases;
      INFO(c->name);
      const Status status = CheckGradients(*std::move(c), hidden);
      CHECK(status.ToString() == OkStatus().ToString());
    }
    INFO(op);
    CHECK(cases > 0);
  }
}

}  // namespace millrace
