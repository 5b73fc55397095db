// Every operation has a stage: an operation that uses what a cluster makes, and is
// not of that cluster, is of a later stage than the cluster. So a path that leaves
// a cluster ends in a later stage and never comes back, and whatever is of one
// stage is independent unless it is one cluster. One walk gives each operation the
// earliest stage and joins it to the clusters of its operands that are of that
// stage, where their spaces agree. A second one, from the end, moves a cluster to
// the stage of the first that uses it, where the two can be one. Then clusters of
// one stage that read the same, and those of single numbers, are put together.
#include "millrace/compiler/passes/ClusterGroups.h"
#include "millrace/compiler/dialect/Devices.h"
#include "llvm/ADT/DenseMap.h"
#include <climits>
#include <map>
#include <optional>

using namespace mlir;

namespace millrace::compiler {
namespace {

constexpr uint32_t kNone = 0xffffffffu;
constexpr uint32_t kEnd = 0xfffffffeu; // the stage of what the body returns
// Members of one group; a program may have some more instructions (AddN).
constexpr size_t kMaxMembers = 2048;
// Of groups that only share an input: they gain little, and hold more memory.
constexpr size_t kMaxSiblings = 64;
// Elements of a row that is kept while all of it is reduced.
constexpr int64_t kLongestRow = 1 << 14;

// A row that may be kept in cache: its extent is no more than that, or one symbol's.
bool rowMayBeKept(const ClusterSpace &space) {
  int64_t elements = 1;
  for (int i = 0; i < space.rowRank; ++i) {
    const Dim d = space.shape.dims[static_cast<size_t>(space.shape.rank() - 1 - i)];
    if (d.known())
      elements *= std::min<int64_t>(d.value(), kLongestRow + 1);
    else if (space.rowRank > 1)
      return false;
    if (elements > kLongestRow)
      return false;
  }
  return true;
}

// The space that holds the members of both; nothing where there is none.
std::optional<ClusterSpace> unite(const ClusterSpace &a, const ClusterSpace &b) {
  if (a.one || b.one) {
    ClusterSpace both = a.one ? b : a;
    both.plain = a.plain && b.plain;
    return both;
  }
  if (a.shape == b.shape) {
    if (a.rowRank != 0 && b.rowRank != 0 && a.rowRank != b.rowRank)
      return std::nullopt;
    ClusterSpace both = a;
    both.rowRank = std::max(a.rowRank, b.rowRank);
    both.plain = a.plain && b.plain;
    return both;
  }
  const auto within = [](const ClusterSpace &rows, const ClusterSpace &all) {
    return rows.plain && rows.rowRank == 0 && isRow(rows.shape, all.shape, all.rowRank);
  };
  if (within(b, a))
    return a;
  if (within(a, b))
    return b;
  return std::nullopt;
}

// Whether `user`, in a cluster of `space`, may have a value of shape `v` of the
// same cluster for an operand.
bool operandFits(const SymShape &v, Operation *user, const Role &role, const ClusterSpace &space) {
  if (role.kind == Role::Kind::kReduce || role.kind == Role::Kind::kColumns ||
      role.kind == Role::Kind::kRowFunction)
    return v == space.shape;
  const SymShape result = shapeOf(user->getResult(0).getType());
  if (role.kind == Role::Kind::kAlias) {
    // A single number might be no row's.
    Operation *source = user->getOperand(0).getDefiningOp();
    return isRow(v, space.shape, space.rowRank) && isRow(result, space.shape, space.rowRank) &&
           (!isOne(v) || roleOf(source).kind == Role::Kind::kReduce);
  }
  // The value may be that of the only row, then so must the result be.
  if (isOne(v) && isOne(result))
    return space.one || space.rowRank == 0 || isRow(result, space.shape, space.rowRank);
  if (!space.one && result == space.shape) {
    if (v == space.shape)
      return true;
    // Rows again over all of them.
    if (space.rowRank > 0 && (isKeptRow(v, space.shape, space.rowRank) ||
                              (isOne(v) && space.rowRank == space.shape.rank())))
      return rowMayBeKept(space);
    return isOne(v);
  }
  return isOne(v) || v == result;
}

class Grouper {
public:
  Grouper(Block &block, llvm::function_ref<void(Operation *, const char *)> why)
      : block(block), why(why) {}

