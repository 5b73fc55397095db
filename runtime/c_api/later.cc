// Functions that hosts link against and that this library does not have: each
// says so by its name. What they would have made is null, and calls on null do
// nothing.
#include <cstring>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace {

void Without(TF_Status* status, std::string_view function) {
  millrace::c_api::Set(status, millrace::Unimplemented(millrace::Cat(function, " is not there in this library")));
}

}  // namespace

extern "C" {

// --- SavedModel

TF_Session* TF_LoadSessionFromSavedModel(const TF_SessionOptions*, const TF_Buffer*, const char*, const char* const*,
                                         int, TF_Graph*, TF_Buffer*, TF_Status* status) {
  Without(status, "TF_LoadSessionFromSavedModel");
  return nullptr;
}

// --- checkpoints

TF_CheckpointReader* TF_NewCheckpointReader(const char*, TF_Status* status) {
  Without(status, "TF_NewCheckpointReader");
  return nullptr;
}
void TF_DeleteCheckpointReader(TF_CheckpointReader*) {}
int TF_CheckpointReaderHasTensor(TF_CheckpointReader*, const char*) { return 0; }
const char* TF_CheckpointReaderGetVariable(TF_CheckpointReader*, int) { return nullptr; }
int TF_CheckpointReaderSize(TF_CheckpointReader*) { return 0; }
TF_DataType TF_CheckpointReaderGetVariableDataType(TF_CheckpointReader*, const char*) {
  return static_cast<TF_DataType>(0);
}
void TF_CheckpointReaderGetVariableShape(TF_CheckpointReader*, const char*, int64_t*, int, TF_Status* status) {
  Without(status, "TF_CheckpointReaderGetVariableShape");
}
int TF_CheckpointReaderGetVariableNumDims(TF_CheckpointReader*, const char*) { return -1; }
TF_Tensor* TF_CheckpointReaderGetTensor(TF_CheckpointReader*, const char*, TF_Status* status) {
  Without(status, "TF_CheckpointReaderGetTensor");
  return nullptr;
}

// --- sessions of the first interface

void TF_ExtendGraph(TF_DeprecatedSession*, const void*, size_t, TF_Status* status) {
  Without(status, "TF_ExtendGraph");
}

// --- servers

TF_Server* TF_NewServer(const void*, size_t, TF_Status* status) {
  Without(status, "TF_NewServer");
  return nullptr;
}
void TF_ServerStart(TF_Server*, TF_Status* status) { Without(status, "TF_ServerStart"); }
void TF_ServerStop(TF_Server*, TF_Status* status) { Without(status, "TF_ServerStop"); }
void TF_ServerJoin(TF_Server*, TF_Status* status) { Without(status, "TF_ServerJoin"); }
void TF_DeleteServer(TF_Server*) {}

}  // extern "C"
