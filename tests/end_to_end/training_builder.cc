#include "millrace/tests/end_to_end/training_builder.h"

#include <memory>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/training/training.h"
#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

using Json = nlohmann::json;

// A number, or one of the formulas of the recorded cases.
Operand LearningRate(const Scope& root, const Json& rate) {
  if (rate.is_number()) return rate.get<double>();
  const Variable step = GlobalStep(root);
  const std::string formula = rate;
  if (formula == "0.5 * 0.7 ** floor(global_step / 6)") {
    return ExponentialDecay(root, 0.5, step, 6, 0.7, {.staircase = true});
  }
  if (formula == "0.05 * min(1/sqrt(t), t/10), t = global_step + 1") {
    const Output t = ops::Cast(root, step, DType::kFloat) + 1.0;
    return ops::Mul(root.WithOpName("learning_rate"), ops::Minimum(root, ops::Rsqrt(root, t), t * 0.1), 0.05);
  }
  root.Fail(Unimplemented(Cat("the learning rate ", formula)));
  return 0.0;
}

std::unique_ptr<Optimizer> MakeOptimizer(const Scope& root, const Json& o) {
  const std::string type = o.at("type");
  const Operand rate = LearningRate(root, o.at("learning_rate"));
  const auto number = [&](const char* name) { return Operand(o.at(name).get<double>()); };
  if (type == "sgd") return std::make_unique<GradientDescentOptimizer>(rate);
  if (type == "momentum") {
    return std::make_unique<MomentumOptimizer>(rate, number("momentum"),
                                               MomentumOptions{.use_nesterov = o.at("use_nesterov").get<bool>()});
  }
  if (type == "adam") {
    return std::make_unique<AdamOptimizer>(
        rate, AdamOptions{.beta1 = number("beta1"), .beta2 = number("beta2"), .epsilon = number("epsilon")});
  }
  if (type == "adamw") {
    return std::make_unique<AdamWOptimizer>(rate, AdamWOptions{.weight_decay = number("weight_decay"),
                                                               .beta1 = number("beta1"),
                                                               .beta2 = number("beta2"),
                                                               .epsilon = number("epsilon"),
                                                               .name = "Adam"});
  }
  if (type == "adagrad") {
    return std::make_unique<AdagradOptimizer>(
        rate, AdagradOptions{.initial_accumulator_value = o.at("initial_accumulator_value").get<double>()});
  }
  if (type == "adadelta") {
    return std::make_unique<AdadeltaOptimizer>(rate,
                                               AdadeltaOptions{.rho = number("rho"), .epsilon = number("epsilon")});
  }
  if (type == "rmsprop") {
    return std::make_unique<RMSPropOptimizer>(rate, RMSPropOptions{.decay = number("decay"),
                                                                   .momentum = number("momentum"),
                                                                   .epsilon = number("epsilon"),
                                                                   .centered = o.at("centered").get<bool>()});
  }
  if (type == "ftrl") {
    return std::make_unique<FtrlOptimizer>(
        rate, FtrlOptions{.learning_rate_power = number("learning_rate_power"),
                          .initial_accumulator_value = o.at("initial_accumulator_value").get<double>(),
                          .l1 = number("l1"),
                          .l2 = number("l2")});
  }
  root.Fail(Unimplemented("the optimiser " + type));
  return nullptr;
}

