#include "millrace/ops/opgen/shapes.h"

#include <algorithm>
#include <optional>

#include "millrace/proto/value/strings.h"

namespace millrace::opgen {
namespace {

constexpr int kRanks = 7;  // 0 to 6 are tried

// Attributes with which the shape function can be asked: defaults, the first that
// is allowed, small numbers. Nothing where a function or a tensor is needed.
std::optional<AttrMap> SomeAttrs(const Op& op, size_t list_length) {
  AttrMap attrs;
  for (const AttrDef& attr : op.signature().attrs) {
    if (attr.has_default) {
      attrs[attr.name] = attr.default_value;
      continue;
    }
    const ListValue* allowed = attr.allowed_values.get<ListValue>();
    ListValue list;
    if (attr.type == "type") {
      DType type = DType::kFloat;
      if (allowed != nullptr && std::count(allowed->type.begin(), allowed->type.end(), type) == 0) {
        type = allowed->type.at(0);
      }
      attrs[attr.name] = type;
    } else if (attr.type == "int") {
      attrs[attr.name] = attr.has_minimum ? std::max<int64_t>(attr.minimum, 2) : int64_t{2};
    } else if (attr.type == "float") {
      attrs[attr.name] = 1.0f;
    } else if (attr.type == "bool") {
      attrs[attr.name] = false;
    } else if (attr.type == "string") {
      attrs[attr.name] = allowed != nullptr && !allowed->s.empty() ? allowed->s[0] : std::string();
    } else if (attr.type == "shape") {
      attrs[attr.name] = Shape::UnknownRank();
    } else if (attr.type == "list(int)") {
      // Windows and strides: 2 in space, so that no extent stays as it is by chance.
      list.i.assign(list_length, 2);
      list.i.front() = list.i.back() = 1;
      attrs[attr.name] = list;
    } else if (attr.type == "list(type)") {
      list.type.assign(2, DType::kFloat);
      attrs[attr.name] = list;
    } else {
      return std::nullopt;
    }
  }
  return attrs;
}

class Prober {
 public:
  explicit Prober(const Op& op) : op_(op), signature_(op.signature()) {}

  ShapeNotes Notes() {
    ShapeNotes notes;
    notes.inputs.resize(signature_.inputs.size());
    notes.outputs.resize(signature_.outputs.size());
    if (!Prepare()) return notes;
    std::vector<std::vector<int>> ranks;
    for (size_t i = 0; i < signature_.inputs.size(); ++i) {
      ranks.push_back(RanksOf(i));
      notes.inputs[i] = RankText(ranks[i]);
    }
    DescribeOutputs(ranks, &notes);
    return notes;
  }

 private:
  // Attributes that suit the op; lists of numbers have one for each dimension.
  bool Prepare() {
    for (size_t length : {4, 5, 3, 2, 1}) {
      const std::optional<AttrMap> attrs = SomeAttrs(op_, length);
      if (!attrs) return false;
      attrs_ = *attrs;
      if (!ArgumentTypes(signature_, attrs_, &input_types_, &output_types_).ok()) return false;
      DimTable dims;
      if (Ask(std::vector<SymShape>(signature_.inputs.size()), &dims)) return true;
    }
    return false;
  }

  // How many tensors an argument stands for.
  size_t CountOf(const ArgDef& arg) const {
    if (!arg.number_attr.empty()) return static_cast<size_t>(*attrs_.at(arg.number_attr).get<int64_t>());
    if (!arg.type_list_attr.empty()) return attrs_.at(arg.type_list_attr).get<ListValue>()->type.size();
    return 1;
  }

  // The output arguments' shapes for these of the input arguments, or nothing
  // where they are refused.
  std::optional<std::vector<SymShape>> Ask(const std::vector<SymShape>& shapes, DimTable* dims) const {
    std::vector<InferenceContext::Input> inputs;
    for (size_t i = 0; i < shapes.size(); ++i) {
      for (size_t k = CountOf(signature_.inputs[i]); k > 0; --k) {
        InferenceContext::Input& input = inputs.emplace_back();
        input.dtype = input_types_[inputs.size() - 1];
        input.shape = shapes[i];
      }
    }
    InferenceContext context(attrs_, std::move(inputs), static_cast<int>(output_types_.size()), *dims);
    if (!op_.shape_fn()(context).ok()) return std::nullopt;
    std::vector<SymShape> outputs;
    size_t first = 0;
    for (const ArgDef& output : signature_.outputs) {
      const size_t count = CountOf(output);
      outputs.push_back(count == 0 ? SymShape() : context.outputs()[first].shape);
      first += count;
    }
    return outputs;
  }

