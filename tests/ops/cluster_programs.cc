#include "millrace/tests/ops/cluster_programs.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "millrace/ops/cluster/kinds.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/run_op.h"

namespace millrace {
namespace {

using cluster::Level;
using Dims = std::vector<int64_t>;

int Below(std::mt19937& rng, int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); }
int64_t Elements(const Dims& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

template <typename T>
void Fill(std::mt19937& rng, Tensor& t, bool finite) {
  for (T& v : t.elements<T>()) {
    if constexpr (std::is_same_v<T, bool>) {
      v = rng() % 2 != 0;
    } else if constexpr (std::is_integral_v<T>) {
      v = static_cast<T>(static_cast<int>(rng() % 21) - (std::is_signed_v<T> ? 10 : 0));
      if (rng() % 32 == 0) v = std::numeric_limits<T>::lowest();
      if (rng() % 32 == 0) v = std::numeric_limits<T>::max();
    } else {
      const float x = (static_cast<float>(rng() % 4001) - 2000.0F) / 500.0F;
      static constexpr float kSpecial[] = {0.0F, -0.0F, 1.0F, -1.0F, 1e-40F, -1e-40F, 3e38F, -3e38F};
      v = T(x);
      switch (finite ? 64 : rng() % 64) {
        case 0:
          v = T(std::numeric_limits<float>::quiet_NaN());
          break;
        case 1:
          v = T(std::numeric_limits<float>::infinity());
          break;
        case 2:
          v = T(-std::numeric_limits<float>::infinity());
          break;
        case 3:
        case 4:
        case 5:
          v = T(kSpecial[rng() % 8]);
          break;
        default:
          break;
      }
    }
  }
}

template <typename T>
double NumberOf(const T& v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return static_cast<float>(v);
  else return static_cast<double>(v);
}

template <typename T>
bool SameBits(const T& a, const T& b) {
  if (std::memcmp(&a, &b, sizeof a) == 0) return true;
  if constexpr (!std::is_integral_v<T>) {
    const double x = NumberOf(a), y = NumberOf(b);
    return x != x && y != y;
  }
  return false;
}
template <typename T>
std::string FirstDifference(const Tensor& a, const Tensor& b) {
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const T x = a.elements<T>()[static_cast<size_t>(i)], y = b.elements<T>()[static_cast<size_t>(i)];
    if (!SameBits(x, y)) {
      return Cat("element ", i, " of ", a.num_elements(), ": ", NumberOf(x), " and ", NumberOf(y));
    }
  }
  return "";
}

// f(T{}) for the element types of the generator.
template <typename F>
auto ByType(DType type, F f) {
  switch (type) {
    case DType::kFloat:
      return f(float{});
    case DType::kDouble:
      return f(double{});
    case DType::kHalf:
      return f(Half{});
    case DType::kBfloat16:
      return f(BFloat16{});
    case DType::kInt8:
      return f(int8_t{});
    case DType::kUint8:
      return f(uint8_t{});
    case DType::kInt32:
      return f(int32_t{});
    case DType::kInt64:
      return f(int64_t{});
    default:
      return f(bool{});
  }
}

class Generator {
 public:
  Generator(std::mt19937& rng, const ClusterOptions& options)
      : rng_(rng), options_(options), rows_(options.space.begin(), options.space.end() - options.row_rank) {
    c_.program.row_rank = options.row_rank;
  }

  ClusterCase Make() {
    // One input spans the space.
    AddInput(Level::kFull, options_.space);
    for (int more = Below(rng_, 5); more > 0; --more) AddRandomInput();
    for (int i = 0; i < options_.instructions * 4 && Instructions() < options_.instructions; ++i) AddInstruction();
    if (!AnyOutput()) AddElementwise("Neg", DType::kFloat, {0});
    for (int reg = static_cast<int>(c_.program.inputs.size()); reg < c_.program.num_registers(); ++reg) {
      if (MayBeOutput(reg) && (Below(rng_, 4) == 0 || (c_.program.outputs.empty() && !OutputAfter(reg)))) {
        c_.program.outputs.push_back({reg, Below(rng_, 2) == 0});
      }
    }
    return std::move(c_);
  }

