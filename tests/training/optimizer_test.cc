// Each optimiser against its rule in plain code, over several steps: dense and
// sparse gradients, by handle and by reference.
#include <cmath>
#include <functional>
#include <set>

#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

// What one element has: its value and the slots of the rule, by name.
using Element = std::map<std::string, double>;
// One step t (from 1) of an element with gradient g.
using Rule = std::function<void(Element& e, double g, int t)>;

struct Subject {
  const char* name;
  std::function<std::unique_ptr<Optimizer>()> make;
  Element start;  // of the slots
  Rule rule;
  // Slots, and the value with them, move without a gradient too.
  bool decays_everywhere = false;
  // Names of the slots' variables after "w/", in the order of the rule's.
  std::map<std::string, std::string> slots;
};

void AdamRule(Element& e, double g, int t) {
  e["m"] = 0.8 * e["m"] + 0.2 * g;
  e["v"] = 0.9 * e["v"] + 0.1 * g * g;
  e["w"] -= 0.1 * std::sqrt(1 - std::pow(0.9, t)) / (1 - std::pow(0.8, t)) * e["m"] / (std::sqrt(e["v"]) + 1e-4);
}

void FtrlRule(Element& e, double g, double shrinkage) {
  const double next = e["accum"] + g * g;
  e["linear"] += g + 2 * shrinkage * e["w"] - (std::sqrt(next) - std::sqrt(e["accum"])) / 0.1 * e["w"];
  e["accum"] = next;
  const double l1 = 0.01, l2 = 0.02;
  e["w"] = std::abs(e["linear"]) > l1
               ? (std::copysign(l1, e["linear"]) - e["linear"]) / (std::sqrt(next) / 0.1 + 2 * l2)
               : 0;
}

