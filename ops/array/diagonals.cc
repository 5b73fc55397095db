// Several diagonals of matrices at once: MatrixDiagV3, MatrixDiagPartV3,
// MatrixSetDiagV3.
#include <algorithm>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Diagonals lower to upper (0 is the main one, positive ones are above) of a
// matrix. Packed they are rows, the uppermost first, as long as the longest;
// shorter ones stand at the left or the right of their row.
struct Band {
  int64_t lower = 0, upper = 0;
  int64_t rows = 0, columns = 0;
  bool upper_right = true, lower_right = false;

  int64_t count() const { return upper - lower + 1; }
  int64_t longest() const {
    return std::max<int64_t>(0, std::min(rows + std::min<int64_t>(upper, 0), columns - std::max<int64_t>(lower, 0)));
  }
  int64_t Length(int64_t d) const {
    return std::max<int64_t>(0, std::min(columns - std::max<int64_t>(d, 0), rows + std::min<int64_t>(d, 0)));
  }
  // Where diagonal d begins in the packed ones.
  int64_t Packed(int64_t d) const {
    const bool right = (d >= 0 && upper_right) || (d <= 0 && lower_right);
    return (upper - d) * longest() + (right ? longest() - Length(d) : 0);
  }
  // Where it begins in the matrix; its elements are columns + 1 apart.
  int64_t InMatrix(int64_t d) const { return std::max<int64_t>(-d, 0) * columns + std::max<int64_t>(d, 0); }

  // k: one diagonal, or the lowest and the highest.
  Status SetRange(std::span<const int64_t> k) {
    if (k.empty() || k.size() > 2) return InvalidArgument(Cat("k should have 1 or 2 elements, found ", k.size()));
    lower = k.front();
    upper = k.back();
    if (lower > upper) return InvalidArgument(Cat("k should not fall, found ", lower, " and ", upper));
    return OkStatus();
  }
  Status CheckRange() const {
    const bool above = lower > -rows || lower == 0, below = upper < columns || upper == 0;
    if (above && below) return OkStatus();
    return InvalidArgument(
        Cat("a matrix of ", rows, " rows and ", columns, " columns has no diagonals ", lower, " to ", upper));
  }
};

// The diagonals that input `i` says, as far as they are known. `several` is false
// where there is one for sure.
Status KnownRange(const InferenceContext& ctx, int i, std::optional<Band>* band, bool* several) {
  const SymShape& k = ctx.input(i);
  if (k.has_rank && k.rank() > 1)
    return InvalidArgument(Cat("k should be a scalar or a vector, found rank ", k.rank()));
  *several = !(k.rank() == 0 || (k.rank() == 1 && k.dims[0] == Dim(1)));
  const std::optional<std::vector<int64_t>> values = array::IntConstant(ctx, i);
  if (!values) return OkStatus();
  band->emplace();
  MR_RETURN_IF_ERROR((*band)->SetRange(*values));
  *several = (*band)->count() > 1;
  return OkStatus();
}

Dim AddNumber(DimTable& t, Dim d, int64_t n) { return n < 0 ? t.Sub(d, Dim(-n)) : t.Add(d, Dim(n)); }

Status DiagPartShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  std::optional<Band> band;
  bool several = true;
  MR_RETURN_IF_ERROR(KnownRange(ctx, 1, &band, &several));
  SymShape out = ctx.input(0);
  if (!out.has_rank || (several && !band)) return OkStatus();
  const Dim columns = out.dims.back(), rows = out.dims[out.dims.size() - 2];
  out.dims.resize(out.dims.size() - 2);
  if (several) out.dims.push_back(Dim(band->count()));
  Dim longest;
  if (band && rows.known() && columns.known()) {
    band->rows = rows.value();
    band->columns = columns.value();
    MR_RETURN_IF_ERROR(band->CheckRange());
    longest = Dim(band->longest());
  } else if (band) {
    DimTable& t = ctx.dims();
    longest = t.Min(AddNumber(t, rows, std::min<int64_t>(band->upper, 0)),
                    AddNumber(t, columns, -std::max<int64_t>(band->lower, 0)));
  }
  out.dims.push_back(longest);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// The size of the matrix whose diagonals are `longest` long; -1 asks for the
// smallest, or where both are asked for, the smallest square. As in the reference
// that may have no room for the outermost ones; they are left out.
Status MatrixSize(int64_t longest, int64_t rows, int64_t columns, Band* band) {
  const int64_t least_rows = longest - std::min<int64_t>(band->upper, 0);
  const int64_t least_columns = longest + std::max<int64_t>(band->lower, 0);
  band->rows = rows == -1 ? (columns == -1 ? std::max(least_rows, least_columns) : least_rows) : rows;
  band->columns = columns == -1 ? (rows == -1 ? band->rows : least_columns) : columns;
  if (band->rows < least_rows || band->columns < least_columns ||
      (band->rows != least_rows && band->columns != least_columns)) {
    return InvalidArgument(Cat("diagonals ", band->lower, " to ", band->upper, " of length ", longest,
                               " do not fit a matrix of ", rows, " rows and ", columns, " columns"));
  }
  return OkStatus();
}

