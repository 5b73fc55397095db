// Widened: operands of a kernel in the type it computes in. 16-bit floating-point
// tensors are widened into the workspace and results narrowed from it, with one
// rounding; other tensors are used where they are.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/linalg/widen.h"

namespace millrace::linalg {

//   Widened<T> operands(ctx);
//   const int x = operands.Add(ctx.input(0)), y = operands.AddResult(ctx.output(0));
//   MR_RETURN_IF_ERROR(operands.Allocate(bytes));
//   Compute(operands[x], operands.result(y), operands.workspace());
//   operands.Finish();
template <typename T>
class Widened {
 public:
  using C = ComputeType<T>;
  explicit Widened(KernelContext& ctx) : ctx_(ctx) {}

  // The views outlive this object. At most kMost in all.
  int Add(const TensorView& t) { return Insert(t, false); }
  int AddResult(const TensorView& t) { return Insert(t, true); }

  // Takes the kernel's one workspace, with `bytes` of it for the kernel, aligned
  // to 64, and fills the operands.
  Status Allocate(size_t bytes) {
    size_t total = Align(bytes);
    if constexpr (kWidened<T>) {
      for (int i = 0; i < count_; ++i) {
        operands_[i].at = total;
        total += Align(static_cast<size_t>(operands_[i].tensor->num_elements) * sizeof(C));
      }
    }
    char* scratch = nullptr;
    if (total > 0) {
      MR_ASSIGN_OR_RETURN(void* p, ctx_.Scratch(total));
      scratch = static_cast<char*>(p);
    }
    workspace_ = scratch;
    for (int i = 0; i < count_; ++i) {
      Operand& operand = operands_[i];
      if constexpr (kWidened<T>) {
        operand.data = reinterpret_cast<C*>(scratch + operand.at);
        if (operand.result) continue;
        ctx_.ParallelFor(operand.tensor->num_elements, BlockFor(0.5), [&](int64_t begin, int64_t end, int) {
          Widen(operand.tensor->template as<T>() + begin, end - begin, operand.data + begin);
        });
      } else {
        operand.data = operand.tensor->template as<C>();
      }
    }
    return OkStatus();
  }

  const C* operator[](int i) const { return operands_[i].data; }
  // Null for a result that nobody wants, or room for it.
  C* result(int i) const { return operands_[i].data; }
  void* workspace() const { return workspace_; }

  // Narrows the results that are wanted.
  void Finish() const {
    if constexpr (kWidened<T>) {
      for (int i = 0; i < count_; ++i) {
        const Operand& operand = operands_[i];
        if (!operand.result || operand.tensor->data == nullptr) continue;
        ctx_.ParallelFor(operand.tensor->num_elements, BlockFor(0.5), [&](int64_t begin, int64_t end, int) {
          Narrow(operand.data + begin, end - begin, operand.tensor->template as<T>() + begin);
        });
      }
    }
  }

 private:
  static constexpr int kMost = 8;
  struct Operand {
    const TensorView* tensor;
    bool result;
    size_t at;
    C* data;
  };
  static size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }
  int Insert(const TensorView& t, bool result) {
    operands_[count_] = {&t, result, 0, nullptr};
    return count_++;
  }
  KernelContext& ctx_;
  Operand operands_[kMost];
  int count_ = 0;
  void* workspace_ = nullptr;
};

}  // namespace millrace::linalg