  std::vector<ClusterGroup> run() {
    for (Operation &op : block.without_terminator())
      visit(&op);
    sink();
    joinSiblings();
    joinNumbers();
    return collect();
  }

private:
  struct Node {
    Operation *op;
    Role role;
    uint32_t stage = 0; // of a member: its group's counts
    uint32_t group = kNone;
    bool afterWrite = false; // some write comes before
  };
  struct Group {
    ClusterSpace space;
    uint32_t parent;
    uint32_t stage;
    std::vector<uint32_t> members; // nodes; of roots
    bool afterWrite = false;
    bool readsVariable = false; // a snapshot from before
  };

  uint32_t find(uint32_t g) {
    while (groups[g].parent != g)
      g = groups[g].parent = groups[groups[g].parent].parent;
    return g;
  }
  uint32_t groupOf(const Node &n) { return n.group == kNone ? kNone : find(n.group); }
  uint32_t stageOf(const Node &n) {
    return n.group == kNone ? n.stage : groups[find(n.group)].stage;
  }
  const Node *nodeOf(Value v) const {
    Operation *source = v.getDefiningOp();
    return source ? &nodes[index.lookup(source)] : nullptr;
  }

  static ClusterSpace homeOf(Operation *op, const Role &role) {
    ClusterSpace home;
    const SymShape result = shapeOf(op->getResult(0).getType());
    const bool reduces = role.kind == Role::Kind::kReduce || role.kind == Role::Kind::kColumns;
    home.shape = reduces ? shapeOf(op->getOperand(0).getType()) : result;
    home.rowRank = role.rowRank;
    home.one = role.rowRank == 0 && isOne(result);
    home.plain = role.rowRank == 0 && llvm::all_of(dataOperands(op), [&](Value v) {
                   const SymShape s = shapeOf(v.getType());
                   return s == result || isOne(s);
                 });
    return home;
  }

  void visit(Operation *op) {
    const uint32_t i = static_cast<uint32_t>(nodes.size());
    index[op] = i;
    nodes.push_back({op, roleOf(op)});
    Node &node = nodes.back();
    const Op *def = opOf(op);
    const bool writes = def && llvm::any_of(def->effects(), [](const Effect &e) {
                          return e.kind == Effect::Kind::kWrite;
                        });
    uint32_t latest = 0, outside = 0; // stages: of operands; for one who is of none of their groups
    bool reads = false;
    for (Value v : op->getOperands()) {
      const Node *from = nodeOf(v);
      if (!from)
        continue;
      const uint32_t stage = stageOf(*from);
      latest = std::max(latest, stage);
      outside = std::max(outside, stage + (from->group != kNone ? 1 : 0));
      node.afterWrite |= from->afterWrite;
      reads |= onlyReads(from->op);
    }
    node.stage = outside;
    const bool afterWrite = node.afterWrite;
    node.afterWrite |= writes;
    if (!node.role.member()) {
      if (why && node.role.why && *node.role.why)
        why(op, node.role.why);
      return;
    }
    // Joined to the groups of the latest stage, if that can be.
    ClusterSpace home = homeOf(op, node.role);
    if (node.role.kind == Role::Kind::kAlias)
      home.one = true; // it has no space of its own
    SmallVector<uint32_t, 4> joined;
    bool fits = outside > latest;
    size_t size = 1;
    for (Value v : op->getOperands()) {
      const Node *from = nodeOf(v);
      if (!fits || !from || from->group == kNone || stageOf(*from) != latest)
        continue;
      const uint32_t g = groupOf(*from);
      if (llvm::is_contained(joined, g))
        continue;
      size += groups[g].members.size();
      // A number that many use would draw them all into one.
      const bool number = groups[g].space.one && !home.one;
      const auto both = unite(home, groups[g].space);
      fits = both && !number && size <= kMaxMembers && !mixesWrites(groups[g], afterWrite, reads);
      if (fits)
        home = *both;
      joined.push_back(g);
    }
    if (fits)
      fits = llvm::all_of(op->getOperands(), [&](Value v) {
        const Node *from = nodeOf(v);
        return !from || from->group == kNone || stageOf(*from) != latest ||
               (from->role.kind != Role::Kind::kColumns &&
                operandFits(shapeOf(v.getType()), op, node.role, home));
      });
    if (node.role.kind == Role::Kind::kAlias && (!fits || joined.empty())) {
      node.role = Role();
      return;
    }
    const uint32_t own = static_cast<uint32_t>(groups.size());
    if (!fits)
      home = homeOf(op, node.role);
    groups.push_back({home, own, fits ? latest : outside, {i}, afterWrite, reads});
    node.group = own;
    if (fits)
      for (uint32_t g : joined)
        merge(g, own, home);
  }