const std::vector<Subject>& Subjects() {
  static const std::vector<Subject> subjects = {
      {"gradient descent",
       [] { return std::make_unique<GradientDescentOptimizer>(0.1); },
       {},
       [](Element& e, double g, int) { e["w"] -= 0.1 * g; },
       false,
       {}},
      {"momentum",
       [] { return std::make_unique<MomentumOptimizer>(0.1, 0.7); },
       {{"momentum", 0}},
       [](Element& e, double g, int) {
         e["momentum"] = 0.7 * e["momentum"] + g;
         e["w"] -= 0.1 * e["momentum"];
       },
       false,
       {{"momentum", "Momentum"}}},
      {"Nesterov's momentum",
       [] { return std::make_unique<MomentumOptimizer>(0.1, 0.7, MomentumOptions{.use_nesterov = true}); },
       {{"momentum", 0}},
       [](Element& e, double g, int) {
         e["momentum"] = 0.7 * e["momentum"] + g;
         e["w"] -= 0.1 * (g + 0.7 * e["momentum"]);
       },
       false,
       {{"momentum", "Momentum"}}},
      {"Adam",
       [] { return std::make_unique<AdamOptimizer>(0.1, AdamOptions{.beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-4}); },
       {{"m", 0}, {"v", 0}},
       AdamRule,
       true,
       {{"m", "Adam"}, {"v", "Adam_1"}}},
      {"AdamW",
       [] {
         return std::make_unique<AdamWOptimizer>(
             0.1, AdamWOptions{.weight_decay = 0.3, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-4});
       },
       {{"m", 0}, {"v", 0}},
       [](Element& e, double g, int t) {
         AdamRule(e, g, t);
         e["w"] -= 0.1 * 0.3 * e["w"];
       },
       true,
       {{"m", "AdamW"}, {"v", "AdamW_1"}}},
      {"Adagrad",
       [] { return std::make_unique<AdagradOptimizer>(0.1, AdagradOptions{.initial_accumulator_value = 0.2}); },
       {{"accumulator", 0.2}},
       [](Element& e, double g, int) {
         e["accumulator"] += g * g;
         e["w"] -= 0.1 * g / std::sqrt(e["accumulator"]);
       },
       false,
       {{"accumulator", "Adagrad"}}},
      {"Adadelta",
       [] { return std::make_unique<AdadeltaOptimizer>(0.5, AdadeltaOptions{.rho = 0.8, .epsilon = 1e-2}); },
       {{"accum", 0}, {"accum_update", 0}},
       [](Element& e, double g, int) {
         e["accum"] = 0.8 * e["accum"] + 0.2 * g * g;
         const double step = std::sqrt(e["accum_update"] + 1e-2) / std::sqrt(e["accum"] + 1e-2) * g;
         e["accum_update"] = 0.8 * e["accum_update"] + 0.2 * step * step;
         e["w"] -= 0.5 * step;
       },
       false,
       {{"accum", "Adadelta"}, {"accum_update", "Adadelta_1"}}},
      {"RMSProp",
       [] {
         return std::make_unique<RMSPropOptimizer>(0.1, RMSPropOptions{.decay = 0.8, .momentum = 0.4, .epsilon = 1e-3});
       },
       {{"rms", 1}, {"momentum", 0}},
       [](Element& e, double g, int) {
         e["rms"] = 0.8 * e["rms"] + 0.2 * g * g;
         e["momentum"] = 0.4 * e["momentum"] + 0.1 * g / std::sqrt(e["rms"] + 1e-3);
         e["w"] -= e["momentum"];
       },
       false,
       {{"rms", "RMSProp"}, {"momentum", "RMSProp_1"}}},
      {"centred RMSProp",
       [] {
         return std::make_unique<RMSPropOptimizer>(
             0.1, RMSPropOptions{.decay = 0.8, .momentum = 0.4, .epsilon = 1e-3, .centered = true});
       },
       {{"rms", 1}, {"mg", 0}, {"momentum", 0}},
       [](Element& e, double g, int) {
         e["rms"] = 0.8 * e["rms"] + 0.2 * g * g;
         e["mg"] = 0.8 * e["mg"] + 0.2 * g;
         e["momentum"] = 0.4 * e["momentum"] + 0.1 * g / std::sqrt(e["rms"] - e["mg"] * e["mg"] + 1e-3);
         e["w"] -= e["momentum"];
       },
       false,
       {{"rms", "RMSProp"}, {"mg", "RMSProp_1"}, {"momentum", "RMSProp_2"}}},
      {"Ftrl",
       [] { return std::make_unique<FtrlOptimizer>(0.1, FtrlOptions{.l1 = 0.01, .l2 = 0.02}); },
       {{"accum", 0.1}, {"linear", 0}},
       [](Element& e, double g, int) { FtrlRule(e, g, 0); },
       false,
       {{"accum", "Ftrl"}, {"linear", "Ftrl_1"}}},
      {"Ftrl with shrinkage",
       [] { return std::make_unique<FtrlOptimizer>(0.1, FtrlOptions{.l1 = 0.01, .l2 = 0.02, .l2_shrinkage = 0.05}); },
       {{"accum", 0.1}, {"linear", 0}},
       [](Element& e, double g, int) { FtrlRule(e, g, 0.05); },
       false,
       {{"accum", "Ftrl"}, {"linear", "Ftrl_1"}}},
  };
  return subjects;
}

constexpr int kRows = 4, kColumns = 2, kSteps = 5;

// Gradients of the steps: fed, so that the optimiser alone is tested.
double GradientAt(int step, int i) { return std::sin(1.0 + 3 * step + 7 * i) * (i % 3 == 0 ? 2 : 0.5); }

std::vector<Element> Start(const Subject& subject) {
  std::vector<Element> elements(kRows * kColumns, subject.start);
  for (size_t i = 0; i < elements.size(); ++i) elements[i]["w"] = 0.5 + 0.1 * static_cast<double>(i);
  return elements;
}

Tensor StartTensor() {
  std::vector<float> values;
  for (int i = 0; i < kRows * kColumns; ++i) values.push_back(0.5f + 0.1f * static_cast<float>(i));
  return Tensor::Of<float>(Shape({kRows, kColumns}), values);
}

void Compare(Runs& runs, const Optimizer& optimizer, const Variable& w, const Subject& subject,
             std::vector<Element>& elements) {
  const auto column = [&](const std::string& name) {
    std::vector<double> values;
    for (Element& e : elements) values.push_back(e[name]);
    return values;
  };
  CheckNear(runs.Get(w), column("w"), 2e-5);
  for (const auto& [slot, variable] : subject.slots) {
    INFO("slot " << slot);
    const Variable found = optimizer.slot(w, slot);
    REQUIRE(found.valid());
    CHECK(found.name() == "w/" + variable);
    CHECK(found.is_resource() == w.is_resource());
    CHECK(!found.trainable());
    CheckNear(runs.Get(found), column(slot), 2e-5);
  }
}