 private:
  int Instructions() const { return static_cast<int>(c_.program.instructions.size()); }
  bool MayBeOutput(int reg) const {
    const Level level = c_.program.level(reg);
    if (level == Level::kColumn) return true;
    const int64_t wanted = level == Level::kFull  ? Elements(options_.space)
                           : level == Level::kRow ? Elements(rows_)
                                                  : 1;
    return Elements(shapes_[static_cast<size_t>(reg)]) == wanted;
  }
  bool OutputAfter(int reg) const {
    for (int r = reg + 1; r < c_.program.num_registers(); ++r) {
      if (MayBeOutput(r)) return true;
    }
    return false;
  }
  bool AnyOutput() const { return Instructions() > 0 && OutputAfter(static_cast<int>(c_.program.inputs.size()) - 1); }

  DType RandomType() {
    static constexpr DType kTypes[] = {DType::kFloat, DType::kFloat,    DType::kFloat, DType::kDouble,
                                       DType::kHalf,  DType::kBfloat16, DType::kInt32, DType::kInt64,
                                       DType::kInt8,  DType::kUint8,    DType::kBool};
    return options_.float_only ? DType::kFloat : kTypes[Below(rng_, 11)];
  }

  void AddInput(Level level, const Dims& dims) {
    const DType type = c_.program.inputs.empty() ? DType::kFloat : RandomType();
    const bool keeps = Below(rng_, 2) == 0;
    Dims own = dims;
    shapes_.push_back(dims);
    if (level == Level::kRow && !keeps) own.resize(own.size() - static_cast<size_t>(options_.row_rank));
    cluster::Input input{type, level, keeps, -1, 0, 0};
    if (level == Level::kFull && !own.empty() && Below(rng_, 3) == 0) {
      input.slice_axis = Below(rng_, static_cast<int>(own.size()));
      int64_t& whole = own[static_cast<size_t>(input.slice_axis)];
      input.slice_extent = whole;
      input.slice_begin = Below(rng_, 3);
      whole += input.slice_begin + Below(rng_, 3);
    }
    c_.program.inputs.push_back(input);
    c_.inputs.push_back(RandomTensor(rng_, type, Shape(std::span<const int64_t>(own)), options_.finite));
  }
  void AddRandomInput() {
    Dims dims = options_.space;
    switch (Below(rng_, options_.row_rank > 0 ? 6 : 4)) {
      case 0:
        return AddInput(Level::kOne, {});
      case 1:
        return AddInput(Level::kFull, dims);
      case 2:
      case 3:  // repeats along some dimensions
        for (int64_t& d : dims) d = Below(rng_, 2) == 0 ? 1 : d;
        if (Below(rng_, 3) == 0)
          dims.erase(dims.begin(), dims.begin() + Below(rng_, static_cast<int>(dims.size()) + 1));
        return AddInput(Level::kFull, dims);
      default:
        for (size_t d = rows_.size(); d < dims.size(); ++d) dims[d] = 1;
        for (size_t d = 0; d < rows_.size(); ++d) dims[d] = Below(rng_, 4) == 0 ? 1 : dims[d];
        return AddInput(Level::kRow, dims);
    }
  }

  // A register of that type at random, or -1.
  int Pick(DType type, bool full_only = false) {
    std::vector<int> fits;
    for (int r = 0; r < c_.program.num_registers(); ++r) {
      const Level level = c_.program.level(r);
      if (c_.program.type(r) == type && level != Level::kColumn && (!full_only || level == Level::kFull)) {
        fits.push_back(r);
      }
    }
    return fits.empty() ? -1 : fits[static_cast<size_t>(Below(rng_, static_cast<int>(fits.size())))];
  }

  bool AddElementwise(std::string_view op, DType out, std::vector<int> operands) {
    const Expression* expression = Registry::BuiltIn().Find(op)->expression();
    if (expression == nullptr) return false;
    std::vector<DType> in;
    Level level = Level::kOne;
    Dims shape;
    for (const int r : operands) {
      if (r < 0) return false;
      in.push_back(c_.program.type(r));
      level = std::max(level, c_.program.level(r));
      const Dims& own = shapes_[static_cast<size_t>(r)];
      if (own.size() > shape.size()) shape.insert(shape.begin(), own.size() - shape.size(), 1);
      for (size_t d = 0; d < own.size(); ++d) {
        int64_t& dim = shape[shape.size() - 1 - d];
        if (dim == 1) dim = own[own.size() - 1 - d];
      }
    }
    if (expression->traits.attr_operand != nullptr) in.push_back(in[0]);
    const bool variant = op == "Cast" && Below(rng_, 3) == 0;
    if (BodyFor(*expression, variant, in, out, ActiveIsa()) == nullptr) return false;
    const float value = 0.25F * static_cast<float>(Below(rng_, 5));
    c_.program.instructions.push_back(
        {std::string(op), Cat("n", Instructions()), out, level, std::move(operands), value, variant});
    shapes_.push_back(std::move(shape));
    return true;
  }