  // A group that reads a variable's old value would keep it past the write.
  static bool mixesWrites(const Group &g, bool afterWrite, bool reads) {
    return g.afterWrite != afterWrite && (g.afterWrite ? reads : g.readsVariable);
  }
  static bool mixesWrites(const Group &a, const Group &b) {
    return mixesWrites(a, b.afterWrite, b.readsVariable);
  }

  // Two groups of one stage become one, of `space`.
  void merge(uint32_t a, uint32_t b, const ClusterSpace &space) {
    a = find(a), b = find(b);
    if (a != b) {
      if (groups[a].members.size() < groups[b].members.size())
        std::swap(a, b);
      Group &into = groups[a], &from = groups[b];
      into.members.insert(into.members.end(), from.members.begin(), from.members.end());
      from.members.clear();
      from.parent = a;
      into.afterWrite |= from.afterWrite;
      into.readsVariable |= from.readsVariable;
    }
    groups[a].space = space;
  }

  // Groups move to the stage of the first that uses them, where the two fit.
  void sink() {
    std::vector<uint32_t> order = roots();
    llvm::sort(order, [&](uint32_t a, uint32_t b) {
      return std::pair(groups[a].stage, a) > std::pair(groups[b].stage, b);
    });
    for (uint32_t g : order) {
      if (find(g) == g && !groups[g].members.empty())
        sink(g);
    }
  }

  void sink(uint32_t g) {
    struct Use {
      Value value;
      Operation *user;
    };
    SmallVector<Use, 8> uses;
    uint32_t first = kEnd;
    for (uint32_t m : groups[g].members)
      for (Value v : nodes[m].op->getResults())
        for (Operation *user : v.getUsers()) {
          if (user == block.getTerminator())
            continue;
          const Node &n = nodes[index.lookup(user)];
          if (groupOf(n) == g)
            continue;
          const uint32_t stage = stageOf(n);
          if (stage < first)
            uses.clear();
          first = std::min(first, stage);
          if (stage == first)
            uses.push_back({v, user});
        }
    if (first == kEnd)
      return;
    SmallVector<uint32_t, 4> targets;
    ClusterSpace space = groups[g].space;
    size_t size = groups[g].members.size();
    for (const Use &use : uses) {
      const uint32_t target = groupOf(nodes[index.lookup(use.user)]);
      if (target == kNone)
        return;
      if (llvm::is_contained(targets, target))
        continue;
      targets.push_back(target);
      size += groups[target].members.size();
      const auto both = unite(space, groups[target].space);
      // A number would draw all that use it into one.
      if (!both || size > kMaxMembers || mixesWrites(groups[g], groups[target]) ||
          (groups[g].space.one && targets.size() > 1))
        return;
      space = *both;
    }
    for (const Use &use : uses)
      if (nodeOf(use.value)->role.kind == Role::Kind::kColumns ||
          !operandFits(shapeOf(use.value.getType()), use.user, nodes[index.lookup(use.user)].role,
                       space))
        return;
    groups[g].stage = first;
    for (uint32_t target : targets)
      merge(target, g, space);
  }

