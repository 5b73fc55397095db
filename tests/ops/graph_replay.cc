#include "millrace/tests/ops/graph_replay.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <filesystem>
#include <set>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/io/record.h"
#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/case.h"
#include "millrace/tests/end_to_end/compare.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// What flows along an edge: a tensor, or the resource behind a reference or handle.
struct Flow {
  Tensor tensor;
  std::shared_ptr<Resource> resource;
};

class Context final : public KernelContext {
 public:
  Context(ThreadPool& pool, const std::vector<Flow>& inputs, const std::vector<DType>& output_types)
      : pool_(pool),
        inputs_flow_(inputs),
        types_(output_types),
        flows_(output_types.size()),
        output_views_(output_types.size()),
        wanted_all_(new bool[output_types.size() + 1]) {
    for (const Flow& f : inputs) input_views_.push_back(f.tensor.view());
    std::fill_n(wanted_all_.get(), output_types.size(), true);
    num_inputs_ = static_cast<int>(inputs.size());
    num_outputs_ = static_cast<int>(output_types.size());
    inputs_ = input_views_.data();
    outputs_ = output_views_.data();
    wanted_ = wanted_all_.get();
  }
  Status AllocateOutput(int i, std::span<const int64_t> dims) override {
    MR_ASSIGN_OR_RETURN(Tensor t, Tensor::New(types_[static_cast<size_t>(i)], Shape(dims), HostAllocator()));
    // Dirty, so that an element that nobody writes is found out.
    if (!IsObject(t.dtype())) std::memset(t.data(), 0xa5, t.bytes());
    return SetOutput(i, std::move(t));
  }
  Status SetOutput(int i, Tensor tensor) override {
    flows_[static_cast<size_t>(i)].tensor = std::move(tensor);
    output_views_[static_cast<size_t>(i)] = flows_[static_cast<size_t>(i)].tensor.view();
    return OkStatus();
  }
  Result<Resource*> resource(int i) override {
    Resource* r = inputs_flow_[static_cast<size_t>(i)].resource.get();
    if (r == nullptr) return FailedPrecondition(Cat("input ", i, ": there is no resource behind it"));
    return r;
  }
  Status SetOutputResource(int i, std::shared_ptr<Resource> resource) override {
    flows_[static_cast<size_t>(i)].resource = std::move(resource);
    return OkStatus();
  }
  Result<void*> Scratch(size_t bytes) override {
    MR_ASSIGN_OR_RETURN(scratch_, HostAllocator().Allocate(bytes));
    std::memset(scratch_.data(), 0xff, bytes);
    return scratch_.data();
  }
  Allocator& allocator() override { return HostAllocator(); }
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) override {
    pool_.ParallelFor(total, block, body);
  }
  int workers() const override { return pool_.threads(); }
  bool cancelled() const override { return false; }
  std::vector<Flow> TakeOutputs() { return std::move(flows_); }

 private:
  ThreadPool& pool_;
  const std::vector<Flow>& inputs_flow_;
  std::vector<DType> types_;
  std::vector<Flow> flows_;
  std::vector<TensorView> input_views_, output_views_;
  std::unique_ptr<bool[]> wanted_all_;
  Buffer scratch_;
};

// "name", 2 of "name:2"; "name", 0 of "name"; "name", -1 of "^name".
std::pair<std::string, int> Split(const std::string& input) {
  if (input[0] == '^') return {input.substr(1), -1};
  const size_t colon = input.rfind(':');
  if (colon == std::string::npos) return {input, 0};
  return {input.substr(0, colon), std::stoi(input.substr(colon + 1))};
}

}  // namespace

Result<std::shared_ptr<Resource>> TestResources::LookupOrCreate(
    std::string_view kind, std::string_view container, std::string_view name,
    const std::function<std::shared_ptr<Resource>()>& create) {
  std::shared_ptr<Resource>& slot = resources_[Cat(kind, "/", container, "/", name)];
  if (slot == nullptr) slot = create();
  return slot;
}

struct GraphReplay::NodeState {
  const NodeDef* def = nullptr;
  const Op* op = nullptr;
  AttrMap attrs;
  std::vector<DType> input_types, output_types;
  std::unique_ptr<Kernel> kernel;
  bool writes = false;
  std::vector<Flow> outputs;
};

GraphReplay::GraphReplay(const GraphDef& graph, int threads) : pool_(threads) {
  for (const NodeDef& def : graph.nodes) {
    numbers_[def.name] = static_cast<int>(nodes_.size());
    nodes_.push_back(std::make_unique<NodeState>());
    nodes_.back()->def = &def;
  }
}
GraphReplay::~GraphReplay() = default;

