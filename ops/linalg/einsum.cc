// Einsum of one or two operands: both are laid out as batches of matrices, summed
// over what only one of them has; their product is laid out as the result.
#include <algorithm>
#include <complex>

#include "absl/container/inlined_vector.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/linalg/einsum_equation.h"
#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/linalg/generic_product.h"
#include "millrace/ops/linalg/widen.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::ComputeType;
using linalg::EinsumEquation;
using linalg::EinsumTerm;

// One label: its extent, and the distance of its elements in both operands and in
// the result. A label twice in an operand walks along the diagonal.
struct Axis {
  int label = 0;
  int64_t extent = 1;
  int64_t step[3] = {0, 0, 0};
  bool in[3] = {false, false, false};
};
using Axes = absl::InlinedVector<Axis, 8>;

Status AddOperand(const EinsumTerm& term, const TensorView& t, int which, Axes* axes) {
  MR_ASSIGN_OR_RETURN(const std::vector<int> labels, term.Labels(t.rank));
  int64_t step = 1;
  for (int d = t.rank; d-- > 0; step *= t.dim(d)) {
    const int label = labels[static_cast<size_t>(d)];
    auto axis = std::find_if(axes->begin(), axes->end(), [&](const Axis& a) { return a.label == label; });
    if (axis == axes->end()) axis = axes->insert(axes->end(), Axis{label, t.dim(d), {}, {}});
    // Dimensions of "..." broadcast.
    if (label < 0 && axis->extent == 1) axis->extent = t.dim(d);
    if (label >= 0 && axis->extent != t.dim(d)) {
      return InvalidArgument(
          Cat("expected ", axis->extent, " elements along '", static_cast<char>(label), "', found ", t.dim(d)));
    }
    axis->in[which] = true;
    if (t.dim(d) != 1) axis->step[which] += step;
  }
  return OkStatus();
}

// Elements at all positions of some axes, by the steps of one tensor.
class Walk {
 public:
  Walk() = default;
  void Add(int64_t extent, int64_t step) {
    dims_.push_back({extent, step});
    count_ *= extent;
  }
  int64_t count() const { return count_; }
  int64_t last() const { return dims_.empty() ? 1 : dims_.back().extent; }
  int64_t last_step() const { return dims_.empty() ? 0 : dims_.back().step; }
  // Of the first element of row `row`, a row being the positions of the last axis.
  int64_t Row(int64_t row) const {
    int64_t at = 0;
    for (size_t i = dims_.size(); i-- > 1;) {
      const Dim& d = dims_[i - 1];
      at += row % d.extent * d.step;
      row /= d.extent;
    }
    return at;
  }
  int64_t rows() const { return count_ == 0 ? 0 : count_ / last(); }

 private:
  struct Dim {
    int64_t extent, step;
  };
  absl::InlinedVector<Dim, 8> dims_;
  int64_t count_ = 1;
};

template <typename C>
C Sum(C a, C b) {
  if constexpr (std::is_integral_v<C>) {
    return static_cast<C>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return a + b;
  }
}

// to[i] = the sum over `summed` of the elements at position i of `kept`.
template <typename T>
void Pack(KernelContext& ctx, const T* from, const Walk& kept, const Walk& summed, ComputeType<T>* to) {
  using C = ComputeType<T>;
  const int64_t columns = kept.last();
  ctx.ParallelFor(kept.rows(), BlockFor(2.0 * static_cast<double>(columns) * static_cast<double>(summed.count())),
                  [&](int64_t begin, int64_t end, int) {
                    for (int64_t row = begin; row < end; ++row) {
                      const T* const base = from + kept.Row(row);
                      for (int64_t i = 0; i < columns; ++i) {
                        const T* const at = base + i * kept.last_step();
                        C sum = C();
                        for (int64_t r = 0; r < summed.rows(); ++r) {
                          const T* const terms = at + summed.Row(r);
                          for (int64_t j = 0; j < summed.last(); ++j) {
                            sum = Sum(sum, static_cast<C>(terms[j * summed.last_step()]));
                          }
                        }
                        to[row * columns + i] = sum;
                      }
                    }
                  });
}

template <typename T>
void Unpack(KernelContext& ctx, const ComputeType<T>* from, const Walk& result, const TensorView& out) {
  T* const to = out.as<T>();
  // A label twice in the result: only its diagonal is written.
  if (result.count() < out.num_elements) std::fill_n(to, out.num_elements, T());
  const int64_t columns = result.last();
  ctx.ParallelFor(result.rows(), BlockFor(2.0 * static_cast<double>(columns)), [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t base = result.Row(row);
      for (int64_t i = 0; i < columns; ++i) to[base + i * result.last_step()] = static_cast<T>(from[row * columns + i]);
    }
  });
}

struct Extents {
  int64_t batch = 1, m = 1, n = 1, k = 1;
};

template <typename C>
constexpr bool kHasGemm = std::is_same_v<C, float> || std::is_same_v<C, double>;

