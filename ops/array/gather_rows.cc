#include "millrace/ops/array/gather_rows.h"

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/proto/value/strings.h"

namespace millrace::array {

Status GatherRows(KernelContext& ctx, const GatherShape& shape, const TensorView& params, const TensorView& indices,
                  void* out) {
  for (int64_t i = 0; i < indices.num_elements; ++i) {
    const int64_t index = IntAt(indices, i);
    if (index < 0 || index >= shape.rows) {
      return InvalidArgument(Cat("indices[", i, "] = ", index, " is not in [0, ", shape.rows, ")"));
    }
  }
  const int64_t inner = shape.inner, count = shape.indices;
  if (inner == 0) return OkStatus();
  const double cycles = 6 + 0.1 * static_cast<double>(inner * MemorySize(params.dtype));
  DispatchWord(params.dtype, [&]<typename W>() {
    const W* from = static_cast<const W*>(params.data);
    W* to = static_cast<W*>(out);
    ctx.ParallelFor(shape.batches * shape.outer * count, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
      for (int64_t u = begin; u < end; ++u) {
        const int64_t plane = u / count;  // batch and outer
        const int64_t row = IntAt(indices, plane / shape.outer * count + u % count);
        const W* f = from + (plane * shape.rows + row) * inner;
        if (inner == 1) to[u] = *f;
        else CopySerial(params.dtype, f, to + u * inner, inner);
      }
    });
  });
  return OkStatus();
}

}  // namespace millrace::array
