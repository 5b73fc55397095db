#include "millrace/runtime/session/gradient_checker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/state_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/runtime/session/widen.h"

namespace millrace {
namespace {

using numeric::FromNumbers, numeric::Numbers, numeric::Pruned, numeric::Widened;

// What differences can tell in a precision.
struct Precision {
  DType type;
  double epsilon;  // of a rounding
  double step;     // where truncation and rounding balance
  double reach;    // an error that is surely none of rounding
};
constexpr Precision kPrecisions[] = {
    {DType::kDouble, 1.1e-16, 1e-5, 3e-7},
    {DType::kFloat, 6e-8, 1e-2, 3e-3},
    {DType::kHalf, 5e-4, 1e-1, 1e-1},
    {DType::kBfloat16, 4e-3, 1e-1, 3e-1},
};

// Elements that an x without a feed may have.
constexpr int64_t kMostRandom = int64_t{1} << 26;

DType RealType(DType type) {
  if (type == DType::kComplex64) return DType::kFloat;
  return type == DType::kComplex128 ? DType::kDouble : type;
}

Result<std::vector<Output>> Find(const Scope& scope, const std::vector<std::string>& names) {
  std::vector<Output> found;
  for (const std::string& name : names) {
    MR_ASSIGN_OR_RETURN(Endpoint endpoint, scope.graph()->FindEndpoint(name));
    found.emplace_back(endpoint, scope.state());
  }
  return found;
}

class Check {
 public:
  Check(std::vector<std::string> ys, std::vector<std::string> xs, const GradientCheckOptions& options)
      : y_names_(std::move(ys)), x_names_(std::move(xs)), options_(options), random_(options.seed) {}

  Result<GradientCheck> Run(const GraphDef& def, const Registry& registry) {
    MR_RETURN_IF_ERROR(Copy(def, registry));
    MR_RETURN_IF_ERROR(FindTensors());
    MR_RETURN_IF_ERROR(BuildGradients());
    MR_RETURN_IF_ERROR(Start());
    for (size_t i = 0; i < xs_.size(); ++i) MR_RETURN_IF_ERROR(CheckInput(i));
    return result_;
  }

 private:
  // The graph, in double if it can be.
  Status Copy(const GraphDef& def, const Registry& registry) {
    if (options_.in_double) {
      graph_ = std::make_shared<Graph>(registry);
      MR_ASSIGN_OR_RETURN(const GraphDef wide, Widened(def));
      wide_ = graph_->Import(wide).ok();
      if (wide_) return OkStatus();
    }
    graph_ = std::make_shared<Graph>(registry);
    return graph_->Import(def);
  }

  Tensor Fitted(const Tensor& tensor) const { return wide_ ? Widened(tensor) : tensor; }

  // Fills ys_, xs_ and the feeds.
  Status FindTensors() {
    const Scope scope(graph_);
    MR_ASSIGN_OR_RETURN(ys_, Find(scope, y_names_));
    MR_ASSIGN_OR_RETURN(xs_, Find(scope, x_names_));
    for (const Output& y : ys_) MR_RETURN_IF_ERROR(CheckType(y, y.dtype(), "y"));
    for (const Output& x : xs_) {
      inputs_.emplace_back();
      MR_RETURN_IF_ERROR(IsVariable(x) ? FindVariable(scope, x) : FindPlain(x));
    }
    for (const auto& [name, tensor] : options_.feeds) {
      if (std::any_of(xs_.begin(), xs_.end(), [&, &name = name](const Output& x) { return Names(name, x); })) continue;
      feed_names_.push_back(name);
      feed_values_.push_back(Fitted(tensor));
    }
    return OkStatus();
  }

  static bool IsVariable(const Output& x) { return IsRef(x.dtype()) || x.dtype() == DType::kResource; }
  static bool Names(const std::string& feed, const Output& x) {
    return feed == x.name() || Cat(feed, ":0") == x.name();
  }

  static Status CheckType(const Output& t, DType type, std::string_view what) {
    if (IsFloating(type) || IsComplex(type)) return OkStatus();
    return InvalidArgument(Cat(what, " '", t.name(), "' of CheckGradient has dtype ", DTypeName(type),
                               ", expected a floating-point or complex one"));
  }

