/* Gradients, functions, devices and the small calls of the C interface; and what
 * says that it is not there. */
#include "millrace/tests/runtime/c_api_scalars.h"

static void Gradients(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output x = Input(graph, "x", TF_FLOAT, status);
  TF_Output y = Node(graph, "Square", "y", &x, 1, status);
  TF_Output dy = {NULL, 0};
  TF_AddGradients(graph, &y, 1, &x, 1, NULL, status, &dy);
  CHECK_OK(status);
  if (dy.oper == NULL) return;
  CHECK(strncmp(TF_OperationName(dy.oper), "gradients/", 10) == 0);
  CHECK(Run(graph, x, 3, dy, status) == 6);
  TF_AddGradients(graph, &y, 1, &x, 1, NULL, status, &dy);
  CHECK_OK(status);
  CHECK(strncmp(TF_OperationName(dy.oper), "gradients_1/", 12) == 0);

  /* What flows in comes from dx; of the gradient a gradient. */
  TF_Output seed = Node(graph, "Neg", "seed", &x, 1, status);
  TF_AddGradientsWithPrefix(graph, "mine", &y, 1, &x, 1, &seed, status, &dy);
  CHECK_OK(status);
  CHECK(strncmp(TF_OperationName(dy.oper), "mine/", 5) == 0);
  CHECK(Run(graph, x, 3, dy, status) == -18);
  TF_Output ddy = {NULL, 0};
  TF_AddGradientsWithPrefix(graph, NULL, &dy, 1, &x, 1, NULL, status, &ddy);
  CHECK_OK(status);
  CHECK(Run(graph, x, 3, ddy, status) == -12); /* -2 x^2, derived: -4 x */

  /* Where nothing flows there is no tensor. */
  TF_Output stopped = Node(graph, "StopGradient", "stopped", &y, 1, status);
  TF_Output xs[2] = {x, y}, sum_in[2] = {stopped, y}, some[2];
  TF_AddGradients(graph, &stopped, 1, &x, 1, NULL, status, &ddy);
  CHECK_OK(status);
  CHECK(ddy.oper == NULL && ddy.index == -1);
  TF_Output sum = Node(graph, "AddV2", "sum", sum_in, 2, status);
  TF_AddGradients(graph, &sum, 1, xs, 2, NULL, status, some);
  CHECK_OK(status);
  CHECK(some[1].oper != NULL && Run(graph, x, 3, some[0], status) == 6);

  /* Errors are those of one call: the next one works. */
  TF_Output other = Input(graph, "other", TF_FLOAT, status), bad = {y.oper, 5}, none = {NULL, 0}, kept = dy;
  TF_AddGradientsWithPrefix(graph, "mine", &y, 1, &x, 1, NULL, status, &dy);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "prefix 'mine'");
  TF_AddGradients(graph, &y, 1, &other, 1, NULL, status, &dy);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "'other:0'");
  TF_AddGradients(graph, &bad, 1, &x, 1, NULL, status, &dy);
  CHECK_ERROR(status, TF_OUT_OF_RANGE, "found number 5");
  TF_AddGradients(graph, &y, 1, &none, 1, NULL, status, &dy);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  CHECK(dy.oper == kept.oper);
  const TF_Output both[2] = {x, y};
  TF_Output rotated = Node(graph, "NextAfter", "rotated", both, 2, status);
  TF_AddGradients(graph, &y, 1, &rotated, 1, NULL, status, &dy);
  CHECK(TF_GetCode(status) != TF_OK);
  TF_AddGradients(graph, &y, 1, &x, 1, NULL, status, &dy);
  CHECK_OK(status);
  CHECK(Run(graph, x, 5, dy, status) == 10);
  TF_DeleteGraph(graph);
}

