#include "millrace/ops/cluster/single.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/expr/access.h"
#include "millrace/proto/value/strings.h"

namespace millrace::cluster {

std::unique_ptr<const SingleProgram> SingleProgram::Make(const Prepared& p) {
  const Program& program = p.program;
  if (program.row_rank != 0 || !p.checks.empty() || p.one.code.run != nullptr || p.phases.size() > 1) return nullptr;
  if (!p.phases.empty() && p.phases[0].full.code.run != nullptr) return nullptr;
  auto single = std::make_unique<SingleProgram>();
  const auto count = static_cast<int>(p.steps.size());
  // The last step that reads each id; those of outputs stay.
  std::vector<int> last(static_cast<size_t>(p.num_ids), -1);
  const auto id_of = [&](int id) {
    const int k = id - program.num_registers();
    return k >= 0 && p.spread_of[static_cast<size_t>(k)] >= 0 ? p.spread_of[static_cast<size_t>(k)] : id;
  };
  for (int s = 0; s < count; ++s) {
    const cluster::Step& step = p.steps[static_cast<size_t>(s)];
    for (int k = 0; k < step.arity; ++k) last[static_cast<size_t>(id_of(step.in[k]))] = s;
  }
  for (const Output& output : program.outputs) last[static_cast<size_t>(output.reg)] = count;

  uint32_t slots = 0;
  std::vector<uint32_t> slot(static_cast<size_t>(p.num_ids), 0), free;
  for (const int32_t id : p.constants) slot[static_cast<size_t>(id)] = slots++;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    slot[i] = slots++;
    single->inputs_.push_back({slot[i] * static_cast<uint32_t>(kSplatBytes), p.sizes[i]});
  }
  const auto inputs = static_cast<int>(program.inputs.size());
  for (int s = 0; s < count; ++s) {
    const cluster::Step& step = p.steps[static_cast<size_t>(s)];
    Step packed{step.run, {}, 0, step.spread ? p.sizes[static_cast<size_t>(step.out)] : 0U};
    for (int k = 0; k < kMaxOperands; ++k) {
      const int id = id_of(step.in[k]);
      packed.in[k] = slot[static_cast<size_t>(id)] * static_cast<uint32_t>(kSplatBytes);
    }
    // An operand that dies here may be where the result goes: one vector is read
    // before it is written.
    for (int k = 0; k < step.arity; ++k) {
      const int id = id_of(step.in[k]);
      if (id < inputs || id >= program.num_registers() || last[static_cast<size_t>(id)] != s) continue;
      free.push_back(slot[static_cast<size_t>(id)]);
      last[static_cast<size_t>(id)] = -1;  // once, though it is read twice
    }
    uint32_t to = slots;
    if (free.empty()) {
      ++slots;
    } else {
      to = free.back();
      free.pop_back();
    }
    slot[static_cast<size_t>(step.out)] = to;
    if (last[static_cast<size_t>(step.out)] < 0) free.push_back(to);
    packed.out = to * static_cast<uint32_t>(kSplatBytes);
    single->steps_.push_back(packed);
  }
  for (const Output& output : program.outputs) {
    const auto r = static_cast<size_t>(output.reg);
    single->outputs_.push_back({slot[r] * static_cast<uint32_t>(kSplatBytes), p.sizes[r]});
  }
  single->constants_ = p.splats.get();
  single->constant_bytes_ = p.constants.size() * kSplatBytes;
  single->bytes_ = slots * kSplatBytes;
  return single;
}

bool SingleProgram::Fits(const KernelContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (ctx.input(i).num_elements != 1) return false;
  }
  return true;
}

Status SingleProgram::Run(KernelContext& ctx) const {
  for (int o = 0; o < ctx.num_outputs(); ++o) {
    if (ctx.output_wanted(o) && ctx.output(o).num_elements != 1) {
      return Internal(Cat("output ", o, " of a cluster: expected 1 element, found ", ctx.output(o).num_elements));
    }
  }
  MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(bytes_ + kSplatBytes));
  char* const slots = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(scratch) + 63) & ~uintptr_t{63});
  std::memcpy(slots, constants_, constant_bytes_);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Splat(ctx.input(static_cast<int>(i)).data, inputs_[i].size, slots + inputs_[i].at);
  }
  static constexpr int64_t kRepeats[kMaxOperands] = {};
  for (const Step& step : steps_) {
    const void* const in[kMaxOperands] = {slots + step.in[0], slots + step.in[1], slots + step.in[2]};
    step.run(in, kRepeats, slots + step.out, 1);
    if (step.spread != 0) Splat(slots + step.out, step.spread, slots + step.out);
  }
  for (size_t o = 0; o < outputs_.size(); ++o) {
    const TensorView& output = ctx.output(static_cast<int>(o));
    if (ctx.output_wanted(static_cast<int>(o))) CopyElement(slots + outputs_[o].at, outputs_[o].size, output.data);
  }
  return OkStatus();
}

}  // namespace millrace::cluster
