#include "millrace/compiler/import/Import.h"
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/compiler/import/Asks.h"
#include "millrace/compiler/import/Nodes.h"
#include "millrace/ops/graph/placeholder.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include <unordered_map>

using namespace mlir;

namespace millrace::compiler {
namespace {

uint64_t keyOf(const Endpoint &e) {
  return static_cast<uint64_t>(static_cast<uint32_t>(e.node->id())) << 32 |
         static_cast<uint32_t>(e.index);
}

Status blame(const Node &node, const Status &status) {
  return status.At(node.name(), node.op().name());
}

// Whether some node of the graph, in this signature or not, may give the variable
// another shape than its own.
bool mayChangeShape(const Node &variable) {
  std::vector<const Node *> stack{&variable};
  std::unordered_map<const Node *, bool> seen;
  while (!stack.empty()) {
    const Node *node = stack.back();
    stack.pop_back();
    for (const Node *user : node->users()) {
      // Only what takes and returns references hands the variable on.
      if (user->output_types().empty() || !IsRef(user->output_types()[0]) ||
          user->inputs().empty() || user->inputs()[0].node != node ||
          !seen.try_emplace(user, true).second)
        continue;
      auto it = user->attrs().find("validate_shape");
      const bool *validates = it == user->attrs().end() ? nullptr : it->second.get<bool>();
      if (validates && !*validates)
        return true;
      stack.push_back(user);
    }
  }
  return false;
}

// One signature.
class Importer {
public:
  Importer(MLIRContext &context, const Graph &graph, const SignatureSpec &spec, Asks &asks,
           std::vector<uint8_t> &marks)
      : context(context), state(dialectOf(&context)->state()), graph(graph), spec(spec), asks(asks),
        marks(marks) {}

  Status run(ModuleOp module) {
    MR_RETURN_IF_ERROR(resolve());
    MR_RETURN_IF_ERROR(reach());
    MR_RETURN_IF_ERROR(build(module));
    return OkStatus();
  }

private:
  // Marks of nodes while they are searched.
  enum : uint8_t { kNew = 0, kOpen = 1, kDone = 2, kWaitedFor = 4 };

  Status resolve() {
    for (const std::string &name : spec.feeds) {
      MR_ASSIGN_OR_RETURN(Endpoint e, graph.FindEndpoint(name));
      if (e.index < 0)
        return InvalidArgument(
            Cat("feed '", name, "': only tensors can be fed, this is a control output"));
      if (!fed.try_emplace(keyOf(e), feeds.size()).second)
        return InvalidArgument(Cat("feed '", name, "': the tensor is fed twice"));
      feeds.push_back(e);
    }
    for (const std::string &name : spec.fetches) {
      MR_ASSIGN_OR_RETURN(Endpoint e, graph.FindEndpoint(name));
      if (e.index < 0)
        return InvalidArgument(
            Cat("fetch '", name, "': only tensors can be fetched, this is a control output"));
      fetches.push_back(e);
    }
    for (const std::string &name : spec.targets) {
      std::string_view node = name;
      if (!node.empty() && node.front() == '^')
        node.remove_prefix(1);
      Node *found = graph.Find(node);
      if (!found)
        return NotFound(Cat("target '", name, "': there is no node of that name"));
      targets.push_back(found);
    }
    for (const std::string &name : spec.ran) {
      const Node *found = graph.Find(name);
      if (!found)
        return NotFound(Cat("'", name, "', which ran before: there is no node of that name"));
      ran.insert(found);
    }
    return OkStatus();
  }

  bool isFed(const Endpoint &e) const { return !fed.empty() && fed.contains(keyOf(e)); }
  // Who waits for a fed placeholder waits for nothing.
  bool isFedPlaceholder(Node *node) const { return IsPlaceholder(*node) && isFed({node, 0}); }
  bool isDone(Node *node) const { return ran.contains(node) || isFedPlaceholder(node); }
  // What a reference that a node handed on refers to, where that node ran before.
  Result<Endpoint> behind(Endpoint e) const {
    while (!isFed(e) && ran.contains(e.node)) {
      const Node &node = *e.node;
      if (e.index != 0 || !IsRef(node.output_types()[0]) || node.input_types().empty() ||
          !IsRef(node.input_types()[0]))
        return blame(node, InvalidArgument(Cat("the node ran before: its output ", e.index,
                                               " must be fed where it is read")));
      e = node.inputs()[0];
    }
    return e;
  }

