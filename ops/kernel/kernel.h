// Kernel: what computes a node on a device. KernelInit is what it sees once,
// when a plan is loaded; KernelContext is what it sees at each run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "millrace/devices/api/tensor.h"
#include "millrace/devices/api/thread_pool.h"
#include "millrace/ops/kernel/resource.h"
#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/status.h"

namespace millrace {

class KernelContext;
class Registry;
class CodeStore;

// Immutable after construction but for state behind resources: runs of one
// kernel may overlap. No exceptions, no heap allocation in Run where sizes are
// known (use Scratch).
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Status Run(KernelContext& ctx) const = 0;
};

// What is known when a plan is loaded.
class KernelInit {
 public:
  KernelInit(std::string_view node, const AttrMap& attrs, std::vector<DType> input_types,
             std::vector<DType> output_types, std::vector<const TensorView*> constants, ResourceStore* resources,
             const Registry* registry = nullptr, const CodeStore* code = nullptr)
      : node_(node),
        attrs_(attrs),
        input_types_(std::move(input_types)),
        output_types_(std::move(output_types)),
        constants_(std::move(constants)),
        resources_(resources),
        registry_(registry),
        code_(code) {}

  std::string_view node() const { return node_; }
  // As InferenceContext::attr: the attribute is there and of that kind.
  template <typename T>
  const T& attr(std::string_view name) const {
    return *attrs_.find(name)->second.template get<T>();
  }
  const AttrMap& attrs() const { return attrs_; }
  int num_inputs() const { return static_cast<int>(input_types_.size()); }
  DType input_type(int i) const { return input_types_[static_cast<size_t>(i)]; }
  int num_outputs() const { return static_cast<int>(output_types_.size()); }
  DType output_type(int i) const { return output_types_[static_cast<size_t>(i)]; }
  // Input i where it is a constant of the plan, else null: for packing weights
  // once. The memory outlives the kernel.
  const TensorView* constant_input(int i) const { return constants_[static_cast<size_t>(i)]; }
  // State of the node's own goes here, under its name, so that every plan of a
  // session shares it.
  ResourceStore* resources() const { return resources_; }
  // The definitions that the plan's ops come from, for kernels that are made of
  // other ops; null outside of a plan.
  const Registry* registry() const { return registry_; }
  // The machine code that came with the plan and fits this CPU, or null.
  const CodeStore* code() const { return code_; }

 private:
  std::string_view node_;
  const AttrMap& attrs_;
  std::vector<DType> input_types_, output_types_;
  std::vector<const TensorView*> constants_;
  ResourceStore* resources_;
  const Registry* registry_;
  const CodeStore* code_;
};

using KernelFactory = Result<std::unique_ptr<Kernel>> (*)(const KernelInit&);

// Stateless kernels: MakeKernel<Fn> is the factory of a plain function.
template <Status (*kRun)(KernelContext&)>
Result<std::unique_ptr<Kernel>> MakeKernel(const KernelInit&) {
  struct Plain final : Kernel {
    Status Run(KernelContext& ctx) const override { return kRun(ctx); }
  };
  return std::unique_ptr<Kernel>(new Plain);
}
// Factory of a class with a constructor from KernelInit that cannot fail.
template <typename K>
Result<std::unique_ptr<Kernel>> NewKernel(const KernelInit& init) {
  return std::unique_ptr<Kernel>(new K(init));
}

// One run of one step. Inputs have the dtypes and ranks that the op's signature
// and shape function allow; the executor has run the shape function with these
// very shapes, so a kernel need not repeat its checks.
class KernelContext {
 public:
  virtual ~KernelContext() = default;

  int num_inputs() const { return num_inputs_; }
  int num_outputs() const { return num_outputs_; }
  const TensorView& input(int i) const { return inputs_[i]; }
  // Where output i goes. Its shape is the shape function's; where that left it
  // open, AllocateOutput first. data is null for an output that nobody wants.
  const TensorView& output(int i) const { return outputs_[i]; }
  bool output_wanted(int i) const { return wanted_[i]; }
  // For outputs whose shape depends on data. InvalidArgument where it is not a
  // shape that inference allowed, ResourceExhausted where memory is short.
  virtual Status AllocateOutput(int i, std::span<const int64_t> dims) = 0;
  // Output i shares `tensor`'s memory: for reads of variables and for objects.
  virtual Status SetOutput(int i, Tensor tensor) = 0;
  // The resource behind input i, a reference or a handle. FailedPrecondition
  // with the name where it is not there.
  virtual Result<Resource*> resource(int i) = 0;
  // The resource that output i stands for (ops that create one).
  virtual Status SetOutputResource(int i, std::shared_ptr<Resource> resource) = 0;

  // Workspace of this step, aligned, uninitialised; kept between runs, so only
  // growing allocates. One call a run.
  virtual Result<void*> Scratch(size_t bytes) = 0;
  virtual Allocator& allocator() = 0;

  // Cuts the work as ThreadPool::ParallelFor does. `block` is at least the
  // number of units that are worth a thread: see BlockFor.
  virtual void ParallelFor(int64_t total, int64_t block,
                           absl::FunctionRef<void(int64_t begin, int64_t end, int worker)> body) = 0;
  // Threads that bodies may run on: `worker` is below it.
  virtual int workers() const = 0;
  // True where the run was cancelled or its deadline has passed: long kernels
  // look now and then and return Cancelled.
  virtual bool cancelled() const = 0;

 protected:
  int num_inputs_ = 0, num_outputs_ = 0;
  const TensorView* inputs_ = nullptr;
  const TensorView* outputs_ = nullptr;
  const bool* wanted_ = nullptr;
};

// Units a block should have so that it is worth about 20 microseconds, for units
// of `cycles` each. Depends on nothing else, so that boundaries stay fixed.
inline int64_t BlockFor(double cycles) {
  const double units = 60000.0 / (cycles > 0.01 ? cycles : 0.01);
  return units < 1 ? 1 : static_cast<int64_t>(units);
}

}  // namespace millrace
