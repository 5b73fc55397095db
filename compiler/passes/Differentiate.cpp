// Reverse mode and the gradient functions know one graph, the live one. So this
// pass lends operations to a live graph, lets the engine add its nodes there, and
// takes those back. See the pass' description.
#include "millrace/compiler/import/Nodes.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/graph/function.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "millrace_passes/Passes.h.inc"

namespace {

// Not the builder's.
using mlir::Operation;

// Symbolic gradients in the bodies of functions.
constexpr int kMaxDepth = 16;
constexpr int64_t kMaxBodies = 4096;

bool isDeferred(Operation *op) {
  return isNamed(op, "Gradients") || isNamed(op, "SymbolicGradient");
}

// Names that the builder takes for scopes.
std::string tame(llvm::StringRef name) {
  std::string out = name.str();
  for (char &c : out)
    if (!llvm::isAlnum(c) && !llvm::StringRef("_./\\->").contains(c))
      c = '_';
  if (out.empty() || !(llvm::isAlnum(out[0]) || out[0] == '.'))
    out.insert(0, "node");
  return out;
}

// The deferred gradients of one function.
class Expansion {
public:
  Expansion(func::FuncOp func, CompileState &state)
      : func(func), state(state), context(func.getContext()),
        graph(std::make_shared<Graph>(*state.registry)) {
    // One table of dimensions for both sides: handles mean the same.
    graph->dims() = std::move(state.dims);
  }
  ~Expansion() { state.dims = std::move(graph->dims()); }

  LogicalResult run(ArrayRef<Operation *> deferred) {
    SmallVector<std::pair<Operation *, int>> stack;
    for (Operation *op : llvm::reverse(deferred))
      stack.push_back({op, 0});
    int64_t bodies = 0;
    while (!stack.empty()) {
      const auto [op, depth] = stack.pop_back_val();
      if (state.isCancelled())
        return fail(op, Cancelled("the compilation was cancelled"));
      if (depth > kMaxDepth || (depth > 0 && ++bodies > kMaxBodies))
        return fail(op,
                    InvalidArgument(Cat("expected symbolic gradients in functions no deeper than ",
                                        kMaxDepth, " and no more than ", kMaxBodies,
                                        ", found more; recursion is not supported")));
      nested.clear();
      if (Status s = expand(op); !s.ok())
        return fail(op, s);
      for (Operation *inside : llvm::reverse(nested))
        stack.push_back({inside, depth + 1});
    }
    return success();
  }

private:
  // ---- from the dialect to the live graph ----

  Result<Node *> addNode(llvm::StringRef name, NodeSpec spec) {
    spec.name = graph->UniqueName(tame(name.empty() ? llvm::StringRef(spec.op) : name));
    return graph->AddNode(std::move(spec));
  }

  // A value that nothing in the graph computes.
  Result<Node *> addPlaceholder(Value value, llvm::StringRef name) {
    NodeSpec spec;
    spec.op = "Placeholder";
    spec.attrs["dtype"] = dtypeOf(value.getType());
    // Open dimensions would get symbols of their own.
    spec.attrs["shape"] = Shape::UnknownRank();
    MR_ASSIGN_OR_RETURN(Node * node, addNode(name, std::move(spec)));
    graph->AssumeShape({node, 0}, shapeOf(value.getType()));
    values[node].push_back(value);
    return node;
  }

  Result<Node *> addOperation(Operation *op) {
    NodeSpec spec;
    spec.op = opOf(op)->name();
    spec.attrs = attrsOf(op);
    if (auto gradient = op->getAttrOfType<StringAttr>("graph.gradient"))
      spec.attrs["_gradient_op_type"] = gradient.str();
    for (Value operand : dataOperands(op)) {
      MR_ASSIGN_OR_RETURN(Endpoint e, endpointOf(operand));
      spec.inputs.push_back(e);
    }
    MR_ASSIGN_OR_RETURN(Node * node, addNode(nodeName(op->getLoc()), std::move(spec)));
    for (unsigned i = 0; i < numDataResults(op); ++i)
      values[node].push_back(op->getResult(i));
    operations[node] = op;
    return node;
  }

  // References stand for what is read from them.
  static Value behindReads(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (!isStructural(op, "read"))
        break;
      value = op->getOperand(0);
    }
    return value;
  }

  // Of a value that has been lent.
  Result<Endpoint> endpointOf(Value value) {
    value = behindReads(value);
    auto it = endpoints.find(value);
    if (it == endpoints.end())
      return Internal(Cat("'", valueName(value), "' was not lent"));
    return it->second;
  }

