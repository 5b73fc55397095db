// Gradients of reductions over segments: a row's is made of its segment's.
#include <algorithm>

#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

// Rows and segments of a node with inputs data, segment ids and, where the ids
// are in no order, the number of segments. Such a node leaves out rows with
// negative ids.
class Segments {
 public:
  explicit Segments(GradientContext& g) : g_(g), ids_(g.input(1)), place_(ids_), unsorted_(g.num_inputs() == 3) {
    const std::optional<std::vector<int64_t>> known = array::KnownIntegers(ids_);
    leaves_out_ =
        unsorted_ && !(known && std::none_of(known->begin(), known->end(), [](int64_t id) { return id < 0; }));
    if (leaves_out_) place_ = ops::Maximum(g, ids_, 0);
  }

  // A row of its segment for each row of data; any row for those left out.
  Output Rows(const Output& segments) const { return ops::GatherV2(g_, segments, place_, 0); }
  // Zeros in the rows that are left out.
  Output LeaveOut(const Output& rows) const {
    if (!leaves_out_) return rows;
    const Output in = ops::Reshape(g_, ops::GreaterEqual(g_, ids_, 0), OneARow());
    return ops::SelectV2(g_, in, rows, ops::ZerosLike(g_, rows));
  }
  Output Sum(const Output& rows) const {
    return unsorted_ ? ops::UnsortedSegmentSum(g_, rows, ids_, g_.input(2)) : ops::SegmentSum(g_, rows, ids_);
  }
  Output Prod(const Output& rows) const {
    return unsorted_ ? ops::UnsortedSegmentProd(g_, rows, ids_, g_.input(2)) : ops::SegmentProd(g_, rows, ids_);
  }
  // How many rows each segment has, as one element a segment.
  Output Sizes(const Output& like) const { return Sum(ops::Fill(g_, OneARow(), g_.Number(1, like))); }

 private:
  // The shape of one element a row: that of the ids, and 1 for each further
  // dimension of data.
  Operand OneARow() const {
    const int data = g_.input(0).shape().rank(), ids = ids_.shape().rank();
    const Extents shape = Extents::ShapeOf(g_, ids_);
    if (data >= 0 && ids >= 0) {
      return shape.Then(Extents(std::vector<int64_t>(static_cast<size_t>(std::max(data - ids, 0)), 1))).Vector(g_);
    }
    const Output rank = ops::Reshape(g_, ops::Rank(g_, ids_), {1});
    const Output inner = ops::Slice(g_, ops::Shape(g_, g_.input(0)), rank, {-1});
    return shape.Then(Extents::ElementsOf(g_, ops::OnesLike(g_, inner))).Vector(g_);
  }

  GradientContext& g_;
  const Output ids_;
  Output place_;
  const bool unsorted_;
  bool leaves_out_ = false;
};

void SumGradient(GradientContext& g) {
  const Segments segments(g);
  g.set(0, segments.LeaveOut(segments.Rows(g.grad())));
}

void MeanGradient(GradientContext& g) {
  const Segments segments(g);
  // Nothing divides the gradients of segments without rows; nobody takes them.
  g.set(0, segments.Rows(ops::DivNoNan(g, g.grad(), segments.Sizes(g.grad()))));
}

// The product of the others: that of all by the element, or where the element is
// 0, that of all that are not. Two zeros leave nothing.
void ProdGradient(GradientContext& g) {
  const Segments segments(g);
  const Output data = g.input(), grad = g.grad();
  const Output zero = ops::Equal(g, data, ops::ZerosLike(g, data));
  const Output not_zero = ops::SelectV2(g, zero, ops::OnesLike(g, data), data);
  const Output zeros = segments.Sum(ops::Cast(g, zero, DType::kInt32));
  const Output scale = ops::SelectV2(g, zeros > 1, ops::ZerosLike(g, grad), grad);
  const Output others =
      ops::SelectV2(g, zero, segments.Rows(segments.Prod(not_zero)), segments.Rows(g.output()) / not_zero);
  g.set(0, segments.LeaveOut(segments.Rows(scale) * others));
}

// Shared equally by all rows that have the extreme value.
void ExtremeGradient(GradientContext& g) {
  const Segments segments(g);
  const Output chosen = ops::Equal(g, g.input(), segments.Rows(g.output()));
  const Output count = segments.Sum(ops::Cast(g, chosen, g.type()));
  const Output share = segments.Rows(ops::DivNoNan(g, g.grad(), count));
  g.set(0, segments.LeaveOut(ops::SelectV2(g, chosen, share, ops::ZerosLike(g, share))));
}

}  // namespace

namespace gradients {

void array_segment(GradientTable& t) {
  t.Define("SegmentMax", ExtremeGradient);
  t.Define("SegmentMean", MeanGradient);
  t.Define("SegmentMin", ExtremeGradient);
  t.Define("SegmentProd", ProdGradient);
  t.Define("SegmentSum", SumGradient);
  t.Define("UnsortedSegmentMax", ExtremeGradient);
  t.Define("UnsortedSegmentMin", ExtremeGradient);
  t.Define("UnsortedSegmentProd", ProdGradient);
  t.Define("UnsortedSegmentSum", SumGradient);
}

}  // namespace gradients
}  // namespace millrace
