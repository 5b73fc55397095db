// TF_Session. The calls a host repeats go through a list of prepared calls, the
// last one first: a repeated call costs a comparison of pointers.
#include "millrace/runtime/c_api/session.h"

#include <algorithm>
#include <atomic>
#include <forward_list>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/config.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/values.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace::c_api {

// A set of feeds, fetches and targets, as pointers, and what it was prepared to.
struct PreparedCall {
  std::vector<TF_Output> inputs, outputs;
  std::vector<const TF_Operation*> targets;
  std::shared_ptr<SinkCallable> callable;

  static bool Same(const std::vector<TF_Output>& a, const TF_Output* b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].oper != b[i].oper || a[i].index != b[i].index) return false;
    }
    return true;
  }
  bool Matches(const TF_Output* in, size_t nin, const TF_Output* out, size_t nout, const TF_Operation* const* ops,
               size_t nops) const {
    return nin == inputs.size() && nout == outputs.size() && nops == targets.size() && Same(inputs, in) &&
           Same(outputs, out) && std::equal(targets.begin(), targets.end(), ops);
  }
};

namespace {

Result<const PreparedCall*> Prepare(TF_Session* session, const TF_Output* inputs, size_t ninputs,
                                    const TF_Output* outputs, size_t noutputs, const TF_Operation* const* targets,
                                    size_t ntargets, const RunOptions& options) {
  {
    const std::lock_guard lock(session->mutex);
    for (const auto& call : session->calls) {
      if (!call->Matches(inputs, ninputs, outputs, noutputs, targets, ntargets)) continue;
      session->last.store(call.get(), std::memory_order_release);
      return call.get();
    }
  }
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> feeds, NamesOf({inputs, ninputs}, "feed"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> fetches, NamesOf({outputs, noutputs}, "fetch"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> target_names, TargetNames({targets, ntargets}));
  MR_ASSIGN_OR_RETURN(std::shared_ptr<Callable> callable,
                      session->session->Prepare(feeds, fetches, target_names, options));
  auto call = std::make_unique<PreparedCall>();
  call->inputs.assign(inputs, inputs + ninputs);
  call->outputs.assign(outputs, outputs + noutputs);
  call->targets.assign(targets, targets + ntargets);
  call->callable = std::static_pointer_cast<SinkCallable>(std::move(callable));
  const std::lock_guard lock(session->mutex);
  const PreparedCall* made = call.get();
  session->calls.push_back(std::move(call));
  session->last.store(made, std::memory_order_release);
  return made;
}

Status Run(TF_Session* session, const TF_Buffer* run_options, const TF_Output* inputs, TF_Tensor* const* input_values,
           int ninputs, const TF_Output* outputs, TF_Tensor** output_values, int noutputs,
           const TF_Operation* const* targets, int ntargets, TF_Buffer* run_metadata) {
  if (ninputs < 0 || noutputs < 0 || ntargets < 0) return InvalidArgument("expected counts of 0 or more");
  const size_t nin = static_cast<size_t>(ninputs), nout = static_cast<size_t>(noutputs),
               nops = static_cast<size_t>(ntargets);
  RunOptions options;
  if (run_options != nullptr && run_options->length != 0) {
    MR_ASSIGN_OR_RETURN(options, RunOptionsOf(*run_options));
    options = FromNow(options);
  }
  const PreparedCall* call = session->last.load(std::memory_order_acquire);
  if (call == nullptr || !call->Matches(inputs, nin, outputs, nout, targets, nops)) {
    MR_ASSIGN_OR_RETURN(call, Prepare(session, inputs, nin, outputs, nout, targets, nops, options));
  }
  absl::InlinedVector<TensorView, 8> feeds;
  feeds.reserve(nin);
  std::forward_list<Tensor> copies;
  for (size_t i = 0; i < nin; ++i) {
    MR_ASSIGN_OR_RETURN(const TensorView view, ViewOf(input_values[i], call->callable->feed_names()[i], &copies));
    feeds.push_back(view);
  }
  TensorSink sink(output_values);
  if (run_metadata == nullptr) return call->callable->RunToSink({feeds.data(), nin}, sink, options, nullptr);
  if (run_metadata->data != nullptr) return InvalidArgument("run_metadata: expected an empty buffer");
  RunMetadata metadata;
  MR_RETURN_IF_ERROR(call->callable->RunToSink({feeds.data(), nin}, sink, options, &metadata));
  return FillMetadata(metadata, run_metadata);
}

}  // namespace
}  // namespace millrace::c_api

using millrace::c_api::Set;

extern "C" {

TF_SessionOptions* TF_NewSessionOptions(void) { return new TF_SessionOptions; }
void TF_DeleteSessionOptions(TF_SessionOptions* options) { delete options; }
void TF_SetConfig(TF_SessionOptions* options, const void* proto, size_t proto_len, TF_Status* status) {
  Set(status, millrace::c_api::ApplyConfig({static_cast<const char*>(proto), proto_len}, &options->options));
}
void TF_SetTarget(TF_SessionOptions* options, const char* target) { options->target = target; }

TF_Session* TF_NewSession(TF_Graph* graph, const TF_SessionOptions* options, TF_Status* status) {
  if (options != nullptr && !options->target.empty()) {
    Set(status, millrace::Unimplemented(millrace::Cat("target: expected \"\", found \"", options->target, "\"")));
    return nullptr;
  }
  millrace::SessionOptions session_options = options != nullptr ? options->options : TF_SessionOptions().options;
  session_options.graph_mutex = graph->state->mutex;
  millrace::Result<std::unique_ptr<millrace::Session>> made =
      millrace::Session::New(graph->state->graph, session_options);
  if (!made.ok()) {
    Set(status, made.status());
    return nullptr;
  }
  TF_Session* session = new TF_Session;
  session->graph = graph->state;
  session->session = std::move(*made);
  Set(status, millrace::OkStatus());
  return session;
}

void TF_CloseSession(TF_Session* session, TF_Status* status) {
  const millrace::Status closed = session->session->Close();
  decltype(session->partial_runs) gone;
  {
    const std::lock_guard lock(session->mutex);
    gone.swap(session->partial_runs);
  }
  Set(status, closed);
}

void TF_DeleteSession(TF_Session* session, TF_Status* status) {
  delete session;
  Set(status, millrace::OkStatus());
}

void TF_SessionRun(TF_Session* session, const TF_Buffer* run_options, const TF_Output* inputs,
                   TF_Tensor* const* input_values, int ninputs, const TF_Output* outputs, TF_Tensor** output_values,
                   int noutputs, const TF_Operation* const* target_opers, int ntargets, TF_Buffer* run_metadata,
                   TF_Status* status) {
  for (int i = 0; i < noutputs; ++i) output_values[i] = nullptr;
  const millrace::Status result = millrace::c_api::Run(session, run_options, inputs, input_values, ninputs, outputs,
                                                       output_values, noutputs, target_opers, ntargets, run_metadata);
  if (result.ok()) [[likely]] {
    if (status->code != TF_OK) Set(status, result);
    return;
  }
  millrace::c_api::DropResults(output_values, noutputs);
  Set(status, result);
}

}  // extern "C"