  void record(Node *node) {
    const std::vector<Value> &all = values[node];
    for (size_t i = 0; i < all.size(); ++i)
      endpoints[all[i]] = {node, static_cast<int>(i)};
  }

  // Lends `value` and all it is made of.
  Status lend(Value value) {
    SmallVector<Value> stack{value};
    while (!stack.empty()) {
      const Value top = behindReads(stack.back());
      if (endpoints.contains(top)) {
        stack.pop_back();
        continue;
      }
      Operation *op = top.getDefiningOp();
      if (!op || !opOf(op)) {
        const std::string name =
            op ? nodeName(op->getLoc()).str() : nodeName(top.getLoc()).split(':').first.str();
        MR_ASSIGN_OR_RETURN(Node * node, addPlaceholder(top, name));
        record(node);
        continue;
      }
      const size_t before = stack.size();
      for (Value operand : dataOperands(op))
        if (!endpoints.contains(behindReads(operand)))
          stack.push_back(operand);
      if (stack.size() > before)
        continue;
      MR_ASSIGN_OR_RETURN(Node * node, addOperation(op));
      record(node);
    }
    return OkStatus();
  }

  // ---- one deferred node ----

  Status expand(Operation *op) {
    for (Value operand : dataOperands(op))
      MR_RETURN_IF_ERROR(lend(operand));
    // What the node waits for, its gradients wait for.
    std::vector<millrace::Operation> waits;
    std::vector<Output> inputs;
    const std::string name = tame(nodeName(op->getLoc()).empty() ? llvm::StringRef("gradients")
                                                                 : nodeName(op->getLoc()));
    Scope root(graph);
    for (Value control : controlOperands(op)) {
      Node *&node = anchors[control];
      if (!node) {
        NodeSpec spec;
        spec.op = "NoOp";
        MR_ASSIGN_OR_RETURN(node, addNode("wait", std::move(spec)));
        controls[node] = control;
      }
      waits.emplace_back(node, root.state());
    }
    for (Value operand : dataOperands(op)) {
      MR_ASSIGN_OR_RETURN(Endpoint e, endpointOf(operand));
      inputs.emplace_back(e, root.state());
    }
    const size_t first = graph->nodes().size();
    const Scope scope = root.WithControlDependencies(waits).WithOpName(name);
    std::vector<Output> results;
    if (isNamed(op, "Gradients")) {
      results = gradients(op, scope, inputs);
    } else {
      MR_ASSIGN_OR_RETURN(results, symbolicGradient(op, scope, inputs));
    }
    MR_RETURN_IF_ERROR(scope.status());
    if (results.size() != numDataResults(op))
      return Internal(Cat("expected ", numDataResults(op), " gradients, found ", results.size()));
    return takeBack(op, first, results);
  }

  // Without a place in a program: the error names the node.
  static At at(const Scope &scope) { return At(scope, std::source_location()); }

  std::vector<Output> dense(const Scope &scope, const std::vector<Gradient> &all) {
    std::vector<Output> out;
    for (const Gradient &g : all)
      out.push_back(g.ToDense(at(scope)));
    return out;
  }

  std::vector<Output> gradients(Operation *op, const Scope &scope,
                                const std::vector<Output> &inputs) {
    const AttrMap &attrs = attrsOf(op);
    const auto count = [&](const char *attr) {
      return static_cast<ptrdiff_t>(attrs.find(attr)->second.get<ListValue>()->type.size());
    };
    const auto grads = inputs.begin() + count("Tys"), xs = grads + count("Tgrads");
    GradientOptions options;
    options.grad_ys.assign(grads, xs);
    options.unconnected = GradientOptions::Unconnected::kZero;
    return dense(scope, Gradients(at(scope), {inputs.begin(), grads}, {xs, inputs.end()}, options));
  }

