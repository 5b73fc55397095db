// NonMaxSuppression in its five versions: of boxes that overlap, the best.
#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/half.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Two opposite corners, in any order.
struct Box {
  float y0, x0, y1, x1;
  float area() const { return (y1 - y0) * (x1 - x0); }
};

template <typename T>
Box BoxAt(const T* boxes, int64_t i) {
  const auto v = [&](int64_t k) { return static_cast<float>(boxes[4 * i + k]); };
  return {std::min(v(0), v(2)), std::min(v(1), v(3)), std::max(v(0), v(2)), std::max(v(1), v(3))};
}

// The intersection over the union; 0 of a box without area.
float Overlap(const Box& a, const Box& b) {
  if (a.area() <= 0 || b.area() <= 0) return 0;
  const float height = std::max(0.0f, std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
  const float width = std::max(0.0f, std::min(a.x1, b.x1) - std::max(a.x0, b.x0));
  const float both = height * width;
  return both / (a.area() + b.area() - both);
}

struct Candidate {
  float score;
  int32_t box;
  // The first of the selected boxes that it has not been compared with.
  int32_t next;
  // For the heap: the best score on top, of equal ones the first box.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.score < b.score || (a.score == b.score && a.box > b.box);
  }
};

struct Thresholds {
  int64_t most = 0;
  float overlap = 0.5f;
  float score = -std::numeric_limits<float>::infinity();
  float sigma = 0;  // above 0, boxes that overlap by anything lose score rather than drop out
};

// Selects up to limits.most boxes; `candidates` has room for all, and begins with
// the selected ones afterwards, whose scores are what is left of them. -1 where the run
// is to stop.
template <typename T>
int64_t Select(const T* boxes, const T* scores, int64_t count, const Thresholds& limits, Candidate* candidates,
               Candidate* selected, Checkpoint checkpoint) {
  int64_t left = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto score = static_cast<float>(scores[i]);
    if (score > limits.score) candidates[left++] = {score, static_cast<int32_t>(i), 0};
  }
  std::make_heap(candidates, candidates + left);
  const float scale = limits.sigma > 0 ? -0.5f / limits.sigma : 0;
  int64_t found = 0;
  while (left > 0 && found < limits.most) {
    std::pop_heap(candidates, candidates + left);
    Candidate best = candidates[--left];
    const float score = best.score;
    const Box box = BoxAt(boxes, best.box);
    bool dropped = false;
    if (checkpoint.Reached(200 + 10.0 * static_cast<double>(found - best.next))) return -1;
    // The latest first: those are likeliest to overlap.
    for (int64_t i = found; i-- > best.next && !dropped;) {
      const float overlap = Overlap(box, BoxAt(boxes, selected[i].box));
      if (limits.sigma > 0) {
        best.score *= std::exp(scale * overlap * overlap);
        dropped = best.score <= limits.score;
      } else {
        dropped = overlap > limits.overlap;
      }
    }
    if (dropped) continue;
    best.next = static_cast<int32_t>(found);
    if (best.score == score) {
      selected[found++] = best;
    } else {
      candidates[left++] = best;
      std::push_heap(candidates, candidates + left);
    }
  }
  return found;
}

float Scalar(const TensorView& t) {
  return t.dtype == DType::kHalf ? static_cast<float>(*t.as<Half>()) : *t.as<float>();
}

template <typename T>
class NonMaxSuppression final : public Kernel {
 public:
  explicit NonMaxSuppression(const KernelInit& init) {
    if (const auto it = init.attrs().find("iou_threshold"); it != init.attrs().end()) {
      overlap_ = *it->second.get<float>();
    }
    if (const auto it = init.attrs().find("pad_to_max_output_size"); it != init.attrs().end()) {
      padded_ = *it->second.get<bool>();
    }
    // Outputs: indices, then in the fifth version scores, then from the fourth how many.
    scores_ = init.num_outputs() == 3;
  }