Status GraphReplay::Run(const std::map<std::string, Tensor>& feeds, const std::vector<std::string>& fetches,
                        const std::vector<std::string>& targets, std::vector<Tensor>* results) {
  const FlushDenormals flush;
  // Backwards from what is wanted.
  std::set<int> needed;
  std::vector<int> open;
  const auto want = [&](const std::string& name) -> Status {
    const auto it = numbers_.find(Split(name).first);
    if (it == numbers_.end()) return NotFound(Cat("no node for ", name));
    if (needed.insert(it->second).second) open.push_back(it->second);
    return OkStatus();
  };
  const auto is_fed = [&](int n) { return feeds.count(nodes_[static_cast<size_t>(n)]->def->name + ":0") != 0; };
  for (const std::string& f : fetches) MR_RETURN_IF_ERROR(want(f));
  for (const std::string& t : targets) MR_RETURN_IF_ERROR(want(t));
  while (!open.empty()) {
    const int n = open.back();
    open.pop_back();
    if (is_fed(n)) continue;
    for (const std::string& input : nodes_[static_cast<size_t>(n)]->def->inputs) MR_RETURN_IF_ERROR(want(input));
  }
  std::set<int> done;
  const auto run_node = [&](NodeState& node) -> Status {
    const NodeDef& def = *node.def;
    if (const auto fed = feeds.find(def.name + ":0"); fed != feeds.end()) {
      node.outputs = {Flow{fed->second, nullptr}};
      return OkStatus();
    }
    std::vector<Flow> inputs;
    std::deque<TensorView> views;
    std::deque<SymShape> handle_shapes;
    std::deque<SymTensor> elements;
    std::vector<InferenceContext::Input> infos;
    for (const std::string& input : def.inputs) {
      const auto [name, index] = Split(input);
      if (index < 0) continue;
      const NodeState& from = *nodes_[static_cast<size_t>(numbers_.find(name)->second)];
      if (static_cast<size_t>(index) >= from.outputs.size()) return InvalidArgument(Cat("no output ", input));
      const size_t i = inputs.size();
      if (i >= node.input_types.size()) return InvalidArgument("too many inputs");
      Flow flow = from.outputs[static_cast<size_t>(index)];
      InferenceContext::Input info;
      info.dtype = node.input_types[i];
      if (VariableResource* variable = static_cast<VariableResource*>(flow.resource.get()); variable != nullptr) {
        const bool handle = node.input_types[i] == DType::kResource;
        if (!handle && !IsRef(node.input_types[i])) {
          MR_ASSIGN_OR_RETURN(flow.tensor, variable->Snapshot());  // a reference where a value is wanted
        } else {
          const Result<Tensor> value = variable->Snapshot();
          handle_shapes.push_back(SymShape(value.ok() ? value->shape() : variable->declared_shape()));
          info.handle_dtype = variable->dtype();
          info.handle_shape = &handle_shapes.back();
          info.shape = handle ? SymShape::Scalar() : SymShape(variable->declared_shape());
        }
      }
      if (flow.tensor.valid()) {
        if (flow.tensor.dtype() != BaseType(node.input_types[i])) return InvalidArgument("an input has another dtype");
        views.push_back(flow.tensor.view());
        info.shape = SymShape(flow.tensor.shape());
        info.constant = &views.back();
      }
      inputs.push_back(std::move(flow));
      infos.push_back(info);
    }
    if (inputs.size() != node.input_types.size()) return InvalidArgument("too few inputs");
    DimTable table;
    InferenceContext inference(node.attrs, infos, static_cast<int>(node.output_types.size()), table);
    MR_RETURN_IF_ERROR(node.op->shape_fn()(inference));
    if (node.kernel == nullptr) {
      const KernelDef* kernel = node.op->FindKernel("CPU", node.attrs);
      if (kernel == nullptr) return Unimplemented(Cat("no kernel of ", def.op, " for these types"));
      const KernelInit init(def.name, node.attrs, node.input_types, node.output_types,
                            std::vector<const TensorView*>(inputs.size(), nullptr), &resources_);
      MR_ASSIGN_OR_RETURN(node.kernel, kernel->factory(init));
    }
    Context context(pool_, inputs, node.output_types);
    for (int i = 0; i < inference.num_outputs(); ++i) {
      const DType type = node.output_types[static_cast<size_t>(i)];
      if (IsRef(type) || type == DType::kResource) {
        if (!inputs.empty()) MR_RETURN_IF_ERROR(context.SetOutputResource(i, inputs[0].resource));
        continue;
      }
      const SymShape& shape = inference.outputs()[static_cast<size_t>(i)].shape;
      if (shape.FullyKnown()) MR_RETURN_IF_ERROR(context.AllocateOutput(i, shape.ToShape().dims()));
    }
    MR_RETURN_IF_ERROR(node.kernel->Run(context));
    node.outputs = context.TakeOutputs();
    // What inference said must be what came out.
    for (int i = 0; i < inference.num_outputs(); ++i) {
      const Tensor& t = node.outputs[static_cast<size_t>(i)].tensor;
      const Shape inferred = inference.outputs()[static_cast<size_t>(i)].shape.ToShape();
      if (t.valid() && !inferred.IsCompatibleWith(t.shape())) {
        return Internal(Cat("output ", i, " was inferred as ", inferred.ToString(), ", found ", t.shape().ToString()));
      }
    }
    return OkStatus();
  };
  while (done.size() < needed.size()) {
    int next = -1;
    bool next_writes = true;
    for (const int n : needed) {
      if (done.count(n)) continue;
      NodeState& node = *nodes_[static_cast<size_t>(n)];
      if (node.op == nullptr && !is_fed(n)) {
        node.op = Registry::BuiltIn().Find(node.def->op);
        if (node.op == nullptr) return Unimplemented(Cat("no op ", node.def->op));
        node.attrs = node.def->attrs;
        MR_RETURN_IF_ERROR(CompleteAttrs(*node.op, &node.attrs));
        MR_RETURN_IF_ERROR(ArgumentTypes(node.op->signature(), node.attrs, &node.input_types, &node.output_types));
        for (const Effect& e : node.op->effects()) node.writes |= e.kind == Effect::Kind::kWrite;
      }
      const bool ready = is_fed(n) || std::ranges::all_of(node.def->inputs, [&](const std::string& input) {
                           return done.count(numbers_.find(Split(input).first)->second) != 0;
                         });
      if (ready && (next < 0 || (next_writes && !node.writes))) {
        next = n;
        next_writes = node.writes;
      }
    }
    if (next < 0) return InvalidArgument("the graph has a cycle");
    NodeState& node = *nodes_[static_cast<size_t>(next)];
    MR_RETURN_IF_ERROR(run_node(node).At(node.def->name, node.def->op));
    done.insert(next);
  }
  for (const std::string& fetch : fetches) {
    const auto [name, index] = Split(fetch);
    const NodeState& node = *nodes_[static_cast<size_t>(numbers_.find(name)->second)];
    if (static_cast<size_t>(index) >= node.outputs.size()) return InvalidArgument(Cat("no output ", fetch));
    const Flow& flow = node.outputs[static_cast<size_t>(index)];
    if (!flow.tensor.valid() && flow.resource != nullptr) {
      MR_ASSIGN_OR_RETURN(Tensor value, static_cast<VariableResource*>(flow.resource.get())->Snapshot());
      results->push_back(std::move(value));
    } else {
      results->push_back(flow.tensor);
    }
  }
  return OkStatus();
}

