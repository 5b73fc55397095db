#include "millrace/tests/end_to_end/replay.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "millrace/compiler/api/compile.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/end_to_end/replay_files.h"

extern char** environ;

namespace millrace::end_to_end {
namespace {

class SessionReplayer final : public Replayer {
 public:
  SessionReplayer(int threads, std::vector<std::string> disabled, int devices) {
    options_.threads = threads;
    options_.device_count["CPU"] = devices;
    options_.disabled_passes = std::move(disabled);
  }

  std::vector<Reply> Run(std::shared_ptr<const Graph> graph, const std::vector<Request>& requests) override {
    std::vector<Reply> replies;
    Result<std::unique_ptr<Session>> session = Session::New(std::move(graph), options_);
    if (!session.ok()) return {Reply{session.status(), {}}};
    for (const Request& request : requests) {
      Result<std::vector<Tensor>> outputs = (*session)->Run(request.feeds, request.fetches, request.targets);
      if (!outputs.ok()) {
        replies.push_back({outputs.status(), {}});
        break;
      }
      replies.push_back({OkStatus(), std::move(outputs).value()});
    }
    return replies;
  }

 private:
  SessionOptions options_;
};

// A folder that goes away with its owner.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plan_replay_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class PlanReplayer final : public Replayer {
 public:
  PlanReplayer(std::string program, int threads) : program_(std::move(program)), threads_(threads) {}

  std::vector<Reply> Run(std::shared_ptr<const Graph> graph, const std::vector<Request>& requests) override {
    std::vector<Reply> replies;
    const Status status = Replay(*graph, requests, &replies);
    if (!status.ok()) replies.push_back({status, {}});
    return replies;
  }

 private:
  Status Replay(const Graph& graph, const std::vector<Request>& requests, std::vector<Reply>* replies) {
    std::vector<SignatureSpec> signatures;
    std::string job;
    for (const Request& request : requests) {
      SignatureSpec spec;
      for (const auto& [name, tensor] : request.feeds) spec.feeds.push_back(name);
      spec.fetches = request.fetches;
      spec.targets = request.targets;
      auto same = std::find_if(signatures.begin(), signatures.end(), [&](const SignatureSpec& s) {
        return s.feeds == spec.feeds && s.fetches == spec.fetches && s.targets == spec.targets;
      });
      if (same == signatures.end()) {
        spec.name = Cat("s", signatures.size());
        same = signatures.insert(signatures.end(), std::move(spec));
      }
      AppendJobRun({same->name, request.feeds}, &job);
    }
    // With code for every CPU, where the environment asks for code.
    CompileOptions options;
    options.code = FromEnvironment(options.code);
    options.code.targets = {"avx2", "avx512"};
    MR_ASSIGN_OR_RETURN(plan::Plan plan, Compile(graph, signatures, options));
    MR_ASSIGN_OR_RETURN(std::string bytes, plan::Write(plan));
    ScratchFolder folder;
    MR_RETURN_IF_ERROR(WriteFile(folder.File("plan"), bytes));
    MR_RETURN_IF_ERROR(WriteFile(folder.File("job"), job));
    MR_RETURN_IF_ERROR(
        RunChild({program_, folder.File("plan"), folder.File("job"), folder.File("answers"), Cat(threads_)}));
    MR_ASSIGN_OR_RETURN(RecordReader reader, RecordReader::Open(folder.File("answers")));
    while (!reader.done()) {
      MR_ASSIGN_OR_RETURN(Reply reply, NextReply(&reader));
      replies->push_back(std::move(reply));
    }
    return OkStatus();
  }

  static Status RunChild(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) {
      return NotFound(Cat("cannot start ", words[0]));
    }
    int how = 0;
    waitpid(child, &how, 0);
    if (how != 0) return Internal(Cat(words[0], " ended with status ", how));
    return OkStatus();
  }

  std::string program_;
  int threads_;
};

}  // namespace

std::unique_ptr<Replayer> NewSessionReplayer(int threads, std::vector<std::string> disabled_passes, int devices) {
  return std::make_unique<SessionReplayer>(threads, std::move(disabled_passes), devices);
}

std::unique_ptr<Replayer> NewPlanReplayer(std::string program, int threads) {
  return std::make_unique<PlanReplayer>(std::move(program), threads);
}

Result<std::shared_ptr<const Graph>> ImportGraph(const GraphDef& def) {
  auto graph = std::make_shared<Graph>();
  MR_RETURN_IF_ERROR(graph->Import(def));
  return std::shared_ptr<const Graph>(std::move(graph));
}

Perturbation::Perturbation(const GraphDef& def, uint64_t seed) : graph_(def) {
  std::mt19937_64 random(seed);
  std::shuffle(graph_.nodes.begin(), graph_.nodes.end(), random);
  // Names that sort and hash differently from the ones they replace.
  size_t count = 0;
  for (NodeDef& node : graph_.nodes) {
    std::string name = Cat("r", random() % 1000, "/n", count++);
    names_[node.name] = name;
    node.name = std::move(name);
  }
  for (NodeDef& node : graph_.nodes) {
    for (std::string& input : node.inputs) input = Renamed(input);
    const auto group = node.attrs.find("_class");
    if (group == node.attrs.end()) continue;
    ListValue list = *group->second.get<ListValue>();
    for (std::string& where : list.s) {
      if (where.starts_with("loc:@")) where = "loc:@" + Renamed(where.substr(5));
    }
    group->second = AttrValue(std::move(list));
  }
}

std::string Perturbation::Renamed(const std::string& tensor) const {
  const size_t begin = tensor.starts_with("^") ? 1 : 0;
  const size_t colon = std::min(tensor.find(':', begin), tensor.size());
  const auto it = names_.find(tensor.substr(begin, colon - begin));
  if (it == names_.end()) return tensor;
  return tensor.substr(0, begin) + it->second + tensor.substr(colon);
}

}  // namespace millrace::end_to_end
