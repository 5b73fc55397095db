// What the definitions of reductions share.
#pragma once

#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/reduce/loops.h"
#include "millrace/ops/reduce/rows.h"
#include "millrace/ops/registry/op.h"

namespace millrace::reduce {

// Attribute T of reductions of all numbers, and of those that have an order.
inline constexpr std::string_view kNumbers =
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
    "quint16, uint16, complex128, half, uint32, uint64}";
inline constexpr std::string_view kOrdered =
    "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
    "qint32, qint16, quint16}";

// output = op(input, reduction_indices) with keep_dims. `types` is the attribute T,
// or "" where input and output are bool.
OpBuilder DefineReduction(Registry& registry, std::string name, std::string_view types);

// The loops of the reducer R<T> for the T of the list whose dtype `type` is, or null.
template <template <typename> typename R>
struct LoopsFor {
  template <typename T>
  static const Loops* Of() {
    return &kLoops<R<T>>;
  }
};
template <template <typename> typename R, typename... Ts>
const Loops* FindLoops(Types<Ts...>, DType type) {
  return ByType<LoopsFor<R>, Ts...>(type);
}

// The kernel of a reduction with those loops.
Result<std::unique_ptr<Kernel>> NewReduction(const KernelInit& init, const Loops* loops);
// The factory for the node's T: `L` is one of the type lists of by_type.h.
template <template <typename> typename R, typename L>
Result<std::unique_ptr<Kernel>> MakeReduction(const KernelInit& init) {
  return NewReduction(init, FindLoops<R>(L(), init.input_type(0)));
}

// The loops over rows of memory, for RowReducer.
class LoopRows final : public RowReducer {
 public:
  constexpr explicit LoopRows(const Loops& loops) : RowReducer(loops.cycles, {&loops}) {}
  void rows(const void* x, int64_t rows, int64_t n, void* out) const override;
  void feed(void* state, int64_t at, const void* x, int64_t n, bool last) const override;
  void join(void* state, const void* next) const override;
  void finish(const void* state, int64_t count, void* out) const override;
};
template <typename R>
inline constexpr LoopRows kLoopRows(kLoops<R>);
template <template <typename> typename R>
struct LoopRowsFor {
  template <typename T>
  static const RowReducer* Of() {
    return &kLoopRows<R<T>>;
  }
};
template <template <typename> typename R, typename... Ts>
const RowReducer* FindRows(Types<Ts...>, DType type) {
  return ByType<LoopRowsFor<R>, Ts...>(type);
}

// The functions over rows of each family: see FindRowReducer.
const RowReducer* SumRows(DType type);
const RowReducer* MeanRows(DType type);
const RowReducer* ProdRows(DType type);
const RowReducer* MaxRows(DType type);
const RowReducer* MinRows(DType type);
const RowReducer* AllRows(DType type);
const RowReducer* AnyRows(DType type);
const RowReducer* ArgMaxRows(DType type, DType index);
const RowReducer* ArgMinRows(DType type, DType index);

}  // namespace millrace::reduce