Status DiagShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  for (int i : {2, 3, 4}) MR_RETURN_IF_ERROR(ctx.WithRank(i, 0));
  std::optional<Band> band;
  bool several = true;
  MR_RETURN_IF_ERROR(KnownRange(ctx, 1, &band, &several));
  SymShape out = ctx.input(0);
  if (!out.has_rank || (several && !band)) return OkStatus();
  const Dim longest = out.dims.back();
  out.dims.pop_back();
  if (several) {
    if (out.dims.empty()) return InvalidArgument("several diagonals should have rank 2 or more, found 1");
    Dim count;
    MR_RETURN_IF_ERROR(ctx.Merge(out.dims.back(), Dim(band->count()), &count));
    out.dims.pop_back();
  }
  Dim rows, columns;
  const std::optional<int64_t> r = array::IntScalar(ctx, 2), c = array::IntScalar(ctx, 3);
  if (band && r && c) {
    if (longest.known()) {
      MR_RETURN_IF_ERROR(MatrixSize(longest.value(), *r, *c, &*band));
      rows = Dim(band->rows);
      columns = Dim(band->columns);
    } else {
      DimTable& t = ctx.dims();
      rows = AddNumber(t, longest, -std::min<int64_t>(band->upper, 0));
      columns = AddNumber(t, longest, std::max<int64_t>(band->lower, 0));
      if (*r == -1 && *c == -1) rows = columns = t.Max(rows, columns);
      if (*r != -1) rows = Dim(*r);
      if (*c != -1) columns = Dim(*c);
    }
  }
  out.dims.push_back(rows);
  out.dims.push_back(columns);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status SetDiagShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 1));
  std::optional<Band> band;
  bool several = true;
  MR_RETURN_IF_ERROR(KnownRange(ctx, 2, &band, &several));
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

// Between packed diagonals and matrices, batch by batch.
template <bool kIntoMatrix>
void CopyBand(KernelContext& ctx, const Band& band, int64_t batches, DType dtype, const void* packed,
              const void* matrices, void* to) {
  const int64_t row = band.count() * band.longest(), matrix = band.rows * band.columns;
  array::DispatchWord(dtype, [&]<typename W>() {
    ctx.ParallelFor(batches, std::max<int64_t>(1, 65536 / (row + 1)), [&](int64_t begin, int64_t end, int) {
      for (int64_t b = begin; b < end; ++b) {
        for (int64_t d = band.lower; d <= band.upper; ++d) {
          const int64_t p = b * row + band.Packed(d), m = b * matrix + band.InMatrix(d), step = band.columns + 1;
          const int64_t length = band.Length(d);
          if constexpr (kIntoMatrix) {
            for (int64_t i = 0; i < length; ++i)
              static_cast<W*>(to)[m + i * step] = static_cast<const W*>(packed)[p + i];
          } else {
            for (int64_t i = 0; i < length; ++i) {
              static_cast<W*>(to)[p + i] = static_cast<const W*>(matrices)[m + i * step];
            }
          }
        }
      }
    });
  });
}

void FillWith(KernelContext& ctx, const TensorView& out, const TensorView& value) {
  array::DispatchWord(out.dtype, [&]<typename W>() {
    W* const to = static_cast<W*>(out.data);
    const W& v = *static_cast<const W*>(value.data);
    ctx.ParallelFor(out.num_elements, 65536,
                    [&](int64_t begin, int64_t end, int) { std::fill(to + begin, to + end, v); });
  });
}

class BandKernel : public Kernel {
 public:
  explicit BandKernel(const KernelInit& init) {
    const std::string& align = init.attr<std::string>("align");
    band_.upper_right = align.starts_with("RIGHT");
    band_.lower_right = align.ends_with("RIGHT");
  }

 protected:
  // The diagonals that input `i` says.
  Result<Band> ReadBand(KernelContext& ctx, int i) const {
    Band band = band_;
    MR_RETURN_IF_ERROR(band.SetRange(SpanOf(array::ReadInts(ctx.input(i)))));
    return band;
  }
  // Those of the matrices in input 0.
  Result<Band> ReadBandOf(KernelContext& ctx, int i) const {
    MR_ASSIGN_OR_RETURN(Band band, ReadBand(ctx, i));
    const TensorView& x = ctx.input(0);
    if (x.rank < 2) return InvalidArgument(Cat("the input should have rank 2 or more, found ", x.rank));
    band.rows = x.dim(x.rank - 2);
    band.columns = x.dim(x.rank - 1);
    MR_RETURN_IF_ERROR(band.CheckRange());
    return band;
  }
  // `batch` dims, then those of packed diagonals.
  static Ints PackedDims(std::span<const int64_t> batch, const Band& band) {
    Ints dims(batch.begin(), batch.end());
    if (band.count() > 1) dims.push_back(band.count());
    dims.push_back(band.longest());
    return dims;
  }

