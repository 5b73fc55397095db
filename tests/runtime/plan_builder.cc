#include "millrace/tests/runtime/plan_builder.h"

#include <thread>

#include "millrace/ops/state/variable.h"
#include "millrace/ops/user/user_ops_hash.h"
#include "millrace/proto/value/strings.h"

namespace millrace::testing {
namespace {

int64_t BroadcastIndex(const TensorView& out, const TensorView& in, int64_t i) {
  int64_t index = 0, stride = 1;
  for (int d = out.rank - 1, k = in.rank - 1; d >= 0; --d, --k) {
    const int64_t at = i % out.dims[d];
    i /= out.dims[d];
    if (k < 0) continue;
    if (in.dims[k] != 1) index += at * stride;
    stride *= in.dims[k];
  }
  return index;
}

template <typename F>
Status Binary(KernelContext& ctx, F f) {
  const TensorView& out = ctx.output(0);
  for (int64_t i = 0; i < out.num_elements; ++i) {
    out.as<float>()[i] = f(ctx.input(0).as<float>()[BroadcastIndex(out, ctx.input(0), i)],
                           ctx.input(1).as<float>()[BroadcastIndex(out, ctx.input(1), i)]);
  }
  return OkStatus();
}
Status Add(KernelContext& ctx) {
  if (ctx.output(0).num_elements == 1) {
    *ctx.output(0).as<float>() = *ctx.input(0).as<float>() + *ctx.input(1).as<float>();
    return OkStatus();
  }
  return Binary(ctx, [](float a, float b) { return a + b; });
}
Status Mul(KernelContext& ctx) {
  return Binary(ctx, [](float a, float b) { return a * b; });
}
Status Slow(KernelContext& ctx) {
  for (int i = 0; i < 2000; ++i) {
    if (ctx.cancelled()) return Cancelled("stopped in the middle");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Internal("nobody stopped it");
}
Status Fail(KernelContext&) { return OutOfRange("expected luck, found none"); }
Status PositiveShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  ctx.set_output(0, SymShape::Unknown(1));
  return OkStatus();
}
Status Positive(KernelContext& ctx) {
  std::vector<float> found;
  for (float x : ctx.input(0).elements<float>()) {
    if (x > 0) found.push_back(x);
  }
  const int64_t n = static_cast<int64_t>(found.size());
  MR_RETURN_IF_ERROR(ctx.AllocateOutput(0, {&n, 1}));
  std::copy(found.begin(), found.end(), ctx.output(0).as<float>());
  return OkStatus();
}
Status PairShape(InferenceContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  ctx.set_output(1, ctx.input(0));
  return OkStatus();
}
Status Pair(KernelContext& ctx) {
  for (int64_t i = 0; i < ctx.input(0).num_elements; ++i) {
    const float x = ctx.input(0).as<float>()[i];
    ctx.output(0).as<float>()[i] = x + 1;
    ctx.output(1).as<float>()[i] = x - 1;
  }
  return OkStatus();
}
Status Work(KernelContext& ctx) {
  const TensorView& in = ctx.input(0);
  MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(in.bytes()));
  float* copy = static_cast<float*>(scratch);
  ctx.ParallelFor(in.num_elements, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) copy[i] = in.as<float>()[i] * 0.5f;
  });
  ctx.ParallelFor(in.num_elements, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) ctx.output(0).as<float>()[i] = copy[i] + 1;
  });
  return OkStatus();
}
Status RefShape(InferenceContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}
Status AssignRef(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(millrace::VariableResource * variable, VariableInput(ctx, 0));
  return variable->Assign(ctx.input(1), true);
}
Status AssignAdd(KernelContext& ctx) {
  MR_ASSIGN_OR_RETURN(millrace::VariableResource * variable, VariableInput(ctx, 0));
  VariableUpdate update;
  millrace::VariableResource* const list[] = {variable};
  MR_RETURN_IF_ERROR(update.Lock(list, Code::kFailedPrecondition));
  MR_RETURN_IF_ERROR(update.MakeMutable(0));
  const TensorView value = update.value(0);
  for (int64_t i = 0; i < value.num_elements; ++i) value.as<float>()[i] += ctx.input(1).as<float>()[i];
  return OkStatus();
}
Status Identity(KernelContext& ctx) {
  const TensorView& in = ctx.input(0);
  std::copy_n(in.as<char>(), in.bytes(), ctx.output(0).as<char>());
  return OkStatus();
}
Status Less(KernelContext& ctx) {
  *ctx.output(0).as<bool>() = *ctx.input(0).as<float>() < *ctx.input(1).as<float>();
  return OkStatus();
}