  Result<std::vector<Output>> symbolicGradient(Operation *op, const Scope &scope,
                                               const std::vector<Output> &inputs) {
    if (Status s = addLibrary(); !s.ok())
      return s;
    const FuncValue f = *attrsOf(op).find("f")->second.get<FuncValue>();
    std::vector<Endpoint> arguments;
    InlineOptions options;
    options.scope = graph->UniqueName(Cat(tame(nodeName(op->getLoc())), "/", tame(f.name)));
    for (Value control : controlOperands(op))
      options.control_inputs.push_back(anchors[control]);
    const std::vector<GradientDef> none;
    for (const GradientDef &g : state.library ? state.library->gradients : none) {
      if (g.function_name != f.name)
        continue;
      for (const Output &o : inputs)
        arguments.push_back(o.endpoint());
      MR_ASSIGN_OR_RETURN(
          InlinedFunction body,
          InlineFunction(graph.get(), {g.gradient_func, f.attrs}, arguments, options));
      std::vector<Output> out;
      for (const Endpoint &e : body.outputs)
        out.emplace_back(e, scope.state());
      return out;
    }
    // Arguments of their own: one may be made of another outside.
    std::vector<Output> xs, ys;
    for (unsigned i = 0; i < numDataResults(op); ++i) {
      NodeSpec spec;
      spec.op = "Identity";
      spec.inputs = {inputs[i].endpoint()};
      spec.attrs["T"] = BaseType(inputs[i].dtype());
      MR_ASSIGN_OR_RETURN(Node * node, addNode(Cat(options.scope, "/input"), std::move(spec)));
      arguments.push_back({node, 0});
      xs.emplace_back(Endpoint{node, 0}, scope.state());
    }
    MR_ASSIGN_OR_RETURN(InlinedFunction body, InlineFunction(graph.get(), f, arguments, options));
    const size_t given = inputs.size() - xs.size();
    if (given != body.outputs.size())
      return InvalidArgument(Cat("expected a gradient for each of the ", body.outputs.size(),
                                 " results of '", f.name, "', found ", given));
    GradientOptions gradient;
    gradient.unconnected = GradientOptions::Unconnected::kZero;
    for (const Endpoint &e : body.outputs)
      ys.emplace_back(e, scope.state());
    gradient.grad_ys.assign(inputs.begin() + static_cast<ptrdiff_t>(xs.size()), inputs.end());
    return dense(scope, Gradients(at(scope), ys, xs, gradient));
  }

  Status addLibrary() {
    if (!state.library || !graph->library().functions.empty())
      return OkStatus();
    for (const FunctionDef &f : state.library->functions)
      MR_RETURN_IF_ERROR(graph->AddFunction(f));
    return OkStatus();
  }

  // ---- back into the dialect ----

  Value valueOf(const Endpoint &e) { return values[e.node][static_cast<size_t>(e.index)]; }

  // The value that says `node` is done; its operation gets one if it has none.
  Value controlOf(Node *node) {
    if (auto it = controls.find(node); it != controls.end())
      return it->second;
    Operation *op = operations.lookup(node);
    if (!op)
      return {}; // a function's argument is always there
    if (Value control = controlResult(op))
      return control;
    OperationState with(op->getLoc(), op->getName());
    with.addOperands(op->getOperands());
    with.addTypes(op->getResultTypes());
    with.addTypes(ControlType::get(context));
    with.addAttributes(op->getAttrs());
    mlir::OpBuilder builder(op);
    Operation *made = builder.create(with);
    for (unsigned i = 0; i < op->getNumResults(); ++i)
      op->getResult(i).replaceAllUsesWith(made->getResult(i));
    adopt(node, made);
    op->erase();
    return controlResult(made);
  }

  void adopt(Node *node, Operation *op) {
    std::vector<Value> &list = values[node];
    for (Value v : list)
      endpoints.erase(v);
    list.clear();
    for (unsigned i = 0; i < numDataResults(op); ++i)
      list.push_back(op->getResult(i));
    operations[node] = op;
    record(node);
  }

  // The nodes from `first` on that `results` need become operations before `op`,
  // which they replace.
  Status takeBack(Operation *op, size_t first, const std::vector<Output> &results) {
    std::vector<Node *> needed, stack;
    llvm::DenseSet<Node *> seen, waitedFor;
    const auto visit = [&](Node *node) {
      if (static_cast<size_t>(node->id()) >= first && seen.insert(node).second)
        stack.push_back(node);
    };
    for (const Output &r : results)
      visit(&r.node());
    while (!stack.empty()) {
      Node *node = stack.back();
      stack.pop_back();
      needed.push_back(node);
      for (const Endpoint &e : node->inputs())
        visit(e.node);
      for (Node *c : node->control_inputs()) {
        waitedFor.insert(c);
        visit(c);
      }
    }
    std::sort(needed.begin(), needed.end(),
              [](const Node *a, const Node *b) { return a->id() < b->id(); });
    mlir::OpBuilder builder(op);
    for (Node *node : needed) {
      SmallVector<Value> inputs, after;
      for (const Endpoint &e : node->inputs())
        inputs.push_back(valueOf(e));
      for (Node *c : node->control_inputs())
        if (Value control = controlOf(c))
          after.push_back(control);
      MR_ASSIGN_OR_RETURN(Operation * made,
                          createOperation(builder, *node, inputs, after, waitedFor.contains(node)));
      if (node->op().has_effects())
        made->setAttr("graph.order",
                      IntegerAttr::get(IntegerType::get(context, 64), ++lastOrder()));
      adopt(node, made);
      if (isDeferred(made))
        nested.push_back(made);
    }
    return replace(op, builder, results);
  }

