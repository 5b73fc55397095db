#include "millrace/runtime/session/parts.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "millrace/ops/graph/placeholder.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

bool StandsForState(DType dtype) { return IsRef(dtype) || dtype == DType::kResource; }

bool Creates(const Op& op) {
  return std::ranges::any_of(op.effects(), [](const Effect& e) { return e.kind == Effect::Kind::kCreate; });
}

// Output 0 refers to what input 0 refers to.
bool HandsOnReference(const Node& node) {
  return !node.output_types().empty() && IsRef(node.output_types()[0]) && !node.input_types().empty() &&
         IsRef(node.input_types()[0]);
}

constexpr std::string_view kNoControlFlow = "loops and conditionals cannot be run in parts";

// Nothing where nodes of that op may be in a part.
std::string_view WhyNot(const Op& op) {
  std::string_view name = op.name();
  if (name == "Gradients") return "gradients that are left to the compiler cannot be run in parts";
  if (name.starts_with("Ref")) name.remove_prefix(3);
  for (const std::string_view control : {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}) {
    if (name == control) return kNoControlFlow;
  }
  return "";
}

}  // namespace

// Walks from some nodes and fetches to what they read, up to feeds and to what ran.
class Parts::Reader {
 public:
  Reader(const Parts& parts, const std::vector<bool>& ready)
      : parts_(parts), ready_(ready), seen_(parts.items_.size(), false) {}

  void Add(size_t item) {
    if (!seen_[item]) work_.push_back(item);
    seen_[item] = true;
  }
  void Add(Source source) {
    while (source.feed < 0 && source.reference && Ran(source)) {
      reading_.ran.insert(source.item);
      source = parts_.items_[source.item].inputs[0];
    }
    const bool waits = source.output < 0;
    if (source.feed >= 0) {
      (waits ? reading_.feeds_waited_for : reading_.feeds).insert(source.feed);
    } else if (!Ran(source)) {
      Add(source.item);
    } else if (waits) {
      reading_.ran.insert(source.item);
    } else {
      reading_.values.emplace(source.item, source.output);
    }
  }
  Reading Read() {
    while (!work_.empty()) {
      const Item& item = parts_.items_[work_.back()];
      work_.pop_back();
      for (const Source& source : item.inputs) Add(source);
      for (const Source& source : item.waits_for) Add(source);
    }
    return std::move(reading_);
  }

 private:
  bool Ran(const Source& source) const { return parts_.Ran(source.item, ready_); }

  const Parts& parts_;
  const std::vector<bool>& ready_;
  std::vector<bool> seen_;
  std::vector<size_t> work_;
  Reading reading_;
};

class Parts::Maker {
 public:
  Maker(const Graph& graph, const SignatureSpec& declared, Parts& parts)
      : graph_(graph), declared_(declared), parts_(parts) {}

