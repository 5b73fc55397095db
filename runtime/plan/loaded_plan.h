// LoadedPlan: a plan made ready for the executor. Flat arrays, kernels made,
// resources found, every index and dtype checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/devices/api/device.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/runtime/plan/environment.h"

namespace millrace::exec {

inline constexpr uint32_t kNone = plan::kNone;

// What a step does, decided when the plan is loaded.
enum class Action : uint8_t {
  kKernel,
  kRead,  // output 0 becomes a snapshot of the variable behind input 0
  kCopy,  // output 0 becomes a copy of input 0
  kIf,
  kWhile,
  kCall,
};

// A value of a block. Outputs that nobody asked for, and the snapshots that a
// kernel reads where a reference is given to a plain input, are values too:
// hidden ones, without a definition in the plan.
struct LoadedValue {
  const plan::Value* def = nullptr;  // null where hidden
  DType dtype = DType::kInvalid;     // of a reference: the reference type
  plan::Storage storage = plan::Storage::kLate;
  uint32_t index = kNone;     // argument, constant, slot or resource
  uint32_t root = 0;          // the value whose elements these are: itself but for aliases
  uint32_t producer = kNone;  // step
  // Where its elements are: into LoadedPlan::devices (roots only).
  uint32_t memory = 0;
  uint32_t late = kNone;   // number among the block's late values (roots only)
  uint32_t late_uses = 0;  // of a late root: steps that use it, and one if it is a result
};

// A snapshot of a variable that a step reads through a reference.
struct Deref {
  uint32_t resource;
  uint32_t value;  // the hidden or planned value that becomes the snapshot
  uint32_t group;  // reads of one group see one snapshot; kNone: alone
};

struct LoadedStep {
  Action action = Action::kKernel;
  bool has_late = false;  // uses, makes or reads values whose memory comes during the run
  const plan::Step* def = nullptr;
  const Op* op = nullptr;
  const KernelDef* kernel_def = nullptr;  // of kernel steps
  std::unique_ptr<Kernel> kernel;
  Device* device = nullptr;
  uint32_t memory = 0;  // its number in LoadedPlan::devices
  // Into Block::positions and the frame's views: inputs, then outputs.
  uint32_t first = 0;
  uint32_t num_inputs = 0;
  uint32_t num_outputs = 0;
  // Into Block::successors.
  uint32_t successors_begin = 0, successors_end = 0;
  uint32_t pending = 0;  // steps that must end before
  // Into Block::releases: late roots that this step uses.
  uint32_t releases_begin = 0, releases_end = 0;
  // Into Block::derefs.
  uint32_t derefs_begin = 0, derefs_end = 0;
};

struct LoadedBlock {
  const plan::Block* def = nullptr;
  std::vector<LoadedValue> values;
  std::vector<LoadedStep> steps;
  // The value at each position of the frame's views; wanted: false for outputs
  // that nobody asked for.
  std::vector<uint32_t> positions;
  std::unique_ptr<bool[]> wanted;
  // Positions that hold a value: uses[use_begin[v] .. use_begin[v + 1]).
  std::vector<uint32_t> use_begin, uses;
  // Aliases of a root, in an order in which each follows what it aliases.
  std::vector<uint32_t> alias_begin, aliases;
  std::vector<uint32_t> successors, releases;
  std::vector<Deref> derefs;
  std::vector<uint32_t> group_sizes;  // reads in each group
  std::vector<uint32_t> slot_memory;  // of each slot, as LoadedValue::memory
  uint32_t num_late = 0;
  std::vector<uint32_t> late_uses;  // of each late root, as LoadedValue::late_uses
  bool is_chain = false;            // every step waits for the one before: no parallelism between steps

  // Where the elements of a value are, aliases included.
  uint32_t MemoryOf(uint32_t value) const { return values[values[value].root].memory; }
  std::span<const uint32_t> UsesOf(uint32_t value) const {
    return {uses.data() + use_begin[value], uses.data() + use_begin[value + 1]};
  }
  std::span<const uint32_t> AliasesOf(uint32_t root) const {
    return {aliases.data() + alias_begin[root], aliases.data() + alias_begin[root + 1]};
  }
};

class LoadedPlan {
 public:
  // Checks everything that a run relies on; messages name the node. `keep_alive`
  // is whatever the plan's constants point into.
  static Result<std::shared_ptr<const LoadedPlan>> Load(plan::Plan plan, std::shared_ptr<Environment> environment,
                                                        std::shared_ptr<const void> keep_alive = nullptr);

  const plan::Plan& plan() const { return plan_; }
  Environment& environment() const { return *environment_; }
  const std::shared_ptr<Environment>& shared_environment() const { return environment_; }
  const std::vector<LoadedBlock>& blocks() const { return blocks_; }
  // On the host.
  const TensorView& constant(uint32_t i) const { return constant_views_[i]; }
  // Its elements where `memory` is read.
  void* ConstantData(uint32_t i, uint32_t memory) const {
    if (devices_[memory]->host_accessible()) return constant_views_[i].data;
    const auto it = device_constants_.find({i, memory});
    return it == device_constants_.end() ? nullptr : it->second.data();
  }
  // Those of the plan, and the host.
  const std::vector<Device*>& devices() const { return devices_; }
  uint32_t host() const { return host_; }
  bool OnHost(uint32_t memory) const { return devices_[memory]->host_accessible(); }
  const std::vector<std::shared_ptr<Resource>>& resources() const { return resources_; }

 private:
  LoadedPlan() = default;
  friend class Loader;

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<const void> keep_alive_;
  plan::Plan plan_;
  std::vector<Device*> devices_;
  uint32_t host_ = 0;
  std::vector<Tensor> owned_constants_;  // strings, and contents that were not aligned
  std::vector<TensorView> constant_views_;
  // Of those that steps on other devices use: constant and device.
  std::map<std::pair<uint32_t, uint32_t>, Buffer> device_constants_;
  std::vector<std::shared_ptr<Resource>> resources_;
  std::shared_ptr<const CodeStore> code_;  // outlives the kernels
  std::vector<LoadedBlock> blocks_;
};

}  // namespace millrace::exec
