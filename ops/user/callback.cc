#include "millrace/ops/user/callback.h"

#include <exception>
#include <map>
#include <memory>
#include <mutex>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

struct Table {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Callback>, std::less<>> callbacks;
};

// Never destroyed: threads of the host may outlive static objects.
Table& Callbacks() {
  static Table* const table = new Table;
  return *table;
}

}  // namespace

void RegisterCallback(std::string token, Callback callback) {
  auto shared = std::make_shared<const Callback>(std::move(callback));
  const std::lock_guard lock(Callbacks().mutex);
  Callbacks().callbacks[std::move(token)].swap(shared);
}

void UnregisterCallback(std::string_view token) {
  std::shared_ptr<const Callback> last;  // destroyed outside of the lock
  const std::lock_guard lock(Callbacks().mutex);
  const auto it = Callbacks().callbacks.find(token);
  if (it == Callbacks().callbacks.end()) return;
  last = std::move(it->second);
  Callbacks().callbacks.erase(it);
}

Status CallCallback(std::string_view token, std::span<const TensorView> inputs, std::vector<Tensor>* outputs) {
  std::shared_ptr<const Callback> callback;
  {
    const std::lock_guard lock(Callbacks().mutex);
    const auto it = Callbacks().callbacks.find(token);
    if (it != Callbacks().callbacks.end()) callback = it->second;
  }
  if (callback == nullptr || !*callback) {
    return NotFound(Cat("expected a callback registered as '", token, "', found none in this process"));
  }
  const DefaultFloatState host;
  // The host's code may throw; nothing may pass through ours.
  try {
    return (*callback)(inputs, outputs);
  } catch (const std::exception& e) {
    return Status(Code::kUnknown, Cat("the callback '", token, "' threw: ", e.what()));
  } catch (...) {
    return Status(Code::kUnknown, Cat("the callback '", token, "' threw something that is no std::exception"));
  }
}

}  // namespace millrace