static void Functions(TF_Status* status) {
  /* f(x) = x * x + one, with the constant in the body. */
  TF_Graph* body = TF_NewGraph();
  const TF_Output x = Input(body, "In/X", TF_FLOAT, status);
  const float one = 1;
  TF_Tensor* value = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof one);
  memcpy(TF_TensorData(value), &one, sizeof one);
  TF_OperationDescription* desc = TF_NewOperation(body, "Const", "one");
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_SetAttrTensor(desc, "value", value, status);
  const TF_Output constant = {TF_FinishOperation(desc, status), 0};
  TF_DeleteTensor(value);
  const TF_Output square = Node(body, "Square", "square", &x, 1, status);
  const TF_Output parts[2] = {square, constant};
  const TF_Output sum = Node(body, "AddV2", "sum", parts, 2, status);
  CHECK_OK(status);
  TF_Function* f = TF_GraphToFunction(body, "F", 0, -1, NULL, 1, &x, 1, &sum, NULL, NULL, "squares", status);
  CHECK_OK(status);
  if (f == NULL) return;
  CHECK(strcmp(TF_FunctionName(f), "F") == 0);
  TF_Function* hashed = TF_GraphToFunction(body, "F", 1, -1, NULL, 1, &x, 1, &sum, NULL, NULL, NULL, status);
  CHECK_OK(status);
  CHECK(strncmp(TF_FunctionName(hashed), "F_", 2) == 0 && strlen(TF_FunctionName(hashed)) == 18);
  TF_DeleteFunction(hashed);
  /* A body that lacks what it needs. */
  const TF_Operation* only[1] = {sum.oper};
  CHECK(TF_GraphToFunction(body, "G", 0, 1, only, 1, &x, 1, &sum, NULL, NULL, NULL, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "square");
  const TF_Output same[2] = {x, x};
  CHECK(TF_GraphToFunction(body, "G", 0, -1, NULL, 2, same, 1, &sum, NULL, NULL, NULL, status) == NULL);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  TF_DeleteGraph(body);

  TF_Buffer* proto = TF_NewBuffer();
  TF_FunctionToFunctionDef(f, proto, status);
  CHECK_OK(status);
  TF_Function* again = TF_FunctionImportFunctionDef(proto->data, proto->length, status);
  CHECK_OK(status);
  CHECK(again != NULL && strcmp(TF_FunctionName(again), "F") == 0);
  CHECK(TF_FunctionImportFunctionDef("\xff\xff", 2, status) == NULL);
  CHECK(TF_GetCode(status) != TF_OK);
  size_t length = 0;
  char* text = TF_FunctionDebugString(again, &length);
  CHECK(strlen(text) == length && strstr(text, "square = Square(in_x)") != NULL);
  free(text);
  TF_FunctionSetAttrValueProto(again, "_mark", "\x18\x07", 2, status); /* i: 7 */
  CHECK_OK(status);
  TF_Buffer* attr = TF_NewBuffer();
  TF_FunctionGetAttrValueProto(again, "_mark", attr, status);
  CHECK_OK(status);
  CHECK(attr->length == 2 && memcmp(attr->data, "\x18\x07", 2) == 0);
  TF_FunctionGetAttrValueProto(again, "nothing", attr, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "'nothing'");
  TF_DeleteBuffer(attr);
  TF_DeleteBuffer(proto);

  TF_Graph* graph = TF_NewGraph();
  TF_GraphCopyFunction(graph, f, NULL, status);
  CHECK_OK(status);
  TF_GraphCopyFunction(graph, f, NULL, status);
  CHECK_OK(status);
  TF_GraphCopyFunction(graph, again, NULL, status); /* it has another attribute */
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  CHECK(TF_GraphNumFunctions(graph) == 1);
  TF_Function* copies[2] = {NULL, NULL};
  CHECK(TF_GraphGetFunctions(graph, copies, 2, status) == 1 && strcmp(TF_FunctionName(copies[0]), "F") == 0);
  TF_DeleteFunction(copies[0]);
  TF_DeleteFunction(f);
  TF_DeleteFunction(again);
  const TF_Output a = Input(graph, "a", TF_FLOAT, status);
  const TF_Output call = Node(graph, "F", "call", &a, 1, status);
  CHECK_OK(status);
  if (call.oper != NULL) {
    CHECK(strcmp(TF_OperationName(call.oper), "call") == 0);
    CHECK(Run(graph, a, 3, call, status) == 10);
  }
  CHECK(Node(graph, "F", "wrong", NULL, 0, status).oper == NULL);
  CHECK(TF_GetCode(status) != TF_OK);
  TF_DeleteGraph(graph);
}

static void Devices(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Buffer* config = TF_CreateConfig(1, 1, 2);
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_SetConfig(options, config->data, config->length, status);
  CHECK_OK(status);
  TF_DeleteBuffer(config);
  TF_Session* session = TF_NewSession(graph, options, status);
  TF_DeleteSessionOptions(options);
  TF_DeviceList* devices = TF_SessionListDevices(session, status);
  CHECK_OK(status);
  CHECK(TF_DeviceListCount(devices) == 2);
  CHECK(strcmp(TF_DeviceListName(devices, 0, status), "/job:localhost/replica:0/task:0/device:CPU:0") == 0);
  CHECK(strcmp(TF_DeviceListType(devices, 0, status), "CPU") == 0);
  CHECK(TF_DeviceListMemoryBytes(devices, 0, status) > 0 && TF_DeviceListIncarnation(devices, 0, status) != 0);
  CHECK_OK(status);
  CHECK(strcmp(TF_DeviceListName(devices, 1, status), "/job:localhost/replica:0/task:0/device:CPU:1") == 0);
  CHECK(TF_DeviceListName(devices, 2, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found number 2");
  TF_DeleteDeviceList(devices);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
}

/* -x at `device`, in a session with that config, for x = 3; -1 with an error. */
static float NegatedOn(const char* device, const void* config, size_t bytes, TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output x = Input(graph, "x", TF_FLOAT, status);
  TF_OperationDescription* desc = TF_NewOperation(graph, "Neg", "y");
  TF_AddInput(desc, x);
  TF_SetDevice(desc, device);
  const TF_Output y = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);
  CHECK(strcmp(TF_OperationDevice(y.oper), device) == 0);
  TF_SessionOptions* options = TF_NewSessionOptions();
  if (config != NULL) TF_SetConfig(options, config, bytes, status);
  CHECK_OK(status);
  TF_Session* session = TF_NewSession(graph, options, status);
  CHECK_OK(status);
  TF_DeleteSessionOptions(options);
  const float value = 3;
  TF_Tensor* in = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(TF_TensorData(in), &value, sizeof value);
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, &x, &in, 1, &y, &out, 1, NULL, 0, NULL, status);
  const float result = out != NULL ? *(const float*)TF_TensorData(out) : -1;
  TF_DeleteTensor(out);
  TF_DeleteTensor(in);
  TF_Status* ignored = TF_NewStatus();
  TF_DeleteSession(session, ignored);
  TF_DeleteStatus(ignored);
  TF_DeleteGraph(graph);
  return result;
}