  Status Make() {
    parts_.feed_names_ = declared_.feeds;
    parts_.fetch_names_ = declared_.fetches;
    for (const std::string& name : declared_.feeds) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, graph_.FindEndpoint(name));
      feeds_.emplace(std::pair(e.node, e.index), static_cast<int64_t>(parts_.feed_nodes_.size()));
      parts_.feed_nodes_.push_back(e.node);
    }
    for (const std::string& name : declared_.fetches) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, graph_.FindEndpoint(name));
      if (!feeds_.contains({e.node, e.index})) MR_RETURN_IF_ERROR(Reach(e.node));
      MR_ASSIGN_OR_RETURN(Source source, SourceOf(e));
      parts_.fetches_.push_back(source);
    }
    for (const std::string& name : declared_.targets) {
      const Node* node = graph_.Find(name);
      if (node == nullptr) return NotFound(Cat("target: the graph has no node '", name, "'"));
      if (IsPlaceholder(*node) && feeds_.contains({node, 0})) continue;
      MR_RETURN_IF_ERROR(Reach(node));
      parts_.items_[made_.at(node)].target = true;
    }
    return OkStatus();
  }

 private:
  // Adds the node and all that it needs, what is read first.
  Status Reach(const Node* from) {
    struct Step {
      const Node* node;
      size_t next;
    };
    std::vector<Step> stack;
    const auto open = [&](const Node* node) -> Status {
      if (made_.contains(node)) return OkStatus();
      const std::string_view why = open_.contains(node) ? kNoControlFlow : WhyNot(node->op());
      if (!why.empty()) return Unimplemented(std::string(why)).At(node->name(), node->op().name());
      open_.insert(node);
      stack.push_back({node, 0});
      return OkStatus();
    };
    MR_RETURN_IF_ERROR(open(from));
    while (!stack.empty()) {
      Step& step = stack.back();
      const Node* node = step.node;
      const size_t data = node->inputs().size(), all = data + node->control_inputs().size();
      if (step.next == all) {
        stack.pop_back();
        MR_RETURN_IF_ERROR(Add(node));
        continue;
      }
      const size_t i = step.next++;
      if (i < data) {
        const Endpoint& e = node->inputs()[i];
        if (!feeds_.contains({e.node, e.index})) MR_RETURN_IF_ERROR(open(e.node));
      } else {
        const Node* waited = node->control_inputs()[i - data];
        if (FeedWaitedFor(waited) < 0) MR_RETURN_IF_ERROR(open(waited));
      }
    }
    return OkStatus();
  }

  // Who waits for a placeholder that is fed waits for the feed.
  int64_t FeedWaitedFor(const Node* node) const {
    const auto it = IsPlaceholder(*node) ? feeds_.find({node, 0}) : feeds_.end();
    return it == feeds_.end() ? -1 : it->second;
  }

  Status Add(const Node* node) {
    Item item;
    item.node = node;
    for (const Endpoint& e : node->inputs()) {
      MR_ASSIGN_OR_RETURN(Source source, SourceOf(e));
      item.inputs.push_back(source);
    }
    for (const Node* waited : node->control_inputs()) {
      Source source;
      source.feed = FeedWaitedFor(waited);
      if (source.feed < 0) source.item = made_.at(waited);
      item.waits_for.push_back(source);
    }
    item.repeated = Repeated(item);
    made_.emplace(node, parts_.items_.size());
    parts_.items_.push_back(std::move(item));
    return OkStatus();
  }

  bool Repeated(const Item& item) const {
    const Op& op = item.node->op();
    if (Creates(op)) return true;
    if (op.has_effects()) return false;
    if (std::ranges::any_of(item.node->output_types(), StandsForState)) return true;
    const auto constant = [&](const Source& source) { return source.feed < 0 && parts_.items_[source.item].repeated; };
    return std::ranges::none_of(item.inputs, [](const Source& source) { return source.reference; }) &&
           std::ranges::all_of(item.inputs, constant) && std::ranges::all_of(item.waits_for, constant);
  }

  Result<Source> SourceOf(const Endpoint& e) const {
    Source source;
    source.output = e.index;
    if (const auto it = feeds_.find({e.node, e.index}); it != feeds_.end()) {
      source.feed = it->second;
      return source;
    }
    source.item = made_.at(e.node);
    const Node& node = *e.node;
    source.reference = StandsForState(node.output_types()[static_cast<size_t>(e.index)]);
    if (source.reference && !parts_.items_[source.item].repeated && !(e.index == 0 && HandsOnReference(node))) {
      return Unimplemented(Cat("output ", e.index, " is a resource that this node makes: it cannot be run in parts"))
          .At(node.name(), node.op().name());
    }
    return source;
  }

  const Graph& graph_;
  const SignatureSpec& declared_;
  Parts& parts_;
  std::map<std::pair<const Node*, int>, int64_t> feeds_;
  std::unordered_map<const Node*, size_t> made_;
  std::unordered_set<const Node*> open_;  // on the way to be made, and made
};

Result<Parts> Parts::Make(const Graph& graph, const SignatureSpec& declared) {
  Parts parts;
  MR_RETURN_IF_ERROR(Maker(graph, declared, parts).Make());
  return parts;
}

PartState Parts::Start() const {
  PartState state;
  state.given.resize(feed_names_.size());
  state.asked.resize(fetch_names_.size());
  state.ready.resize(items_.size());
  return state;
}