  Status Run(KernelContext& ctx) const override {
    const TensorView &boxes = ctx.input(0), &scores = ctx.input(1);
    Thresholds limits;
    limits.most = *ctx.input(2).as<int32_t>();
    limits.overlap = ctx.num_inputs() > 3 ? Scalar(ctx.input(3)) : overlap_;
    if (ctx.num_inputs() > 4) limits.score = Scalar(ctx.input(4));
    if (ctx.num_inputs() > 5) limits.sigma = Scalar(ctx.input(5));
    if (!(limits.overlap >= 0 && limits.overlap <= 1)) {
      return InvalidArgument(Cat("expected an iou_threshold from 0 to 1, found ", limits.overlap));
    }
    if (limits.sigma < 0) return InvalidArgument(Cat("expected a soft_nms_sigma from 0, found ", limits.sigma));
    if (limits.most < 0) return InvalidArgument(Cat("expected a max_output_size from 0, found ", limits.most));
    const int64_t count = scores.num_elements;
    if (count > INT32_MAX) return InvalidArgument(Cat("expected fewer than 2^31 boxes, found ", count));
    MR_ASSIGN_OR_RETURN(void* const scratch,
                        ctx.Scratch(2 * static_cast<size_t>(count) * sizeof(Candidate) + sizeof(Candidate)));
    auto* const candidates = static_cast<Candidate*>(scratch);
    Candidate* const selected = candidates + count;
    const int64_t found = Select(boxes.as<T>(), scores.as<T>(), count, limits, candidates, selected, Checkpoint(ctx));
    if (found < 0) return Checkpoint::Stopped();
    const int64_t size = padded_ ? limits.most : found;
    for (int i = 0; i < (scores_ ? 2 : 1); ++i) {
      MR_RETURN_IF_ERROR(ctx.AllocateOutput(i, std::span<const int64_t>(&size, 1)));
      if (!ctx.output_wanted(i)) continue;
      for (int64_t k = 0; k < size; ++k) {
        if (i == 0) {
          ctx.output(0).as<int32_t>()[k] = k < found ? selected[k].box : 0;
        } else {
          ctx.output(1).as<T>()[k] = static_cast<T>(k < found ? selected[k].score : 0.0f);
        }
      }
    }
    const int last = ctx.num_outputs() - 1;
    if (last > 0 && ctx.output_wanted(last)) *ctx.output(last).as<int32_t>() = static_cast<int32_t>(found);
    return OkStatus();
  }

 private:
  float overlap_ = 0.5f;
  bool padded_ = false, scores_ = false;
};

Status NonMaxSuppressionShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  for (int i = 2; i < ctx.num_inputs(); ++i) MR_RETURN_IF_ERROR(ctx.WithRank(i, 0));
  if (ctx.input(0).has_rank) {
    Dim four, boxes = ctx.input(0).dims[0];
    MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0).dims[1], Dim(4), &four));
    if (ctx.input(1).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(boxes, ctx.input(1).dims[0], &boxes));
  }
  Dim size;
  if (const auto it = ctx.attrs().find("pad_to_max_output_size"); it != ctx.attrs().end() && *it->second.get<bool>()) {
    const std::optional<SymTensor> most = IntegerElements(ctx, 2);
    if (most) size = most->elements[0].dim();
  }
  ctx.set_output(0, SymShape({size}));
  if (ctx.num_outputs() == 3) ctx.set_output(1, SymShape({size}));
  if (ctx.num_outputs() > 1) ctx.set_output(ctx.num_outputs() - 1, SymShape::Scalar());
  return OkStatus();
}

}  // namespace

namespace families {

void non_max_suppression(Registry& registry) {
  for (int version = 1; version <= 5; ++version) {
    OpBuilder op = registry.Define(version == 1 ? "NonMaxSuppression" : Cat("NonMaxSuppressionV", version));
    const std::string type = version == 1 ? "float" : "T", threshold = version == 5 ? "T" : "T_threshold";
    op.Input(Cat("boxes: ", type)).Input(Cat("scores: ", type)).Input("max_output_size: int32");
    if (version > 1) op.Input(Cat("iou_threshold: ", threshold));
    if (version > 2) op.Input(Cat("score_threshold: ", threshold));
    if (version > 4) op.Input("soft_nms_sigma: T");
    op.Output("selected_indices: int32");
    if (version > 4) op.Output("selected_scores: T");
    if (version > 3) op.Output("valid_outputs: int32");
    if (version == 1) {
      op.Attr("iou_threshold: float = 0.5");
    } else {
      op.Attr("T: {half, float} = DT_FLOAT");
      if (version < 5) op.Attr("T_threshold: {half, float} = DT_FLOAT");
      if (version > 3) op.Attr("pad_to_max_output_size: bool = false");
    }
    op.Doc(
          "Boxes [n, 4] in the order of their scores, without those that overlap a better one: positions. A box is "
          "given by the y and x of two opposite corners.")
        .Shape(NonMaxSuppressionShape)
        .NoGradient("its outputs are positions");
    if (version == 1) {
      op.Kernel("CPU", NewKernel<NonMaxSuppression<float>>);
    } else {
      op.Kernel("CPU", NewKernel<NonMaxSuppression<float>>, {{"T", {DType::kFloat}}});
      op.Kernel("CPU", NewKernel<NonMaxSuppression<Half>>, {{"T", {DType::kHalf}}});
    }
  }
}

}  // namespace families
}  // namespace millrace
