// What the definitions of reductions share.
#pragma once

#include "millrace/ops/reduce/column_engine.h"
#include "millrace/ops/reduce/engine.h"
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

template <template <typename> typename R>
Result<std::unique_ptr<Kernel>> NewOrderedReduction(const KernelInit& init) {
  return NewReduction<R, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                      uint64_t>(init);
}
template <template <typename> typename R>
Result<std::unique_ptr<Kernel>> NewNumberReduction(const KernelInit& init) {
  return NewReduction<R, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                      uint64_t, std::complex<float>, std::complex<double>>(init);
}

template <typename R>
inline constexpr RowReducer kRowReducer = {RowLoops<R>::Rows,   RowLoops<R>::Feed, RowLoops<R>::Join,
                                           RowLoops<R>::Finish, R::kCycles,        ColumnLoops<R>::kTable};
template <template <typename> typename R, typename... Ts>
const RowReducer* RowsOf(DType type) {
  const RowReducer* found = nullptr;
  ((type == kDTypeOf<Ts> ? void(found = &kRowReducer<R<Ts>>) : void()), ...);
  return found;
}
template <template <typename> typename R>
const RowReducer* OrderedRows(DType type) {
  return RowsOf<R, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                uint64_t>(type);
}
template <template <typename> typename R>
const RowReducer* NumberRows(DType type) {
  return RowsOf<R, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                uint64_t, std::complex<float>, std::complex<double>>(type);
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
