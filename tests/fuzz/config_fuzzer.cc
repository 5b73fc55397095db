// Any bytes as a ConfigProto and as RunOptions, through the C interface: a session
// is made with them, and an empty graph is run.
#include <cstdio>
#include <cstdlib>

#include "millrace/proto/codec/config.h"
#include "millrace/runtime/c_api/c_api.h"

namespace {

using namespace millrace;  // NOLINT

// What was read once reads the same again.
void ReadTwice(const Bytes& bytes) {
  if (const Result<ConfigValue> config = ParseConfig(bytes); config.ok()) {
    const std::string written = SerializeConfig(*config);
    const Result<ConfigValue> again = ParseConfig(Bytes(written));
    if (!again.ok() || SerializeConfig(*again) != written) std::abort();
  }
  if (const Result<RunOptionsValue> options = ParseRunOptions(bytes); options.ok()) {
    const std::string written = SerializeRunOptions(*options);
    const Result<RunOptionsValue> again = ParseRunOptions(Bytes(written));
    if (!again.ok() || SerializeRunOptions(*again) != written) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ReadTwice(Bytes({reinterpret_cast<const char*>(data), size}, nullptr));

  TF_Status* const status = TF_NewStatus();
  TF_SessionOptions* const options = TF_NewSessionOptions();
  TF_SetConfig(options, data, size, status);
  if (TF_GetCode(status) != TF_OK) TF_SetConfig(options, nullptr, 0, status);
  TF_Graph* const graph = TF_NewGraph();
  TF_Session* const session = TF_NewSession(graph, options, status);
  if (session != nullptr) {
    TF_OperationDescription* const description = TF_NewOperation(graph, "NoOp", "nothing");
    TF_Operation* const nothing = TF_FinishOperation(description, status);
    if (nothing == nullptr) {
      std::fprintf(stderr, "%s\n", TF_Message(status));
      std::abort();
    }
    TF_Buffer* const run = TF_NewBufferFromString(data, size);
    TF_SessionRun(session, run, nullptr, nullptr, 0, nullptr, nullptr, 0, &nothing, 1, nullptr, status);
    TF_DeleteBuffer(run);
    TF_CloseSession(session, status);
    TF_DeleteSession(session, status);
  }
  TF_DeleteGraph(graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteStatus(status);
  return 0;
}
