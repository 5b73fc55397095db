/* Attributes of every kind, set and read back. Nodes keep those that their op does
 * not know, so a NoOp carries them all. */
#include "millrace/tests/runtime/c_api_check.h"

static TF_Operation* Everything(TF_Graph* graph, TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, "NoOp", "n");
  TF_SetAttrString(desc, "_s", "a\0b", 3);
  const void* strings[2] = {"one", "three"};
  const size_t lengths[2] = {3, 5};
  TF_SetAttrStringList(desc, "_ss", strings, lengths, 2);
  TF_SetAttrInt(desc, "_i", -7);
  const int64_t ints[3] = {1, INT64_MAX, INT64_MIN};
  TF_SetAttrIntList(desc, "_is", ints, 3);
  TF_SetAttrFloat(desc, "_f", 0.5f);
  const float floats[2] = {1.5f, -2};
  TF_SetAttrFloatList(desc, "_fs", floats, 2);
  TF_SetAttrBool(desc, "_b", 2);
  const unsigned char bools[3] = {1, 0, 9};
  TF_SetAttrBoolList(desc, "_bs", bools, 3);
  TF_SetAttrType(desc, "_t", TF_INT16);
  const TF_DataType types[2] = {TF_HALF, TF_STRING};
  TF_SetAttrTypeList(desc, "_ts", types, 2);
  const int64_t dims[3] = {2, -1, 4};
  TF_SetAttrShape(desc, "_shape", dims, 3);
  TF_SetAttrShape(desc, "_any", NULL, -1);
  const int64_t* shapes[3] = {dims, NULL, dims + 2};
  const int ranks[3] = {2, -1, 1};
  TF_SetAttrShapeList(desc, "_shapes", shapes, ranks, 3);
  TF_SetAttrTensorShapeProto(desc, "_wire_shape", "\x12\x02\x08\x05", 4, status); /* dim { size: 5 } */
  CHECK_OK(status);
  const void* protos[2] = {"\x12\x02\x08\x05", "\x18\x01"}; /* and unknown_rank */
  const size_t proto_lengths[2] = {4, 2};
  TF_SetAttrTensorShapeProtoList(desc, "_wire_shapes", protos, proto_lengths, 2, status);
  CHECK_OK(status);
  TF_Tensor* tensor = TF_AllocateTensor(TF_INT32, NULL, 0, 4);
  *(int32_t*)TF_TensorData(tensor) = 42;
  TF_SetAttrTensor(desc, "_tensor", tensor, status);
  CHECK_OK(status);
  TF_Tensor* const tensors[2] = {tensor, tensor};
  TF_SetAttrTensorList(desc, "_tensors", tensors, 2, status);
  CHECK_OK(status);
  TF_DeleteTensor(tensor);
  TF_SetAttrPlaceholder(desc, "_p", "T");
  TF_SetAttrFuncName(desc, "_func", "Body!", 4);
  TF_SetAttrValueProto(desc, "_value", "\x18\x09", 2, status); /* i: 9 */
  CHECK_OK(status);
  TF_SetAttrInt(desc, "_i", 7); /* the last counts */

  TF_SetAttrValueProto(desc, "_bad", "\xff", 1, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "_bad");
  TF_SetAttrTensorShapeProto(desc, "_bad", "\xff", 1, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "_bad");
  TF_SetAttrTensor(desc, "_bad", NULL, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  TF_Operation* node = TF_FinishOperation(desc, status);
  CHECK_OK(status);
  return node;
}