template <typename C>
linalg::GemmArgs<C> GemmOf(const Extents& e, const C* a, const C* b, C* c) {
  linalg::GemmArgs<C> g;
  g.m = e.m;
  g.n = e.n;
  g.k = e.k;
  g.a = a;
  g.a_stride = e.k;
  g.b = b;
  g.b_stride = e.n;
  g.c = c;
  g.c_stride = e.n;
  return g;
}

template <typename C>
size_t ProductBytes(KernelContext& ctx, const Extents& e) {
  if constexpr (kHasGemm<C>) {
    const linalg::GemmArgs<C> g = GemmOf<C>(e, nullptr, nullptr, nullptr);
    const size_t one = (linalg::GemmScratchBytes(g, e.batch > 1 ? 1 : ctx.workers()) + 63) / 64 * 64;
    return e.batch > 1 ? one * static_cast<size_t>(ctx.workers()) : one;
  } else {
    return 0;
  }
}

// c[batch] = a[batch] b[batch]
template <typename C>
void Product(KernelContext& ctx, const Extents& e, const C* a, const C* b, C* c, void* scratch) {
  if constexpr (kHasGemm<C>) {
    if (e.batch == 1) return linalg::Gemm(ctx, GemmOf(e, a, b, c), scratch);
    const size_t bytes = ProductBytes<C>(ctx, e) / static_cast<size_t>(ctx.workers());
    const double cycles = static_cast<double>(e.m * e.n) * static_cast<double>(e.k) / 16.0 + 50.0;
    ctx.ParallelFor(e.batch, BlockFor(cycles), [&](int64_t begin, int64_t end, int worker) {
      for (int64_t i = begin; i < end; ++i) {
        linalg::GemmSerial(GemmOf(e, a + i * e.m * e.k, b + i * e.k * e.n, c + i * e.m * e.n),
                           static_cast<char*>(scratch) + bytes * static_cast<size_t>(worker));
      }
    });
  } else {
    ctx.ParallelFor(e.batch, BlockFor(2.0 * static_cast<double>(e.m * e.n) * static_cast<double>(e.k)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t i = begin; i < end; ++i) {
                        const linalg::GenericMatrix<C> x{a + i * e.m * e.k, e.k, 1, false};
                        const linalg::GenericMatrix<C> y{b + i * e.k * e.n, e.n, 1, false};
                        linalg::GenericProduct(x, y, 0, e.m, e.n, e.k, c + i * e.m * e.n);
                      }
                    });
  }
}

// Bytes of so many elements, aligned; false where that is more than there can be.
bool AddBytes(std::initializer_list<int64_t> extents, size_t element, size_t* total) {
  int64_t bytes = static_cast<int64_t>(element);
  for (const int64_t e : extents) {
    if (__builtin_mul_overflow(bytes, e, &bytes)) return false;
  }
  if (bytes > (int64_t{1} << 46)) return false;
  *total += (static_cast<size_t>(bytes) + 63) / 64 * 64;
  return true;
}

template <typename T>
Status RunEinsum(KernelContext& ctx, const EinsumEquation& equation) {
  using C = ComputeType<T>;
  const TensorView& out = ctx.output(0);
  if (out.num_elements == 0) return OkStatus();
  const int operands = ctx.num_inputs();
  Axes axes;
  for (int i = 0; i < operands; ++i) {
    MR_RETURN_IF_ERROR(AddOperand(equation.inputs[static_cast<size_t>(i)], ctx.input(i), i, &axes));
  }
  MR_RETURN_IF_ERROR(AddOperand(equation.output, out, 2, &axes));

  Extents e;
  Walk kept[2], summed[2], result;
  // Each operand is batch, rows, columns; the second one's rows are what it shares.
  const auto take = [&](bool a, bool b, bool c, int64_t* product) {
    for (const Axis& axis : axes) {
      if (axis.in[0] != a || axis.in[1] != b || axis.in[2] != c) continue;
      *product *= axis.extent;
      for (int i = 0; i < 2; ++i) {
        if (axis.in[i]) kept[i].Add(axis.extent, axis.step[i]);
      }
      if (c) result.Add(axis.extent, axis.step[2]);
    }
  };
  take(true, true, true, &e.batch);
  take(true, false, true, &e.m);
  take(true, true, false, &e.k);
  take(false, true, true, &e.n);
  for (const Axis& axis : axes) {
    for (int i = 0; i < 2; ++i) {
      if (axis.in[i] && !axis.in[1 - i] && !axis.in[2]) summed[i].Add(axis.extent, axis.step[i]);
    }
  }

  size_t at[4] = {0, 0, 0, 0}, total = 0;
  bool fits = AddBytes({e.batch, e.m, e.k}, sizeof(C), &total);
  at[1] = total;
  if (operands == 2) {
    fits = fits && AddBytes({e.batch, e.k, e.n}, sizeof(C), &total);
    at[2] = total;
    fits = fits && AddBytes({e.batch, e.m, e.n}, sizeof(C), &total);
    at[3] = total;
  }
  if (!fits) return ResourceExhausted("the operands do not fit into memory as matrices");
  if (operands == 2) total += ProductBytes<C>(ctx, e);
  MR_ASSIGN_OR_RETURN(void* const scratch, ctx.Scratch(total));
  const auto part = [&](int i) { return reinterpret_cast<C*>(static_cast<char*>(scratch) + at[i]); };
  Pack(ctx, ctx.input(0).as<T>(), kept[0], summed[0], part(0));
  if (operands == 1) {
    Unpack<T>(ctx, part(0), result, out);
    return OkStatus();
  }
  Pack(ctx, ctx.input(1).as<T>(), kept[1], summed[1], part(1));
  if (e.k == 0) {
    std::fill_n(part(2), e.batch * e.m * e.n, C());
  } else {
    Product<C>(ctx, e, part(0), part(1), part(2), part(3));
  }
  Unpack<T>(ctx, part(2), result, out);
  return OkStatus();
}

