/* Threads and signals of the host: no thread starts before a run wants it, none is
 * left behind a session, none takes the host's signals; handlers stay the host's; a
 * session outlives the threads that made and used it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "millrace/tests/runtime/guest/network.h"
#include "millrace/tests/runtime/guest/process.h"

static Network network;
static TF_Tensor* input;
static TF_Session* session;
static TF_Tensor* expected;

static void* MakesSession(void* unused) {
  (void)unused;
  TF_Status* status = TF_NewStatus();
  session = NewSession(network.graph, 2, status);
  TF_DeleteStatus(status);
  return NULL;
}

static void* Runs(void* unused) {
  (void)unused;
  TF_Status* status = TF_NewStatus();
  TF_Tensor* y = RunNetwork(session, &network, input, status);
  const int same = TF_GetCode(status) == TF_OK && SameBits(expected, y);
  TF_DeleteTensor(y);
  TF_DeleteStatus(status);
  return same ? &session : NULL;
}

static void InThread(void* (*body)(void*), int copies, int all_succeed) {
  pthread_t threads[8];
  for (int i = 0; i < copies; ++i) CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
  for (int i = 0; i < copies; ++i) {
    void* result = NULL;
    pthread_join(threads[i], &result);
    CHECK(result != NULL || !all_succeed);
  }
}

static volatile sig_atomic_t taken_by_others = 0;
static pthread_t main_thread;
static void OnSignal(int number) {
  (void)number;
  if (!pthread_equal(pthread_self(), main_thread)) taken_by_others = 1;
}

/* Every signal that can be blocked is, in every thread but the caller's. */
static void CheckMasks(void) {
  DIR* tasks = opendir("/proc/self/task");
  int workers = 0;
  char self[16];
  snprintf(self, sizeof self, "%d", (int)getpid());
  for (struct dirent* e; (e = readdir(tasks)) != NULL;) {
    if (e->d_name[0] == '.' || strcmp(e->d_name, self) == 0) continue;
    const unsigned long long blocked = StatusOf(e->d_name, "SigBlk:", 16);
    for (int number = 1; number < 32; ++number) {
      if (number == SIGKILL || number == SIGSTOP) continue;
      CHECK(blocked >> (number - 1) & 1);
    }
    ++workers;
  }
  closedir(tasks);
  CHECK(workers >= 1);
}

int main(void) {
  struct sigaction handlers[32];
  for (int number = 1; number < 32; ++number) sigaction(number, NULL, &handlers[number]);
  const int before = CountThreads();
  TF_Status* status = TF_NewStatus();
  network = NewNetwork(status);
  input = Matrix(1);
  InThread(MakesSession, 1, 0);
  CHECK(CountThreads() == before);
  expected = RunNetwork(session, &network, input, status);
  CHECK_OK(status);
  CHECK(CountThreads() > before);
  CheckMasks();

  /* Threads that come, run and go. */
  for (int i = 0; i < 5; ++i) InThread(Runs, 4, 1);

  /* Signals in the middle of runs go to the host's own thread. */
  main_thread = pthread_self();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = OnSignal;
  sigaction(SIGUSR1, &action, NULL);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, NULL, &mine);
  for (int i = 0; i < 50; ++i) {
    kill(getpid(), SIGUSR1);
    CHECK(Runs(NULL) != NULL);
  }
  CHECK(!taken_by_others);
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int number = 1; number < 32; ++number) {
    CHECK(sigismember(&mine, number) == sigismember(&now, number));
    struct sigaction handler;
    sigaction(number, NULL, &handler);
    if (number != SIGUSR1) CHECK(handler.sa_handler == handlers[number].sa_handler);
  }

  TF_CloseSession(session, status);
  CHECK_OK(status);
  TF_DeleteSession(session, status);
  CHECK(CountThreads() == before);
  TF_DeleteTensor(expected);
  TF_DeleteTensor(input);
  TF_DeleteGraph(network.graph);
  TF_DeleteStatus(status);
  return Report();
}