void DefineAll(Registry& r) {
  using namespace shape_fns;  // NOLINT
  r.Define("Add")
      .Input("x: float")
      .Input("y: float")
      .Output("z: float")
      .Shape(BroadcastBinary)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Add>);
  r.Define("Mul")
      .Input("x: float")
      .Input("y: float")
      .Output("z: float")
      .Shape(BroadcastBinary)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Mul>);
  r.Define("Less")
      .Input("x: float")
      .Input("y: float")
      .Output("z: bool")
      .Shape(BroadcastBinary)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Less>);
  r.Define("Slow")
      .Input("x: float")
      .Output("y: float")
      .Shape(Unchanged)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Slow>);
  r.Define("Fail")
      .Input("x: float")
      .Output("y: float")
      .Shape(Unchanged)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Fail>);
  r.Define("NoKernel").Input("x: float").Output("y: float").Shape(Unchanged).NoGradient("test");
  r.Define("Positive")
      .Input("x: float")
      .Output("y: float")
      .Shape(PositiveShape)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Positive>);
  r.Define("Pair")
      .Input("x: float")
      .Output("up: float")
      .Output("down: float")
      .Shape(PairShape)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Pair>);
  r.Define("Work")
      .Input("x: float")
      .Output("y: float")
      .Shape(Unchanged)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Work>);
  r.Define("Identity")
      .Input("x: T")
      .Output("y: T")
      .Attr("T: type = DT_FLOAT")
      .Shape(Unchanged)
      .NoGradient("test")
      .Kernel("CPU", MakeKernel<Identity>);
  r.Define("Assign")
      .Input("ref: Ref(float)")
      .Input("value: float")
      .Output("out: Ref(float)")
      .Shape(RefShape)
      .NoGradient("test")
      .Writes(0)
      .AllowsUninitializedInput()
      .Kernel("CPU", MakeKernel<AssignRef>);
  r.Define("AssignAdd")
      .Input("ref: Ref(float)")
      .Input("value: float")
      .Output("out: Ref(float)")
      .Shape(RefShape)
      .NoGradient("test")
      .Writes(0)
      .Kernel("CPU", MakeKernel<AssignAdd>);
}

}  // namespace

const Registry& TestRegistry() {
  static const Registry* const registry = [] {
    auto* r = new Registry;
    DefineAll(*r);
    return r;
  }();
  return *registry;
}

