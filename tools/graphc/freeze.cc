#include "millrace/ops/graph/freeze.h"

#include <sys/stat.h>

#include <cstdio>

#include "millrace/ops/io/npy.h"
#include "millrace/ops/io/npz.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string graph, output, values;
  std::vector<std::string> init, value;
  FreezeOptions options;
};

using Values = std::map<std::string, Tensor>;

std::string VariableName(std::string name) {
  if (name.ends_with(":0")) name.resize(name.size() - 2);
  return name;
}

// What the nodes of --init leave in the variables.
Status FromInit(const Arguments& a, const std::vector<const Node*>& variables, Values* values) {
  if (a.init.empty() || variables.empty()) return OkStatus();
  // A graph of its own: the nodes that read the variables are no part of the result.
  MR_ASSIGN_OR_RETURN(const std::shared_ptr<Graph> graph, ReadGraph(a.graph));
  std::vector<std::string> reads;
  for (const Node* variable : variables) {
    Node* const node = graph->Find(variable->name());
    const bool handle = node->op().name() == "VarHandleOp";
    const DType type = *node->attrs().find("dtype")->second.get<DType>();
    NodeSpec read;
    read.name = graph->UniqueName("read_" + node->name());
    read.op = handle ? "ReadVariableOp" : "Identity";
    read.inputs = {{node, 0}};
    read.attrs = {{handle ? "dtype" : "T", type}};
    MR_ASSIGN_OR_RETURN(const Node* const added, graph->AddNode(std::move(read)));
    reads.push_back(TensorName(added->name()));
  }
  MR_ASSIGN_OR_RETURN(const auto session, Session::New(graph));
  for (const std::string& node : a.init) {
    MR_RETURN_IF_ERROR(InFile(a.graph, session->Run({}, {}, {node}).status()));
  }
  for (size_t i = 0; i < variables.size(); ++i) {
    // One that --init leaves alone may have its value from a file.
    Result<std::vector<Tensor>> value = session->Run({}, {reads[i]});
    if (value.ok()) (*values)[variables[i]->name()] = (*value)[0];
  }
  return OkStatus();
}

// --values: an NPZ, or a folder as `graphc run --out-dir` leaves it.
Status FromFiles(const Arguments& a, const std::vector<const Node*>& variables, Values* values) {
  if (a.values.empty()) return OkStatus();
  struct stat info;
  if (stat(a.values.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
    MR_ASSIGN_OR_RETURN(auto arrays, ReadNpz(a.values, limits));
    for (auto& [name, value] : arrays) (*values)[VariableName(name)] = std::move(value);
    return OkStatus();
  }
  for (const Node* variable : variables) {
    for (const std::string& name : {TensorName(variable->name()), variable->name()}) {
      const std::string path = Cat(a.values, "/", ArrayFileName(name));
      if (stat(path.c_str(), &info) != 0) continue;
      MR_ASSIGN_OR_RETURN((*values)[variable->name()], ReadNpy(path));
      break;
    }
  }
  return OkStatus();
}

Status Freeze(const Arguments& a) {
  MR_RETURN_IF_ERROR(RefuseSameFile(a.graph, a.output));
  Stage(Cat("import ", a.graph));
  MR_ASSIGN_OR_RETURN(const std::shared_ptr<Graph> graph, ReadGraph(a.graph));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, "--feed", a.options.feeds));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, "--fetch", a.options.fetches));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, "--init", a.init));
  MR_ASSIGN_OR_RETURN(const std::vector<const Node*> variables, NeededVariables(*graph, a.options));
  Values values;
  Stage("run the initialisation");
  MR_RETURN_IF_ERROR(FromInit(a, variables, &values));
  MR_RETURN_IF_ERROR(FromFiles(a, variables, &values));
  for (const std::string& text : a.value) {
    MR_ASSIGN_OR_RETURN(const ValueSource source, ParseValueSource(text, "--value"));
    const std::string name = VariableName(source.name);
    MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, "--value", {name}));
    MR_ASSIGN_OR_RETURN(values[name], ReadValue(source));
  }
  Result<GraphDef> frozen = millrace::Freeze(*graph, a.options, values);
  if (frozen.status().code() == Code::kFailedPrecondition) {
    return Status(Code::kFailedPrecondition,
                  Cat(a.graph, ": ", frozen.status().message(),
                      ": give --init NODE that sets it, --values FILE.npz or --value NAME=FILE.npy"),
                  std::string(frozen.status().node()), std::string(frozen.status().op()));
  }
  MR_RETURN_IF_ERROR(InFile(a.graph, frozen.status()));
  Stage(Cat("write ", a.output));
  MR_RETURN_IF_ERROR(WriteFile(a.output, SerializeGraphDef(*frozen)));
  EndProgress();
  if (a.output == "-") return OkStatus();
  int64_t bytes = 0;
  for (const Node* variable : variables) {
    if (const auto value = values.find(variable->name()); value != values.end()) {
      bytes += static_cast<int64_t>(value->second.bytes());
    }
  }
  std::printf("%s: %zu of %zu nodes, %zu variable%s became constant, %lld bytes\n", a.output.c_str(),
              frozen->nodes.size(), graph->nodes().size(), variables.size(), variables.size() == 1 ? "" : "s",
              static_cast<long long>(bytes));
  return OkStatus();
}

}  // namespace

void AddFreeze(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("freeze", "turn variables into constants, and keep what the fetches need");
  AddFile(command, "graph", a->graph, "GraphDef, bytes or text")->required();
  AddFile(command, "-o,--output", a->output, "the GraphDef to write; - for stdout")->required();
  AddList(command, "--fetch", a->options.fetches, "tensor that the frozen graph is for: y or y:0")
      ->delimiter(',')
      ->required();
  AddList(command, "--feed", a->options.feeds, "tensor that will be fed: what only it needs goes")->delimiter(',');
  AddList(command, "--init", a->init, "node to run, after which the variables have their values");
  AddFile(command, "--values", a->values,
          "values by the variables' names: an NPZ, or a folder of NPY files as `graphc run --out-dir` leaves it");
  AddList(command, "--value", a->value, "of one variable, NAME=FILE.npy; repeat it for more");
  command->footer(
      "Values are taken from --init, then from --values, then from --value; the last one counts.\n"
      "Examples:\n"
      "  graphc freeze training.pb -o model.pb --fetch logits --values weights.npz\n"
      "  graphc freeze training.pb -o model.pb --fetch logits --init init --value w=w.npy\n");
  command->callback([a, outcome] { outcome->status = Freeze(*a); });
}

}  // namespace millrace::graphc