  SymShape Symbols(size_t input, int rank, DimTable* dims) const {
    SymShape shape = SymShape::Scalar();
    for (int d = 0; d < rank; ++d) shape.dims.push_back(dims->Symbol(Cat(signature_.inputs[input].name, ".", d)));
    return shape;
  }

  // Ranks that input i may have whatever the others are.
  std::vector<int> RanksOf(size_t i) const {
    std::vector<int> ranks;
    for (int rank = 0; rank < kRanks; ++rank) {
      DimTable dims;
      std::vector<SymShape> shapes(signature_.inputs.size());
      shapes[i] = SymShape::Unknown(rank);
      if (Ask(shapes, &dims)) ranks.push_back(rank);
    }
    return ranks;
  }

  static std::string RankName(int rank) {
    if (rank == 0) return "a scalar";
    if (rank == 1) return "a vector";
    return Cat("rank ", rank);
  }

  static std::string RankText(const std::vector<int>& ranks) {
    if (ranks.empty() || ranks.size() == kRanks) return "";
    if (ranks.size() == 1) return RankName(ranks[0]);
    if (static_cast<int>(ranks.size()) == kRanks - ranks[0]) return Cat("rank at least ", ranks[0]);
    if (ranks.front() == 0 && ranks.back() + 1 == static_cast<int>(ranks.size()) && ranks.size() > 2) {
      return Cat("rank at most ", ranks.back());
    }
    std::string text;
    for (size_t k = 0; k < ranks.size(); ++k) text += (k == 0 ? "" : " or ") + RankName(ranks[k]);
    return text;
  }

  void DescribeOutputs(const std::vector<std::vector<int>>& ranks, ShapeNotes* notes) const {
    if (op_.shape_fn() == shape_fns::BroadcastBinary) {
      notes->outputs[0] =
          Cat("the shape of ", signature_.inputs[0].name, " and ", signature_.inputs[1].name, " broadcast");
      return;
    }
    DimTable dims;
    const auto unknown = Ask(std::vector<SymShape>(signature_.inputs.size()), &dims);
    const auto exact = AskExact(ranks, &dims);
    for (size_t o = 0; o < notes->outputs.size(); ++o) {
      std::string& note = notes->outputs[o];
      for (size_t i = 0; i < ranks.size() && note.empty(); ++i) {
        if (IsLike(o, i, ranks[i])) note = Cat("the shape of ", signature_.inputs[i].name);
      }
      if (!note.empty()) continue;
      const SymShape& shape = exact ? (*exact)[o] : (*unknown)[o];
      if (shape.has_rank) note = ShapeText(shape, dims);
    }
  }

  // Where each input has one rank only: the outputs by the inputs' extents.
  std::optional<std::vector<SymShape>> AskExact(const std::vector<std::vector<int>>& ranks, DimTable* dims) const {
    std::vector<SymShape> shapes;
    for (size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i].size() != 1) return std::nullopt;
      shapes.push_back(Symbols(i, ranks[i][0], dims));
    }
    return Ask(shapes, dims);
  }

  // Whether output o has the shape of input i in all ranks that may be.
  bool IsLike(size_t o, size_t i, const std::vector<int>& ranks) const {
    bool more_than_scalar = false;
    for (int rank : ranks) {
      DimTable dims;
      std::vector<SymShape> shapes(signature_.inputs.size());
      shapes[i] = Symbols(i, rank, &dims);
      const auto outputs = Ask(shapes, &dims);
      if (!outputs || !((*outputs)[o] == shapes[i])) return false;
      more_than_scalar |= rank > 0;
    }
    return more_than_scalar;
  }

  // Extents of inputs by name; others may depend on attributes and stay open.
  static std::string ShapeText(const SymShape& shape, const DimTable& dims) {
    std::vector<std::string> texts;
    bool named = false;
    for (Dim d : shape.dims) {
      const std::string text = dims.ToString(d);
      const bool symbol = d.symbolic() && std::count(dims.symbols().begin(), dims.symbols().end(), text) != 0;
      texts.push_back(symbol ? text : "?");
      named |= symbol;
    }
    return named ? Cat("[", Join(texts, ", "), "]") : RankName(shape.rank());
  }

  const Op& op_;
  const OpDefValue& signature_;
  AttrMap attrs_;
  std::vector<DType> input_types_, output_types_;
};

}  // namespace

ShapeNotes NotesOf(const Op& op) { return Prober(op).Notes(); }

}  // namespace millrace::opgen