static void Placement(TF_Status* status) {
  const unsigned char soft[2] = {0x38, 1};                                 /* allow_soft_placement */
  const unsigned char two[9] = {0x0a, 7, 0x0a, 3, 'C', 'P', 'U', 0x10, 2}; /* device_count: CPU, 2 */
  CHECK(NegatedOn("/cpu:0", NULL, 0, status) == -3);
  CHECK(NegatedOn("/job:localhost/replica:0/task:0/device:CPU:*", NULL, 0, status) == -3);
  CHECK(NegatedOn("/gpu:0", NULL, 0, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "asks for device '/gpu:0', which is not there; the devices are CPU:0");
  CHECK(strstr(TF_Message(status), "'y'") != NULL);
  CHECK(NegatedOn("/gpu:0", soft, sizeof soft, status) == -3);
  CHECK(NegatedOn("/cpu:1", NULL, 0, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "the devices are CPU:0");
  CHECK(NegatedOn("/cpu:1", two, sizeof two, status) == -3);
  CHECK_OK(status);
  CHECK(NegatedOn("/cpu:2", two, sizeof two, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "the devices are CPU:0, CPU:1");
  CHECK(NegatedOn("/cpu:x", soft, sizeof soft, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "device '/cpu:x', at 1: 'x' is no number");
}

static void Small(TF_Status* status) {
  const int64_t two = 2, four = 4;
  TF_Tensor* from = TF_AllocateTensor(TF_FLOAT, &two, 1, 8);
  memset(TF_TensorData(from), 0, 8);
  ((float*)TF_TensorData(from))[1] = 1;
  TF_Tensor* to = TF_AllocateTensor(TF_INT64, &two, 1, 16);
  TF_TensorBitcastFrom(from, TF_UINT16, to, &four, 1, status);
  CHECK_OK(status);
  CHECK(TF_TensorType(to) == TF_UINT16 && TF_Dim(to, 0) == 4 && TF_TensorByteSize(to) == 8);
  CHECK(((const uint16_t*)TF_TensorData(to))[3] == 0x3f80);
  TF_TensorBitcastFrom(from, TF_UINT16, to, &two, 1, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT && TF_Dim(to, 0) == 4);
  TF_DeleteTensor(to);
  from = TF_TensorMaybeMove(from);
  CHECK(from != NULL && ((const float*)TF_TensorData(from))[1] == 1);
  TF_DeleteTensor(from);

  TF_ShapeAndTypeList* shapes = TF_NewShapeAndTypeList(2);
  TF_ShapeAndTypeListSetShape(shapes, 1, &four, 1);
  TF_ShapeAndTypeListSetShape(shapes, 9, &four, 1);
  CHECK(shapes->items[0].num_dims == -1 && shapes->items[1].num_dims == 1 && shapes->items[1].dims[0] == 4);
  TF_ShapeAndTypeListSetUnknownShape(shapes, 1);
  CHECK(shapes->items[1].num_dims == -1);
  TF_DeleteShapeAndTypeList(shapes);

  TF_Buffer* kernels = TF_GetRegisteredKernelsForOp("MatMul", status);
  CHECK_OK(status);
  CHECK(kernels->length > 10 && memcmp((const char*)kernels->data + 4, "MatMul", 6) == 0);
  TF_Buffer* all = TF_GetAllRegisteredKernels(status);
  CHECK(all->length > kernels->length);
  TF_DeleteBuffer(all);
  TF_DeleteBuffer(kernels);
  TF_InitMain(NULL, NULL, NULL);
}

static void Missing(TF_Status* status) {
  CHECK(TF_LoadSessionFromSavedModel(NULL, NULL, "dir", NULL, 0, NULL, NULL, status) == NULL);
  CHECK_ERROR(status, TF_UNIMPLEMENTED, "TF_LoadSessionFromSavedModel");
  CHECK(TF_NewCheckpointReader("file", status) == NULL);
  CHECK_ERROR(status, TF_UNIMPLEMENTED, "TF_NewCheckpointReader");
  TF_DeleteCheckpointReader(NULL);
  TF_ExtendGraph(NULL, NULL, 0, status);
  CHECK_ERROR(status, TF_UNIMPLEMENTED, "TF_ExtendGraph");
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  Gradients(status);
  Functions(status);
  Devices(status);
  Placement(status);
  Small(status);
  Missing(status);
  TF_DeleteStatus(status);
  return Report();
}
