#include "millrace/ops/cluster/kernel.h"

#include "millrace/ops/cluster/run.h"
#include "millrace/ops/cluster/small.h"
#include "millrace/ops/registry/op.h"

namespace millrace::cluster {
namespace {

class ClusterKernel final : public Kernel {
 public:
  explicit ClusterKernel(std::unique_ptr<const Prepared> prepared)
      : prepared_(std::move(prepared)), small_(*prepared_) {}
  Status Run(KernelContext& ctx) const override {
    Space space;
    MR_RETURN_IF_ERROR(space.Find(prepared_->program, ctx));
    return small_.Fits(space) ? small_.Run(space, ctx) : RunProgram(*prepared_, space, ctx);
  }

 private:
  const std::unique_ptr<const Prepared> prepared_;
  const SmallProgram small_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> NewCluster(const KernelInit& init) {
  MR_ASSIGN_OR_RETURN(Program program, FromAttrs(init.attrs()));
  if (static_cast<int>(program.inputs.size()) != init.num_inputs() ||
      static_cast<int>(program.outputs.size()) != init.num_outputs()) {
    return Internal("a cluster's node does not fit its program");
  }
  const Registry& registry = init.registry() != nullptr ? *init.registry() : Registry::BuiltIn();
  MR_ASSIGN_OR_RETURN(std::unique_ptr<Prepared> prepared,
                      Prepared::Make(std::move(program), registry, init.code(), init.attr<std::string>("code")));
  return std::unique_ptr<Kernel>(new ClusterKernel(std::move(prepared)));
}

}  // namespace millrace::cluster
