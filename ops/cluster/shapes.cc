#include "millrace/ops/cluster/shapes.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace::cluster {
namespace {

bool IsOne(Dim d) { return d.known() && d.value() == 1; }

// A row-level shape with the row dimensions at extent 1.
void AppendOnes(int count, SymShape* shape) {
  if (shape->has_rank) shape->dims.insert(shape->dims.end(), static_cast<size_t>(count), Dim(1));
}

// Every element of `shape`, counted from the last, is 1 or that of `space`.
bool LiesIn(const SymShape& shape, const SymShape& space, int from_last) {
  if (!shape.has_rank || !space.has_rank) return true;
  for (size_t i = static_cast<size_t>(from_last); i < shape.dims.size(); ++i) {
    const Dim d = shape.dims[shape.dims.size() - 1 - i];
    if (!d.known() || d.value() == 1) continue;
    if (i >= space.dims.size()) return false;
    const Dim s = space.dims[space.dims.size() - 1 - i];
    if (s.known() && s != d) return false;
  }
  return true;
}

class Walk {
 public:
  Walk(InferenceContext& ctx, const Program& program)
      : ctx_(ctx), program_(program), space_(SymShape::Scalar()), row_rank_(static_cast<size_t>(program.row_rank)) {}

  Status Run() {
    for (size_t i = 0; i < program_.inputs.size(); ++i) MR_RETURN_IF_ERROR(TakeInput(static_cast<int>(i)));
    // Inputs that fit no common space meet at an instruction, which is to blame.
    const Status space = FindSpace();
    if (!space.ok()) space_ = SymShape();
    MR_RETURN_IF_ERROR(CheckRowRank());
    for (size_t i = 0; i < program_.inputs.size(); ++i) MR_RETURN_IF_ERROR(AddInput(static_cast<int>(i)));
    for (const Instruction& instruction : program_.instructions) {
      MR_RETURN_IF_ERROR(AddInstruction(instruction).At(instruction.node, instruction.op));
    }
    MR_RETURN_IF_ERROR(space);
    for (size_t i = 0; i < program_.outputs.size(); ++i) {
      const Output& output = program_.outputs[i];
      SymShape shape = shapes_[static_cast<size_t>(output.reg)];
      if (!output.keeps_dims && shape.has_rank) {
        const size_t row = std::min(shape.dims.size(), row_rank_);
        const auto before = shape.dims.end() - static_cast<std::ptrdiff_t>(row);
        if (program_.level(output.reg) == Level::kRow) shape.dims.erase(before, shape.dims.end());
        if (program_.level(output.reg) == Level::kColumn) shape.dims.erase(shape.dims.begin(), before);
      }
      ctx_.set_output(static_cast<int>(i), std::move(shape));
    }
    return OkStatus();
  }

 private:
  Status FindSpace() {
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
      if (program_.inputs[i].level != Level::kFull) continue;
      SymShape both;
      MR_RETURN_IF_ERROR(BroadcastShapes(ctx_.dims(), space_, inputs_[i], &both));
      space_ = std::move(both);
    }
    return OkStatus();
  }

  Status CheckRowRank() const {
    if (space_.has_rank && space_.dims.size() < row_rank_) {
      return InvalidArgument(
          Cat("expected ", row_rank_, " row dimensions or more, found the shape ", ctx_.dims().ToString(space_)));
    }
    return OkStatus();
  }

  // The shapes of inputs, sliced ones as the program sees them.
  Status TakeInput(int i) {
    const Input& input = program_.inputs[static_cast<size_t>(i)];
    SymShape shape = ctx_.input(i);
    if (input.sliced() && shape.has_rank) {
      const auto axis = static_cast<size_t>(input.slice_axis);
      const int64_t end = input.slice_begin + input.slice_extent;
      if (axis >= shape.dims.size() || (shape.dims[axis].known() && shape.dims[axis].value() < end)) {
        return InvalidArgument(Cat("input ", i, ": expected ", end, " elements or more along axis ", axis,
                                   ", found the shape ", ctx_.dims().ToString(shape)));
      }
      shape.dims[axis] = Dim(input.slice_extent);
    }
    inputs_.push_back(std::move(shape));
    return OkStatus();
  }

