#include "millrace/tests/fuzz/random_graph.h"

#include <algorithm>

#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"

namespace millrace::fuzz {
namespace {

// Decisions, until there are none left: 0 then.
class Decisions {
 public:
  Decisions(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool any() const { return left_ > 0; }
  // Below `bound`, which is at most 65536.
  uint32_t Below(size_t bound) {
    uint32_t value = Byte();
    if (bound > 256) value = value << 8 | Byte();
    return bound == 0 ? 0 : value % static_cast<uint32_t>(bound);
  }
  bool Rarely() { return Byte() >= 250; }

 private:
  uint32_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  const uint8_t* data_;
  size_t left_;
};

constexpr DType kTypes[] = {DType::kFloat, DType::kInt32, DType::kInt64, DType::kBool,   DType::kDouble,
                            DType::kHalf,  DType::kInt8,  DType::kUint8, DType::kString, DType::kComplex64};

// Those that leave the process alone.
const std::vector<const Op*>& Ops() {
  static const auto* const ops = [] {
    auto* out = new std::vector<const Op*>;
    for (const Op* op : Registry::BuiltIn().ops()) {
      const bool outside = std::any_of(op->effects().begin(), op->effects().end(),
                                       [](const Effect& e) { return e.kind == Effect::Kind::kOutside; });
      if (!outside && !op->kernels().empty()) out->push_back(op);
    }
    return out;
  }();
  return *ops;
}

Shape SomeShape(Decisions& d) {
  Shape shape;
  for (uint32_t rank = d.Below(4); rank > 0; --rank) shape.Append(d.Rarely() ? int64_t{1} << 40 : d.Below(5));
  return shape;
}

class Builder {
 public:
  explicit Builder(Decisions& d) : d_(d), graph_(std::make_shared<Graph>()) {
    for (DType type : {DType::kFloat, DType::kInt32}) {
      NodeSpec feed{.name = Cat("feed", endpoints_.size()),
                    .op = "Placeholder",
                    .inputs = {},
                    .control_inputs = {},
                    .attrs = {{"dtype", type}, {"shape", Shape({-1, 3})}},
                    .device = ""};
      Add(std::move(feed));
    }
  }

  void AddSome() {
    if (d_.Below(3) == 0) AddConstant();
    else if (d_.Rarely()) AddGradient();
    else AddNode(*Ops()[d_.Below(Ops().size())]);
  }

  const std::shared_ptr<Graph>& graph() const { return graph_; }

 private:
  void Add(NodeSpec spec) {
    const Result<Node*> node = graph_->AddNode(std::move(spec));
    if (!node.ok()) return;
    for (int i = 0; i < (*node)->num_outputs(); ++i) endpoints_.push_back({*node, i});
  }

  void AddConstant() {
    const DType type = kTypes[d_.Below(std::size(kTypes))];
    TensorValue value;
    value.dtype = type;
    value.shape = SomeShape(d_);
    const auto number = static_cast<int32_t>(d_.Below(8)) - 2;
    if (type == DType::kFloat) value.float_val = {static_cast<float>(number) / 2};
    else if (type == DType::kInt64) value.int64_val = {number};
    else if (type == DType::kInt32 || type == DType::kInt8 || type == DType::kUint8) value.int_val = {number};
    Add({.name = Cat("n", endpoints_.size(), "c", graph_->nodes().size()),
         .op = "Const",
         .inputs = {},
         .control_inputs = {},
         .attrs = {{"dtype", type}, {"value", std::move(value)}},
         .device = ""});
  }

  AttrValue SomeValue(const AttrDef& attr) {
    const auto* allowed = attr.allowed_values.get<ListValue>();
    if (attr.type == "type") {
      if (allowed != nullptr && !allowed->type.empty() && !d_.Rarely()) {
        // The dtype of something that is there, if it may be.
        const DType wanted = BaseType(Pick().node->output_types()[0]);
        if (std::find(allowed->type.begin(), allowed->type.end(), wanted) != allowed->type.end()) return wanted;
        return allowed->type[d_.Below(allowed->type.size())];
      }
      return kTypes[d_.Below(std::size(kTypes))];
    }
    if (attr.has_default && !d_.Rarely() && d_.Below(4) != 0) return attr.default_value;
    if (attr.type == "int") return static_cast<int64_t>(d_.Below(6)) + (attr.has_minimum ? attr.minimum : 0);
    if (attr.type == "float") return static_cast<float>(d_.Below(5)) / 2;
    if (attr.type == "bool") return d_.Below(2) == 1;
    if (attr.type == "shape") return SomeShape(d_);
    if (attr.type == "string") {
      return allowed != nullptr && !allowed->s.empty() ? AttrValue(allowed->s[d_.Below(allowed->s.size())])
                                                       : AttrValue("text");
    }
    ListValue list;
    for (uint32_t n = d_.Below(5); n > 0; --n) {
      if (attr.type == "list(int)") list.i.push_back(d_.Below(4));
      else if (attr.type == "list(type)") list.type.push_back(kTypes[d_.Below(3)]);
      else if (attr.type == "list(float)") list.f.push_back(0.5f);
    }
    return list;
  }

  Endpoint Pick() { return endpoints_[d_.Below(endpoints_.size())]; }

  // One of `type`, where a few tries find it.
  Endpoint PickOf(DType type) {
    Endpoint e = Pick();
    for (size_t i = 0; i < endpoints_.size() && BaseType(e.node->output_types()[static_cast<size_t>(e.index)]) != type;
         ++i) {
      e = endpoints_[i];
    }
    return e;
  }

  void AddNode(const Op& op) {
    NodeSpec spec{.name = Cat("n", graph_->nodes().size(), "_", endpoints_.size()),
                  .op = op.name(),
                  .inputs = {},
                  .control_inputs = {},
                  .attrs = {},
                  .device = ""};
    for (const AttrDef& attr : op.signature().attrs) spec.attrs.emplace(attr.name, SomeValue(attr));
    std::vector<DType> inputs, outputs;
    if (!ArgumentTypes(op.signature(), spec.attrs, &inputs, &outputs).ok() || inputs.size() > 64) return;
    for (DType type : inputs) spec.inputs.push_back(d_.Rarely() ? Pick() : PickOf(BaseType(type)));
    if (d_.Rarely()) spec.control_inputs.push_back(Pick().node);
    Add(std::move(spec));
  }

  // The gradient of some number with respect to both feeds: all that the nodes
  // before it are made of.
  void AddGradient() {
    const Endpoint y = PickOf(DType::kFloat);
    const Scope root(graph_);
    const auto at = [&root](Endpoint e) { return Output(e, root.state()); };
    for (const Gradient& g : Gradients(root, {at(y)}, {at(endpoints_[0]), at(endpoints_[1])})) {
      if (!g.none() && !g.sparse()) endpoints_.push_back(g.dense().endpoint());
    }
  }

  Decisions& d_;
  std::shared_ptr<Graph> graph_;
  std::vector<Endpoint> endpoints_;
};

}  // namespace

std::shared_ptr<Graph> MakeGraph(const uint8_t* data, size_t size) {
  Decisions decisions(data, size);
  Builder builder(decisions);
  while (decisions.any() && builder.graph()->nodes().size() < 40) builder.AddSome();
  return builder.graph();
}

}  // namespace millrace::fuzz
