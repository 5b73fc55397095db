#include "millrace/ops/cluster/kernel.h"

#include "millrace/ops/cluster/late_code.h"
#include "millrace/ops/cluster/run.h"
#include "millrace/ops/registry/op.h"

namespace millrace::cluster {
namespace {

class ClusterKernel final : public Kernel {
 public:
  explicit ClusterKernel(std::shared_ptr<LateCode> code) : code_(std::move(code)) {}
  Status Run(KernelContext& ctx) const override {
    const Form& form = code_->form();
    Space space;
    MR_RETURN_IF_ERROR(space.Find(form.prepared->program, ctx));
    Status status = form.small.Fits(space) ? form.small.Run(space, ctx) : RunProgram(*form.prepared, space, ctx);
    code_->Count(space.total);
    return status;
  }

 private:
  const std::shared_ptr<LateCode> code_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> NewCluster(const KernelInit& init) {
  MR_ASSIGN_OR_RETURN(Program program, FromAttrs(init.attrs()));
  if (static_cast<int>(program.inputs.size()) != init.num_inputs() ||
      static_cast<int>(program.outputs.size()) != init.num_outputs()) {
    return Internal("a cluster's node does not fit its program");
  }
  const Registry& registry = init.registry() != nullptr ? *init.registry() : Registry::BuiltIn();
  const auto& symbol = init.attr<std::string>("code");
  MR_ASSIGN_OR_RETURN(std::unique_ptr<Prepared> prepared,
                      Prepared::Make(std::move(program), registry, init.code(), symbol));
  // What came with code keeps that.
  const std::shared_ptr<CodeMaker> maker = init.code() != nullptr && symbol.empty() ? init.code()->maker() : nullptr;
  return std::unique_ptr<Kernel>(new ClusterKernel(std::make_shared<LateCode>(std::move(prepared), registry, maker)));
}

}  // namespace millrace::cluster
