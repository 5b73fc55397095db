// Plans over several devices, made by hand: what the loader does not take, and
// what it puts where. Plans that the compiler makes are in devices_test.cc.
#include "millrace/ops/user/user_ops_hash.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using testing::PlanBuilder;
using testing::TestRegistry;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Status Nothing(KernelContext&) { return OkStatus(); }

// The test ops, and Null: an op of the null device alone.
const Registry& WithNull() {
  static const Registry* const registry = [] {
    auto r = Registry::Extending(TestRegistry());
    r->Define("Null")
        .Input("x: float")
        .Output("y: float")
        .Shape(shape_fns::Unchanged)
        .NoGradient("test")
        .Kernel("NULL", MakeKernel<Nothing>);
    return r.release();
  }();
  return *registry;
}

std::shared_ptr<Environment> Devices(int cpus = 2, int nulls = 1) {
  EnvironmentOptions options;
  options.threads = 1;
  options.registry = &WithNull();
  options.device_count = {{"CPU", cpus}, {"NULL", nulls}};
  return std::make_shared<Environment>(options);
}

// x to the null device, Null there, and back; `edit` may spoil it.
struct RoundTrip {
  PlanBuilder b;
  uint32_t x, there, y, back;
  RoundTrip() {
    b.plan.devices = {{"CPU", 0}, {"NULL", 0}, {"CPU", 1}};
    x = b.Feed("x:0", {-1});
    there = b.Slot("there:0", b.DimsOf(x));
    y = b.Slot("y:0", b.DimsOf(x));
    back = b.Slot("back:0", b.DimsOf(x));
    Copy("there", x, there, 1);
    b.block().steps[b.Step("Null", "y", {there}, {y})].device = 1;
    Copy("back", y, back, 0);
    b.Fetch("back:0", back);
  }
  void Copy(const std::string& node, uint32_t from, uint32_t to, uint32_t device) {
    plan::Step& step = b.block().steps[b.Step("", node, {from}, {to})];
    step.kind = plan::StepKind::kCopy;
    step.device = device;
  }
  Status Load(const std::shared_ptr<Environment>& environment = Devices()) {
    plan::Plan plan = b.plan;
    plan.user_ops_hash = UserOpsHash(UserOps(plan), WithNull());
    const Result<std::unique_ptr<Runner>> runner = NewPlanRunner(std::move(plan), environment);
    return runner.ok() ? OkStatus() : runner.status();
  }
  void CheckRefused(std::string_view part) {
    const Status status = Load();
    INFO(status.ToString());
    REQUIRE_FALSE(status.ok());
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(Contains(status.ToString(), part));
  }
};

}  // namespace

TEST_CASE("a plan over a device with other memory loads; its parts in the wrong memory do not") {
  MR_REQUIRE_OK(RoundTrip().Load());
  {
    RoundTrip trip;  // the null device's step reads the feed itself
    trip.b.block().steps[1].inputs = {trip.x};
    trip.CheckRefused("input 0 ('x:0'): expected on NULL:0, it is on CPU:0");
  }
  {
    RoundTrip trip;  // a host's step reads what is on the null device
    trip.b.Step("Add", "z", {trip.y, trip.back}, {trip.b.Slot("z:0", trip.b.DimsOf(trip.x))});
    trip.CheckRefused("input 0 ('y:0'): expected on CPU:0, it is on NULL:0");
  }
  {
    RoundTrip trip;  // a result that the host cannot read
    trip.b.block().results = {trip.y};
    trip.CheckRefused("result 'y:0': expected on CPU:0, it is on NULL:0");
  }
  {
    RoundTrip trip;  // one slot in two memories
    trip.b.block().values[trip.back].index = trip.b.block().values[trip.there].index;
    trip.CheckRefused("output 0 ('back:0'): expected a slot on CPU:0");
  }
  {
    RoundTrip trip;  // no kernel there
    trip.b.block().steps[1].op = "Identity";
    const Status status = trip.Load();
    REQUIRE_FALSE(status.ok());
    CHECK(Contains(status.ToString(), "no kernel for NULL"));
  }
  {
    RoundTrip trip;
    trip.b.block().steps[1].device = 9;
    trip.CheckRefused("device: expected an index below 3, found 9");
  }
}

TEST_CASE("a variable's elements are in one memory, for all steps and all plans") {
  {
    RoundTrip trip;
    const uint32_t v = trip.b.Variable("v", {4});
    trip.b.Step("Assign", "set", {v, trip.x}, {plan::kNone});
    const uint32_t read = trip.b.LateOf("read:0", trip.b.DimsOf(v));
    trip.b.block().steps[trip.b.Step("Identity", "read", {v}, {read})].device = 1;
    const Status status = trip.Load();
    REQUIRE_FALSE(status.ok());
    CHECK(Contains(status.ToString(), "variable 'v': expected a step on CPU:0, as before, found one on NULL:0"));
  }
  {
    const std::shared_ptr<Environment> environment = Devices();
    CHECK(environment->PlaceResource("", "v", environment->devices()[0].get()).ok());
    CHECK(environment->PlaceResource("", "v", environment->devices()[1].get()).ok());  // the host's memory too
    const Status status = environment->PlaceResource("", "v", environment->devices()[2].get());
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(Contains(status.ToString(), "'v': expected on /device:NULL:0 by the plan, it is on /device:CPU:0"));
  }
}

TEST_CASE("devices of host memory read each other's values") {
  PlanBuilder b;
  b.plan.devices = {{"CPU", 1}, {"CPU", 0}};
  const uint32_t x = b.Feed("x:0", {-1}), k = b.Constant({1}, {10});
  const uint32_t y = b.Slot("y:0", b.DimsOf(x)), z = b.Slot("z:0", b.DimsOf(x));
  b.block().steps[b.Step("Add", "y", {x, k}, {y})].device = 0;
  b.block().steps[b.Step("Mul", "z", {y, x}, {z})].device = 1;
  b.Fetch("z:0", z);
  const std::shared_ptr<Environment> environment = Devices();
  auto runner = NewPlanRunner(b.plan, environment);
  MR_REQUIRE_OK(runner);
  auto callable = (*runner)->Prepare("run");
  MR_REQUIRE_OK(callable);
  std::vector<Tensor> out;
  MR_REQUIRE_OK((*callable)->Run({Tensor::Of<float>(Shape({2}), {1, 2})}, &out));
  CHECK(out[0].elements<float>()[1] == 24);
  // y is in the second device's memory, and booked there.
  CHECK(environment->devices()[1]->allocator().stats().bytes_in_use == 64);
}

TEST_CASE("a plan's missing device is named with those that there are") {
  const Status status = RoundTrip().Load(Devices(2, 0));
  REQUIRE_FALSE(status.ok());
  CHECK(status.code() == Code::kNotFound);
  CHECK(Contains(status.ToString(), "device NULL:0 is not there; the devices are CPU:0, CPU:1"));
}

}  // namespace millrace