  // Those that read one large value become one: it is read once.
  void joinSiblings() {
    std::map<std::pair<uint32_t, void *>, uint32_t> readers;
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      const uint32_t g = groupOf(nodes[i]);
      if (g == kNone || groups[g].space.one)
        continue;
      for (Value v : dataOperands(nodes[i].op)) {
        const Node *from = nodeOf(v);
        const uint32_t own = groupOf(nodes[i]);
        if ((from && (groupOf(*from) == own || constantValue(from->op))) ||
            shapeOf(v.getType()) != groups[own].space.shape)
          continue;
        auto [it, fresh] = readers.try_emplace({groups[own].stage, v.getAsOpaquePointer()}, own);
        const uint32_t other = find(it->second);
        if (fresh || other == own || groups[other].space.shape != groups[own].space.shape ||
            groups[other].members.size() + groups[own].members.size() > kMaxSiblings ||
            !samePlace(firstOf(other), firstOf(own)) || mixesWrites(groups[own], groups[other]))
          continue;
        if (const auto both = unite(groups[other].space, groups[own].space))
          merge(other, own, *both);
      }
    }
  }

  // Single numbers of one stage cost a step each: all in one.
  void joinNumbers() {
    std::map<std::tuple<uint32_t, bool, unsigned>, uint32_t> first;
    for (uint32_t g : roots()) {
      if (!groups[g].space.one)
        continue;
      const unsigned device = severalDevices(firstOf(g)) ? deviceOf(firstOf(g)) : 0;
      uint32_t &into =
          first.try_emplace({groups[g].stage, groups[g].afterWrite, device}, g).first->second;
      into = find(into);
      if (groups[into].members.size() + groups[g].members.size() > kMaxMembers)
        into = g;
      else if (into != g)
        merge(into, g, groups[g].space);
    }
  }

  Operation *firstOf(uint32_t g) const { return nodes[groups[g].members.front()].op; }

  std::vector<uint32_t> roots() {
    std::vector<uint32_t> all;
    for (uint32_t g = 0; g < groups.size(); ++g)
      if (find(g) == g)
        all.push_back(g);
    return all;
  }

  std::vector<ClusterGroup> collect() {
    std::vector<std::pair<uint32_t, ClusterGroup>> found;
    for (uint32_t g : roots()) {
      std::vector<uint32_t> members = groups[g].members;
      llvm::sort(members);
      size_t instructions = 0;
      for (uint32_t m : members) {
        const Role &role = nodes[m].role;
        if (role.kind != Role::Kind::kAlias)
          ++instructions;
      }
      if (instructions < 2) {
        if (why)
          for (uint32_t m : members)
            why(nodes[m].op, "no neighbour that it could be fused with");
        continue;
      }
      ClusterGroup group{groups[g].space, {}};
      for (uint32_t m : members)
        group.members.push_back(nodes[m].op);
      found.emplace_back(members.back(), std::move(group));
    }
    llvm::sort(found, [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<ClusterGroup> result;
    for (auto &[last, group] : found)
      result.push_back(std::move(group));
    return result;
  }

  Block &block;
  llvm::function_ref<void(Operation *, const char *)> why;
  std::vector<Node> nodes; // in the order of the block
  std::vector<Group> groups;
  llvm::DenseMap<Operation *, uint32_t> index;
};

} // namespace

std::vector<ClusterGroup>
groupForClusters(Block &block, llvm::function_ref<void(Operation *, const char *)> why) {
  return Grouper(block, why).run();
}

} // namespace millrace::compiler
