// What stands behind TF_Session.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
struct PreparedCall;
}

struct TF_Session {
  std::shared_ptr<GraphState> graph;
  std::unique_ptr<millrace::Session> session;
  std::atomic<const millrace::c_api::PreparedCall*> last{nullptr};
  std::mutex mutex;
  std::vector<std::unique_ptr<millrace::c_api::PreparedCall>> calls;                       // guarded by mutex
  std::map<std::string, std::shared_ptr<millrace::PartialRun>, std::less<>> partial_runs;  // by handle, likewise
};
