// plan_replay PLAN JOB ANSWERS [THREADS]: runs a job against a plan. Links
// libmillrace_runtime and nothing of the compiler, as a host would.
#include <cstdio>
#include <cstdlib>
#include <map>

#include "millrace/runtime/executor/runner.h"
#include "millrace/tests/end_to_end/replay_files.h"

using namespace millrace;
using namespace millrace::end_to_end;

namespace {

Result<std::vector<Tensor>> RunOne(Callable& callable, const JobRun& run) {
  std::vector<Tensor> feeds;
  for (const std::string& name : callable.feed_names()) {
    const Tensor* found = nullptr;
    for (const auto& [feed, tensor] : run.feeds) {
      if (feed == name) found = &tensor;
    }
    if (found == nullptr) return InvalidArgument("feed '" + name + "' is missing");
    feeds.push_back(*found);
  }
  std::vector<Tensor> outputs;
  MR_RETURN_IF_ERROR(callable.Run(feeds, &outputs));
  return outputs;
}

Status Replay(const std::string& plan, const std::string& job, const std::string& answers, int threads) {
  RunnerOptions options;
  options.threads = threads;
  MR_ASSIGN_OR_RETURN(std::unique_ptr<Runner> runner, Runner::FromFile(plan, options));
  MR_ASSIGN_OR_RETURN(RecordReader reader, RecordReader::Open(job));
  std::map<std::string, std::shared_ptr<Callable>> callables;
  std::string out;
  while (!reader.done()) {
    MR_ASSIGN_OR_RETURN(JobRun run, NextJobRun(&reader));
    std::shared_ptr<Callable>& callable = callables[run.signature];
    if (callable == nullptr) {
      MR_ASSIGN_OR_RETURN(callable, runner->Prepare(run.signature));
    }
    Result<std::vector<Tensor>> outputs = RunOne(*callable, run);
    Reply reply;
    if (outputs.ok()) reply.outputs = std::move(outputs).value();
    else reply.status = outputs.status();
    AppendReply(reply, &out);
    if (!reply.status.ok()) break;
  }
  return WriteFile(answers, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: plan_replay PLAN JOB ANSWERS [THREADS]\n");
    return 2;
  }
  const Status status = Replay(argv[1], argv[2], argv[3], argc > 4 ? std::atoi(argv[4]) : 1);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