  // A variable is moved by assigning to it.
  Status FindVariable(const Scope& scope, const Output& x) {
    const bool handle = x.dtype() == DType::kResource;
    const DType type = handle ? x.node().output(x.index()).handle_dtype : BaseType(x.dtype());
    MR_RETURN_IF_ERROR(CheckType(x, type, "x"));
    Input& input = inputs_.back();
    const Output value = ops::Placeholder(scope.WithOpName("value"), type, {.shape = Shape::UnknownRank()});
    input.value = value.name();
    if (handle) {
      input.read = ops::ReadVariableOp(scope, x, type).name();
      input.assign = ops::AssignVariableOp(scope, x, value).name();
    } else {
      input.read = ops::Identity(scope, x).name();
      input.assign = ops::Assign(scope, x, value, {.validate_shape = false}).node().name();
    }
    return scope.status();
  }

  Status FindPlain(const Output& x) {
    MR_RETURN_IF_ERROR(CheckType(x, x.dtype(), "x"));
    const auto given = std::find_if(options_.feeds.begin(), options_.feeds.end(),
                                    [&](const auto& feed) { return Names(feed.first, x); });
    Input& input = inputs_.back();
    if (given != options_.feeds.end()) {
      input.start = Fitted(given->second);
      if (input.start.dtype() != x.dtype()) {
        return InvalidArgument(Cat("the feed of '", x.name(), "' has dtype ", DTypeName(given->second.dtype()),
                                   ", and the graph works in ", DTypeName(x.dtype())));
      }
    } else {
      const Shape shape = x.shape().ToShape();
      if (!x.shape().FullyKnown()) {
        return InvalidArgument(Cat("x '", x.name(), "' has shape ", graph_->dims().ToString(x.shape()),
                                   ", which is not fully known: CheckGradient needs a feed of it"));
      }
      if (shape.NumElements().value_or(kMostRandom + 1) > kMostRandom) {
        return ResourceExhausted(Cat("x '", x.name(), "' has shape ", shape.ToString(),
                                     ", too large for random numbers: CheckGradient needs a feed of it"));
      }
      input.start = RandomTensor(x.dtype(), shape);
    }
    input.feed = feed_names_.size();
    feed_names_.push_back(x.name());
    feed_values_.push_back(input.start);
    return OkStatus();
  }

  Tensor RandomTensor(DType type, const Shape& shape) {
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::vector<double> numbers(static_cast<size_t>(shape.NumElements().value_or(0)) * (IsComplex(type) ? 2 : 1));
    for (double& v : numbers) v = uniform(random_);
    return FromNumbers(type, shape, numbers);
  }

  Status BuildGradients() {
    const Scope scope(graph_);
    GradientOptions options;
    for (const Output& y : ys_) {
      options.grad_ys.push_back(
          ops::Placeholder(scope.WithOpName("weights"), y.dtype(), {.shape = y.shape().ToShape()}));
    }
    const std::vector<Gradient> gradients = Gradients(scope, ys_, xs_, options);
    for (const Gradient& gradient : gradients) {
      gradients_.push_back(gradient.none() ? "" : gradient.ToDense(scope).name());
    }
    for (const Output& weight : options.grad_ys) weight_names_.push_back(weight.name());
    return scope.status();
  }