// Every variable takes the mean of `count` gradients, once in so many steps: the
// first operation adds to the sums, the second applies and clears them too.
std::vector<Operation> Accumulate(const Scope& root, Optimizer& optimizer, const GradientsAndVariables& gradients,
                                  int count) {
  const Variable step = GlobalStep(root, /*resource=*/false);
  std::vector<Variable> sums;
  std::vector<Operation> adds;
  for (const auto& [gradient, variable] : gradients) {
    sums.emplace_back(root.WithOpName(variable.name() + "_sum"), variable.shape(), variable.dtype(), ZerosInitializer(),
                      VariableOptions{.resource = variable.is_resource(), .trainable = false});
    adds.push_back(sums.back().AssignAdd(root, gradient.ToDense(root)));
  }
  const Operation added =
      step.AssignAdd(root.WithOpName("accumulate").WithControlDependencies(adds), Const(root, 1, step.dtype()));
  const Scope after = root.WithControlDependencies(added);
  GradientsAndVariables means;
  for (size_t i = 0; i < sums.size(); ++i) {
    means.push_back({ops::RealDiv(after, sums[i].Read(after), count), gradients[i].variable});
  }
  const Operation applied = optimizer.ApplyGradients(root, means);
  std::vector<Operation> cleared;
  for (const Variable& sum : sums) {
    const Scope last = root.WithControlDependencies(applied);
    cleared.push_back(sum.Assign(last, ops::ZerosLike(last, sum.value())));
  }
  std::vector<Operation> train(static_cast<size_t>(count - 1), added);
  train.push_back(Group(root, cleared, "train"));
  return train;
}

std::vector<Operation> BuildSteps(const Scope& root, const Output& loss, const Json& model) {
  const Json& o = model.at("optimizer");
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(root, o);
  if (!root.ok()) return {};
  const bool counts = o.at("learning_rate").is_string();
  GradientsAndVariables gradients = optimizer->ComputeGradients(root, loss);
  if (o.contains("clip_by_global_norm")) {
    std::vector<Gradient> bare;
    for (const auto& pair : gradients) bare.push_back(pair.gradient);
    const ClippedByGlobalNorm clipped = ClipByGlobalNorm(root, bare, o.at("clip_by_global_norm").get<double>());
    ops::Identity(root.WithOpName("gradient_norm"), clipped.global_norm);
    for (size_t i = 0; i < gradients.size(); ++i) gradients[i].gradient = clipped.gradients[i];
  }
  if (o.contains("accumulate")) {
    return Accumulate(root.WithControlDependencies(loss), *optimizer, gradients, o.at("accumulate"));
  }
  // What the network updates by itself (moving means) belongs to the step.
  std::vector<Operation> before = {loss};
  for (const auto& node : root.graph()->nodes()) {
    if (node->op().name() == "AssignSub" || node->op().name() == "AssignSubVariableOp") {
      before.emplace_back(node.get(), root.state());
    }
  }
  const bool averages = o.contains("moving_average");
  const Variable step = counts ? GlobalStep(root) : Variable();
  const Operation update = optimizer->ApplyGradients(
      root.WithOpName(averages ? "update" : "train").WithControlDependencies(before), gradients, {.global_step = step});
  if (!averages) return {update};
  if (o.at("moving_average") != "decay min(0.95, (1 + step) / (10 + step)), step counted after the update") {
    root.Fail(Unimplemented(Cat("the moving average ", o.at("moving_average").get<std::string>())));
  }
  ExponentialMovingAverage average(0.95, {.num_updates = step});
  return {average.Apply(root.WithOpName("train").WithControlDependencies(update), TrainableVariables(root))};
}

}  // namespace

Result<BuiltTraining> BuildTraining(const GraphDef& forward, const Json& model) {
  auto graph = std::make_shared<Graph>();
  MR_RETURN_IF_ERROR(graph->Import(forward));
  const Scope root(graph);
  for (const Json& variable : model.at("variables")) {
    const std::string name = variable.at("name");
    if (graph->Find(name) != nullptr) Variable::Existing(root, name, variable.at("trainable").get<bool>());
  }
  MR_ASSIGN_OR_RETURN(const Endpoint loss, graph->FindEndpoint(model.at("loss").get<std::string>()));
  const std::vector<Operation> train = BuildSteps(root, Output(loss, root.state()), model);
  const Operation init = InitializeVariables(root.WithOpName("initialize"));
  MR_RETURN_IF_ERROR(root.status());
  BuiltTraining built{graph->ToGraphDef(), init.name(), {}, {}};
  for (const Operation& operation : train) built.train.push_back(operation.name());
  for (const Variable& variable : Variables(root)) built.reads[variable.name()] = variable.value().name();
  return built;
}

}  // namespace millrace::end_to_end