  Status replace(Operation *op, mlir::OpBuilder &builder, const std::vector<Output> &results) {
    SmallVector<Value> done(controlOperands(op));
    for (unsigned i = 0; i < results.size(); ++i) {
      Value value = valueOf(results[i].endpoint()), old = op->getResult(i);
      if (isRefValue(value))
        value = createRead(builder, value, op->getLoc(), controlOperands(op));
      if (dtypeOf(value.getType()) != dtypeOf(old.getType()))
        return InvalidArgument(Cat("gradient ", i, ": expected ", DTypeName(dtypeOf(old.getType())),
                                   ", found ", DTypeName(dtypeOf(value.getType()))));
      MR_RETURN_IF_ERROR(forward(old, value, results[i].endpoint()));
      old.replaceAllUsesWith(value);
      if (controlResult(op))
        if (Value control = controlOf(&results[i].node()))
          done.push_back(control);
    }
    if (Value control = controlResult(op)) {
      OperationState wait(op->getLoc(), dialectOf(context)->define(*state.registry->Find("NoOp")));
      wait.addOperands(done);
      wait.addTypes(ControlType::get(context));
      control.replaceAllUsesWith(builder.create(wait)->getResult(0));
    }
    op->erase();
    return OkStatus();
  }

  // A deferred node that came out of a function is a node of the live graph too:
  // its users there get the gradient.
  Status forward(Value old, Value value, const Endpoint &to) {
    auto it = endpoints.find(old);
    if (it == endpoints.end())
      return OkStatus();
    const Endpoint from = it->second;
    endpoints.erase(it);
    operations.erase(from.node); // it goes
    values[from.node][static_cast<size_t>(from.index)] = value;
    const std::vector<Node *> users = from.node->users();
    for (Node *user : users)
      for (size_t i = 0; i < user->inputs().size(); ++i)
        if (user->inputs()[i] == from)
          MR_RETURN_IF_ERROR(graph->ReplaceInput(user, static_cast<int>(i), to));
    return OkStatus();
  }

  // New effects come behind those of the graph's nodes.
  int64_t &lastOrder() {
    if (order < 0) {
      order = 0;
      for (Operation &op : func.getBody().front())
        if (auto at = op.getAttrOfType<IntegerAttr>("graph.order"))
          order = std::max(order, at.getInt());
    }
    return order;
  }

  func::FuncOp func;
  CompileState &state;
  MLIRContext *context;
  std::shared_ptr<Graph> graph;
  llvm::DenseMap<Value, Endpoint> endpoints;
  llvm::DenseMap<const Node *, std::vector<Value>> values;
  llvm::DenseMap<const Node *, Operation *> operations;
  llvm::DenseMap<Value, Node *> anchors; // what deferred nodes wait for
  llvm::DenseMap<const Node *, Value> controls;
  SmallVector<Operation *> nested; // deferred nodes among the new ones
  int64_t order = -1;
};

struct Differentiate : impl::DifferentiateBase<Differentiate> {
  void runOnOperation() override {
    CompileState &state = stateOf(getOperation());
    bool any = false;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal())
        continue;
      SmallVector<Operation *> deferred, overridden;
      for (Operation &op : func.getBody().front()) {
        if (isDeferred(&op))
          deferred.push_back(&op);
        else if (op.hasAttr("graph.gradient"))
          overridden.push_back(&op);
      }
      if (!deferred.empty() && failed(Expansion(func, state).run(deferred)))
        return signalPassFailure();
      any = any || !deferred.empty();
      if (deferred.empty()) {
        for (Operation *op : overridden)
          op->removeAttr("graph.gradient");
      } else {
        // Operations may be others than before.
        for (Operation &op : func.getBody().front())
          op.removeAttr("graph.gradient");
      }
    }
    if (!any)
      return;
    getOperation()->setAttr("graph.refined", UnitAttr::get(&getContext()));
    updateSignatures(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