  // Opens the session; runs the ys at the start, and the gradients.
  Status Start() {
    SessionOptions session_options;
    session_options.threads = 1;
    MR_ASSIGN_OR_RETURN(session_, Session::New(graph_, session_options));
    std::vector<std::pair<std::string, Tensor>> feeds;
    for (size_t i = 0; i < feed_names_.size(); ++i) feeds.emplace_back(feed_names_[i], feed_values_[i]);
    for (const std::string& target : options_.targets) {
      MR_RETURN_IF_ERROR(session_->Run(feeds, {}, {target}).status());
    }
    for (Input& input : inputs_) {
      if (input.read.empty()) continue;
      MR_ASSIGN_OR_RETURN(const std::vector<Tensor> read, session_->Run(feeds, {input.read}));
      input.start = read[0];
    }
    MR_ASSIGN_OR_RETURN(forward_, session_->Prepare(feed_names_, y_names_));
    std::vector<Tensor> ys;
    MR_RETURN_IF_ERROR(forward_->Run(feed_values_, &ys));
    for (size_t i = 0; i < ys.size(); ++i) {
      const Tensor weight = RandomTensor(ys[i].dtype(), ys[i].shape());
      weights_.push_back(Numbers(weight));
      feeds.emplace_back(weight_names_[i], weight);
      const std::vector<double> values = Numbers(ys[i]);
      for (size_t e = 0; e < values.size(); ++e) magnitude_ += std::abs(values[e] * weights_[i][e]);
    }
    const double start = WeightedSum(ys);
    MR_ASSIGN_OR_RETURN(const double again, RunForward());
    if (again != start && !(std::isnan(again) && std::isnan(start))) {
      return InvalidArgument("the ys of CheckGradient are not the same in two runs: they depend on random numbers");
    }
    std::vector<std::string> fetches;
    for (const std::string& name : gradients_) {
      if (!name.empty()) fetches.push_back(name);
    }
    if (fetches.empty()) {
      found_.resize(gradients_.size());
      return OkStatus();
    }
    MR_ASSIGN_OR_RETURN(const std::vector<Tensor> found, session_->Run(feeds, fetches));
    size_t next = 0;
    for (const std::string& name : gradients_) found_.push_back(name.empty() ? Tensor() : found[next++]);
    return OkStatus();
  }

  // The real part of the sum of conj(weight) y.
  double WeightedSum(const std::vector<Tensor>& ys) const {
    long double sum = 0;
    for (size_t i = 0; i < ys.size(); ++i) {
      const std::vector<double> values = Numbers(ys[i]);
      for (size_t e = 0; e < values.size() && e < weights_[i].size(); ++e) {
        sum += static_cast<long double>(values[e]) * weights_[i][e];
      }
    }
    return static_cast<double>(sum);
  }

  Result<double> RunForward() {
    std::vector<Tensor> ys;
    MR_RETURN_IF_ERROR(forward_->Run(feed_values_, &ys));
    return WeightedSum(ys);
  }

  Status CheckInput(size_t i) {
    const Tensor start = inputs_[i].start;
    const Precision* precision = PrecisionOf(start.dtype());
    for (const Output& y : ys_) {
      const Precision* other = PrecisionOf(y.dtype());
      if (other->epsilon > precision->epsilon) precision = other;
    }
    if (precision->epsilon > PrecisionOf(result_.precision)->epsilon) result_.precision = precision->type;
    const double step = options_.step > 0 ? options_.step : precision->step;
    const std::vector<double> numbers = Numbers(start);
    const std::vector<double> gradient = found_[i].valid() ? Numbers(found_[i]) : std::vector<double>(numbers.size());
    if (gradient.size() != numbers.size()) {
      return InvalidArgument(Cat("the gradient of '", x_names_[i], "' has shape ", found_[i].shape().ToString(),
                                 ", expected ", start.shape().ToString()));
    }
    const size_t parts = IsComplex(start.dtype()) ? 2 : 1;
    const auto elements = static_cast<int64_t>(numbers.size() / parts);
    const int64_t count = std::min(elements, std::max<int64_t>(options_.max_elements, 1));

    struct Sample {
      size_t at;
      double difference;
    };
    std::vector<Sample> samples;
    double largest = 0;
    for (int64_t k = 0; k < count; ++k) {
      const int64_t element = count == elements ? k : k * (elements / count) + k * (elements % count) / count;
      for (size_t part = 0; part < parts; ++part) {
        const size_t at = static_cast<size_t>(element) * parts + part;
        MR_ASSIGN_OR_RETURN(const double difference, Difference(i, start, numbers, at, step));
        samples.push_back({at, difference});
        for (const double v : {difference, gradient[at]}) {
          if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
        }
      }
    }
    MR_RETURN_IF_ERROR(Set(i, start));
    result_.checked += count;

    const double noise = 10 * precision->epsilon * magnitude_ / step;
    const double floor = std::max({largest * 1e-2, noise / precision->reach, std::numeric_limits<double>::min()});
    for (const Sample& s : samples) {
      const double g = gradient[s.at];
      double error = std::abs(g - s.difference) / std::max({std::abs(g), std::abs(s.difference), floor});
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      if (error <= result_.worst_error && !result_.x.empty()) continue;
      result_.worst_error = error;
      result_.x = x_names_[i];
      result_.element = static_cast<int64_t>(s.at / parts);
      result_.imaginary = s.at % parts != 0;
      result_.gradient = g;
      result_.difference = s.difference;
    }
    return OkStatus();
  }

