// SpaceToDepth, DepthToSpace, SpaceToBatch(ND), BatchToSpace(ND): blocks of
// space against other dimensions.
#include <array>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Positions of batch, height, width and channels.
struct Format {
  size_t n = 0, h = 1, w = 2, c = 3;
};
Status ReadFormat(const std::string& text, Format* format) {
  if (text == "NHWC") *format = {0, 1, 2, 3};
  else if (text == "NCHW") *format = {0, 2, 3, 1};
  else return Unimplemented(Cat("data_format should be NHWC or NCHW, found ", text));
  return OkStatus();
}

Status SpaceToDepthShape(InferenceContext& ctx) {
  Format f;
  MR_RETURN_IF_ERROR(ReadFormat(ctx.attr<std::string>("data_format"), &f));
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  const int64_t block = ctx.attr<int64_t>("block_size");
  SymShape out = ctx.input(0);
  if (!out.has_rank) out = SymShape::Unknown(4);
  for (const size_t k : {f.h, f.w}) {
    if (out.dims[k].known() && out.dims[k].value() % block != 0) {
      return InvalidArgument(Cat("dimension ", k, " of size ", out.dims[k].value(), " is not a multiple of ", block));
    }
    out.dims[k] = ctx.dims().FloorDiv(out.dims[k], Dim(block));
  }
  out.dims[f.c] = ctx.dims().Mul(out.dims[f.c], ctx.dims().Mul(Dim(block), Dim(block)));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status DepthToSpaceShape(InferenceContext& ctx) {
  Format f;
  MR_RETURN_IF_ERROR(ReadFormat(ctx.attr<std::string>("data_format"), &f));
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  const int64_t block = ctx.attr<int64_t>("block_size");
  SymShape out = ctx.input(0);
  if (!out.has_rank) out = SymShape::Unknown(4);
  const Dim area = ctx.dims().Mul(Dim(block), Dim(block));
  if (out.dims[f.c].known() && (!area.known() || out.dims[f.c].value() % area.value() != 0)) {
    return InvalidArgument(Cat("the depth ", out.dims[f.c].value(), " is not a multiple of ", block, " squared"));
  }
  for (const size_t k : {f.h, f.w}) out.dims[k] = ctx.dims().Mul(out.dims[k], Dim(block));
  out.dims[f.c] = ctx.dims().FloorDiv(out.dims[f.c], area);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// Space [N, H, W, C] in blocks against depth: a transpose of six dimensions, the
// same for both directions.
template <bool kToDepth>
class SpaceDepth final : public Kernel {
 public:
  explicit SpaceDepth(const KernelInit& init)
      : format_(init.attr<std::string>("data_format")), block_(init.attr<int64_t>("block_size")) {}
  Status Run(KernelContext& ctx) const override {
    Format f;
    MR_RETURN_IF_ERROR(ReadFormat(format_, &f));
    const TensorView& x = ctx.input(0);
    Ints dims = array::IntsOf(x.shape());
    const int64_t b = block_;
    if (dims.size() != 4 || b < 1 || b > (1 << 20) ||
        (kToDepth ? dims[f.h] % b != 0 || dims[f.w] % b != 0 : dims[f.c] % (b * b) != 0)) {
      return InvalidArgument(Cat("shape ", array::DimsText(x.shape()), " does not divide into blocks of ", b));
    }
    const int64_t h = kToDepth ? dims[f.h] / b : dims[f.h], w = kToDepth ? dims[f.w] / b : dims[f.w];
    const int64_t c = kToDepth ? dims[f.c] : dims[f.c] / (b * b);
    const int64_t n = dims[f.n];
    dims[f.h] = kToDepth ? h : h * b;
    dims[f.w] = kToDepth ? w : w * b;
    dims[f.c] = kToDepth ? c * b * b : c;
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    // Index (n, h, i, w, j, c): strides in the spacious and in the deep tensor.
    Ints space_dims(4), deep_dims(4);
    space_dims[f.n] = deep_dims[f.n] = n;
    space_dims[f.h] = h * b, space_dims[f.w] = w * b, space_dims[f.c] = c;
    deep_dims[f.h] = h, deep_dims[f.w] = w, deep_dims[f.c] = b * b * c;
    const Ints s = array::StridesOf(SpanOf(space_dims)), d = array::StridesOf(SpanOf(deep_dims));
    const std::array<int64_t, 6> all{n, h, b, w, b, c};
    const std::array<int64_t, 6> space{s[f.n], s[f.h] * b, s[f.h], s[f.w] * b, s[f.w], s[f.c]};
    const std::array<int64_t, 6> deep{d[f.n], d[f.h], d[f.c] * b * c, d[f.w], d[f.c] * c, d[f.c]};
    array::StridedCopy(ctx, x.dtype, all, x.data, kToDepth ? space : deep, ctx.output(0).data, kToDepth ? deep : space);
    return OkStatus();
  }

 private:
  const std::string format_;
  const int64_t block_;
};

// The operands of the batch ops, made into one form: block sizes, and what is
// added (or cut off) before and after each spatial dimension.
struct Blocks {
  Ints block, before, after;
};

Status CheckBlocks(std::span<const int64_t> block, std::span<const int64_t> borders, int rank, Blocks* out) {
  if (static_cast<int>(block.size()) >= rank || borders.size() != 2 * block.size()) {
    return InvalidArgument(Cat("a tensor of rank ", rank, " does not take ", block.size(), " blocks and ",
                               borders.size() / 2, " borders"));
  }
  int64_t product = 1;
  for (size_t k = 0; k < block.size(); ++k) {
    if (block[k] < 1 || __builtin_mul_overflow(product, block[k], &product) || product > INT32_MAX) {
      return InvalidArgument(Cat("block sizes must be positive and small, found ", block[k]));
    }
    if (borders[2 * k] < 0 || borders[2 * k + 1] < 0 || borders[2 * k] > INT32_MAX || borders[2 * k + 1] > INT32_MAX) {
      return InvalidArgument(Cat("borders must not be negative, found ", borders[2 * k], " and ", borders[2 * k + 1]));
    }
    out->block.push_back(block[k]);
    out->before.push_back(borders[2 * k]);
    out->after.push_back(borders[2 * k + 1]);
  }
  return OkStatus();
}

bool HasBlockInput(const AttrMap& attrs) { return attrs.find("block_size") == attrs.end(); }

template <bool kToBatch>
Status BatchShape(InferenceContext& ctx) {
  if (HasBlockInput(ctx.attrs())) {
    // The reference refuses a block shape of unknown rank, so graphs have none.
    if (ctx.input(1).rank() != 1)
      return InvalidArgument(Cat("block_shape should have rank 1, found ", ctx.input(1).rank()));
    MR_RETURN_IF_ERROR(ctx.WithRank(2, 2));
  }
  SymShape out = ctx.input(0);
  if (!out.has_rank) return OkStatus();
  std::optional<std::vector<int64_t>> block, borders;
  if (HasBlockInput(ctx.attrs())) {
    block = array::IntConstant(ctx, 1);
    borders = array::IntConstant(ctx, 2);
  } else {
    MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
    MR_RETURN_IF_ERROR(ctx.WithRank(1, 2));
    const int64_t b = ctx.attr<int64_t>("block_size");
    block = std::vector<int64_t>{b, b};
    borders = array::IntConstant(ctx, 1);
  }
  if (!block || !borders) {
    ctx.set_output(0, SymShape::Unknown(out.rank()));
    return OkStatus();
  }
  Blocks blocks;
  MR_RETURN_IF_ERROR(CheckBlocks(*block, *borders, out.rank(), &blocks));
  DimTable& t = ctx.dims();
  Dim product(1);
  for (size_t k = 0; k < blocks.block.size(); ++k) {
    const Dim b(blocks.block[k]), border(blocks.before[k] + blocks.after[k]);
    Dim& d = out.dims[k + 1];
    product = t.Mul(product, b);
    if (kToBatch) {
      d = t.Add(d, border);
      if (d.known() && d.value() % b.value() != 0) {
        return InvalidArgument(
            Cat("padded dimension ", k + 1, " of size ", d.value(), " is not a multiple of ", b.value()));
      }
      d = t.FloorDiv(d, b);
    } else {
      d = t.Mul(d, b);
      if (d.known() && d.value() < border.value()) {
        return InvalidArgument(
            Cat("crops ", border.value(), " are more than dimension ", k + 1, " of size ", d.value()));
      }
      d = t.Sub(d, border);
    }
  }
  if (!kToBatch && out.dims[0].known() && out.dims[0].value() % product.value() != 0) {
    return InvalidArgument(Cat("batch ", out.dims[0].value(), " is not a multiple of the blocks' ", product.value()));
  }
  out.dims[0] = kToBatch ? t.Mul(out.dims[0], product) : t.FloorDiv(out.dims[0], product);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

template <bool kToBatch>
class SpaceBatch final : public Kernel {
 public:
  explicit SpaceBatch(const KernelInit& init)
      : block_size_(HasBlockInput(init.attrs()) ? 0 : init.attr<int64_t>("block_size")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& x = ctx.input(0);
    Blocks blocks;
    const Ints block = block_size_ > 0 ? Ints(2, block_size_) : array::ReadInts(ctx.input(1));
    MR_RETURN_IF_ERROR(
        CheckBlocks(SpanOf(block), SpanOf(array::ReadInts(ctx.input(block_size_ > 0 ? 1 : 2))), x.rank, &blocks));
    const size_t spatial = block.size();
    const int64_t count = array::Product(SpanOf(block));
    Ints dims = array::IntsOf(x.shape());
    bool fits = kToBatch || dims[0] % count == 0;
    dims[0] = kToBatch ? dims[0] * count : dims[0] / count;
    for (size_t k = 0; k < spatial; ++k) {
      const int64_t border = blocks.before[k] + blocks.after[k];
      int64_t& d = dims[k + 1];
      if (kToBatch) {
        fits = fits && (d + border) % block[k] == 0;
        d = (d + border) / block[k];
      } else {
        fits = fits && d * block[k] >= border;
        d = d * block[k] - border;
      }
    }
    if (!fits) return InvalidArgument(Cat("shape ", array::DimsText(x.shape()), " does not divide into the blocks"));
    if (!ElementCount(SpanOf(dims))) {
      return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    const TensorView& out = ctx.output(0);
    if (kToBatch) array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
    if (x.num_elements == 0 || out.num_elements == 0) return OkStatus();
    // Wide: one batch, all of space. Deep: a batch for each place in a block.
    const TensorView &wide = kToBatch ? x : out, &deep = kToBatch ? out : x;
    const Ints wide_strides = array::StridesOf(wide.shape()), deep_strides = array::StridesOf(deep.shape());
    Ints place(spatial, 0);
    for (int64_t p = 0; p < count; ++p) {
      Ints box = array::IntsOf(wide.shape()), strides = wide_strides;
      int64_t wide_at = 0, deep_at = p * wide.dim(0) * deep_strides[0];
      for (size_t k = 0; k < spatial; ++k) {
        // Deep position s is wide position s * block + place - before.
        const int64_t offset = place[k] - blocks.before[k], b = block[k], extent = wide.dims[k + 1];
        const int64_t first = offset >= 0 ? 0 : (-offset + b - 1) / b;
        const int64_t last = std::min(deep.dims[k + 1], extent <= offset ? 0 : (extent - offset + b - 1) / b);
        box[k + 1] = std::max<int64_t>(last - first, 0);
        strides[k + 1] *= b;
        wide_at += (first * b + offset) * wide_strides[k + 1];
        deep_at += first * deep_strides[k + 1];
      }
      if (std::find(box.begin(), box.end(), 0) == box.end()) {
        const auto copy = [&](const TensorView& from, int64_t from_at, const Ints& f, const TensorView& to,
                              int64_t to_at, const Ints& t) {
          array::StridedCopy(ctx, x.dtype, SpanOf(box), array::ElementAt(from.data, x.dtype, from_at), SpanOf(f),
                             array::ElementAt(to.data, x.dtype, to_at), SpanOf(t));
        };
        if (kToBatch) copy(wide, wide_at, strides, deep, deep_at, deep_strides);
        else copy(deep, deep_at, deep_strides, wide, wide_at, strides);
      }
      for (size_t k = spatial; k-- > 0;) {
        if (++place[k] < block[k]) break;
        place[k] = 0;
      }
    }
    return OkStatus();
  }

 private:
  const int64_t block_size_;
};

}  // namespace

namespace families {
void array_space(Registry& registry) {
  registry.Define("SpaceToDepth")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("block_size: int >= 2")
      .Attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .Doc("Blocks of space become depth.")
      .Shape(SpaceToDepthShape)
      .Kernel("CPU", NewKernel<SpaceDepth<true>>);
  registry.Define("DepthToSpace")
      .Input("input: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("block_size: int >= 2")
      .Attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .Doc("Depth becomes blocks of space.")
      .Shape(DepthToSpaceShape)
      .Kernel("CPU", NewKernel<SpaceDepth<false>>);
  registry.Define("SpaceToBatchND")
      .Input("input: T")
      .Input("block_shape: Tblock_shape")
      .Input("paddings: Tpaddings")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tblock_shape: {int32, int64} = DT_INT32")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Doc("Blocks of padded space become batch entries.")
      .Shape(BatchShape<true>)
      .Kernel("CPU", NewKernel<SpaceBatch<true>>);
  registry.Define("SpaceToBatch")
      .Input("input: T")
      .Input("paddings: Tpaddings")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Attr("block_size: int >= 2")
      .Doc("Blocks of padded space become batch entries; the form for images.")
      .Shape(BatchShape<true>)
      .Kernel("CPU", NewKernel<SpaceBatch<true>>);
  registry.Define("BatchToSpaceND")
      .Input("input: T")
      .Input("block_shape: Tblock_shape")
      .Input("crops: Tcrops")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tblock_shape: {int32, int64} = DT_INT32")
      .Attr("Tcrops: {int32, int64} = DT_INT32")
      .Doc("Batch entries become blocks of space, which is then cropped.")
      .Shape(BatchShape<false>)
      .Kernel("CPU", NewKernel<SpaceBatch<false>>);
  registry.Define("BatchToSpace")
      .Input("input: T")
      .Input("crops: Tidx")
      .Output("output: T")
      .Attr("T: type")
      .Attr("block_size: int >= 2")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Batch entries become blocks of space, which is then cropped; the form for images.")
      .Shape(BatchShape<false>)
      .Kernel("CPU", NewKernel<SpaceBatch<false>>);
}
}  // namespace families
}  // namespace millrace
