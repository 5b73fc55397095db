// MatMul and the batched products, and the fused one that the compiler makes.
#include <algorithm>
#include <vector>

#include "millrace/ops/linalg/batch_offsets.h"
#include "millrace/ops/linalg/fused_ops.h"
#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/linalg/generic_product.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::BatchOffsets;
using linalg::ComputeType;
using linalg::GemmArgs;

// The matrices of a (batched) product, as the node's attributes read them.
struct ProductForm {
  bool a_transposed = false, b_transposed = false;
  bool conjugate = false;  // transposing conjugates too
};

size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// b, packed when the plan is loaded.
template <typename T>
Status PackConstant(const KernelInit& init, bool transposed, Buffer* packed) {
  const TensorView* b = init.constant_input(1);
  if (b == nullptr || b->rank != 2 || b->num_elements == 0) return OkStatus();
  using C = ComputeType<T>;
  const int64_t k = b->dim(transposed ? 1 : 0), n = b->dim(transposed ? 0 : 1);
  const int64_t elements = linalg::PackedElements<C>(k, n);
  MR_ASSIGN_OR_RETURN(*packed, HostAllocator().Allocate(static_cast<size_t>(elements) * sizeof(C)));
  const C* source = nullptr;
  Buffer wide;
  if constexpr (linalg::kWidened<T>) {
    MR_ASSIGN_OR_RETURN(wide, HostAllocator().Allocate(static_cast<size_t>(b->num_elements) * sizeof(C)));
    linalg::Widen(b->as<T>(), b->num_elements, static_cast<C*>(wide.data()));
    source = static_cast<const C*>(wide.data());
  } else {
    source = b->as<T>();
  }
  linalg::PackPanels(source, b->dim(1), transposed, k, n, 0, elements / (k * linalg::kPanelColumns<C>),
                     static_cast<C*>(packed->data()));
  return OkStatus();
}

template <typename T>
class FloatProduct final : public Kernel {
 public:
  using C = ComputeType<T>;
  FloatProduct(ProductForm form, linalg::FusedOps fused, Buffer packed)
      : form_(form), fused_(fused), packed_(std::move(packed)) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &y = ctx.input(1), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    GemmArgs<C> g;
    g.m = out.dim(out.rank - 2);
    g.n = out.dim(out.rank - 1);
    g.k = x.dim(x.rank - (form_.a_transposed ? 2 : 1));
    g.a_stride = x.dim(x.rank - 1);
    g.b_stride = y.dim(y.rank - 1);
    g.c_stride = g.n;
    g.a_transposed = form_.a_transposed;
    g.b_transposed = form_.b_transposed;
    g.packed_b = static_cast<const C*>(packed_.data());
    const BatchOffsets batches(x, y, out);
    int64_t count = batches.count();
    if (count > 1 && !form_.a_transposed && batches.SharesY()) g.m *= count, count = 1;

    const bool by_batch = count > 1;
    const size_t product_bytes = Align(linalg::GemmScratchBytes(g, by_batch ? 1 : ctx.workers()));
    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), outi = operands.AddResult(out);
    const int yi = packed_ ? 0 : operands.Add(y);
    const int bias = fused_.bias ? operands.Add(ctx.input(2)) : 0;
    const int residual = fused_.residual ? operands.Add(ctx.input(3)) : 0;
    MR_RETURN_IF_ERROR(
        operands.Allocate(by_batch ? product_bytes * static_cast<size_t>(ctx.workers()) : product_bytes));
    char* const scratch = static_cast<char*>(operands.workspace());
    const C* const xs = operands[xi];
    const C* const ys = packed_ ? nullptr : operands[yi];
    C* const outs = operands.result(outi);
    if (fused_.bias) g.epilogue.bias = operands[bias];
    if (fused_.residual) {
      g.epilogue.residual = operands[residual];
      g.epilogue.residual_stride = g.n;
    }
    g.epilogue.activation = fused_.activation;
    g.epilogue.alpha = static_cast<C>(fused_.alpha);
    g.late = fused_.late;

    if (by_batch) {
      const int64_t x_size = x.dim(x.rank - 2) * x.dim(x.rank - 1), y_size = y.dim(y.rank - 2) * y.dim(y.rank - 1);
      const auto cycles = static_cast<double>(g.m * g.n * g.k) / 16.0 + 50.0;
      ctx.ParallelFor(count, BlockFor(cycles), [&](int64_t begin, int64_t end, int worker) {
        for (int64_t i = begin; i < end; ++i) {
          int64_t x_index, y_index;
          batches.Get(i, &x_index, &y_index);
          GemmArgs<C> one = g;
          one.a = xs + x_index * x_size;
          one.b = ys + y_index * y_size;
          one.c = outs + i * g.m * g.n;
          linalg::GemmSerial(one, scratch + product_bytes * static_cast<size_t>(worker));
        }
      });
    } else {
      g.a = xs;
      g.b = ys;
      g.c = outs;
      linalg::Gemm(ctx, g, scratch);
    }
    operands.Finish();
    return OkStatus();
  }

 private:
  ProductForm form_;
  linalg::FusedOps fused_;
  Buffer packed_;
};

