#include "millrace/tools/graphc/load.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "millrace/devices/api/buffer.h"
#include "millrace/ops/io/npy.h"
#include "millrace/ops/io/npz.h"
#include "millrace/ops/user/load_ops.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/meta_graph.h"
#include "millrace/proto/codec/saved_model.h"
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

// An empty one would be a graph of no nodes; it is a copy that failed.
Result<Buffer> MapSomething(const std::string& path) {
  MR_ASSIGN_OR_RETURN(Buffer file, Buffer::MapFile(path));
  if (file.size() == 0) return InvalidArgument(Cat(path, ": the file is empty, expected a GraphDef or a plan"));
  return file;
}

bool StartsAsPlan(const Buffer& file) {
  return file.size() >= sizeof plan::layout::kMagic &&
         std::memcmp(file.data(), plan::layout::kMagic, sizeof plan::layout::kMagic) == 0;
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

// What else people have at hand, in place of a GraphDef; "" where it is nothing known.
std::string OtherFormat(const Bytes& bytes, const Limits& limits) {
  if (bytes.view().starts_with("\x93NUMPY")) return "an array of NumPy; arrays are given with --feed NAME=FILE.npy";
  if (bytes.view().starts_with("PK\x03\x04")) return "a zip file, as NPZ files are";
  if (bytes.view().starts_with("\x7f"
                               "ELF"))
    return "a shared object or a program; ops are given with --ops";
  const Result<SavedModel> model = ParseSavedModel(bytes, limits);
  if (model.ok() && !model->meta_graphs.empty()) {
    return "a SavedModel, which is not read yet: freeze it to a GraphDef where it was made";
  }
  const Result<MetaGraphDef> meta = ParseMetaGraphDef(bytes, limits);
  if (meta.ok() && !meta->graph.nodes.empty()) {
    return "a MetaGraphDef, which is not read yet: write its graph_def to a file of its own";
  }
  return "";
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
  MR_ASSIGN_OR_RETURN(const Buffer file, MapSomething(path));
  return StartsAsPlan(file);
}

Result<plan::Plan> ReadPlan(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Buffer file, MapSomething(path));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  if (file.size() > static_cast<uint64_t>(limits.file_bytes)) {
    return PastLimit(path, "file_bytes", limits.file_bytes, file.size());
  }
  Result<plan::Plan> plan = plan::Read(BytesOf(file));
  if (!plan.ok()) return InFile(path, plan.status());
  return plan;
}

Result<GraphDef> ReadAnyGraphDef(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Buffer file, MapSomething(path));
  if (StartsAsPlan(file)) {
    return InvalidArgument(Cat(path, ": a plan, expected a GraphDef; graphc run, bench and print take plans"));
  }
  const Bytes bytes = BytesOf(file);
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  Result<GraphDef> def = ParseGraphDef(bytes, limits);
  if (def.ok() && !def->nodes.empty()) return def;
  if (!def.ok() && def.status().code() != Code::kResourceExhausted && LooksLikeText(bytes.view())) {
    Result<GraphDef> text = GraphDefFromText(std::string(bytes.view()), limits);
    if (text.ok()) return text;
    return InFile(path, Status(text.status().code(), Cat("a GraphDef as text: ", text.status().message())));
  }
  if (def.status().code() == Code::kResourceExhausted) return InFile(path, def.status());
  if (const std::string format = OtherFormat(bytes, limits); !format.empty()) {
    return InvalidArgument(Cat(path, ": not a GraphDef, but ", format));
  }
  if (def.ok()) return def;  // of functions alone
  return InFile(path, Status(def.status().code(), Cat("not a GraphDef: ", def.status().message()),
                             std::string(def.status().node()), std::string(def.status().op())));
}

Result<std::shared_ptr<Graph>> ReadGraph(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadAnyGraphDef(path));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  ImportOptions options;
  options.max_tensor_bytes = static_cast<uint64_t>(limits.tensor_bytes);
  auto graph = std::make_shared<Graph>(*ops);
  if (const Status status = graph->Import(def, options); !status.ok()) return InFile(path, status);
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

Status WriteFile(const std::string& path, const std::function<Status(const ByteSink&)>& content) {
  if (path != "-") return WriteWholeFile(path, content);
  // What stdout does not take is main's to say.
  return content([](std::string_view piece) {
    std::fwrite(piece.data(), 1, piece.size(), stdout);
    return OkStatus();
  });
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  return WriteFile(path, [&](const ByteSink& sink) { return sink(bytes); });
}

Status RefuseSameFile(const std::string& input, const std::string& output) {
  struct stat in, out;
  if (stat(input.c_str(), &in) != 0 || stat(output.c_str(), &out) != 0) return OkStatus();
  if (in.st_dev != out.st_dev || in.st_ino != out.st_ino) return OkStatus();
  return InvalidArgument(Cat("--output ", output, ": would replace the graph that is read: give another file"));
}

Status InFile(const std::string& path, const Status& status) {
  if (status.ok()) return status;
  // The rest as Status writes it.
  std::string text = status.ToString();
  text.erase(0, CodeName(status.code()).size());
  return Status(status.code(), path + text);
}

}  // namespace millrace::graphc