namespace {

using end_to_end::Case;
using end_to_end::NamedTensor;

std::string Compare(const std::vector<Tensor>& found, const Case& c, const std::vector<NamedTensor>& expected) {
  for (const NamedTensor& e : expected) {
    const auto it = std::ranges::find(c.fetches, e.name);
    if (it == c.fetches.end()) return Cat(e.name, " is not fetched");
    const std::string d =
        end_to_end::Difference(found[static_cast<size_t>(it - c.fetches.begin())], e.value, e.rtol, e.atol);
    if (!d.empty()) return Cat(e.name, ": ", d);
  }
  return "";
}

std::string Problem(const Case& c, int threads) {
  GraphReplay replay(c.graph, threads);
  std::map<std::string, Tensor> feeds;
  for (const NamedTensor& f : c.feeds) feeds[f.name] = f.value;
  Status status;
  std::vector<Tensor> found;
  for (const std::string& target : c.targets) {
    if (status.ok()) status = replay.Run(feeds, {}, {target}, &found);
  }
  if (status.ok()) status = replay.Run(feeds, c.fetches, {}, &found);
  if (c.expect_error != 0) {
    if (status.ok()) return Cat("expected error ", c.expect_error, ", found none");
    const bool same = static_cast<int>(status.code()) == c.expect_error || c.expect_error_phase == "build";
    return same ? "" : Cat("expected error ", c.expect_error, ", found ", status.ToString());
  }
  if (!status.ok()) return status.ToString();
  if (std::string d = Compare(found, c, c.expected); !d.empty()) return d;
  if (!c.expected_second_run.empty()) {
    std::vector<Tensor> second;
    status = replay.Run(feeds, c.fetches, {}, &second);
    if (!status.ok()) return "second run: " + status.ToString();
    if (std::string d = Compare(second, c, c.expected_second_run); !d.empty()) return "second run: " + d;
  }
  return "";
}

}  // namespace

OracleCounts ReplayOracle(const std::string& op, int threads) {
  OracleCounts counts;
  Result<RecordReader> reader = RecordReader::Open(Cat(SharedDir(), "/oracle/ops/", op, ".rec"));
  if (!reader.ok()) {
    counts.failed = 1;
    counts.problems = reader.status().ToString();
    return counts;
  }
  while (!reader->done()) {
    const Result<std::string_view> record = reader->Next();
    const Result<Case> c = record.ok() ? end_to_end::ParseCase(*record) : Result<Case>(record.status());
    if (!c.ok()) {
      ++counts.failed;
      counts.problems += c.status().ToString() + "\n";
      continue;
    }
    const std::string problem = Problem(*c, threads);
    if (problem.empty()) {
      ++counts.passed;
    } else if (problem.find("UNIMPLEMENTED: ") != std::string::npos && problem.find("no op ") != std::string::npos) {
      ++counts.skipped;
    } else {
      ++counts.failed;
      counts.problems += Cat(c->name, ": ", problem, "\n");
    }
  }
  return counts;
}

}  // namespace millrace