  // All that fetches and targets need, in an order in which inputs come first.
  Status reach() {
    struct Frame {
      Node *node;
      size_t next;
    };
    std::vector<Frame> stack;
    const auto open = [&](Node *node) {
      uint8_t &mark = marks[static_cast<size_t>(node->id())];
      if ((mark & 3) == kDone)
        return true;
      if ((mark & 3) == kOpen)
        return false;
      mark = static_cast<uint8_t>(mark | kOpen);
      stack.push_back({node, 0});
      return true;
    };
    const auto drain = [&]() -> Status {
      while (!stack.empty()) {
        Frame &frame = stack.back();
        Node *node = frame.node, *child = nullptr;
        const size_t data = node->inputs().size(), all = data + node->control_inputs().size();
        while (!child && frame.next < all) {
          const size_t i = frame.next++;
          if (i < data) {
            MR_ASSIGN_OR_RETURN(const Endpoint e, behind(node->inputs()[i]));
            if (!isFed(e))
              child = e.node;
          } else if (!isDone(node->control_inputs()[i - data])) {
            child = node->control_inputs()[i - data];
            marks[static_cast<size_t>(child->id())] |= kWaitedFor;
          }
        }
        if (child) {
          if (!open(child))
            return blame(*child, Unimplemented(Cat("the node is part of a loop (through '",
                                                   node->name(), "')")));
          continue;
        }
        uint8_t &mark = marks[static_cast<size_t>(node->id())];
        mark = static_cast<uint8_t>((mark & ~3) | kDone);
        order.push_back(node);
        stack.pop_back();
        if ((order.size() & 0xfff) == 0 && state.isCancelled())
          return Cancelled("the compilation was cancelled");
      }
      return OkStatus();
    };
    for (const Endpoint &fetch : fetches) {
      MR_ASSIGN_OR_RETURN(const Endpoint e, behind(fetch));
      if (isFed(e))
        continue;
      open(e.node);
      MR_RETURN_IF_ERROR(drain());
    }
    for (Node *node : targets) {
      if (isDone(node))
        continue;
      marks[static_cast<size_t>(node->id())] |= kWaitedFor;
      open(node);
      MR_RETURN_IF_ERROR(drain());
    }
    return OkStatus();
  }

  // ---- operations ----

  Status build(ModuleOp module) {
    Builder b(&context);
    SmallVector<Type> arguments;
    SmallVector<Location> locations;
    for (size_t i = 0; i < feeds.size(); ++i) {
      arguments.push_back(feedType(i));
      locations.push_back(nodeLocation(&context, spec.feeds[i]));
    }
    mlir::OpBuilder builder(&context);
    builder.setInsertionPointToEnd(module.getBody());
    auto func = func::FuncOp::create(builder, nodeLocation(&context, spec.name), spec.name,
                                     b.getFunctionType(arguments, {}));
    Block *block = func.addEntryBlock();
    for (size_t i = 0; i < feeds.size(); ++i)
      block->getArgument(static_cast<unsigned>(i)).setLoc(locations[i]);
    body.setInsertionPointToEnd(block);

    for (const Node *node : order) {
      MR_RETURN_IF_ERROR(add(*node));
      if ((node->id() & 0xfff) == 0 && state.isCancelled())
        return Cancelled("the compilation was cancelled");
    }

    SmallVector<Value> results;
    for (const Endpoint &e : fetches) {
      MR_ASSIGN_OR_RETURN(Value v, source(e));
      results.push_back(
          isRefValue(v) ? createRead(body, v, nodeLocation(&context, e.node->name()), {}) : v);
    }
    for (Node *node : targets)
      if (!isDone(node))
        results.push_back(controlResult(made[node]));
    func::ReturnOp::create(body, func.getLoc(), results);
    func.setType(b.getFunctionType(arguments, ValueRange(results).getTypes()));
    const auto strings = [&](const std::vector<std::string> &names) {
      SmallVector<Attribute> out;
      for (const std::string &n : names)
        out.push_back(b.getStringAttr(n));
      return b.getArrayAttr(out);
    };
    func->setAttr("graph.feeds", strings(spec.feeds));
    func->setAttr("graph.fetches", strings(spec.fetches));
    func->setAttr("graph.targets", strings(spec.targets));
    return OkStatus();
  }