static void CheckMetadata(TF_Operation* node, const char* name, int is_list, int64_t list_size, TF_AttrType type,
                          int64_t total_size, TF_Status* status) {
  const TF_AttrMetadata m = TF_OperationGetAttrMetadata(node, name, status);
  CHECK_OK(status);
  if (m.is_list == is_list && (!is_list || m.list_size == list_size) && m.type == type &&
      (total_size == -2 || m.total_size == total_size)) {
    return;
  }
  printf("%s: list %d of %d, type %d, total size %d\n", name, m.is_list, (int)m.list_size, m.type, (int)m.total_size);
  ++failures;
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_Operation* n = Everything(graph, status);
  if (n == NULL) return Report();

  const int64_t any = -2; /* a size that means nothing */
  CheckMetadata(n, "_s", 0, 0, TF_ATTR_STRING, 3, status);
  CheckMetadata(n, "_ss", 1, 2, TF_ATTR_STRING, 8, status);
  CheckMetadata(n, "_i", 0, 0, TF_ATTR_INT, any, status);
  CheckMetadata(n, "_is", 1, 3, TF_ATTR_INT, any, status);
  CheckMetadata(n, "_f", 0, 0, TF_ATTR_FLOAT, any, status);
  CheckMetadata(n, "_fs", 1, 2, TF_ATTR_FLOAT, any, status);
  CheckMetadata(n, "_b", 0, 0, TF_ATTR_BOOL, any, status);
  CheckMetadata(n, "_bs", 1, 3, TF_ATTR_BOOL, any, status);
  CheckMetadata(n, "_t", 0, 0, TF_ATTR_TYPE, any, status);
  CheckMetadata(n, "_ts", 1, 2, TF_ATTR_TYPE, any, status);
  CheckMetadata(n, "_shape", 0, 0, TF_ATTR_SHAPE, 3, status);
  CheckMetadata(n, "_any", 0, 0, TF_ATTR_SHAPE, -1, status);
  CheckMetadata(n, "_shapes", 1, 3, TF_ATTR_SHAPE, 3, status);
  CheckMetadata(n, "_tensor", 0, 0, TF_ATTR_TENSOR, any, status);
  CheckMetadata(n, "_tensors", 1, 2, TF_ATTR_TENSOR, any, status);
  CheckMetadata(n, "_p", 0, 0, TF_ATTR_PLACEHOLDER, any, status);
  CheckMetadata(n, "_func", 0, 0, TF_ATTR_FUNC, any, status);

  char text[9] = "........", more[8];
  TF_OperationGetAttrString(n, "_s", text, 8, status);
  CHECK(memcmp(text, "a\0b.....", 8) == 0);
  void* strings[2] = {NULL, NULL};
  size_t lengths[2] = {0, 0};
  TF_OperationGetAttrStringList(n, "_ss", strings, lengths, 2, more, 8, status);
  CHECK_OK(status);
  CHECK(lengths[1] == 5 && memcmp(strings[1], "three", 5) == 0);
  TF_OperationGetAttrStringList(n, "_ss", strings, lengths, 2, more, 7, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  int64_t ints[3] = {0, 0, 0};
  TF_OperationGetAttrInt(n, "_i", ints, status);
  CHECK(ints[0] == 7);
  TF_OperationGetAttrInt(n, "_value", ints, status);
  CHECK(ints[0] == 9);
  TF_OperationGetAttrIntList(n, "_is", ints, 2, status);
  CHECK(ints[0] == 1 && ints[1] == INT64_MAX && ints[2] == 0);
  float floats[2] = {0, 0};
  TF_OperationGetAttrFloat(n, "_f", floats, status);
  CHECK(floats[0] == 0.5f);
  TF_OperationGetAttrFloatList(n, "_fs", floats, 2, status);
  CHECK(floats[1] == -2);
  unsigned char bools[3] = {7, 7, 7};
  TF_OperationGetAttrBool(n, "_b", bools, status);
  CHECK(bools[0] == 1);
  TF_OperationGetAttrBoolList(n, "_bs", bools, 3, status);
  CHECK(bools[0] == 1 && bools[1] == 0 && bools[2] == 1);
  TF_DataType types[2] = {TF_FLOAT, TF_FLOAT};
  TF_OperationGetAttrType(n, "_t", types, status);
  CHECK(types[0] == TF_INT16);
  TF_OperationGetAttrTypeList(n, "_ts", types, 2, status);
  CHECK(types[0] == TF_HALF && types[1] == TF_STRING);
  int64_t dims[3] = {0, 0, 0};
  TF_OperationGetAttrShape(n, "_shape", dims, 3, status);
  CHECK_OK(status);
  CHECK(dims[0] == 2 && dims[1] == -1 && dims[2] == 4);
  int64_t* shapes[3];
  int ranks[3];
  TF_OperationGetAttrShapeList(n, "_shapes", shapes, ranks, 3, dims, 3, status);
  CHECK_OK(status);
  CHECK(ranks[0] == 2 && ranks[1] == -1 && ranks[2] == 1 && shapes[0][1] == -1 && shapes[2][0] == 4);
  TF_OperationGetAttrShapeList(n, "_shapes", shapes, ranks, 3, dims, 2, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  TF_OperationGetAttrShape(n, "_wire_shape", dims, 1, status);
  CHECK(dims[0] == 5);
  TF_Buffer* wire = TF_NewBuffer();
  TF_OperationGetAttrTensorShapeProto(n, "_wire_shape", wire, status);
  CHECK_OK(status);
  CHECK(wire->length == 4 && memcmp(wire->data, "\x12\x02\x08\x05", 4) == 0);
  TF_DeleteBuffer(wire);
  TF_Buffer* wires[2] = {NULL, NULL};
  TF_OperationGetAttrTensorShapeProtoList(n, "_wire_shapes", wires, 2, status);
  CHECK_OK(status);
  CHECK(wires[1] != NULL && wires[1]->length == 2 && memcmp(wires[1]->data, "\x18\x01", 2) == 0);
  for (int i = 0; i < 2; ++i) TF_DeleteBuffer(wires[i]);
  wire = TF_NewBuffer();
  TF_OperationGetAttrValueProto(n, "_func", wire, status); /* func { name: "Body" } */
  CHECK_OK(status);
  CHECK(wire->length == 8 && memcmp(wire->data,
                                    "\x52\x06\x0a\x04"
                                    "Body",
                                    8) == 0);
  TF_DeleteBuffer(wire);
  TF_Tensor* tensors[2] = {NULL, NULL};
  TF_OperationGetAttrTensor(n, "_tensor", tensors, status);
  CHECK_OK(status);
  CHECK(tensors[0] != NULL && *(const int32_t*)TF_TensorData(tensors[0]) == 42);
  TF_DeleteTensor(tensors[0]);
  TF_OperationGetAttrTensorList(n, "_tensors", tensors, 2, status);
  CHECK_OK(status);
  for (int i = 0; i < 2; ++i) {
    CHECK(*(const int32_t*)TF_TensorData(tensors[i]) == 42);
    TF_DeleteTensor(tensors[i]);
  }

  /* What is not there, or of another kind. */
  TF_OperationGetAttrInt(n, "_gone", ints, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "_gone");
  TF_OperationGetAttrMetadata(n, "_gone", status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "_gone");
  TF_OperationGetAttrInt(n, "_f", ints, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  TF_OperationGetAttrIntList(n, "_i", ints, 1, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);
  TF_OperationGetAttrIntList(n, "_fs", ints, 1, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT);

  const int count = TF_OperationGetNumAttrs(n);
  CHECK(count == 20);
  char name[16] = "";
  CHECK(TF_OperationGetAttrNameLength(n, 0) == 4);
  TF_OperationGetAttrName(n, 0, name, status);
  CHECK_OK(status);
  CHECK(strcmp(name, "_any") == 0);
  TF_OperationGetAttrName(n, count, name, status);
  CHECK(TF_GetCode(status) != TF_OK);
  CHECK(TF_OperationGetAttrNameLength(n, count) == -1);

  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return Report();
}