  static const Precision* PrecisionOf(DType type) {
    return std::find_if(std::begin(kPrecisions), std::end(kPrecisions) - 1,
                        [&](const Precision& p) { return p.type == RealType(type); });
  }

  Status Set(size_t i, const Tensor& value) {
    const Input& input = inputs_[i];
    if (input.assign.empty()) {
      feed_values_[input.feed] = value;
      return OkStatus();
    }
    return session_->Run({{input.value, value}}, {}, {input.assign}).status();
  }

  // Number `at` of x `i` is moved up and down.
  Result<double> Difference(size_t i, const Tensor& start, std::vector<double> numbers, size_t at, double step) {
    const double middle = numbers[at], by = step * std::max(1.0, std::abs(middle));
    double moved[2], sums[2];
    for (int side = 0; side < 2; ++side) {
      numbers[at] = middle + (side == 0 ? by : -by);
      const Tensor value = FromNumbers(start.dtype(), start.shape(), numbers);
      if (!value.valid()) return ResourceExhausted("no memory for a feed of CheckGradient");
      moved[side] = Numbers(value)[at];  // as it was rounded
      MR_RETURN_IF_ERROR(Set(i, value));
      MR_ASSIGN_OR_RETURN(sums[side], RunForward());
    }
    return (sums[0] - sums[1]) / (moved[0] - moved[1]);
  }

  const std::vector<std::string> y_names_, x_names_;
  const GradientCheckOptions& options_;
  std::mt19937_64 random_;

  std::shared_ptr<Graph> graph_;
  bool wide_ = false;
  std::vector<Output> ys_, xs_;
  // How an x gets its values.
  struct Input {
    Tensor start;
    size_t feed = 0;                  // a plain one: its place among the feeds
    std::string value, assign, read;  // a variable: the nodes that move it
  };
  std::vector<Input> inputs_;
  std::vector<std::string> feed_names_;
  std::vector<Tensor> feed_values_;
  std::vector<std::string> weight_names_;
  std::vector<std::string> gradients_;  // "" for none
  std::unique_ptr<Session> session_;
  std::shared_ptr<Callable> forward_;
  std::vector<std::vector<double>> weights_;  // of each y
  std::vector<Tensor> found_;                 // gradients at the start
  double magnitude_ = 0;
  GradientCheck result_;
};

}  // namespace

std::string GradientCheck::ToString() const {
  return Cat("worst error ", worst_error, " of ", checked, " elements, in ", DTypeName(precision),
             x.empty() ? std::string()
                       : Cat(", at element ", element, imaginary ? " (imaginary part)" : "", " of '", x, "': gradient ",
                             gradient, ", difference ", difference));
}

Result<GradientCheck> CheckGradient(const std::vector<Output>& ys, const std::vector<Output>& xs,
                                    const GradientCheckOptions& options) {
  std::vector<std::string> names[2];
  for (const auto* list : {&ys, &xs}) {
    if (list->empty()) return InvalidArgument(Cat("CheckGradient without ", list == &ys ? "ys" : "xs"));
    for (const Output& t : *list) {
      if (!t.valid()) return InvalidArgument(Cat(list == &ys ? "a y" : "an x", " of CheckGradient is no tensor"));
      names[list == &xs].push_back(t.name());
    }
  }
  const Scope scope = Scope::Of(ys[0]);
  if (!scope.ok()) return scope.status();
  std::vector<std::string> roots = options.targets;
  for (const auto& list : names) roots.insert(roots.end(), list.begin(), list.end());
  for (const auto& [name, tensor] : options.feeds) roots.push_back(name);
  const GraphDef def = Pruned(scope.graph()->ToGraphDef(), roots);
  return Check(names[0], names[1], options).Run(def, scope.graph()->registry());
}

}  // namespace millrace
