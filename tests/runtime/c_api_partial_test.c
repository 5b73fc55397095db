/* Runs in parts: TF_SessionPRunSetup, TF_SessionPRun, TF_DeletePRunHandle. TensorFlow
 * 2.21 does the same in other words: with that library in place of ours, and an argument,
 * so that messages are not compared, and what it shares or hangs on is left out, this
 * passes, too. */
#include "millrace/tests/runtime/c_api_scalars.h"

static TF_Graph* graph;
static TF_Session* session;
static TF_Status* status;
static TF_Output a, b, c, sum, product;

static int ours = 1;
static const char* Says(const char* part) { return ours ? part : ""; }

static TF_Tensor* Float(float value) {
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(TF_TensorData(tensor), &value, sizeof value);
  return tensor;
}

/* The handle's text; the handle itself is deleted at once, as some hosts do. */
static char* SetUp(const TF_Output* feeds, int num_feeds, const TF_Output* fetches, int num_fetches,
                   const TF_Operation* const* targets, int num_targets) {
  const char* handle = NULL;
  TF_SessionPRunSetup(session, feeds, num_feeds, fetches, num_fetches, targets, num_targets, &handle, status);
  if (TF_GetCode(status) != TF_OK) {
    CHECK(handle == NULL);
    return NULL;
  }
  CHECK(handle != NULL);
  char* text = malloc(strlen(handle) + 1);
  strcpy(text, handle);
  TF_DeletePRunHandle(handle);
  return text;
}

/* One feed or none, one fetch or none; -1 without a fetch and on an error. */
static float Part(const char* handle, const TF_Output* feed, float value, const TF_Output* fetch) {
  TF_Tensor* in = feed != NULL ? Float(value) : NULL;
  TF_Tensor* out = NULL;
  TF_SessionPRun(session, handle, feed, &in, feed != NULL, fetch, &out, fetch != NULL, NULL, 0, status);
  if (in != NULL) {
    if (ours) memset(TF_TensorData(in), 0xff, sizeof value); /* the caller's again */
    TF_DeleteTensor(in);
  }
  CHECK((out != NULL) == (TF_GetCode(status) == TF_OK && fetch != NULL));
  const float result = out != NULL ? *(const float*)TF_TensorData(out) : -1;
  TF_DeleteTensor(out);
  return result;
}

static float Value(TF_Output fetch) {
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, NULL, NULL, 0, &fetch, &out, 1, NULL, 0, NULL, status);
  CHECK_OK(status);
  const float result = out != NULL ? *(const float*)TF_TensorData(out) : -1;
  TF_DeleteTensor(out);
  return result;
}

static void Target(TF_Output target) {
  const TF_Operation* const op = target.oper;
  TF_SessionRun(session, NULL, NULL, NULL, 0, NULL, NULL, 0, &op, 1, NULL, status);
  CHECK_OK(status);
}

static void FeedsAndFetchesInSteps(void) {
  const TF_Output feeds[] = {a, b, c}, fetches[] = {sum, product};
  char* handle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  CHECK_OK(status);
  char* other = SetUp(feeds, 3, fetches, 2, NULL, 0);
  CHECK(strcmp(handle, other) != 0);
  Part(handle, &a, 1, NULL);
  CHECK_OK(status);
  Part(other, &a, 10, NULL);
  CHECK(Part(handle, &b, 2, &sum) == 3);
  CHECK(Part(other, &b, 20, &sum) == 30);
  Part(handle, NULL, 0, NULL);
  CHECK_OK(status);
  CHECK(Part(handle, &c, 5, &product) == 15);
  CHECK(Part(other, &c, 5, &product) == 150);
  Part(handle, NULL, 0, NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("over"));
  free(handle);
  free(other);

  /* Both at once, one of them twice. */
  handle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  TF_Tensor* in[] = {Float(1), Float(2), Float(3)};
  TF_Tensor* out[3];
  const TF_Output twice[] = {product, sum, product};
  const int count = ours ? 3 : 2;
  TF_SessionPRun(session, handle, feeds, in, 3, twice, out, count, NULL, 0, status);
  CHECK_OK(status);
  for (int i = 0; i < count; ++i) {
    CHECK(*(const float*)TF_TensorData(out[i]) == (i == 1 ? 3 : 9));
    TF_DeleteTensor(out[i]);
  }
  for (int i = 0; i < 3; ++i) TF_DeleteTensor(in[i]);
  free(handle);
}

static void BadCalls(void) {
  const TF_Output feeds[] = {a, b, c}, fetches[] = {sum, product};
  const TF_Output again[] = {a, b, a};
  CHECK(SetUp(feeds, 3, NULL, 0, NULL, 0) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "");
  CHECK(SetUp(again, 3, fetches, 1, NULL, 0) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("'a:0'"));

  Part("no such handle", &a, 1, NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("'no such handle'"));

  char* handle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  Part(handle, &a, 1, NULL);
  Part(handle, &a, 1, NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("feed 'a:0' is given twice"));
  Part(handle, &sum, 1, NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("feed 'sum:0'"));
  Part(handle, NULL, 0, &b);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("fetch 'b:0'"));
  Part(handle, NULL, 0, &product);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("'b:0', 'c:0'"));
  CHECK(Part(handle, &b, 2, &sum) == 3);
  Part(handle, NULL, 0, &sum);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("fetch 'sum:0'"));
  CHECK(Part(handle, &c, 2, &product) == 6); /* none of these has ended it */
  free(handle);
}

