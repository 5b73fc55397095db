/* For the tests of the C interface, which are C programs: CHECK counts what does
 * not hold and says where. */
#ifndef MILLRACE_TESTS_RUNTIME_C_API_CHECK_H_
#define MILLRACE_TESTS_RUNTIME_C_API_CHECK_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "millrace/runtime/c_api/c_api.h"

static int failures = 0;
#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) {                                              \
      printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                    \
    }                                                                \
  } while (0)
#define CHECK_OK(status)                                                                                             \
  do {                                                                                                               \
    if (TF_GetCode(status) != TF_OK) {                                                                               \
      printf("%s:%d: expected success, found %d: %s\n", __FILE__, __LINE__, TF_GetCode(status), TF_Message(status)); \
      ++failures;                                                                                                    \
    }                                                                                                                \
  } while (0)
/* An error of that code whose message has `part`. */
#define CHECK_ERROR(status, code, part)                                                                     \
  do {                                                                                                      \
    if (TF_GetCode(status) != (code) || strstr(TF_Message(status), part) == NULL) {                         \
      printf("%s:%d: expected error %d with \"%s\", found %d: %s\n", __FILE__, __LINE__, (int)(code), part, \
             TF_GetCode(status), TF_Message(status));                                                       \
      ++failures;                                                                                           \
    }                                                                                                       \
  } while (0)

static inline int Report(void) {
  if (failures == 0) printf("the C interface works\n");
  return failures == 0 ? 0 : 1;
}

#endif /* MILLRACE_TESTS_RUNTIME_C_API_CHECK_H_ */
