#include "millrace/proto/plan/print.h"

#include <cstdio>

#include "millrace/devices/api/buffer.h"
#include "millrace/ops/graph/load.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/show.h"

namespace millrace::graphc {
namespace {

Status Print(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const bool is_plan, IsPlanFile(path));
  std::string text;
  if (is_plan) {
    MR_ASSIGN_OR_RETURN(Buffer file, Buffer::MapFile(path));
    MR_ASSIGN_OR_RETURN(const plan::Plan plan,
                        plan::Read(Bytes({static_cast<const char*>(file.data()), file.size()}, file.owner())));
    text = plan::Print(plan);
  } else {
    MR_ASSIGN_OR_RETURN(const GraphDef def, ReadGraphDef(path));
    text = Show(def);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return OkStatus();
}

}  // namespace

void AddPrint(CLI::App& app, Status* status) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("print", "show a GraphDef or a plan as text");
  command->add_option("file", *path, "serialized GraphDef, or plan")->required();
  command->callback([path, status] { *status = Print(*path); });
}

}  // namespace millrace::graphc
