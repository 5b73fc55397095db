// What stands behind the opaque types of c_api.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"
#include "millrace/runtime/c_api/c_api.h"
#include "millrace/runtime/c_api/libraries.h"
#include "millrace/runtime/executor/run_limit.h"
#include "millrace/runtime/session/session.h"

struct TF_Status {
  TF_Code code = TF_OK;
  std::string message;
};

// The header of one allocation: dims that do not fit in place and, for tensors
// of our own, the elements follow it.
struct TF_Tensor {
  millrace::TensorView view;
  size_t bytes = 0;
  void* block = nullptr;  // what to free
  void (*deallocator)(void*, size_t, void*) = nullptr;
  void* deallocator_arg = nullptr;
  millrace::Tensor held;      // a result that was handed out without a copy
  bool owns_strings = false;  // its elements are let go with it
};

// Shared by the graph and the sessions on it: either may be deleted first.
struct GraphState {
  // Guards additions against lookups; sessions take it to compile.
  std::shared_ptr<std::timed_mutex> mutex = std::make_shared<std::timed_mutex>();
  std::shared_ptr<millrace::Graph> graph = std::make_shared<millrace::Graph>(millrace::c_api::LoadedOps());
};

// Of the condition of a loop under construction: where the loop goes.
struct LoopPlace {
  std::shared_ptr<GraphState> graph;
  std::vector<TF_Output> inputs;  // of `graph`: what the loop variables start as
};

// For calls that read or change a graph: nobody else does meanwhile, and whatever is
// computed is computed in a state of our own.
class GraphLock {
 public:
  explicit GraphLock(GraphState& graph) : lock_(*graph.mutex) {}

 private:
  const std::lock_guard<std::timed_mutex> lock_;
  const millrace::DefaultFloatState floats_;
};

struct TF_Graph {
  std::shared_ptr<GraphState> state = std::make_shared<GraphState>();
  std::unique_ptr<const LoopPlace> loop;  // mostly none
};

struct TF_SessionOptions {
  // As a ConfigProto's default is: a device that is asked for has to be there.
  TF_SessionOptions() { options.allow_soft_placement = false; }
  millrace::SessionOptions options;
  std::string target;
};

namespace millrace::c_api {

void Set(TF_Status* out, const Status& status);

// Of Session::device_names.
TF_DeviceList* NewDeviceList(const std::vector<std::string>& names);

// A tensor whose elements the run or the caller fills; null where memory is
// short. `bytes` holds at least the elements.
TF_Tensor* NewOwned(DType dtype, std::span<const int64_t> dims, int64_t num_elements, size_t bytes);
// A tensor that shares `held`.
TF_Tensor* NewHolding(Tensor held);

// Puts a copy of the bytes into the empty buffer `out`.
Status Fill(std::string_view bytes, TF_Buffer* out);

inline TF_Operation* FromNode(const Node* node) { return reinterpret_cast<TF_Operation*>(const_cast<Node*>(node)); }
inline const Node* ToNode(const TF_Operation* oper) { return reinterpret_cast<const Node*>(oper); }
inline Node* ToMutable(TF_Operation* oper) { return reinterpret_cast<Node*>(oper); }
inline TF_Output FromEndpoint(Endpoint e) { return {FromNode(e.node), e.index}; }
inline Endpoint ToEndpoint(const TF_Output& output) { return {ToMutable(output.oper), output.index}; }

}  // namespace millrace::c_api