  void AddInstruction() {
    const DType type = RandomType();
    const int a = Pick(type);
    if (a < 0) return;
    const int choice = Below(rng_, options_.row_rank > 0 ? 12 : 9);
    if (choice < 3) {
      static constexpr std::string_view kBinary[] = {
          "AddV2",      "Sub",       "Mul", "Maximum", "Minimum", "RealDiv", "SquaredDifference",
          "LogicalAnd", "LogicalOr", "Pow"};
      AddElementwise(kBinary[Below(rng_, 10)], type, {a, Pick(type)});
    } else if (choice < 6) {
      static constexpr std::string_view kUnary[] = {"Neg",    "Exp",  "Tanh",       "Sigmoid", "Rsqrt", "Sqrt",
                                                    "Square", "Relu", "Log",        "Erf",     "Abs",   "LeakyRelu",
                                                    "Floor",  "Sin",  "LogicalNot", "Softplus"};
      AddElementwise(kUnary[Below(rng_, 16)], type, {a});
    } else if (choice == 6) {
      static constexpr std::string_view kCompare[] = {"Less", "GreaterEqual", "Equal", "NotEqual"};
      AddElementwise(kCompare[Below(rng_, 4)], DType::kBool, {a, Pick(type)});
    } else if (choice == 7) {
      AddElementwise("SelectV2", type, {Pick(DType::kBool), a, Pick(type)});
    } else if (choice == 8) {
      AddElementwise("Cast", RandomType(), {a});
    } else {
      AddOverRows(Pick(type, true));
    }
  }

  void AddOverRows(int operand) {
    if (operand < 0) return;
    Dims shape = shapes_[static_cast<size_t>(operand)];
    const auto row = static_cast<size_t>(options_.row_rank);
    if (shape.size() < row) return;
    for (size_t d = 1; d <= row; ++d) {
      if (shape[shape.size() - d] != options_.space[options_.space.size() - d]) return;
    }
    static constexpr std::string_view kOps[] = {"Sum", "Mean",    "Max",        "Min",         "Prod",   "Any",
                                                "All", "Softmax", "LogSoftmax", "BiasAddGrad", "ArgMax", "ArgMin"};
    const std::string_view op = kOps[Below(rng_, 12)];
    const DType type = c_.program.type(operand);
    const bool index = cluster::IsIndexOf(op);
    if (index && (row != 1 || shape.back() == 0)) return;
    const bool bias = op == "BiasAddGrad";
    if (bias && (row != 1 || shape.size() < 2 || type == DType::kBool)) return;
    const bool columns = bias || (!index && Below(rng_, 3) == 0);
    const bool softmax = cluster::KindOf(op) == cluster::Kind::kRowFunction;
    if (softmax && (row != 1 || !IsFloating(type))) return;
    if (!softmax && !index && (op == "Any" || op == "All") != (type == DType::kBool)) return;
    Level level = Level::kFull;
    if (!softmax && columns) {
      if (shape != options_.space) return;
      level = Level::kColumn;
      std::fill(shape.begin(), shape.end() - options_.row_rank, 1);
    } else if (!softmax) {
      level = Level::kRow;
      std::fill(shape.end() - options_.row_rank, shape.end(), 1);
    }
    const DType result = !index ? type : Below(rng_, 2) == 0 ? DType::kInt32 : DType::kInt64;
    c_.program.instructions.push_back({std::string(op), Cat("n", Instructions()), result, level, {operand}, 0, false});
    shapes_.push_back(std::move(shape));
  }

  std::mt19937& rng_;
  const ClusterOptions& options_;
  const Dims rows_;
  ClusterCase c_;
  std::vector<Dims> shapes_;  // as the separate ops give them, reduced dimensions kept
};

}  // namespace

Tensor RandomTensor(std::mt19937& rng, DType type, const Shape& shape, bool finite) {
  Tensor t = *Tensor::New(type, shape, HostAllocator());
  ByType(type, [&]<class T>(T) { Fill<T>(rng, t, finite); });
  return t;
}

ClusterCase RandomCluster(std::mt19937& rng, const ClusterOptions& options) { return Generator(rng, options).Make(); }

