#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Resources.h"
#include "millrace/compiler/passes/Steps.h"
#include "llvm/ADT/DenseSet.h"
#include <queue>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_ORDERSTEPS
#include "millrace_passes/Passes.h.inc"

namespace {

using Access = Resources::Access;
constexpr uint32_t kNoStep = 0xffffffffu;

struct Node {
  Operation *op = nullptr;
  bool transparent = false;
  bool afterWrite = false; // some write comes before
  bool writes = false;
  bool placed = false;
  bool merged = false; // into an equal read; to be erased
  int64_t order = 0;   // of the node in the graph, for writes
  uint32_t unmet = 0;
  uint32_t step = kNoStep;
  SmallVector<Access, 1> accesses;
  SmallVector<uint32_t, 1> readsValueOf; // resources whose snapshots it uses, each once
  SmallVector<uint32_t, 2> next;         // operations that wait for this one
  SmallVector<uint32_t, 2> waits;        // steps that stand behind its results
};

struct Resource {
  uint32_t usersLeft = 0;        // not yet placed, of snapshots
  std::vector<uint32_t> writers; // by order of the nodes
  size_t nextWriter = 0;
  uint32_t lastWrite = kNoStep;        // steps
  SmallVector<uint32_t, 4> sinceWrite; // steps that read it, or a snapshot, since then
};

// The order of one body.
class Orderer {
public:
  explicit Orderer(Block &block) : block(block) {}

  LogicalResult run() {
    collect();
    releaseEarlyReads();
    connect();
    place();
    if (sequence.size() + merged != nodes.size())
      return failure();
    Operation *end = block.getTerminator();
    for (uint32_t i : sequence)
      nodes[i].op->moveBefore(end);
    number();
    for (Node &node : nodes)
      if (node.merged)
        node.op->erase();
    return success();
  }

private:
  void collect() {
    Resources known;
    for (Operation &op : block.without_terminator()) {
      index[&op] = static_cast<uint32_t>(nodes.size());
      Node &node = nodes.emplace_back();
      node.op = &op;
      node.transparent = isTransparent(&op) && !isCrowd(&op);
      node.accesses = known.see(&op);
      node.writes = llvm::any_of(node.accesses, [](const Access &a) { return a.write; });
      if (auto order = op.getAttrOfType<IntegerAttr>("graph.order"))
        node.order = order.getInt();
      for (Value v : op.getOperands())
        if (Operation *source = v.getDefiningOp()) {
          const Node &from = nodes[index.lookup(source)];
          node.afterWrite |= from.writes || from.afterWrite;
        }
    }
    resources.resize(known.size());
  }

  // A NoOp that gathers many and that many wait for is a step of its own, so that
  // the edges stay as few as they are in the graph.
  static bool isCrowd(Operation *op) {
    return isNamed(op, "NoOp") && op->getNumOperands() > 16 && !op->getResults().empty() &&
           !op->getResult(0).hasOneUse() && opOf(op)->FindKernel("CPU", attrsOf(op));
  }

  // Whether a write of `resource` comes before node `i`. Looks at no more than
  // `budget` operations in all; then it says yes.
  bool writtenBefore(uint32_t i, uint32_t resource, size_t &budget) {
    SmallVector<uint32_t, 16> stack{i};
    llvm::DenseSet<uint32_t> seen;
    while (!stack.empty()) {
      if (budget-- == 0)
        return budget = 0, true;
      const uint32_t at = stack.pop_back_val();
      for (Value v : nodes[at].op->getOperands()) {
        Operation *source = v.getDefiningOp();
        if (!source)
          continue;
        const uint32_t s = index.lookup(source);
        for (const Access &a : nodes[s].accesses)
          if (a.write && a.resource == resource)
            return true;
        if ((nodes[s].afterWrite) && seen.insert(s).second)
          stack.push_back(s);
      }
    }
    return false;
  }

