#include <cstdio>

#include "millrace/ops/gradients/export.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"
#include "millrace/tools/graphc/text_graph.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string graph, output, to;
  bool standard = false;
};

// The wanted form: what --to says, else what the file's name does.
bool WantsText(const Arguments& a) {
  if (!a.to.empty()) return a.to == "text";
  for (const char* end : {".pbtxt", ".txt", ".textproto", ".prototxt"}) {
    if (a.output.ends_with(end)) return true;
  }
  return false;
}

// As nodes that the reference framework has; says where that cannot be.
Result<GraphDef> Standard(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const std::shared_ptr<Graph> graph, ReadGraph(path));
  MR_ASSIGN_OR_RETURN(GraphDef def, ExportGraphDef(graph));
  for (const NodeDef& node : def.nodes) {
    if (Registry::BuiltIn().Find(node.op) != nullptr) continue;
    std::fprintf(stderr, "graphc: note: node '%s' (%s) is an op of your own: TensorFlow needs it, too\n",
                 node.name.c_str(), node.op.c_str());
  }
  return def;
}

Status Convert(const Arguments& a) {
  Stage(Cat("read ", a.graph));
  MR_ASSIGN_OR_RETURN(const GraphDef def, a.standard ? Standard(a.graph) : ReadAnyGraphDef(a.graph));
  Stage(Cat("write ", a.output));
  std::string bytes;
  if (WantsText(a)) {
    bool left_out = false;
    MR_ASSIGN_OR_RETURN(bytes, GraphDefToText(def, &left_out));
    if (left_out) {
      std::fprintf(stderr, "graphc: note: %s has fields that Millrace does not read; the text is without them\n",
                   a.graph.c_str());
    }
  } else {
    bytes = SerializeGraphDef(def);
  }
  MR_RETURN_IF_ERROR(WriteFile(a.output, bytes));
  EndProgress();
  if (a.output != "-") std::printf("%s: %zu nodes, %zu bytes\n", a.output.c_str(), def.nodes.size(), bytes.size());
  return OkStatus();
}

}  // namespace

void AddConvert(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("convert", "a GraphDef from bytes to text and back, or to standard nodes");
  AddFile(command, "graph", a->graph, "GraphDef, bytes or text")->required();
  AddFile(command, "-o,--output", a->output, "the file to write; - for stdout")->required();
  OneOf(command->add_option("--to", a->to, "the form; unless given, a name that ends in .pbtxt or .txt wants text"),
        {"binary", "text"});
  command->add_flag("--export", a->standard,
                    "as TensorFlow can read it: calls of functions and gradients left to the compiler are expanded to "
                    "standard nodes, defaults are filled in");
  command->footer(
      "Examples:\n"
      "  graphc convert digits.pb -o digits.pbtxt\n"
      "  graphc convert digits.pbtxt -o digits.pb\n"
      "  graphc convert digits.pb -o - --to text | less\n"
      "  graphc convert training.pb -o standard.pb --export\n");
  command->callback([a, outcome] { outcome->status = Convert(*a); });
}

}  // namespace millrace::graphc
