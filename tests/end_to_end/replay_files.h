// The files between the plan replayer and its child process. A job: for each
// run a record "SIGNATURE", a record with the number of feeds, then for each
// feed its name and its tensor. The answers: for each run a record "ok" and the
// number of outputs, then the tensors; or "error", code, message, node, op.
#pragma once

#include <string>
#include <vector>

#include "millrace/ops/io/record.h"
#include "millrace/tests/end_to_end/replay.h"

namespace millrace::end_to_end {

struct JobRun {
  std::string signature;
  std::vector<std::pair<std::string, Tensor>> feeds;
};

void AppendJobRun(const JobRun& run, std::string* out);
Result<JobRun> NextJobRun(RecordReader* reader);
void AppendReply(const Reply& reply, std::string* out);
Result<Reply> NextReply(RecordReader* reader);

Status WriteFile(const std::string& path, std::string_view bytes);

}  // namespace millrace::end_to_end