template <typename A, typename B, typename Out>
class GenericProductKernel final : public Kernel {
 public:
  explicit GenericProductKernel(ProductForm form) : form_(form) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &y = ctx.input(1), &out = ctx.output(0);
    if (out.num_elements == 0) return OkStatus();
    const int64_t m = out.dim(out.rank - 2), n = out.dim(out.rank - 1);
    const int64_t k = x.dim(x.rank - (form_.a_transposed ? 2 : 1));
    const int64_t x_row = x.dim(x.rank - 1), y_row = y.dim(y.rank - 1);
    const BatchOffsets batches(x, y, out);
    // A unit is a row of the result.
    ctx.ParallelFor(batches.count() * m, BlockFor(static_cast<double>(n * k) * 2.0),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t u = begin; u < end;) {
                        const int64_t batch = u / m, row = u % m, rows = std::min(m - row, end - u);
                        int64_t xi, yi;
                        batches.Get(batch, &xi, &yi);
                        linalg::GenericMatrix<A> a{x.as<A>() + xi * m * k, x_row, 1, false};
                        linalg::GenericMatrix<B> b{y.as<B>() + yi * k * n, y_row, 1, false};
                        if (form_.a_transposed)
                          std::swap(a.row_stride, a.column_stride), a.conjugated = form_.conjugate;
                        if (form_.b_transposed)
                          std::swap(b.row_stride, b.column_stride), b.conjugated = form_.conjugate;
                        linalg::GenericProduct(a, b, row, row + rows, n, k, out.as<Out>() + batch * m * n);
                        u += rows;
                      }
                    });
    return OkStatus();
  }

 private:
  ProductForm form_;
};

template <typename T>
Result<std::unique_ptr<Kernel>> MakeFloat(const KernelInit& init, ProductForm form) {
  MR_ASSIGN_OR_RETURN(const linalg::FusedOps fused, linalg::ParseFusedOps(init));
  Buffer packed;
  MR_RETURN_IF_ERROR(PackConstant<T>(init, form.b_transposed, &packed));
  return std::unique_ptr<Kernel>(new FloatProduct<T>(form, fused, std::move(packed)));
}

template <typename A, typename B = A, typename Out = A>
Result<std::unique_ptr<Kernel>> MakeGeneric(ProductForm form) {
  return std::unique_ptr<Kernel>(new GenericProductKernel<A, B, Out>(form));
}

