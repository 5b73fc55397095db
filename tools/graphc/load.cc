#include "millrace/tools/graphc/load.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "millrace/devices/api/buffer.h"
#include "millrace/ops/io/npy.h"
#include "millrace/ops/io/npz.h"
#include "millrace/ops/user/load_ops.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/text_graph.h"

namespace millrace::graphc {
namespace {

std::vector<std::string>& OpsFiles() {
  static auto* const files = new std::vector<std::string>;
  return *files;
}

Bytes BytesOf(const Buffer& file) { return Bytes({static_cast<const char*>(file.data()), file.size()}, file.owner()); }

bool StartsAsPlan(const Buffer& file) {
  return file.size() >= sizeof plan::layout::kMagic &&
         std::memcmp(file.data(), plan::layout::kMagic, sizeof plan::layout::kMagic) == 0;
}

// `status`, with the file in front.
Status In(const std::string& path, const Status& status) {
  return Status(status.code(), Cat(path, ": ", status.message()), std::string(status.node()), std::string(status.op()));
}

// Text has no byte 0, and names a field of GraphDef before anything else.
bool LooksLikeText(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 4096);
  if (head.find('\0') != std::string_view::npos) return false;
  for (const char* field : {"node", "library", "versions"}) {
    if (head.find(field) != std::string_view::npos && head.find('{') != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

void AddOpsFiles(CLI::App& app) {
  AddList(&app, "--ops", OpsFiles(), "shared object with ops of your own; repeat it for more")->option_text("FILE");
  app.fallthrough();
}

void AddLimits(CLI::App& app) {
  const auto texts = std::make_shared<std::vector<std::string>>();
  std::vector<std::string> names;
  for (const LimitInfo& limit : AllLimits()) names.emplace_back(limit.name);
  const auto check = [](const std::string& text) {
    Limits limits;
    return std::string(SetLimits(text, &limits).message());
  };
  AddList(&app, "--limit", *texts, Cat("a bound of what is read and made, NAME=NUMBER: ", Join(names, ", ")))
      ->option_text("LIMIT")
      ->check(CLI::Validator(check, ""));
  app.parse_complete_callback([texts] {
    if (texts->empty()) return;
    const char* const before = std::getenv("MILLRACE_LIMITS");
    if (before != nullptr && *before != '\0') texts->insert(texts->begin(), before);
    setenv("MILLRACE_LIMITS", Join(*texts, ",").c_str(), 1);
  });
}

Result<const Registry*> AllOps() {
  static Registry* registry = nullptr;
  if (OpsFiles().empty()) return &Registry::BuiltIn();
  if (registry != nullptr) return registry;
  registry = Registry::Extending().release();  // as long as the process
  for (const std::string& file : OpsFiles()) MR_RETURN_IF_ERROR(LoadOps(file, registry));
  return registry;
}

Result<bool> IsPlanFile(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Buffer file, Buffer::MapFile(path));
  return StartsAsPlan(file);
}

Result<plan::Plan> ReadPlan(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Buffer file, Buffer::MapFile(path));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  if (file.size() > static_cast<uint64_t>(limits.file_bytes)) {
    return PastLimit(path, "file_bytes", limits.file_bytes, file.size());
  }
  Result<plan::Plan> plan = plan::Read(BytesOf(file));
  if (!plan.ok()) return In(path, plan.status());
  return plan;
}

Result<GraphDef> ReadAnyGraphDef(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Buffer file, Buffer::MapFile(path));
  if (StartsAsPlan(file)) {
    return InvalidArgument(Cat(path, ": a plan, expected a GraphDef; graphc run, bench and print take plans"));
  }
  const Bytes bytes = BytesOf(file);
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  Result<GraphDef> def = ParseGraphDef(bytes, limits);
  if (def.ok()) return def;
  if (def.status().code() != Code::kResourceExhausted && LooksLikeText(bytes.view())) {
    Result<GraphDef> text = GraphDefFromText(std::string(bytes.view()), limits);
    if (text.ok()) return text;
    return In(path, Status(text.status().code(), Cat("a GraphDef as text: ", text.status().message())));
  }
  if (def.status().code() == Code::kResourceExhausted) return In(path, def.status());
  return In(path, Status(def.status().code(), Cat("not a GraphDef: ", def.status().message()),
                         std::string(def.status().node()), std::string(def.status().op())));
}

Result<std::shared_ptr<Graph>> ReadGraph(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadAnyGraphDef(path));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  ImportOptions options;
  options.max_tensor_bytes = static_cast<uint64_t>(limits.tensor_bytes);
  auto graph = std::make_shared<Graph>(*ops);
  if (const Status status = graph->Import(def, options); !status.ok()) return In(path, status);
  return graph;
}

Result<Tensor> ReadValue(const ValueSource& source) {
  if (!source.file.ends_with(".npz")) return ReadNpy(source.file);
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  MR_ASSIGN_OR_RETURN(auto arrays, ReadNpz(source.file, limits));
  std::vector<std::string> names;
  for (const auto& [name, value] : arrays) names.push_back(name);
  if (source.member.empty() && arrays.size() == 1) return arrays.begin()->second;
  const auto found = arrays.find(source.member);
  if (found != arrays.end()) return found->second;
  return NotFound(Cat(source.file, ": choose one of its arrays, ", source.file, "[NAME]: ", Join(names, ", ")));
}

std::string ArrayFileName(std::string tensor) {
  for (char& c : tensor) {
    if (c == '/' || c == ':') c = '_';
  }
  return tensor + ".npy";
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  const auto fail = [&] { return FailedPrecondition(Cat(path, ": cannot be written: ", std::strerror(errno))); };
  if (path == "-") return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? OkStatus() : fail();
  // What is no regular file (a pipe, /dev/null) has no content to replace.
  struct stat info;
  const bool direct = stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  const std::string beside = direct ? path : path + ".part";
  std::FILE* const file = std::fopen(beside.c_str(), "wb");
  if (file == nullptr) return fail();
  bool ok = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  ok = std::fclose(file) == 0 && ok;
  ok = ok && (direct || std::rename(beside.c_str(), path.c_str()) == 0);
  if (ok) return OkStatus();
  const Status failed = fail();
  if (!direct) std::remove(beside.c_str());
  return failed;
}

}  // namespace millrace::graphc