TEST_CASE("optimisers follow their rules") {
  const bool resource = GENERATE(true, false);
  for (const Subject& subject : Subjects()) {
    INFO(subject.name << (resource ? ", handle" : ", reference"));
    const Scope root = Scope::NewRoot();
    const Variable w(root.WithOpName("w"), StartTensor(), {.resource = resource});
    const Output gradient = ops::Placeholder(root, DType::kFloat, {.shape = Shape({kRows, kColumns})});
    const auto optimizer = subject.make();
    const Variable step = GlobalStep(root, resource);
    const Operation train = optimizer->ApplyGradients(root.WithOpName("train"), {{gradient, w}}, {.global_step = step});
    const Operation init = InitializeVariables(root);
    MR_REQUIRE_OK(root.status());
    CHECK(train.name() == "train");
    Runs runs(root);
    runs.Do(init);
    std::vector<Element> elements = Start(subject);
    for (int t = 1; t <= kSteps; ++t) {
      std::vector<float> g;
      for (int i = 0; i < kRows * kColumns; ++i) {
        g.push_back(static_cast<float>(GradientAt(t, i)));
        subject.rule(elements[static_cast<size_t>(i)], GradientAt(t, i), t);
      }
      MR_REQUIRE_OK(runs.Try({}, {train}, {{gradient, Tensor::Of<float>(Shape({kRows, kColumns}), g)}}));
      Compare(runs, *optimizer, w, subject, elements);
    }
    CHECK(runs.Get(step) == std::vector<double>{kSteps});
  }
}

TEST_CASE("sparse gradients touch their rows, and rows that repeat add up") {
  const bool resource = GENERATE(true, false);
  for (const Subject& subject : Subjects()) {
    INFO(subject.name << (resource ? ", handle" : ", reference"));
    const Scope root = Scope::NewRoot();
    const Variable w(root.WithOpName("w"), StartTensor(), {.resource = resource});
    const Output values = ops::Placeholder(root, DType::kFloat, {.shape = Shape({-1, kColumns})});
    const Output indices = ops::Placeholder(root, DType::kInt32, {.shape = Shape({-1})});
    const auto optimizer = subject.make();
    const Operation train = optimizer->ApplyGradients(root, {{IndexedSlices{values, indices, {}}, w}});
    const Operation init = InitializeVariables(root);
    MR_REQUIRE_OK(root.status());
    Runs runs(root);
    runs.Do(init);
    std::vector<Element> elements = Start(subject);
    for (int t = 1; t <= kSteps; ++t) {
      // Two rows, one of them twice; row 3 never.
      const std::vector<int32_t> rows = {t % 3, (t + 1) % 3, t % 3};
      std::vector<float> g;
      std::vector<double> sums(kRows * kColumns);
      std::set<int> named;
      for (size_t k = 0; k < rows.size(); ++k) {
        for (int c = 0; c < kColumns; ++c) {
          const double value = GradientAt(t, static_cast<int>(k) * kColumns + c);
          g.push_back(static_cast<float>(value));
          sums[static_cast<size_t>(rows[k] * kColumns + c)] += value;
          named.insert(rows[k] * kColumns + c);
        }
      }
      for (int i = 0; i < kRows * kColumns; ++i) {
        // AdamW's decay takes the whole variable, as Adam's slots do.
        if (subject.decays_everywhere || named.contains(i)) {
          subject.rule(elements[static_cast<size_t>(i)], sums[static_cast<size_t>(i)], t);
        }
      }
      MR_REQUIRE_OK(runs.Try(
          {}, {train},
          {{values, Tensor::Of<float>(Shape({3, kColumns}), g)}, {indices, Tensor::Of<int32_t>(Shape({3}), rows)}}));
      Compare(runs, *optimizer, w, subject, elements);
    }
  }
}

