// AddN: the sum of many tensors of one shape.
#include <algorithm>

#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/registry/op.h"

namespace millrace {

extern const Expression kAdd;

namespace {

// A run of elements at a time, so that the sum stays in cache. It is complete
// before it is stored: the output may be the memory of any input.
constexpr int64_t kRun = 512;

class AddNKernel final : public Kernel {
 public:
  AddNKernel(const Body& body, DType dtype) : body_(body), size_(ElementSize(dtype)) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView& out = ctx.output(0);
    const float cycles = static_cast<float>(ctx.num_inputs());
    const int64_t block = (BlockFor(cycles) + kRun - 1) / kRun * kRun;
    ctx.ParallelFor(out.num_elements, block, [&](int64_t begin, int64_t end, int) {
      for (int64_t at = begin; at < end; at += kRun) Sum(ctx, at, std::min(kRun, end - at));
    });
    return OkStatus();
  }

 private:
  void Sum(const KernelContext& ctx, int64_t at, int64_t count) const {
    alignas(64) char total[kRun * 16];
    const size_t bytes = static_cast<size_t>(count) * size_;
    const auto run = [&](void* data) { return TensorView{data, body_.out, 1, &count, count}; };
    const auto input = [&](int i) { return ctx.input(i).as<char>() + static_cast<size_t>(at) * size_; };
    std::copy_n(input(0), bytes, total);
    const TensorView sum = run(total);
    for (int i = 1; i < ctx.num_inputs(); ++i) {
      const TensorView operands[] = {sum, run(input(i))};
      RunBody(body_, operands, sum);
    }
    std::copy_n(total, bytes, ctx.output(0).as<char>() + static_cast<size_t>(at) * size_);
  }

  const Body& body_;
  const size_t size_;
};

Result<std::unique_ptr<Kernel>> NewAddN(const KernelInit& init) {
  const DType type = init.output_type(0), in[] = {type, type};
  const Body* body = kAdd.Find(in, type, ActiveIsa());
  if (body == nullptr) return Unimplemented("no kernel that adds elements of " + DTypeName(type));
  return std::unique_ptr<Kernel>(new AddNKernel(*body, type));
}

}  // namespace

namespace families {

void add_n(Registry& r) {
  const std::vector<DType> types = {DType::kFloat,     DType::kDouble,    DType::kHalf,   DType::kBfloat16,
                                    DType::kInt8,      DType::kInt16,     DType::kInt32,  DType::kInt64,
                                    DType::kUint8,     DType::kUint16,    DType::kUint32, DType::kUint64,
                                    DType::kComplex64, DType::kComplex128};
  r.Define("AddN")
      .Input("inputs: N * T")
      .Output("sum: T")
      .Attr("N: int >= 1")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64, variant}")
      .Doc("The sum of the inputs, from the first to the last.\nIntegers wrap.")
      .Commutative()
      .Aggregate()
      .Shape(shape_fns::MergeInputs)
      .Kernel("CPU", NewAddN, {{"T", types}});
}

}  // namespace families
}  // namespace millrace