class Einsum final : public Kernel {
 public:
  using Fn = Status (*)(KernelContext&, const EinsumEquation&);
  Einsum(EinsumEquation equation, Fn fn) : equation_(std::move(equation)), fn_(fn) {}
  Status Run(KernelContext& ctx) const override { return fn_(ctx, equation_); }

 private:
  EinsumEquation equation_;
  Fn fn_;
};

struct EinsumOf {
  template <typename T>
  static Einsum::Fn Of() {
    return RunEinsum<T>;
  }
};

Result<std::unique_ptr<Kernel>> NewEinsum(const KernelInit& init) {
  MR_ASSIGN_OR_RETURN(EinsumEquation equation, linalg::ParseEinsum(init.attr<std::string>("equation")));
  if (init.num_inputs() > 2) {
    return Unimplemented(Cat("expected one or two operands, found ", init.num_inputs()));
  }
  const DType type = init.output_type(0);
  const Einsum::Fn fn =
      ByType<EinsumOf, float, double, Half, BFloat16, int32_t, int64_t, std::complex<float>, std::complex<double>>(
          type);
  if (fn == nullptr) return Unimplemented(Cat("no Einsum of ", DTypeName(type)));
  return std::unique_ptr<Kernel>(new Einsum(std::move(equation), fn));
}

Status EinsumShape(InferenceContext& ctx) {
  MR_ASSIGN_OR_RETURN(const EinsumEquation equation, linalg::ParseEinsum(ctx.attr<std::string>("equation")));
  if (static_cast<int>(equation.inputs.size()) != ctx.num_inputs()) {
    return InvalidArgument(
        Cat("expected ", equation.inputs.size(), " operands as in the equation, found ", ctx.num_inputs()));
  }
  // What each letter is long, and what "..." stands for, where it is known.
  std::vector<std::pair<char, Dim>> extents;
  SymShape others = SymShape::Scalar();
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    const EinsumTerm& term = equation.inputs[static_cast<size_t>(i)];
    const SymShape& shape = ctx.input(i);
    if (!shape.has_rank) {
      if (term.ellipsis >= 0) others = SymShape();
      continue;
    }
    MR_ASSIGN_OR_RETURN(const std::vector<int> labels, term.Labels(shape.rank()));
    std::vector<Dim> broadcast;
    for (size_t d = 0; d < labels.size(); ++d) {
      if (labels[d] < 0) {
        broadcast.push_back(shape.dims[d]);
        continue;
      }
      const auto letter = static_cast<char>(labels[d]);
      const auto at = std::find_if(extents.begin(), extents.end(), [&](const auto& e) { return e.first == letter; });
      if (at == extents.end()) extents.emplace_back(letter, shape.dims[d]);
      else MR_RETURN_IF_ERROR(ctx.Merge(at->second, shape.dims[d], &at->second));
    }
    if (others.has_rank) MR_RETURN_IF_ERROR(BroadcastShapes(ctx.dims(), others, SymShape(broadcast), &others));
  }
  const EinsumTerm& output = equation.output;
  if (output.ellipsis >= 0 && !others.has_rank) return OkStatus();
  const int rank = static_cast<int>(output.letters.size()) + (output.ellipsis >= 0 ? others.rank() : 0);
  MR_ASSIGN_OR_RETURN(const std::vector<int> labels, output.Labels(rank));
  SymShape out = SymShape::Unknown(rank);
  for (size_t d = 0; d < labels.size(); ++d) {
    if (labels[d] < 0) out.dims[d] = others.dims[others.dims.size() - static_cast<size_t>(-labels[d])];
    for (const auto& [letter, extent] : extents) {
      if (labels[d] == letter) out.dims[d] = extent;
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

}  // namespace

namespace families {

void einsum(Registry& registry) {
  registry.Define("Einsum")
      .Input("inputs: N * T")
      .Output("output: T")
      .Attr("equation: string")
      .Attr("N: int >= 1")
      .Attr("T: type")
      .Doc(
          "Products of elements, summed over the subscripts that the result does not have: 'ab,bc->ac' is a product of "
          "matrices. '...' stands for further dimensions, which broadcast.")
      .Shape(EinsumShape)
      .Kernel("CPU", NewEinsum);
}

}  // namespace families
}  // namespace millrace
