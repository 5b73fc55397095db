/* What Linux says of this process. */
#ifndef MILLRACE_TESTS_RUNTIME_GUEST_PROCESS_H_
#define MILLRACE_TESTS_RUNTIME_GUEST_PROCESS_H_

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Threads of this process; those that have ended, too, until they are joined. */
static inline int CountThreads(void) {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  for (struct dirent* e; (e = readdir(tasks)) != NULL;) count += e->d_name[0] != '.';
  closedir(tasks);
  return count;
}

/* The number after `key` in the status file of a thread ("self", or its id), in that
 * base; 0 where there is none. */
static inline unsigned long long StatusOf(const char* thread, const char* key, int base) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
  FILE* file = fopen(path, "r");
  unsigned long long value = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, key, strlen(key)) == 0) value = strtoull(line + strlen(key), NULL, base);
  }
  if (file != NULL) fclose(file);
  return value;
}

/* Kilobytes of memory that the process has touched and still holds. */
static inline long ResidentKilobytes(void) {
  char pid[16];
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  return (long)StatusOf(pid, "VmRSS:", 10);
}

#endif /* MILLRACE_TESTS_RUNTIME_GUEST_PROCESS_H_ */
