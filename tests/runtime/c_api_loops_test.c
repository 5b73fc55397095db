/* Loops of the C interface: TF_NewWhile and what follows. The nodes, their order,
 * names and inputs are those that TensorFlow 2.21 makes of the same calls. */
#include "millrace/tests/runtime/c_api_scalars.h"

static TF_Output Number(TF_Graph* graph, const char* name, float value, TF_Status* status) {
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(TF_TensorData(tensor), &value, sizeof value);
  TF_OperationDescription* desc = TF_NewOperation(graph, "Const", name);
  TF_SetAttrTensor(desc, "value", tensor, status);
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_DeleteTensor(tensor);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}

/* x < 10; x + 1, and each other variable + x. */
static void Fill(TF_WhileParams* params, TF_Status* status) {
  TF_Output operands[2] = {params->cond_inputs[0], Number(params->cond_graph, "ten", 10, status)};
  params->cond_output = Node(params->cond_graph, "Less", "less", operands, 2, status);
  operands[0] = params->body_inputs[0];
  operands[1] = Number(params->body_graph, "one", 1, status);
  params->body_outputs[0] = Node(params->body_graph, "AddV2", "add", operands, 2, status);
  for (int i = 1; i < params->ninputs; ++i) {
    char name[16];
    snprintf(name, sizeof name, "sum%d", i);
    operands[0] = params->body_inputs[i];
    operands[1] = params->body_inputs[0];
    params->body_outputs[i] = Node(params->body_graph, "AddV2", name, operands, 2, status);
  }
  CHECK_OK(status);
}

/* That the lines "name = Op(inputs)" of the graph's nodes, from the first that begins
 * with `from` on, are `expected`. */
static void CheckNodes(TF_Graph* graph, const char* from, const char* expected) {
  size_t length = 0;
  char* text = (char*)TF_GraphDebugString(graph, &length);
  char* found = malloc(length + 1);
  size_t n = 0;
  int begun = 0;
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    begun |= strncmp(line, from, strlen(from)) == 0;
    if (!begun) continue;
    const size_t size = (size_t)(strchr(line, ')') - line) + 1;
    memcpy(found + n, line, size);
    n += size;
    found[n++] = '\n';
  }
  found[n] = 0;
  if (strcmp(found, expected) != 0) {
    printf("expected:\n%sfound:\n%s", expected, found);
    ++failures;
  }
  free(found);
  free(text);
}

static int CountNodes(TF_Graph* graph) {
  size_t pos = 0;
  int count = 0;
  while (TF_GraphNextOperation(graph, &pos) != NULL) ++count;
  return count;
}

static void Builds(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output inputs[2] = {Input(graph, "p0", TF_FLOAT, status), Input(graph, "p1", TF_FLOAT, status)};
  TF_WhileParams loop = TF_NewWhile(graph, inputs, 2, status);
  CHECK_OK(status);
  CHECK(loop.ninputs == 2 && loop.cond_output.oper == NULL && loop.body_outputs[1].oper == NULL && loop.name == NULL);
  CHECK(TF_GraphOperationByName(loop.cond_graph, "cond_input1") == loop.cond_inputs[1].oper);
  CHECK(TF_GraphOperationByName(loop.body_graph, "body_input0") == loop.body_inputs[0].oper);
  CHECK(TF_GraphGetTensorNumDims(loop.body_graph, loop.body_inputs[0], status) == -1);
  Fill(&loop, status);
  loop.name = "loop";
  TF_Output outputs[2];
  TF_FinishWhile(&loop, status, outputs);
  CHECK_OK(status);
  CHECK(outputs[1].oper == TF_GraphOperationByName(graph, "loop/Exit_1") && outputs[1].index == 0);
  CheckNodes(graph, "loop/",
             "loop/Enter = Enter(p0)\n"
             "loop/Enter_1 = Enter(p1)\n"
             "loop/Merge = Merge(loop/Enter, loop/NextIteration)\n"
             "loop/Merge_1 = Merge(loop/Enter_1, loop/NextIteration_1)\n"
             "loop/cond/ten = Const(^loop/Merge)\n"
             "loop/cond/less = Less(loop/Merge, loop/cond/ten)\n"
             "loop/LoopCond = LoopCond(loop/cond/less)\n"
             "loop/Switch = Switch(loop/Merge, loop/LoopCond)\n"
             "loop/Switch_1 = Switch(loop/Merge_1, loop/LoopCond)\n"
             "loop/body/one = Const(^loop/Switch)\n"
             "loop/body/add = AddV2(loop/Switch:1, loop/body/one)\n"
             "loop/body/sum1 = AddV2(loop/Switch_1:1, loop/Switch:1, ^loop/Switch)\n"
             "loop/NextIteration = NextIteration(loop/body/add)\n"
             "loop/NextIteration_1 = NextIteration(loop/body/sum1)\n"
             "loop/Exit = Exit(loop/Switch)\n"
             "loop/Exit_1 = Exit(loop/Switch_1)\n");

  /* A second loop of that name, over what the first made; a variable that stays as it
   * is. */
  TF_WhileParams second = TF_NewWhile(graph, outputs, 1, status);
  Fill(&second, status);
  second.body_outputs[0] = second.body_inputs[0];
  second.name = "loop";
  TF_FinishWhile(&second, status, outputs);
  CHECK_OK(status);
  CheckNodes(graph, "loop_1/NextIteration",
             "loop_1/NextIteration = NextIteration(loop_1/Switch:1)\n"
             "loop_1/Exit = Exit(loop_1/Switch)\n");

  /* It can be exported and imported; a session says what it cannot run. */
  TF_Buffer* def = TF_NewBuffer();
  TF_GraphToGraphDef(graph, def, status);
  TF_Graph* copy = TF_NewGraph();
  TF_GraphImportGraphDef(copy, def, NULL, status);
  CHECK_OK(status);
  TF_DeleteBuffer(def);
  TF_DeleteGraph(copy);
  TF_Session* session = TF_NewSession(graph, NULL, status);
  TF_Tensor* values[2] = {TF_AllocateTensor(TF_FLOAT, NULL, 0, 4), TF_AllocateTensor(TF_FLOAT, NULL, 0, 4)};
  memset(TF_TensorData(values[0]), 0, 4);
  memset(TF_TensorData(values[1]), 0, 4);
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, inputs, values, 2, outputs, &out, 1, NULL, 0, NULL, status);
  CHECK_ERROR(status, TF_UNIMPLEMENTED, "part of a loop");
  TF_DeleteTensor(values[0]);
  TF_DeleteTensor(values[1]);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
}

