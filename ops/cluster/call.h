// Calls of bodies and compiled code on registers: `table` has the memory of each
// id, `moves` -1 for what advances with the elements and 0 for what repeats.
#pragma once

#include "millrace/ops/cluster/prepared.h"

namespace millrace::cluster {

inline void CallStep(const Step& step, char* const* table, const int64_t* moves, int64_t count) {
  const void* in[kMaxOperands];
  int64_t steps[kMaxOperands];
  for (int k = 0; k < kMaxOperands; ++k) {
    in[k] = table[step.in[k]];
    steps[k] = moves[step.in[k]] & step.lanes;
  }
  step.run(in, steps, table[step.out], (count + step.lanes - 1) >> step.shift);
}

// `arguments` has room for 2 * reads + writes pointers.
inline void CallCode(const StepRange& range, char* const* table, const int64_t* moves, int64_t count, char* arguments) {
  const size_t reads = range.reads.size(), writes = range.writes.size();
  auto* const in = reinterpret_cast<const void**>(arguments);
  auto* const out = const_cast<void**>(in + reads);
  auto* const steps = reinterpret_cast<int64_t*>(out + writes);
  for (size_t i = 0; i < reads; ++i) {
    in[i] = table[range.reads[i]];
    steps[i] = moves[range.reads[i]] & range.code.lanes;
  }
  for (size_t i = 0; i < writes; ++i) out[i] = table[range.writes[i]];
  range.code.run(in, steps, out, (count + range.code.lanes - 1) / range.code.lanes);
}

// Looks at the operands of p.steps[check.step].
inline Status CallCheck(const Prepared& p, const Check& check, char* const* table, const int64_t* moves,
                        int64_t count) {
  const Step& step = p.steps[static_cast<size_t>(check.step)];
  TensorView operands[kMaxOperands];
  for (int k = 0; k < step.arity; ++k) {
    TensorView& v = operands[k];
    v.data = table[step.in[k]];
    v.dtype = p.types[static_cast<size_t>(step.in[k])];
    v.num_elements = moves[step.in[k]] != 0 ? count : 1;
    v.rank = 1;
    v.dims = &v.num_elements;
  }
  return check.check({operands, static_cast<size_t>(step.arity)});
}

}  // namespace millrace::cluster