Result<std::unique_ptr<Kernel>> MakeProduct(const KernelInit& init, ProductForm form) {
  const DType a = init.input_type(0), b = init.input_type(1), out = init.output_type(0);
  if (a == b && a == out) {
    switch (a) {
      case DType::kFloat:
        return MakeFloat<float>(init, form);
      case DType::kDouble:
        return MakeFloat<double>(init, form);
      case DType::kHalf:
        return MakeFloat<Half>(init, form);
      case DType::kBfloat16:
        return MakeFloat<BFloat16>(init, form);
      case DType::kUint8:
        return MakeGeneric<uint8_t>(form);
      case DType::kUint16:
        return MakeGeneric<uint16_t>(form);
      case DType::kInt16:
        return MakeGeneric<int16_t>(form);
      case DType::kInt32:
        return MakeGeneric<int32_t>(form);
      case DType::kUint32:
        return MakeGeneric<uint32_t>(form);
      case DType::kInt64:
        return MakeGeneric<int64_t>(form);
      case DType::kUint64:
        return MakeGeneric<uint64_t>(form);
      case DType::kComplex64:
        return MakeGeneric<std::complex<float>>(form);
      case DType::kComplex128:
        return MakeGeneric<std::complex<double>>(form);
      default:
        break;
    }
  } else if (out == DType::kInt32) {
    if (a == DType::kInt8 && b == DType::kInt8) return MakeGeneric<int8_t, int8_t, int32_t>(form);
    if (a == DType::kInt8 && b == DType::kUint8) return MakeGeneric<int8_t, uint8_t, int32_t>(form);
    if (a == DType::kUint8 && b == DType::kInt8) return MakeGeneric<uint8_t, int8_t, int32_t>(form);
    if (a == DType::kUint8 && b == DType::kUint8) return MakeGeneric<uint8_t, uint8_t, int32_t>(form);
  }
  return Unimplemented(Cat("no product of ", DTypeName(a), " and ", DTypeName(b), " that gives ", DTypeName(out)));
}

Result<std::unique_ptr<Kernel>> NewMatMul(const KernelInit& init) {
  return MakeProduct(init, {init.attr<bool>("transpose_a"), init.attr<bool>("transpose_b"), false});
}
Result<std::unique_ptr<Kernel>> NewBatchMatMul(const KernelInit& init) {
  return MakeProduct(init, {init.attr<bool>("adj_x"), init.attr<bool>("adj_y"), true});
}

Status InnerDims(InferenceContext& ctx, Dim x, Dim y) {
  if (x.known() && y.known() && x != y) {
    return InvalidArgument(Cat("inner dimensions differ: expected the same, found ", x.value(), " and ", y.value(),
                               " in the shapes ", ctx.input(0).ToShape().ToString(), " and ",
                               ctx.input(1).ToShape().ToString()));
  }
  return OkStatus();
}

Dim At(const SymShape& shape, int i) { return shape.has_rank ? shape.dims[static_cast<size_t>(i)] : Dim(); }

Status MatMulShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 2));
  const bool ta = ctx.attr<bool>("transpose_a"), tb = ctx.attr<bool>("transpose_b");
  MR_RETURN_IF_ERROR(InnerDims(ctx, At(ctx.input(0), ta ? 0 : 1), At(ctx.input(1), tb ? 1 : 0)));
  ctx.set_output(0, SymShape({At(ctx.input(0), ta ? 1 : 0), At(ctx.input(1), tb ? 0 : 1)}));
  return OkStatus();
}

Status FusedMatMulShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(MatMulShape(ctx));
  const SymShape out = ctx.outputs()[0].shape;
  for (int i = 2; i < ctx.num_inputs(); ++i) {
    if (i == 2) {
      MR_RETURN_IF_ERROR(ctx.WithRank(i, 1));
      Dim columns;
      if (ctx.input(i).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(out.dims[1], ctx.input(i).dims[0], &columns));
    } else {
      SymShape merged;
      MR_RETURN_IF_ERROR(ctx.Merge(out, ctx.input(i), &merged));
      ctx.set_output(0, merged);
    }
  }
  return OkStatus();
}