static void Nests(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output x = Input(graph, "p", TF_FLOAT, status);
  TF_WhileParams outer = TF_NewWhile(graph, &x, 1, status);
  Fill(&outer, status);
  TF_Output within[1] = {outer.body_outputs[0]};
  TF_WhileParams inner = TF_NewWhile(outer.body_graph, within, 1, status);
  Fill(&inner, status);
  inner.name = "inner";
  TF_FinishWhile(&inner, status, outer.body_outputs);
  CHECK_OK(status);
  outer.name = "outer";
  TF_Output out;
  TF_FinishWhile(&outer, status, &out);
  CHECK_OK(status);
  CheckNodes(graph, "outer/body/inner/Exit",
             "outer/body/inner/Exit = Exit(outer/body/inner/Switch)\n"
             "outer/NextIteration = NextIteration(outer/body/inner/Exit)\n"
             "outer/Exit = Exit(outer/Switch)\n");
  TF_DeleteGraph(graph);
}

enum Fault { kNoCondition, kNotABool, kOtherGraph, kNoOutput, kNoSuchOutput, kOtherType, kNoName };

static void Refuses(TF_Status* status, enum Fault fault, TF_Code code, const char* text) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output inputs[2] = {Input(graph, "p0", TF_FLOAT, status), Input(graph, "p1", TF_FLOAT, status)};
  TF_WhileParams loop = TF_NewWhile(graph, inputs, 2, status);
  Fill(&loop, status);
  loop.name = fault == kNoName ? NULL : "loop";
  TF_OperationDescription* cast;
  switch (fault) {
    case kNoCondition:
      loop.cond_output.oper = NULL;
      break;
    case kNotABool:
      loop.cond_output = loop.cond_inputs[1];
      break;
    case kOtherGraph:
      loop.body_outputs[1] = loop.cond_inputs[1];
      break;
    case kNoOutput:
      loop.body_outputs[1].oper = NULL;
      break;
    case kNoSuchOutput:
      loop.body_outputs[0].index = 5;
      break;
    case kOtherType:
      cast = TF_NewOperation(loop.body_graph, "Cast", "cast");
      TF_AddInput(cast, loop.body_inputs[1]);
      TF_SetAttrType(cast, "DstT", TF_INT32);
      loop.body_outputs[1].oper = TF_FinishOperation(cast, status);
      CHECK_OK(status);
      break;
    case kNoName:
      break;
  }
  TF_Output outputs[2] = {{NULL, 7}, {NULL, 7}};
  TF_FinishWhile(&loop, status, outputs);
  CHECK_ERROR(status, code, text);
  CHECK(outputs[0].index == 7 && CountNodes(graph) == 2);
  TF_DeleteGraph(graph);
}

static void Gives(TF_Status* status) {
  TF_Graph* graph = TF_NewGraph();
  TF_Output x = Input(graph, "p", TF_FLOAT, status);
  const TF_WhileParams none = TF_NewWhile(graph, &x, 0, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found none");
  CHECK(none.ninputs == 0 && none.cond_graph == NULL);
  TF_Graph* other = TF_NewGraph();
  TF_Output foreign = Input(other, "p", TF_FLOAT, status);
  const TF_WhileParams wrong = TF_NewWhile(graph, &foreign, 1, status);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "loop variable 0");
  CHECK(wrong.cond_graph == NULL);
  TF_DeleteGraph(other);

  /* Given up: the graph is as before. */
  TF_WhileParams loop = TF_NewWhile(graph, &x, 1, status);
  Fill(&loop, status);
  TF_AbortWhile(&loop);
  CHECK(CountNodes(graph) == 1);
  /* The graph may go first. */
  TF_WhileParams longer = TF_NewWhile(graph, &x, 1, status);
  Fill(&longer, status);
  TF_DeleteGraph(graph);
  longer.name = "loop";
  TF_Output out;
  TF_FinishWhile(&longer, status, &out);
  CHECK_OK(status);
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  Builds(status);
  Nests(status);
  Refuses(status, kNoCondition, TF_INVALID_ARGUMENT, "cond_output");
  Refuses(status, kNotABool, TF_INVALID_ARGUMENT, "expected bool");
  Refuses(status, kOtherGraph, TF_INVALID_ARGUMENT, "body_outputs[1]");
  Refuses(status, kNoOutput, TF_INVALID_ARGUMENT, "body_outputs[1]");
  Refuses(status, kNoSuchOutput, TF_OUT_OF_RANGE, "body_outputs[0]");
  Refuses(status, kOtherType, TF_INVALID_ARGUMENT, "expected float");
  Refuses(status, kNoName, TF_INVALID_ARGUMENT, "name of the loop");
  Gives(status);
  TF_DeleteStatus(status);
  return Report();
}
