// TF_SessionPRun...: runs in parts. A session finds them by the text of the handle, as
// hosts may delete the handle at once and go on with a copy of the text.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <vector>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/session.h"
#include "millrace/runtime/c_api/values.h"

namespace millrace::c_api {
namespace {

// `count` of `what`.
Result<std::span<const TF_Output>> ListOf(const TF_Output* outputs, int count, std::string_view what) {
  if (count < 0) return InvalidArgument(Cat("expected 0 or more of each, found ", count, " of ", what));
  return std::span(outputs, static_cast<size_t>(count));
}

// The handle, which is the host's.
Result<const char*> SetUp(TF_Session* session, const TF_Output* inputs, int ninputs, const TF_Output* outputs,
                          int noutputs, const TF_Operation* const* targets, int ntargets) {
  static std::atomic<uint64_t> count{0};
  MR_ASSIGN_OR_RETURN(const auto feed_list, ListOf(inputs, ninputs, "feed"));
  MR_ASSIGN_OR_RETURN(const auto fetch_list, ListOf(outputs, noutputs, "fetch"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> feeds, NamesOf(feed_list, "feed"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> fetches, NamesOf(fetch_list, "fetch"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> target_names,
                      TargetNames({targets, static_cast<size_t>(std::max(ntargets, 0))}));
  MR_ASSIGN_OR_RETURN(std::shared_ptr<PartialRun> run, session->session->StartPartialRun(feeds, fetches, target_names));
  std::string handle = Cat("partial run ", count.fetch_add(1, std::memory_order_relaxed) + 1);
  char* text = new char[handle.size() + 1];
  std::memcpy(text, handle.c_str(), handle.size() + 1);
  const std::lock_guard lock(session->mutex);
  session->partial_runs.emplace(std::move(handle), std::move(run));
  return text;
}

Status Run(TF_Session* session, const char* handle, const TF_Output* inputs, TF_Tensor* const* input_values,
           int ninputs, const TF_Output* outputs, TF_Tensor** output_values, int noutputs) {
  if (handle == nullptr) return InvalidArgument("expected the handle of a partial run, found null");
  std::shared_ptr<PartialRun> run;
  {
    const std::lock_guard lock(session->mutex);
    if (const auto it = session->partial_runs.find(std::string_view(handle)); it != session->partial_runs.end()) {
      run = it->second;
    }
  }
  if (run == nullptr) {
    return InvalidArgument(Cat("'", handle, "' is no partial run of this session, or one that is over"));
  }
  MR_ASSIGN_OR_RETURN(const auto feed_list, ListOf(inputs, ninputs, "feed"));
  MR_ASSIGN_OR_RETURN(const auto fetch_list, ListOf(outputs, noutputs, "fetch"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> feeds, NamesOf(feed_list, "feed"));
  MR_ASSIGN_OR_RETURN(const std::vector<std::string> fetches, NamesOf(fetch_list, "fetch"));
  std::forward_list<Tensor> copies;
  std::vector<std::pair<std::string, TensorView>> values;
  for (size_t i = 0; i < feeds.size(); ++i) {
    MR_ASSIGN_OR_RETURN(const TensorView view, ViewOf(input_values[i], feeds[i], &copies));
    values.emplace_back(feeds[i], view);
  }
  Result<std::vector<Tensor>> results = run->RunViews(values, fetches);
  if (run->over()) {
    const std::lock_guard lock(session->mutex);
    session->partial_runs.erase(handle);
  }
  if (!results.ok()) return results.status();
  TensorSink sink(output_values);
  for (size_t i = 0; i < results->size(); ++i) {
    Tensor result = std::move((*results)[i]);
    const bool exclusive = result.buffer().unique();
    MR_RETURN_IF_ERROR(sink.Take(i, std::move(result), exclusive));
  }
  return OkStatus();
}

}  // namespace
}  // namespace millrace::c_api

using millrace::c_api::Set;

extern "C" {

void TF_SessionPRunSetup(TF_Session* session, const TF_Output* inputs, int ninputs, const TF_Output* outputs,
                         int noutputs, const TF_Operation* const* target_opers, int ntargets, const char** handle,
                         TF_Status* status) {
  const millrace::Result<const char*> made =
      millrace::c_api::SetUp(session, inputs, ninputs, outputs, noutputs, target_opers, ntargets);
  *handle = made.ok() ? *made : nullptr;
  Set(status, made.status());
}

void TF_SessionPRun(TF_Session* session, const char* handle, const TF_Output* inputs, TF_Tensor* const* input_values,
                    int ninputs, const TF_Output* outputs, TF_Tensor** output_values, int noutputs,
                    const TF_Operation* const*, int, TF_Status* status) {
  for (int i = 0; i < noutputs; ++i) output_values[i] = nullptr;
  const millrace::Status result =
      millrace::c_api::Run(session, handle, inputs, input_values, ninputs, outputs, output_values, noutputs);
  if (!result.ok()) millrace::c_api::DropResults(output_values, noutputs);
  Set(status, result);
}

void TF_DeletePRunHandle(const char* handle) { delete[] handle; }

}  // extern "C"