bool Parts::IsThere(const Source& source, const std::vector<bool>& given, const std::vector<bool>& ready) const {
  return source.feed >= 0 ? given[static_cast<size_t>(source.feed)] : ready[source.item];
}

std::string Parts::NameOf(size_t item, int output) const { return Cat(items_[item].node->name(), ":", output); }

Status Parts::CheckFetch(size_t fetch, const std::vector<bool>& given, const std::vector<bool>& ready) const {
  const Source& source = fetches_[fetch];
  if (IsThere(source, given, ready)) return OkStatus();
  std::vector<std::string> missing;
  Reader reader(*this, ready);
  reader.Add(source);
  const Reading reading = reader.Read();
  for (size_t f = 0; f < feed_names_.size(); ++f) {
    const auto number = static_cast<int64_t>(f);
    if (given[f] || (!reading.feeds.contains(number) && !reading.feeds_waited_for.contains(number))) continue;
    missing.push_back(Cat("'", feed_names_[f], "'"));
  }
  return InvalidArgument(
      Cat("fetch '", fetch_names_[fetch], "': expected feeds that are not given yet: ", Join(missing, ", ")));
}

Result<Part> Parts::Next(const PartState& state, std::span<const size_t> feeds, std::span<const size_t> fetches) const {
  Part part;
  part.after = state;
  for (const size_t f : feeds) part.after.given[f] = true;
  for (const size_t f : fetches) part.after.asked[f] = true;
  const std::vector<bool>& given = part.after.given;
  std::vector<bool>& ready = part.after.ready;

  std::vector<bool> waited_for(items_.size(), false);  // by what runs later
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    const auto there = [&](const Source& source) { return IsThere(source, given, ready); };
    ready[i] = ready[i] || (std::ranges::all_of(item.inputs, there) && std::ranges::all_of(item.waits_for, there));
    if (ready[i]) continue;
    for (const Source& source : item.waits_for) {
      if (source.feed < 0) waited_for[source.item] = true;
    }
  }
  for (const size_t f : fetches) MR_RETURN_IF_ERROR(CheckFetch(f, given, ready));

  Reader later(*this, ready);
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!ready[i]) later.Add(i);
  }
  for (size_t f = 0; f < fetches_.size(); ++f) {
    if (!part.after.asked[f]) later.Add(fetches_[f]);
  }
  const Reading kept = later.Read();

  Reader now(*this, state.ready);
  std::set<std::string> results;
  const auto fetch = [&](const Source& source) {
    if (source.feed >= 0 || (Ran(source.item, state.ready) && !source.reference)) return;  // is there
    now.Add(source);
    results.insert(NameOf(source.item, source.output));
  };
  for (const size_t f : fetches) fetch(fetches_[f]);
  for (const auto& [item, output] : kept.values) {
    Source source;
    source.item = item;
    source.output = output;
    fetch(source);
    part.kept.push_back(NameOf(item, output));
  }
  for (const int64_t f : kept.feeds) {
    if (given[static_cast<size_t>(f)]) part.kept.push_back(feed_names_[static_cast<size_t>(f)]);
  }
  std::ranges::sort(part.kept);

  part.spec.fetches.assign(results.begin(), results.end());
  for (size_t i = 0; i < items_.size(); ++i) {
    if (state.ready[i] || !ready[i]) continue;
    const Item& item = items_[i];
    if (!item.target && (item.repeated || (!item.node->op().has_effects() && !waited_for[i]))) continue;
    now.Add(i);
    part.spec.targets.push_back(item.node->name());
  }
  const Reading read = now.Read();
  for (const int64_t f : read.feeds) part.spec.feeds.push_back(feed_names_[static_cast<size_t>(f)]);
  for (const auto& [item, output] : read.values) part.spec.feeds.push_back(NameOf(item, output));
  for (const size_t item : read.ran) part.spec.ran.push_back(items_[item].node->name());
  for (const int64_t f : read.feeds_waited_for) part.spec.ran.push_back(feed_nodes_[static_cast<size_t>(f)]->name());
  std::ranges::sort(part.spec.ran);
  return part;
}

}  // namespace millrace
