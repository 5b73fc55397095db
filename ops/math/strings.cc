#include "millrace/ops/math/strings.h"

#include <string>

#include "millrace/ops/expr/driver.h"

namespace millrace::math {

Status JoinStrings(KernelContext& ctx) {
  const TensorView operands[] = {ctx.input(0), ctx.input(1)};
  const std::string *x = operands[0].as<std::string>(), *y = operands[1].as<std::string>();
  std::string* out = ctx.output(0).as<std::string>();
  ForEachBroadcast(operands, ctx.output(0), [&](int64_t i, const int64_t* at) { out[i] = x[at[0]] + y[at[1]]; });
  return OkStatus();
}

}  // namespace millrace::math