Status BatchMatMulShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 2));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 2));
  const SymShape &x = ctx.input(0), &y = ctx.input(1);
  if (!x.has_rank || !y.has_rank) return OkStatus();
  const bool tx = ctx.attr<bool>("adj_x"), ty = ctx.attr<bool>("adj_y");
  MR_RETURN_IF_ERROR(InnerDims(ctx, x.dims[x.dims.size() - (tx ? 2 : 1)], y.dims[y.dims.size() - (ty ? 1 : 2)]));
  SymShape out;
  MR_RETURN_IF_ERROR(BroadcastShapes(ctx.dims(), SymShape(std::vector<Dim>(x.dims.begin(), x.dims.end() - 2)),
                                     SymShape(std::vector<Dim>(y.dims.begin(), y.dims.end() - 2)), &out));
  out.dims.push_back(x.dims[x.dims.size() - (tx ? 1 : 2)]);
  out.dims.push_back(y.dims[y.dims.size() - (ty ? 2 : 1)]);
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// The oldest of them does not broadcast.
Status OldBatchMatMulShape(InferenceContext& ctx) {
  const SymShape &x = ctx.input(0), &y = ctx.input(1);
  if (x.has_rank && y.has_rank && x.dims.size() >= 2) {
    MR_RETURN_IF_ERROR(ctx.WithRank(1, x.rank()));
    for (size_t i = 0; i + 2 < x.dims.size(); ++i) {
      Dim same;
      MR_RETURN_IF_ERROR(ctx.Merge(x.dims[i], y.dims[i], &same));
    }
  }
  return BatchMatMulShape(ctx);
}

}  // namespace

namespace families {

void matmul(Registry& registry) {
  registry.Define("MatMul")
      .Input("a: T")
      .Input("b: T")
      .Output("product: T")
      .Attr("transpose_a: bool = false")
      .Attr("transpose_b: bool = false")
      .Attr("T: {bfloat16, half, float, double, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}")
      .Attr("grad_a: bool = false")
      .Attr("grad_b: bool = false")
      .Doc("The product of two matrices.")
      .Shape(MatMulShape)
      .Kernel("CPU", NewMatMul);
  registry.Define("BatchMatMul")
      .Input("x: T")
      .Input("y: T")
      .Output("output: T")
      .Attr("T: {bfloat16, half, float, double, int32, int64, complex64, complex128}")
      .Attr("adj_x: bool = false")
      .Attr("adj_y: bool = false")
      .Attr("grad_x: bool = false")
      .Attr("grad_y: bool = false")
      .Doc("Products of matrices, one for each index of the leading dimensions, which are equal.")
      .Shape(OldBatchMatMulShape)
      .Kernel("CPU", NewBatchMatMul);
  registry.Define("BatchMatMulV2")
      .Input("x: T")
      .Input("y: T")
      .Output("output: T")
      .Attr(
          "T: {bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
          "complex128}")
      .Attr("adj_x: bool = false")
      .Attr("adj_y: bool = false")
      .Attr("grad_x: bool = false")
      .Attr("grad_y: bool = false")
      .Doc("Products of matrices; the leading dimensions broadcast.")
      .Shape(BatchMatMulShape)
      .Kernel("CPU", NewBatchMatMul);
  const char* const types = "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128}";
  registry.Define("BatchMatMulV3")
      .Input("x: Ta")
      .Input("y: Tb")
      .Output("output: Tout")
      .Attr(Cat("Ta: ", types))
      .Attr(Cat("Tb: ", types))
      .Attr("Tout: {bfloat16, half, float, double, int16, int32, int64, complex64, complex128}")
      .Attr("adj_x: bool = false")
      .Attr("adj_y: bool = false")
      .Attr("grad_x: bool = false")
      .Attr("grad_y: bool = false")
      .Doc("Products of matrices with a result of another type.")
      .Shape(BatchMatMulShape)
      .Kernel("CPU", NewBatchMatMul);
  registry.Define("_FusedMatMul")
      .Input("a: T")
      .Input("b: T")
      .Input("args: num_args * T")
      .Output("product: T")
      .Attr("transpose_a: bool = false")
      .Attr("transpose_b: bool = false")
      .Attr("T: {bfloat16, half, float}")
      .Attr("num_args: int >= 0")
      .Attr("fused_ops: list(string) = []")
      .Attr("epsilon: float = 0.0001")
      .Attr("leakyrelu_alpha: float = 0.2")
      .Doc(
          "A product with bias, residual and activation applied while the result is in registers. Made by the "
          "compiler.")
      .Shape(FusedMatMulShape)
      .NoGradient("made by the compiler, after differentiation")
      .Kernel("CPU", NewMatMul);
}

}  // namespace families
}  // namespace millrace
