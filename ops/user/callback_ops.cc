// PyFunc and its relatives: nodes that call the host.
#include "millrace/ops/registry/op.h"
#include "millrace/ops/user/callback.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

class CallHost final : public Kernel {
 public:
  explicit CallHost(const KernelInit& init) : token_(init.attr<std::string>("token")) {
    for (int i = 0; i < init.num_outputs(); ++i) types_.push_back(init.output_type(i));
  }

  Status Run(KernelContext& ctx) const override {
    std::vector<TensorView> inputs;
    for (int i = 0; i < ctx.num_inputs(); ++i) inputs.push_back(ctx.input(i));
    std::vector<Tensor> outputs;
    MR_RETURN_IF_ERROR(CallCallback(token_, inputs, &outputs));
    if (outputs.size() != types_.size()) {
      return InvalidArgument(
          Cat("the callback '", token_, "': expected ", types_.size(), " outputs, found ", outputs.size()));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].dtype() != types_[i]) {
        return InvalidArgument(Cat("the callback '", token_, "', output ", i, ": expected ", DTypeName(types_[i]),
                                   ", found ", outputs[i].valid() ? DTypeName(outputs[i].dtype()) : "no tensor"));
      }
      if (ctx.output_wanted(static_cast<int>(i))) {
        MR_RETURN_IF_ERROR(ctx.SetOutput(static_cast<int>(i), std::move(outputs[i])));
      }
    }
    return OkStatus();
  }

 private:
  const std::string token_;
  std::vector<DType> types_;
};

OpBuilder Define(Registry& r, std::string name) {
  return r.Define(std::move(name))
      .Input("input: Tin")
      .Output("output: Tout")
      .Attr("token: string")
      .Shape(shape_fns::UnknownOutputs)
      .NoGradient("what the host computes is not known; name a gradient in the attribute '_gradient_op_type'")
      .Kernel("CPU", NewKernel<CallHost>);
}

}  // namespace

namespace families {

void user_callback(Registry& r) {
  Define(r, "PyFunc")
      .Attr("Tin: list(type) >= 0")
      .Attr("Tout: list(type) >= 0")
      .Stateful()
      .OwnState()
      .Doc("Calls the host's callback of that token, at every run.");
  Define(r, "PyFuncStateless")
      .Attr("Tin: list(type) >= 0")
      .Attr("Tout: list(type) >= 0")
      .Doc("Calls the host's callback of that token, whose outputs follow from its inputs alone.");
  Define(r, "EagerPyFunc")
      .Attr("is_async: bool = false")
      .Attr("Tin: list(type) >= 0")
      .Attr("Tout: list(type) >= 0")
      .Stateful()
      .OwnState()
      .Doc("Calls the host's callback of that token, at every run.");
}

}  // namespace families
}  // namespace millrace