Result<std::vector<Tensor>> RunOpByOp(const Registry& registry, const ClusterCase& c) {
  const cluster::Program& program = c.program;
  const auto with_ones = [&](const Tensor& t) {
    Shape shape = t.shape();
    for (int d = 0; d < program.row_rank; ++d) shape.Append(1);
    return t.Reshaped(shape);
  };
  std::vector<Tensor> registers;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const cluster::Input& input = program.inputs[i];
    const bool without = input.level == Level::kRow && !input.keeps_dims;
    registers.push_back(without ? with_ones(c.inputs[i]) : c.inputs[i]);
    if (!input.sliced()) continue;
    const auto dims = c.inputs[i].shape().dims();
    std::vector<int64_t> begin(dims.size(), 0), size(dims.begin(), dims.end());
    begin[static_cast<size_t>(input.slice_axis)] = input.slice_begin;
    size[static_cast<size_t>(input.slice_axis)] = input.slice_extent;
    const Shape vector{static_cast<int64_t>(dims.size())};
    const OpCall slice{"Slice",
                       {{"T", input.type}, {"Index", DType::kInt64}},
                       {c.inputs[i], Tensor::Of<int64_t>(vector, begin), Tensor::Of<int64_t>(vector, size)},
                       {}};
    MR_ASSIGN_OR_RETURN(const std::vector<Tensor> part, RunOp(registry, slice));
    registers.back() = part[0];
  }
  for (const cluster::Instruction& instruction : program.instructions) {
    const Op* op = registry.Find(instruction.op);
    if (op == nullptr) return NotFound(instruction.op);
    OpCall call{instruction.op, {}, {}, {}};
    for (const int r : instruction.operands) call.inputs.push_back(registers[static_cast<size_t>(r)]);
    const bool bias = instruction.op == "BiasAddGrad";
    const bool index = cluster::IsIndexOf(instruction.op);
    const int rank = call.inputs[0].shape().rank();
    if (index) {
      call.inputs.push_back(Tensor::Scalar(int32_t{-1}));
    } else if (!bias && cluster::KindOf(instruction.op) == cluster::Kind::kReduce) {
      std::vector<int32_t> axes;
      if (instruction.level == Level::kColumn) {
        for (int d = 0; d < rank - program.row_rank; ++d) axes.push_back(d);
      } else {
        for (int d = 0; d < program.row_rank; ++d) axes.push_back(d - program.row_rank);
      }
      call.inputs.push_back(Tensor::Of<int32_t>({static_cast<int64_t>(axes.size())}, axes));
      call.attrs["keep_dims"] = true;
    }
    const auto set_type = [&](const std::string& attr, DType type) {
      if (!attr.empty()) call.attrs[attr] = type;
    };
    const OpDefValue& signature = op->signature();
    for (size_t k = 0; k < signature.inputs.size(); ++k)
      set_type(signature.inputs[k].type_attr, call.inputs[k].dtype());
    set_type(signature.outputs[0].type_attr, instruction.type);
    if (instruction.op == "Cast") call.attrs["Truncate"] = instruction.variant;
    if (const Expression* e = op->expression(); e != nullptr && e->traits.attr_operand != nullptr) {
      call.attrs[e->traits.attr_operand] = instruction.value;
    }
    Result<std::vector<Tensor>> out = RunOp(registry, call);
    if (!out.ok()) return out.status().At(instruction.node, instruction.op);
    registers.push_back((*out)[0]);
    if (bias) {
      Shape kept;
      for (int d = 1; d < rank; ++d) kept.Append(1);
      kept.Append(registers.back().num_elements());
      registers.back() = registers.back().Reshaped(kept);
    } else if (index) {
      registers.back() = with_ones(registers.back());
    }
  }
  std::vector<Tensor> outputs;
  for (const cluster::Output& output : program.outputs) {
    Tensor t = registers[static_cast<size_t>(output.reg)];
    const auto dims = t.shape().dims();
    const auto row = static_cast<size_t>(program.row_rank);
    if (program.level(output.reg) == Level::kRow && !output.keeps_dims) {
      t = t.Reshaped(Shape(dims.first(dims.size() - row)));
    } else if (program.level(output.reg) == Level::kColumn && !output.keeps_dims) {
      t = t.Reshaped(Shape(dims.last(row)));
    }
    outputs.push_back(std::move(t));
  }
  return outputs;
}

std::string DifferenceOf(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) {
    return Cat(DTypeName(a.dtype()), " ", a.shape().ToString(), " and ", DTypeName(b.dtype()), " ",
               b.shape().ToString());
  }
  return ByType(a.dtype(), [&]<class T>(T) { return FirstDifference<T>(a, b); });
}

}  // namespace millrace
