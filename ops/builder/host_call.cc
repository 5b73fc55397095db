#include "millrace/ops/builder/host_call.h"

#include <atomic>
#include <memory>

#include "millrace/ops/builder/call.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// The callbacks of one graph: they are unregistered with it.
struct Registered {
  ~Registered() {
    for (const std::string& token : tokens) UnregisterCallback(token);
  }
  std::vector<std::string> tokens;
};

std::string NewToken() {
  static std::atomic<int64_t> count{0};
  return Cat("millrace_callback_", count.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

std::vector<Output> HostCall(At at, Callback callback, const std::vector<Output>& inputs,
                             const std::vector<DType>& outputs, const HostCallOptions& options) {
  ListValue types;
  types.type = outputs;
  const std::string token = NewToken();
  const Operation call = Call(at, options.stateful ? "PyFunc" : "PyFuncStateless", {Argument(inputs)},
                              {{"token", token}, {"Tout", types}});
  if (!call.valid()) return std::vector<Output>(outputs.size());
  RegisterCallback(token, std::move(callback));
  std::shared_ptr<void>& kept = at.scope().Extension("HostCall");
  if (kept == nullptr) kept = std::make_shared<Registered>();
  static_cast<Registered*>(kept.get())->tokens.push_back(token);
  return OutputList(call, 0);
}

}  // namespace millrace