  Status AddInput(int i) {
    const Input& input = program_.inputs[static_cast<size_t>(i)];
    SymShape shape = inputs_[static_cast<size_t>(i)];
    bool fits = true;
    if (input.level == Level::kOne) {
      for (const Dim d : shape.dims) fits = fits && (!d.known() || IsOne(d));
    } else if (input.level == Level::kRow) {
      if (!input.keeps_dims) AppendOnes(program_.row_rank, &shape);
      if (shape.has_rank && shape.dims.size() < row_rank_) {
        shape.dims.insert(shape.dims.begin(), row_rank_ - shape.dims.size(), Dim(1));
      }
      for (size_t k = 0; shape.has_rank && k < row_rank_; ++k) {
        const Dim d = shape.dims[shape.dims.size() - 1 - k];
        fits = fits && (!d.known() || IsOne(d));
      }
      fits = fits && LiesIn(shape, space_, program_.row_rank);
    }
    if (!fits) {
      return InvalidArgument(Cat("input ", i, ": expected ",
                                 input.level == Level::kOne
                                     ? std::string("one element")
                                     : Cat("a value for each row of ", ctx_.dims().ToString(space_)),
                                 ", found the shape ", ctx_.dims().ToString(ctx_.input(i))));
    }
    shapes_.push_back(std::move(shape));
    return OkStatus();
  }

  Status AddInstruction(const Instruction& instruction) {
    SymShape shape = shapes_[static_cast<size_t>(instruction.operands[0])];
    for (size_t k = 1; k < instruction.operands.size(); ++k) {
      SymShape both;
      MR_RETURN_IF_ERROR(
          BroadcastShapes(ctx_.dims(), shape, shapes_[static_cast<size_t>(instruction.operands[k])], &both));
      shape = std::move(both);
    }
    if (instruction.level == Level::kRow && program_.level(instruction.operands[0]) == Level::kFull) {
      MR_RETURN_IF_ERROR(CheckSpans(shape, row_rank_));
      for (size_t k = 0; shape.has_rank && k < row_rank_; ++k) shape.dims[shape.dims.size() - 1 - k] = Dim(1);
    } else if (instruction.level == Level::kColumn) {
      MR_RETURN_IF_ERROR(CheckSpans(shape, space_.has_rank ? space_.dims.size() : row_rank_));
      if (shape.has_rank)
        std::fill(shape.dims.begin(), shape.dims.end() - static_cast<std::ptrdiff_t>(row_rank_), Dim(1));
    }
    shapes_.push_back(std::move(shape));
    return OkStatus();
  }

  // What is reduced has the last `count` dimensions of the space: a shape that repeats
  // over them would be counted too often.
  Status CheckSpans(const SymShape& shape, size_t count) {
    if (!shape.has_rank) return OkStatus();
    bool fits = shape.dims.size() >= count;
    for (size_t k = 0; fits && space_.has_rank && k < count; ++k) {
      const Dim d = shape.dims[shape.dims.size() - 1 - k], s = space_.dims[space_.dims.size() - 1 - k];
      fits = !d.known() || !s.known() || d == s;
    }
    if (fits) return OkStatus();
    return InvalidArgument(
        Cat("expected the rows of ", ctx_.dims().ToString(space_), ", found the shape ", ctx_.dims().ToString(shape)));
  }

  InferenceContext& ctx_;
  const Program& program_;
  SymShape space_;
  const size_t row_rank_;
  std::vector<SymShape> inputs_;
  std::vector<SymShape> shapes_;  // of each register; of row-level ones with extents of 1
};

}  // namespace

Status ClusterShape(InferenceContext& ctx) {
  MR_ASSIGN_OR_RETURN(const Program program, FromAttrs(ctx.attrs()));
  if (static_cast<int>(program.inputs.size()) != ctx.num_inputs()) {
    return InvalidArgument(Cat("expected ", program.inputs.size(), " inputs, found ", ctx.num_inputs()));
  }
  return Walk(ctx, program).Run();
}

}  // namespace millrace::cluster