TEST_CASE("hyperparameters may be outputs, of another dtype than the variable") {
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), Tensor::Of<double>(Shape({2}), {1, 2}));
  const Output rate = ops::Placeholder(root, DType::kFloat, {.shape = Shape()});
  const Operation train =
      MomentumOptimizer(rate, 0.5).ApplyGradients(root, {{Const(root, {1.0, 1.0}, DType::kDouble), w}});
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  runs.Do(init);
  MR_REQUIRE_OK(runs.Try({}, {train}, {{rate, Tensor::Scalar(0.25f)}}));
  CheckNear(runs.Get(w), {0.75, 1.75}, 1e-12);
  MR_REQUIRE_OK(runs.Try({}, {train}, {{rate, Tensor::Scalar(1.0f)}}));
  CheckNear(runs.Get(w), {-0.75, 0.25}, 1e-12);
}

TEST_CASE("variables of 16 bits are trained, with counters of 32") {
  const DType dtype = GENERATE(DType::kHalf, DType::kBfloat16);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), {1.0, 2.0}, {.dtype = dtype});
  // 1 - 0.999 would be 0 in bfloat16.
  AdamOptimizer optimizer(0.25, {.beta1 = 0.5, .beta2 = 0.75});
  const Operation train = optimizer.Minimize(root, ops::Sum(root, w * w, 0));
  const Operation init = InitializeVariables(root);
  const Output value = ops::Cast(root, w, DType::kFloat);
  MR_REQUIRE_OK(root.status());
  CHECK(optimizer.slot(w, "m").dtype() == dtype);
  CHECK(Variable::Existing(root, "beta1_power").dtype() == DType::kFloat);
  Runs runs(root);
  runs.Do(init);
  runs.Do(train);
  // Adam's first step is as long as the rate, whatever the gradient.
  CheckNear(runs.Get(value), {0.75, 1.75}, 0.01);
}

TEST_CASE("a slot of a variable whose shape is open has the shape of its initial value") {
  const Scope root = Scope::NewRoot();
  const Output start = ops::Placeholder(root, DType::kFloat, {.shape = Shape({-1})});
  const Variable w(root.WithOpName("w"), start);
  AdagradOptimizer optimizer(1.0, {.initial_accumulator_value = 3.0});
  const Operation train = optimizer.ApplyGradients(root, {{ops::OnesLike(root, w.value()), w}});
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  MR_REQUIRE_OK(runs.Try({}, {init}, {{start, Tensor::Of<float>(Shape({3}), {1, 2, 3})}}));
  CheckNear(runs.Get(optimizer.slot(w, "accumulator")), {3, 3, 3});
  runs.Do(train);
  CheckNear(runs.Get(w), {0.5, 1.5, 2.5});
}

TEST_CASE("minimising takes the trainable variables, and the loss is that of the old values") {
  const bool resource = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), 4.0, {.resource = resource});
  const Variable fixed(root.WithOpName("fixed"), 1.0, {.resource = resource, .trainable = false});
  const Output loss = ops::Square(root.WithOpName("loss"), w - fixed);
  const Operation train = GradientDescentOptimizer(0.25).Minimize(root, loss);
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  runs.Do(init);
  for (const double expected : {9.0, 2.25, 0.5625}) {
    const auto results = runs.Try({loss}, {train});
    MR_REQUIRE_OK(results);
    CHECK(Runs::Elements((*results)[0]) == std::vector<double>{expected});
  }
  CHECK(runs.Get(fixed) == std::vector<double>{1});
}

TEST_CASE("a program's own optimiser gives one function") {
  class SignDescent final : public Optimizer {
   public:
    explicit SignDescent(Operand rate) : Optimizer("SignDescent"), rate_(std::move(rate)) {}

   private:
    Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override {
      return variable.AssignSub(at, ops::Mul(at, ops::Sign(at, gradient), Hyper("rate", rate_, variable.dtype())));
    }
    const Operand rate_;
  };
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), {1.0, -2.0});
  const Operation train = SignDescent(0.5).Minimize(root, ops::Sum(root, w * w, 0));
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  runs.Do(init);
  runs.Do(train);
  CHECK(runs.Get(w) == std::vector<double>{0.5, -1.5});
}

}  // namespace
}  // namespace millrace