static void EachNodeOnce(void) {
  TF_Tensor* shape = TF_AllocateTensor(TF_INT32, (const int64_t[]){0}, 1, 0);
  TF_OperationDescription* desc = TF_NewOperation(graph, "Const", "shape");
  TF_SetAttrType(desc, "dtype", TF_INT32);
  TF_SetAttrTensor(desc, "value", shape, status);
  const TF_Output scalar = {TF_FinishOperation(desc, status), 0};
  TF_DeleteTensor(shape);
  desc = TF_NewOperation(graph, "RandomUniform", "random");
  TF_AddInput(desc, scalar);
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_SetAttrInt(desc, "seed", 7);
  const TF_Output random = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);

  TF_Tensor* value = Float(1);
  desc = TF_NewOperation(graph, "Const", "one");
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_SetAttrTensor(desc, "value", value, status);
  const TF_Output one = {TF_FinishOperation(desc, status), 0};
  TF_DeleteTensor(value);
  desc = TF_NewOperation(graph, "VariableV2", "v");
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_SetAttrShape(desc, "shape", NULL, 0);
  const TF_Output v = {TF_FinishOperation(desc, status), 0};
  const TF_Output init_in[] = {v, one}, plus_a_in[] = {v, a};
  const TF_Output init = Node(graph, "Assign", "init", init_in, 2, status);
  const TF_Output plus_one = Node(graph, "AssignAdd", "plus_one", init_in, 2, status);
  const TF_Output plus_a = Node(graph, "AssignAdd", "plus_a", plus_a_in, 2, status);
  const TF_Output plus_b_in[] = {plus_a, b}; /* on the reference that plus_a hands on */
  const TF_Output plus_b = Node(graph, "AssignAdd", "plus_b", plus_b_in, 2, status);
  const TF_Output random_a_in[] = {random, a}, random_b_in[] = {random, b};
  const TF_Output random_a = Node(graph, "AddV2", "random_a", random_a_in, 2, status);
  const TF_Output random_b = Node(graph, "AddV2", "random_b", random_b_in, 2, status);
  CHECK_OK(status);

  const TF_Output feeds[] = {a, b}, fetches[] = {random_a, random_b, plus_b};
  const TF_Operation* const targets[] = {plus_a.oper};
  Target(init);
  char* handle = SetUp(feeds, 2, fetches, 3, targets, 1);
  CHECK_OK(status);
  CHECK(Value(v) == 1);
  const float first = Part(handle, &a, 4, &random_a) - 4;
  CHECK(Value(v) == 5);
  Target(plus_one);
  const float second = Part(handle, &b, 8, &random_b) - 8;
  const float third = Part(handle, NULL, 0, &plus_b);
  CHECK(first - second < 1e-5f && second - first < 1e-5f); /* the sums are rounded */
  CHECK(third == 14 && Value(v) == 14);
  free(handle);
}

static void AnErrorEndsTheRun(void) {
  TF_OperationDescription* desc = TF_NewOperation(graph, "CheckNumerics", "check");
  TF_AddInput(desc, product);
  TF_SetAttrString(desc, "message", "what is this", 12);
  const TF_Output check = {TF_FinishOperation(desc, status), 0};
  const TF_Output feeds[] = {a, b, c}, fetches[] = {sum, check};
  char* handle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  Part(handle, &a, 1, NULL);
  Part(handle, &b, 2, NULL);
  Part(handle, &c, 1.0f / 0.0f, &check);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "what is this");
  Part(handle, NULL, 0, &sum);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, Says("is no partial run of this session, or one that is over"));
  free(handle);
}

static void ClosingEndsAll(void) {
  const TF_Output feeds[] = {a, b, c}, fetches[] = {sum, product};
  char* handle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  char* idle = SetUp(feeds, 3, fetches, 2, NULL, 0);
  CHECK(Part(handle, &a, 1, NULL) == -1);
  TF_CloseSession(session, status);
  CHECK_OK(status);
  Part(handle, &b, 1, &sum);
  CHECK(TF_GetCode(status) != TF_OK);
  Part(idle, &b, 1, NULL);
  CHECK(TF_GetCode(status) != TF_OK);
  free(idle);
  free(handle);
}

int main(int argc, char** argv) {
  (void)argv;
  ours = argc == 1;
  status = TF_NewStatus();
  graph = TF_NewGraph();
  a = Input(graph, "a", TF_FLOAT, status);
  b = Input(graph, "b", TF_FLOAT, status);
  c = Input(graph, "c", TF_FLOAT, status);
  sum = Node(graph, "AddV2", "sum", (const TF_Output[]){a, b}, 2, status);
  product = Node(graph, "Mul", "product", (const TF_Output[]){sum, c}, 2, status);
  CHECK_OK(status);
  TF_SessionOptions* options = TF_NewSessionOptions();
  session = TF_NewSession(graph, options, status);
  CHECK_OK(status);
  TF_DeleteSessionOptions(options);

  FeedsAndFetchesInSteps();
  BadCalls();
  EachNodeOnce();
  AnErrorEndsTheRun();
  ClosingEndsAll();

  TF_DeletePRunHandle(NULL);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return Report();
}
