/* Graphs built node by node through the C interface, asked about, written and
 * imported again. */
#include "millrace/tests/runtime/c_api_check.h"

static TF_Tensor* Floats(const float* values, int64_t count) {
  TF_Tensor* t = TF_AllocateTensor(TF_FLOAT, &count, 1, (size_t)count * sizeof(float));
  memcpy(TF_TensorData(t), values, (size_t)count * sizeof(float));
  return t;
}

static TF_Output Placeholder(TF_Graph* graph, const char* name, TF_DataType dtype, int64_t extent, TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, "Placeholder", name);
  TF_SetAttrType(desc, "dtype", dtype);
  TF_SetAttrShape(desc, "shape", &extent, 1);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}

static TF_Output Binary(TF_Graph* graph, const char* op, const char* name, TF_Output a, TF_Output b,
                        TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, op, name);
  TF_AddInput(desc, a);
  TF_AddInput(desc, b);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}

static TF_Output Constant(TF_Graph* graph, const char* name, TF_Tensor* value, TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, "Const", name);
  TF_SetAttrType(desc, "dtype", TF_TensorType(value));
  TF_SetAttrTensor(desc, "value", value, status);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}

/* y = x * w + x, with what the nodes say of it. */
static void Build(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  const TF_Output x = Placeholder(graph, "x", TF_FLOAT, -1, status);
  CHECK_OK(status);
  const float weights[2] = {3, 5};
  TF_Tensor* weight_tensor = Floats(weights, 2);
  const TF_Output w = Constant(graph, "w", weight_tensor, status);
  CHECK_OK(status);
  TF_DeleteTensor(weight_tensor);
  const TF_Output product = Binary(graph, "Mul", "product", x, w, status);
  CHECK_OK(status);
  TF_OperationDescription* desc = TF_NewOperation(graph, "AddN", "sum");
  const TF_Output parts[3] = {product, x, x};
  TF_AddInputList(desc, parts, 3);
  TF_AddControlInput(desc, w.oper);
  TF_AddControlInput(desc, w.oper);
  TF_SetDevice(desc, "/device:CPU:0");
  TF_ColocateWith(desc, x.oper);
  const TF_Output sum = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);
  if (TF_GetCode(status) != TF_OK) return;

  CHECK(strcmp(TF_OperationName(sum.oper), "sum") == 0 && strcmp(TF_OperationOpType(sum.oper), "AddN") == 0);
  CHECK(strcmp(TF_OperationDevice(sum.oper), "/device:CPU:0") == 0);
  CHECK(TF_OperationNumInputs(sum.oper) == 3 && TF_OperationNumOutputs(sum.oper) == 1);
  CHECK(TF_OperationInputListLength(sum.oper, "inputs", status) == 3);
  CHECK(TF_OperationOutputListLength(sum.oper, "sum", status) == 1);
  CHECK_OK(status);
  CHECK(TF_OperationInputListLength(sum.oper, "nothing", status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "'nothing'");
  const TF_Input second = {sum.oper, 1}, ninth = {sum.oper, 9};
  CHECK(TF_OperationInputType(second) == TF_FLOAT && TF_OperationInput(second).oper == x.oper);
  CHECK(TF_OperationInputType(ninth) == 0 && TF_OperationInput(ninth).oper == NULL);
  TF_Output all[3];
  TF_OperationAllInputs(sum.oper, all, 3);
  CHECK(all[0].oper == product.oper && all[2].oper == x.oper);
  CHECK(TF_OperationOutputType(sum) == TF_FLOAT);
  CHECK(TF_OperationOutputNumConsumers(x) == 3 && TF_OperationOutputNumConsumers(sum) == 0);
  TF_Input consumers[3];
  CHECK(TF_OperationOutputConsumers(x, consumers, 2) == 3);
  CHECK(consumers[0].oper == product.oper && consumers[0].index == 0);
  CHECK(consumers[1].oper == sum.oper && consumers[1].index == 1);
  TF_Operation* controls[2] = {NULL, NULL};
  CHECK(TF_OperationNumControlInputs(sum.oper) == 1);
  CHECK(TF_OperationGetControlInputs(sum.oper, controls, 2) == 1 && controls[0] == w.oper);
  CHECK(TF_OperationNumControlOutputs(w.oper) == 1);
  CHECK(TF_OperationGetControlOutputs(w.oper, controls, 2) == 1 && controls[0] == sum.oper);

  /* Inferred and given attributes. */
  int64_t count = 0;
  TF_OperationGetAttrInt(sum.oper, "N", &count, status);
  CHECK(count == 3);
  TF_DataType type = TF_BOOL;
  TF_OperationGetAttrType(sum.oper, "T", &type, status);
  CHECK(type == TF_FLOAT);
  char storage[16];
  void* values[1];
  size_t lengths[1];
  TF_OperationGetAttrStringList(sum.oper, "_class", values, lengths, 1, storage, sizeof storage, status);
  CHECK_OK(status);
  CHECK(lengths[0] == 6 && memcmp(values[0], "loc:@x", 6) == 0);

  /* Shapes. */
  int64_t dims[1] = {0};
  CHECK(TF_GraphGetTensorNumDims(graph, sum, status) == 1);
  TF_GraphGetTensorShape(graph, sum, dims, 1, status);
  CHECK_OK(status);
  CHECK(dims[0] == 2);
  TF_GraphGetTensorShape(graph, x, dims, 1, status);
  CHECK(dims[0] == -1);
  TF_GraphGetTensorShape(graph, x, dims, 2, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected a shape of 2 dimensions");
  const int64_t two = 2, seven = 7;
  TF_GraphSetTensorShape(graph, x, &two, 1, status);
  CHECK_OK(status);
  TF_GraphGetTensorShape(graph, x, dims, 1, status);
  CHECK(dims[0] == 2);
  TF_GraphSetTensorShape(graph, x, &seven, 1, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "agrees with [2]");
  const TF_Output beyond = {x.oper, 4};
  CHECK(TF_GraphGetTensorNumDims(graph, beyond, status) == -1);
  CHECK_ERROR(status, TF_OUT_OF_RANGE, "'x'");

  /* Constants are known without a run. */
  TF_Tensor* value = NULL;
  CHECK(TF_TryEvaluateConstant(graph, w, &value, status) == 1 && value != NULL);
  CHECK(((const float*)TF_TensorData(value))[1] == 5);
  TF_DeleteTensor(value);
  CHECK(TF_TryEvaluateConstant(graph, sum, &value, status) == 0 && value == NULL);
  CHECK_OK(status);

  /* It runs. */
  TF_Session* session = TF_NewSession(graph, NULL, status);
  CHECK_OK(status);
  const float fed[2] = {10, 20};
  TF_Tensor* in = Floats(fed, 2);
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, &x, &in, 1, &sum, &out, 1, NULL, 0, NULL, status);
  CHECK_OK(status);
  if (out != NULL) CHECK(((float*)TF_TensorData(out))[0] == 50 && ((float*)TF_TensorData(out))[1] == 140);
  TF_DeleteTensor(out);
  /* So do nodes that come after the first run. */
  const TF_Output twice = Binary(graph, "Add", "twice", sum, sum, status);
  TF_SessionRun(session, NULL, &x, &in, 1, &twice, &out, 1, NULL, 0, NULL, status);
  CHECK_OK(status);
  if (out != NULL) CHECK(((float*)TF_TensorData(out))[0] == 100);
  TF_DeleteTensor(out);
  TF_DeleteTensor(in);
  TF_DeleteSession(session, status);

  /* Written and read again. */
  TF_Buffer* def = TF_NewBuffer();
  TF_GraphToGraphDef(graph, def, status);
  CHECK_OK(status);
  TF_GraphToGraphDef(graph, def, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "empty buffer");
  TF_Buffer* node = TF_NewBuffer();
  TF_OperationToNodeDef(sum.oper, node, status);
  CHECK_OK(status);
  CHECK(node->length > 10 && memcmp((const char*)node->data + 2, "sum", 3) == 0);
  TF_DeleteBuffer(node);
  TF_Buffer* versions = TF_NewBuffer();
  TF_GraphVersions(graph, versions, status);
  CHECK(versions->length > 1 && ((const char*)versions->data)[0] == 0x08); /* producer */
  TF_DeleteBuffer(versions);
  size_t length = 0;
  char* text = (char*)TF_GraphDebugString(graph, &length);
  CHECK(strlen(text) == length && strstr(text, "sum = AddN(product, x, x, ^w)") != NULL);
  free(text);

  TF_Graph* copy = TF_NewGraph();
  TF_GraphImportGraphDef(copy, def, NULL, status);
  CHECK_OK(status);
  CHECK(TF_GraphOperationByName(copy, "sum") != NULL);

  /* Once more below a prefix, its x the first's product. */
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_ImportGraphDefOptionsSetPrefix(options, "again");
  const TF_Output mapped = {TF_GraphOperationByName(copy, "product"), 0};
  TF_ImportGraphDefOptionsAddInputMapping(options, "x", 0, mapped);
  TF_ImportGraphDefOptionsAddInputMapping(options, "nobody", 1, mapped);
  TF_ImportGraphDefOptionsRemapControlDependency(options, "w", mapped.oper);
  TF_ImportGraphDefOptionsAddControlDependency(options, TF_GraphOperationByName(copy, "x"));
  TF_ImportGraphDefOptionsAddReturnOutput(options, "sum", 0);
  TF_ImportGraphDefOptionsAddReturnOutput(options, "x", 0);
  TF_ImportGraphDefOptionsAddReturnOperation(options, "w");
  CHECK(TF_ImportGraphDefOptionsNumReturnOutputs(options) == 2);
  CHECK(TF_ImportGraphDefOptionsNumReturnOperations(options) == 1);
  TF_ImportGraphDefResults* results = TF_GraphImportGraphDefWithResults(copy, def, options, status);
  CHECK_OK(status);
  if (results != NULL) {
    int n = 0;
    TF_Output* outputs = NULL;
    TF_ImportGraphDefResultsReturnOutputs(results, &n, &outputs);
    CHECK(n == 2 && strcmp(TF_OperationName(outputs[0].oper), "again/sum") == 0);
    CHECK(outputs[1].oper == mapped.oper);
    CHECK(TF_OperationGetControlInputs(outputs[0].oper, controls, 2) == 1 && controls[0] == mapped.oper);
    TF_Operation** opers = NULL;
    TF_ImportGraphDefResultsReturnOperations(results, &n, &opers);
    CHECK(n == 1 && strcmp(TF_OperationName(opers[0]), "again/w") == 0);
    CHECK(TF_OperationNumControlInputs(opers[0]) == 1);
    const char** names = NULL;
    int* indexes = NULL;
    TF_ImportGraphDefResultsMissingUnusedInputMappings(results, &n, &names, &indexes);
    CHECK(n == 1 && strcmp(names[0], "nobody") == 0 && indexes[0] == 1);
    TF_DeleteImportGraphDefResults(results);
  }
  TF_Output returned[2];
  TF_GraphImportGraphDefWithReturnOutputs(copy, def, options, returned, 1, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "room for 2");
  TF_GraphImportGraphDefWithReturnOutputs(copy, def, options, returned, 2, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "again/"); /* the names are taken */
  TF_ImportGraphDefOptionsSetUniquifyPrefix(options, 1);
  TF_GraphImportGraphDefWithReturnOutputs(copy, def, options, returned, 2, status);
  CHECK_OK(status);
  CHECK(TF_GraphOperationByName(copy, "again_1/sum") == returned[0].oper);
  TF_ImportGraphDefOptionsAddReturnOutput(options, "sum", 1);
  CHECK(TF_GraphImportGraphDefWithResults(copy, def, options, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "sum:1");
  TF_DeleteImportGraphDefOptions(options);
  options = TF_NewImportGraphDefOptions();
  TF_ImportGraphDefOptionsSetUniquifyNames(options, 1);
  TF_ImportGraphDefOptionsSetDefaultDevice(options, "/device:CPU:1");
  TF_GraphImportGraphDef(copy, def, options, status);
  CHECK_OK(status);
  TF_Operation* renamed = TF_GraphOperationByName(copy, "product_1");
  CHECK(renamed != NULL && strcmp(TF_OperationDevice(renamed), "/device:CPU:1") == 0);
  TF_DeleteImportGraphDefOptions(options);
  TF_GraphImportGraphDef(copy, NULL, NULL, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "null");
  TF_DeleteGraph(copy);
  TF_DeleteBuffer(def);
  TF_DeleteGraph(graph);
}

/* What does not fit is refused by name, and the graph stays as it was. */
static void Errors(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  const TF_Output x = Placeholder(graph, "x", TF_FLOAT, 2, status);
  const TF_Output i = Placeholder(graph, "i", TF_INT32, 2, status);
  const TF_Output three = Placeholder(graph, "three", TF_FLOAT, 3, status);
  CHECK(Placeholder(graph, "x", TF_FLOAT, 2, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "'x' (Placeholder)");
  CHECK(Binary(graph, "NoSuchOp", "n", x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_NOT_FOUND, "NoSuchOp");
  CHECK(Binary(graph, "Mul", "n", x, i, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected float, found int32");
  CHECK(Binary(graph, "Mul", "n", x, three, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "'n' (Mul)");
  CHECK(Binary(graph, "Identity", "n", x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected 1 arguments, found 2");
  CHECK(Binary(graph, "AddN", "n", x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected 1 arguments, found 2");
  TF_OperationDescription* desc = TF_NewOperation(graph, "AddN", "n");
  TF_AddInput(desc, x);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected a list");
  desc = TF_NewOperation(graph, "Identity", "n");
  TF_AddInputList(desc, &x, 1);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found a list");
  const TF_Output none = {NULL, 0}, beyond = {x.oper, 3}, before = {x.oper, -1};
  CHECK(Binary(graph, "Mul", "n", x, none, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  CHECK(Binary(graph, "Mul", "n", x, beyond, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found number 3");
  CHECK(Binary(graph, "Mul", "n", x, before, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found number -1");
  CHECK(Binary(graph, "Mul", "", x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected a name");
  CHECK(Binary(graph, "Mul", NULL, x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "null");
  desc = TF_NewOperation(graph, "Placeholder", "n");
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "dtype");
  desc = TF_NewOperation(graph, "Placeholder", "n");
  TF_SetAttrInt(desc, "dtype", 1);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "dtype");
  desc = TF_NewOperation(graph, "Placeholder", "n");
  TF_SetAttrType(desc, "dtype", (TF_DataType)999);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  desc = TF_NewOperation(graph, "NoOp", "n");
  TF_AddControlInput(desc, NULL);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "control input");
  desc = TF_NewOperation(graph, "NoOp", "n");
  TF_ColocateWith(desc, NULL);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "colocation");
  desc = TF_NewOperation(graph, "NoOp", "n");
  TF_SetAttrInt(desc, NULL, 1);
  CHECK(TF_FinishOperation(desc, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "attribute");

  TF_Graph* other = TF_NewGraph();
  CHECK(Binary(other, "Mul", "n", x, x, status).oper == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "this graph");
  CHECK(TF_GraphGetTensorNumDims(other, x, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "this graph");
  TF_DeleteGraph(other);
  CHECK(TF_GraphOperationByName(graph, "n") == NULL && TF_GraphOperationByName(graph, NULL) == NULL);
  size_t pos = 0;
  int count = 0;
  while (TF_GraphNextOperation(graph, &pos) != NULL) ++count;
  CHECK(count == 3);

  TF_Buffer* op = TF_NewBuffer();
  TF_GraphGetOpDef(graph, "NoSuchOp", op, status);
  CHECK_ERROR(status, TF_NOT_FOUND, "NoSuchOp");
  TF_GraphGetOpDef(graph, "MatMul", op, status);
  CHECK_OK(status);
  CHECK(op->length > 8 && memcmp((const char*)op->data + 2, "MatMul", 6) == 0);
  TF_DeleteBuffer(op);
  TF_Buffer* ops = TF_GetAllOpList();
  CHECK(ops != NULL && ops->length > 10000);
  TF_DeleteBuffer(ops);
  TF_DeleteGraph(graph);
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  Build(status);
  Errors(status);
  TF_DeleteStatus(status);
  return Report();
}
