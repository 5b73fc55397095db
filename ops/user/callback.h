// Callbacks: functions of the host that a graph calls, the original's py_func.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// Computes the outputs of a node from its inputs. The inputs are valid during the
// call and must not be written; `outputs` is empty and gets one host tensor for
// each of the node's outputs, of its dtype, of any shape. May be called from
// several threads at once, and from any thread of a run; the floating-point state
// is the host's own, not the one that kernels compute in. An exception that it
// throws becomes an Unknown error of the run with what() in its message.
using Callback = std::function<Status(std::span<const TensorView> inputs, std::vector<Tensor>* outputs)>;

// Nodes of the ops PyFunc, PyFuncStateless and EagerPyFunc name a callback by the
// token in their attribute. Tokens belong to the process: a graph or a plan that
// names one runs where a callback is registered under it, and is an error that
// names node and token where none is. Replaces what was there; a call that is in
// progress ends with the old one. Thread-safe.
void RegisterCallback(std::string token, Callback callback);
// No effect where there is none.
void UnregisterCallback(std::string_view token);

// Calls what is registered under `token`. NotFound where nothing is.
Status CallCallback(std::string_view token, std::span<const TensorView> inputs, std::vector<Tensor>* outputs);

}  // namespace millrace