 private:
  Band band_;
};

class DiagPart final : public BandKernel {
 public:
  using BandKernel::BandKernel;
  Status Run(KernelContext& ctx) const override {
    MR_ASSIGN_OR_RETURN(const Band band, ReadBandOf(ctx, 1));
    const TensorView &x = ctx.input(0), &padding = ctx.input(2);
    if (padding.num_elements != 1) return InvalidArgument("padding_value should be a scalar");
    const auto batch = x.shape().first(static_cast<size_t>(x.rank) - 2);
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(PackedDims(batch, band))));
    const TensorView& out = ctx.output(0);
    FillWith(ctx, out, padding);
    CopyBand<false>(ctx, band, array::Product(batch), x.dtype, nullptr, x.data, out.data);
    return OkStatus();
  }
};

class Diag final : public BandKernel {
 public:
  using BandKernel::BandKernel;
  Status Run(KernelContext& ctx) const override {
    MR_ASSIGN_OR_RETURN(Band band, ReadBand(ctx, 1));
    const TensorView &x = ctx.input(0), &padding = ctx.input(4);
    if (padding.num_elements != 1) return InvalidArgument("padding_value should be a scalar");
    const int packed_rank = band.count() > 1 ? 2 : 1;
    if (x.rank < packed_rank || (packed_rank == 2 && x.dim(x.rank - 2) != band.count())) {
      return InvalidArgument(Cat(band.count(), " diagonals do not have shape ", array::DimsText(x.shape())));
    }
    for (int i : {2, 3}) {
      if (ctx.input(i).num_elements != 1) return InvalidArgument("num_rows and num_cols should be scalars");
    }
    const int64_t longest = x.dim(x.rank - 1);
    MR_RETURN_IF_ERROR(MatrixSize(longest, array::IntAt(ctx.input(2), 0), array::IntAt(ctx.input(3), 0), &band));
    const auto batch = x.shape().first(static_cast<size_t>(x.rank - packed_rank));
    Ints dims(batch.begin(), batch.end());
    dims.push_back(band.rows);
    dims.push_back(band.columns);
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    const TensorView& out = ctx.output(0);
    FillWith(ctx, out, padding);
    CopyBand<true>(ctx, band, array::Product(batch), x.dtype, x.data, nullptr, out.data);
    return OkStatus();
  }
};

class SetDiag final : public BandKernel {
 public:
  using BandKernel::BandKernel;
  Status Run(KernelContext& ctx) const override {
    MR_ASSIGN_OR_RETURN(const Band band, ReadBandOf(ctx, 2));
    const TensorView &x = ctx.input(0), &diagonal = ctx.input(1);
    const auto batch = x.shape().first(static_cast<size_t>(x.rank) - 2);
    const Ints packed = PackedDims(batch, band);
    if (!std::equal(packed.begin(), packed.end(), diagonal.shape().begin(), diagonal.shape().end())) {
      return InvalidArgument(Cat("diagonals should have shape ", array::DimsText(SpanOf(packed)), ", found ",
                                 array::DimsText(diagonal.shape())));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
    const TensorView& out = ctx.output(0);
    array::CopyElements(ctx, x.dtype, x.data, out.data, x.num_elements);
    CopyBand<true>(ctx, band, array::Product(batch), x.dtype, diagonal.data, nullptr, out.data);
    return OkStatus();
  }
};

constexpr std::string_view kAlign = "align: {'LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'} = 'RIGHT_LEFT'";

}  // namespace

namespace families {
void array_diagonals(Registry& registry) {
  registry.Define("MatrixDiagV3")
      .Input("diagonal: T")
      .Input("k: int32")
      .Input("num_rows: int32")
      .Input("num_cols: int32")
      .Input("padding_value: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr(kAlign)
      .Doc("Matrices with these diagonals k[0] to k[1] and padding_value elsewhere.")
      .Shape(DiagShape)
      .Kernel("CPU", NewKernel<Diag>);
  registry.Define("MatrixDiagPartV3")
      .Input("input: T")
      .Input("k: int32")
      .Input("padding_value: T")
      .Output("diagonal: T")
      .Attr("T: type")
      .Attr(kAlign)
      .Doc("Diagonals k[0] to k[1] of matrices, the uppermost first, filled up with padding_value.")
      .Shape(DiagPartShape)
      .Kernel("CPU", NewKernel<DiagPart>);
  registry.Define("MatrixSetDiagV3")
      .Input("input: T")
      .Input("diagonal: T")
      .Input("k: int32")
      .Output("output: T")
      .Attr("T: type")
      .Attr(kAlign)
      .Doc("The matrices with other diagonals k[0] to k[1].")
      .Shape(SetDiagShape)
      .Kernel("CPU", NewKernel<SetDiag>);
}
}  // namespace families
}  // namespace millrace