PlanBuilder::PlanBuilder() {
  plan.devices.push_back({"CPU", 0});
  Signature("run");
}
void PlanBuilder::Signature(const std::string& name) {
  if (!plan.signatures.empty() && plan.signatures.size() == 1 && block().values.empty() && block().steps.empty()) {
    signature().name = block().name = name;
    return;
  }
  plan.signatures.emplace_back();
  plan.signatures.back().name = name;
  plan.signatures.back().block = static_cast<uint32_t>(plan.blocks.size());
  plan.blocks.emplace_back();
  plan.blocks.back().name = name;
}
uint32_t PlanBuilder::Const(int64_t value) {
  plan.exprs.push_back({plan::DimOp::kConstant, 0, 0, value});
  return static_cast<uint32_t>(plan.exprs.size() - 1);
}
uint32_t PlanBuilder::Symbol(const std::string& name) {
  plan.symbols.push_back({name});
  plan.exprs.push_back({plan::DimOp::kSymbol, 0, 0, static_cast<int64_t>(plan.symbols.size() - 1)});
  return static_cast<uint32_t>(plan.exprs.size() - 1);
}
uint32_t PlanBuilder::Expr(plan::DimOp op, uint32_t a, uint32_t b) {
  plan.exprs.push_back({op, a, b, 0});
  return static_cast<uint32_t>(plan.exprs.size() - 1);
}
uint32_t PlanBuilder::AddValue(plan::Value value) {
  block().values.push_back(std::move(value));
  return static_cast<uint32_t>(block().values.size() - 1);
}
uint32_t PlanBuilder::Feed(const std::string& name, std::vector<int64_t> dims, DType dtype) {
  std::vector<uint32_t> exprs;
  for (size_t d = 0; d < dims.size(); ++d) {
    exprs.push_back(dims[d] < 0 ? Symbol(Cat(name, ".", d)) : Const(dims[d]));
  }
  return FeedSymbols(name, std::move(exprs), dtype);
}
uint32_t PlanBuilder::FeedSymbols(const std::string& name, std::vector<uint32_t> exprs, DType dtype) {
  plan::Feed feed;
  feed.name = name;
  feed.dtype = dtype;
  for (uint32_t e : exprs) {
    const plan::DimExpr& expr = plan.exprs[e];
    const bool fixed = expr.op == plan::DimOp::kConstant;
    feed.dims.push_back(fixed ? expr.value : -1);
    feed.symbols.push_back(fixed ? plan::kNone : static_cast<uint32_t>(expr.value));
  }
  signature().feeds.push_back(std::move(feed));
  plan::Value value{.dtype = dtype, .storage = plan::Storage::kFeed, .dims = std::move(exprs), .name = name};
  value.index = static_cast<uint32_t>(block().arguments.size());
  const uint32_t v = AddValue(std::move(value));
  block().arguments.push_back(v);
  return v;
}
uint32_t PlanBuilder::Constant(std::vector<int64_t> dims, const std::vector<float>& values) {
  plan::Constant constant;
  constant.dtype = DType::kFloat;
  constant.dims = dims;
  constant.name = Cat("constant", plan.constants.size());
  constant.content = Bytes(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  plan.constants.push_back(std::move(constant));
  plan::Value value{.dtype = DType::kFloat, .storage = plan::Storage::kConstant};
  value.index = static_cast<uint32_t>(plan.constants.size() - 1);
  for (int64_t d : dims) value.dims.push_back(Const(d));
  return AddValue(std::move(value));
}
uint32_t PlanBuilder::NewSlot(std::vector<uint32_t> dims, DType dtype) {
  uint32_t bytes = Const(static_cast<int64_t>(ElementSize(dtype)));
  for (uint32_t d : dims) bytes = Expr(plan::DimOp::kMul, bytes, d);
  block().slots.push_back({bytes});
  return static_cast<uint32_t>(block().slots.size() - 1);
}
uint32_t PlanBuilder::InSlot(uint32_t slot, const std::string& name, std::vector<uint32_t> dims, DType dtype) {
  return AddValue(
      {.dtype = dtype, .storage = plan::Storage::kSlot, .index = slot, .dims = std::move(dims), .name = name});
}
uint32_t PlanBuilder::Slot(const std::string& name, std::vector<uint32_t> dims, DType dtype) {
  const uint32_t slot = NewSlot(dims, dtype);
  return InSlot(slot, name, std::move(dims), dtype);
}
uint32_t PlanBuilder::Late(const std::string& name, DType dtype) {
  return AddValue({.dtype = dtype, .storage = plan::Storage::kLate, .unknown_rank = true, .name = name});
}
uint32_t PlanBuilder::LateOf(const std::string& name, std::vector<uint32_t> dims, DType dtype) {
  return AddValue({.dtype = dtype, .storage = plan::Storage::kLate, .dims = std::move(dims), .name = name});
}
uint32_t PlanBuilder::Alias(const std::string& name, uint32_t of, std::vector<uint32_t> dims) {
  return AddValue({.dtype = block().values[of].dtype,
                   .storage = plan::Storage::kAlias,
                   .index = of,
                   .dims = std::move(dims),
                   .name = name});
}
uint32_t PlanBuilder::Extents(const std::string& name, std::vector<uint32_t> exprs, bool scalar) {
  plan::Value value{.dtype = DType::kInt32, .storage = plan::Storage::kDims, .elements = exprs, .name = name};
  if (!scalar) value.dims.push_back(Const(static_cast<int64_t>(exprs.size())));
  return AddValue(std::move(value));
}
uint32_t PlanBuilder::Variable(const std::string& name, std::vector<int64_t> dims, DType dtype) {
  uint32_t index = 0;
  while (index < plan.resources.size() && plan.resources[index].name != name) ++index;
  if (index == plan.resources.size()) {
    plan.resources.push_back({.kind = "Variable", .container = "", .name = name, .dtype = dtype, .dims = dims});
  }
  plan::Value value{.dtype = MakeRef(dtype), .storage = plan::Storage::kResource, .index = index, .name = name};
  for (int64_t d : dims) value.dims.push_back(d < 0 ? plan::kNone : Const(d));
  return AddValue(std::move(value));
}
uint32_t PlanBuilder::Step(const std::string& op, const std::string& node, std::vector<uint32_t> inputs,
                           std::vector<uint32_t> outputs, std::vector<uint32_t> after) {
  plan::Step step;
  step.op = op;
  step.node = node;
  step.inputs = std::move(inputs);
  step.outputs = std::move(outputs);
  step.after = std::move(after);
  block().steps.push_back(std::move(step));
  return static_cast<uint32_t>(block().steps.size() - 1);
}
void PlanBuilder::Fetch(const std::string& name, uint32_t value) {
  signature().fetches.push_back(name);
  block().results.push_back(value);
}

std::shared_ptr<Environment> TestEnvironment(int threads, uint64_t memory_limit) {
  EnvironmentOptions options;
  options.threads = threads;
  options.memory_limit = memory_limit;
  options.registry = &TestRegistry();
  return std::make_shared<Environment>(options);
}
Result<std::unique_ptr<Runner>> Load(const plan::Plan& plan, int threads, uint64_t memory_limit) {
  // As the compiler does for the registry's ops.
  plan::Plan known = plan;
  known.user_ops_hash = UserOpsHash(UserOps(plan), TestRegistry());
  return NewPlanRunner(std::move(known), TestEnvironment(threads, memory_limit));
}

}  // namespace millrace::testing