  // Dimension i of feed x is the symbol "x.i" where it is open.
  Type feedType(size_t i) {
    const Endpoint &e = feeds[i];
    SymShape shape = e.node->output(e.index).shape;
    if (!shape.has_rank && i < spec.feed_ranks.size() && spec.feed_ranks[i] >= 0)
      shape = SymShape::Unknown(spec.feed_ranks[i]);
    std::string name = spec.feeds[i];
    if (name.ends_with(":0"))
      name.resize(name.size() - 2);
    for (size_t d = 0; d < shape.dims.size(); ++d)
      if (!shape.dims[d].known())
        shape.dims[d] = state.dims.Symbol(Cat(name, ".", d));
    return valueType(&context, BaseType(e.node->output_types()[static_cast<size_t>(e.index)]),
                     shape);
  }

  Result<Value> source(const Endpoint &read) {
    MR_ASSIGN_OR_RETURN(const Endpoint e, behind(read));
    if (auto it = fed.find(keyOf(e)); it != fed.end())
      return Value(body.getBlock()->getArgument(static_cast<unsigned>(it->second)));
    return Value(made[e.node]->getResult(static_cast<unsigned>(e.index)));
  }

  Status add(const Node &node) {
    if (IsPlaceholder(node))
      return blame(node, InvalidArgument(Cat("the placeholder must be fed with a ",
                                             DTypeName(node.output_types()[0]), " tensor of shape ",
                                             node.output(0).shape.ToShape().ToString())));
    SmallVector<Value, 4> inputs, controls;
    for (const Endpoint &e : node.inputs()) {
      MR_ASSIGN_OR_RETURN(Value v, source(e));
      inputs.push_back(v);
    }
    for (Node *c : node.control_inputs())
      if (!isDone(c))
        controls.push_back(controlResult(made[c]));
    MR_ASSIGN_OR_RETURN(Operation * op,
                        createOperation(body, node, inputs, controls,
                                        marks[static_cast<size_t>(node.id())] & kWaitedFor));
    // Writes that nothing orders follow the order of the nodes.
    if (node.op().has_effects())
      op->setAttr("graph.order", IntegerAttr::get(IntegerType::get(&context, 64), node.id()));
    if (node.num_outputs() == 1 && IsRef(node.output_types()[0]) && node.inputs().empty() &&
        mayChangeShape(node))
      op->setAttr("graph.any_shape", UnitAttr::get(&context));
    MR_RETURN_IF_ERROR(asks.add(node, op));
    made[&node] = op;
    return OkStatus();
  }

  MLIRContext &context;
  CompileState &state;
  const Graph &graph;
  const SignatureSpec &spec;
  Asks &asks;
  std::vector<uint8_t> &marks;

  std::unordered_map<uint64_t, size_t> fed;
  std::vector<Endpoint> feeds, fetches;
  std::vector<Node *> targets, order;
  llvm::DenseSet<const Node *> ran;
  llvm::DenseMap<const Node *, Operation *> made;
  mlir::OpBuilder body{&context};
};

} // namespace

Result<OwningOpRef<ModuleOp>> importGraph(MLIRContext &context, const Graph &graph,
                                          const std::vector<SignatureSpec> &signatures) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  dialectOf(&context)->state().registry = &graph.registry();
  dialectOf(&context)->state().library = &graph.library();
  Asks asks(dialectOf(&context)->state(), graph);
  for (size_t i = 0; i < signatures.size(); ++i) {
    for (size_t j = 0; j < i; ++j)
      if (signatures[i].name == signatures[j].name)
        return InvalidArgument(Cat("two signatures are named '", signatures[i].name, "'"));
    std::vector<uint8_t> marks(graph.nodes().size(), 0);
    MR_RETURN_IF_ERROR(Importer(context, graph, signatures[i], asks, marks).run(*module));
  }
  return module;
}

} // namespace millrace::compiler