  // Reads that no write of their variable precedes see the value from before the
  // run: they wait for nothing, so one read serves all of them.
  void releaseEarlyReads() {
    size_t budget = 64 * nodes.size() + 4096;
    llvm::DenseMap<uint32_t, uint32_t> first;
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      Node &node = nodes[i];
      if (!isStructural(node.op, "read"))
        continue;
      const uint32_t resource = node.accesses[0].resource;
      if (node.afterWrite && writtenBefore(i, resource, budget))
        continue;
      node.op->setOperands(node.op->getOperands().take_front(1));
      node.afterWrite = false;
      auto [it, fresh] = first.try_emplace(resource, i);
      if (fresh)
        continue;
      Operation *serves = nodes[it->second].op;
      if (serves->getResult(0).getType() != node.op->getResult(0).getType())
        continue;
      node.op->getResult(0).replaceAllUsesWith(serves->getResult(0));
      node.merged = true;
      ++merged;
    }
    for (auto [resource, i] : first)
      early.push_back(i);
    llvm::sort(early);
  }

  void connect() {
    // Resources whose snapshot a value is, through what is transparent.
    std::vector<SmallVector<uint32_t, 1>> snapshots(nodes.size());
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      Node &node = nodes[i];
      if (node.merged)
        continue;
      llvm::SmallDenseSet<uint32_t, 8> sources;
      for (Value v : node.op->getOperands()) {
        Operation *source = v.getDefiningOp();
        if (!source)
          continue;
        const uint32_t s = index.lookup(source);
        if (sources.insert(s).second) {
          nodes[s].next.push_back(i);
          ++node.unmet;
        }
        for (uint32_t r : snapshots[s])
          if (!llvm::is_contained(node.readsValueOf, r))
            node.readsValueOf.push_back(r);
      }
      if (!node.writes && node.accesses.size() == 1) {
        snapshots[i].push_back(node.accesses[0].resource); // graph.read, ReadVariableOp
      } else if (isStructural(node.op, "alias")) {
        snapshots[i].assign(node.readsValueOf.begin(), node.readsValueOf.end());
        node.readsValueOf.clear();
      } else if (node.transparent) {
        node.readsValueOf.clear();
      }
      for (const Access &a : node.accesses)
        if (!a.write && !llvm::is_contained(node.readsValueOf, a.resource))
          node.readsValueOf.push_back(a.resource);
      for (uint32_t r : node.readsValueOf)
        ++resources[r].usersLeft;
      for (const Access &a : node.accesses)
        if (a.write)
          resources[a.resource].writers.push_back(i);
    }
    for (Resource &r : resources)
      llvm::sort(r.writers, [&](uint32_t a, uint32_t b) {
        return std::pair(nodes[a].order, a) < std::pair(nodes[b].order, b);
      });
    for (uint32_t i : early)
      for (uint32_t w : resources[nodes[i].accesses[0].resource].writers) {
        nodes[i].next.push_back(w);
        ++nodes[w].unmet;
      }
  }

  // A write may go when it is the first of its resource that is left, and who
  // reads the old value has gone.
  bool mayWrite(const Node &node) const {
    for (const Access &a : node.accesses) {
      if (!a.write)
        continue;
      const Resource &r = resources[a.resource];
      const uint32_t own = llvm::is_contained(node.readsValueOf, a.resource) ? 1 : 0;
      if (r.usersLeft > own)
        return false;
      if (r.nextWriter < r.writers.size() && nodes[r.writers[r.nextWriter]].op != node.op)
        return false;
    }
    return true;
  }

  void place() {
    using Heap = std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>>;
    Heap ready;
    using Late = std::pair<int64_t, uint32_t>;
    std::priority_queue<Late, std::vector<Late>, std::greater<>> blocked;
    const auto arrive = [&](uint32_t i) {
      if (!nodes[i].writes || mayWrite(nodes[i]))
        ready.push(i);
      else
        blocked.push({nodes[i].order, i});
    };
    const auto retry = [&](uint32_t resource) {
      // Only the first writer that is left can have become free.
      const Resource &r = resources[resource];
      if (r.nextWriter >= r.writers.size())
        return;
      const uint32_t w = r.writers[r.nextWriter];
      if (!nodes[w].placed && nodes[w].unmet == 0 && mayWrite(nodes[w]))
        ready.push(w);
    };
    for (uint32_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].unmet == 0 && !nodes[i].merged)
        arrive(i);
    while (!ready.empty() || !blocked.empty()) {
      uint32_t i;
      if (!ready.empty()) {
        i = ready.top();
        ready.pop();
      } else {
        i = blocked.top().second;
        blocked.pop();
      }
      Node &node = nodes[i];
      if (node.placed)
        continue;
      node.placed = true;
      sequence.push_back(i);
      for (uint32_t r : node.readsValueOf)
        if (--resources[r].usersLeft <= 1)
          retry(r);
      for (const Access &a : node.accesses) {
        if (!a.write)
          continue;
        Resource &r = resources[a.resource];
        while (r.nextWriter < r.writers.size() && nodes[r.writers[r.nextWriter]].placed)
          ++r.nextWriter;
        retry(a.resource);
      }
      for (uint32_t n : node.next)
        if (--nodes[n].unmet == 0)
          arrive(n);
    }
  }

  // Numbers of the steps, and what each waits for.
  void number() {
    CompileState &state = stateOf(block.getTerminator());
    uint32_t steps = 0;
    for (uint32_t i : sequence) {
      Node &node = nodes[i];
      SmallVector<uint32_t, 8> after;
      for (Value v : node.op->getOperands())
        if (Operation *source = v.getDefiningOp()) {
          const Node &from = nodes[index.lookup(source)];
          after.append(from.waits.begin(), from.waits.end());
        }
      if (node.transparent) {
        unique(after);
        node.waits.assign(after.begin(), after.end());
        continue;
      }
      node.step = steps++;
      for (const Access &a : node.accesses) {
        Resource &r = resources[a.resource];
        if (r.lastWrite != kNoStep)
          after.push_back(r.lastWrite);
        if (!a.write)
          continue;
        after.append(r.sinceWrite.begin(), r.sinceWrite.end());
        r.sinceWrite.clear();
        r.lastWrite = node.step;
      }
      for (uint32_t r : node.readsValueOf)
        if (resources[r].lastWrite != node.step)
          resources[r].sinceWrite.push_back(node.step);
      after.erase(std::remove(after.begin(), after.end(), node.step), after.end());
      unique(after);
      node.waits.assign(1, node.step);
      StepNote &note = state.steps[node.op];
      note.step = node.step;
      note.device = deviceOf(node.op);
      note.after.assign(after.begin(), after.end());
    }
  }

  static void unique(SmallVectorImpl<uint32_t> &v) {
    llvm::sort(v);
    v.erase(std::unique(v.begin(), v.end()), v.end());
  }

  Block &block;
  std::vector<Node> nodes;         // in the order of the block
  std::vector<Resource> resources; // by the numbers of Resources
  llvm::DenseMap<Operation *, uint32_t> index;
  SmallVector<uint32_t, 8> early;
  std::vector<uint32_t> sequence;
  size_t merged = 0;
};

struct OrderSteps : impl::OrderStepsBase<OrderSteps> {
  void runOnOperation() override {
    stateOf(getOperation()).steps.clear();
    for (Operation &func : getOperation().getBody()->getOperations()) {
      if (func.getNumRegions() != 1 || func.getRegion(0).empty())
        continue;
      if (failed(Orderer(func.getRegion(0).front()).run())) {
        (void)fail(&func, Internal("steps could not be ordered"));
        return signalPassFailure();
      }
    }
  }
};

} // namespace
} // namespace millrace::compiler
