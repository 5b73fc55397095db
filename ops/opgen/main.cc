// opgen: writes the builder's typed functions. See README.md.
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "millrace/ops/opgen/catalogue.h"
#include "millrace/ops/opgen/function.h"
#include "millrace/proto/value/strings.h"

namespace millrace::opgen {
namespace {

constexpr char kUsage[] =
    "opgen DIR      writes <folder>_ops.h, <folder>_ops.cc and ops.h into DIR, those that changed\n"
    "opgen --list   prints folder and op, a line each\n";

// Leaves a file alone that has this content: what was made of it stays valid.
Status WriteIfChanged(const std::string& path, const std::string& content) {
  {
    std::ifstream in(path, std::ios::binary);
    std::stringstream old;
    if (in && (old << in.rdbuf()) && old.str() == content) return OkStatus();
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  return out ? OkStatus() : Status(Code::kUnavailable, Cat("cannot write '", path, "': ", std::strerror(errno)));
}

std::string Header(const std::string& folder, const std::string& functions) {
  return Cat(
      "// Functions of the ops in ops/", folder, ". Written by opgen from their definitions: see\n",
      "// ops/opgen/README.md. Shapes in the comments are those with the attributes' defaults;\n",
      "// x.0 is the first extent of x.\n#pragma once\n\n#include <cstdint>\n#include <string>\n#include <vector>\n\n",
      "#include \"millrace/ops/builder/operators.h\"\n\nnamespace millrace::ops {\n\n", functions,
      "}  // namespace millrace::ops\n");
}

std::string Source(const std::string& folder, const std::string& functions) {
  return Cat("// Written by opgen.\n#include \"millrace/ops/builder/", folder,
             "_ops.h\"\n\n#include \"millrace/ops/builder/generated.h\"\n\nnamespace millrace::ops {\n\n", functions,
             "}  // namespace millrace::ops\n");
}

Status Generate(const std::string& dir) {
  for (const std::string& problem : Registry::BuiltIn().Check()) return Internal(problem);
  std::string all = "// The functions of all built-in ops. Written by opgen.\n#pragma once\n\n";
  for (const auto& [folder, ops] : OpsByFolder()) {
    std::string declarations, definitions;
    for (const Op* op : ops) {
      MR_ASSIGN_OR_RETURN(const Function f, MakeFunction(*op));
      declarations += f.declaration + "\n";
      definitions += f.definition + "\n";
    }
    MR_RETURN_IF_ERROR(WriteIfChanged(Cat(dir, "/", folder, "_ops.h"), Header(folder, declarations)));
    MR_RETURN_IF_ERROR(WriteIfChanged(Cat(dir, "/", folder, "_ops.cc"), Source(folder, definitions)));
    all += Cat("#include \"millrace/ops/builder/", folder, "_ops.h\"\n");
  }
  return WriteIfChanged(Cat(dir, "/ops.h"), all);
}

void List() {
  for (const auto& [folder, ops] : OpsByFolder()) {
    for (const Op* op : ops) std::printf("%s %s\n", folder.c_str(), op->name().c_str());
  }
}

}  // namespace
}  // namespace millrace::opgen

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs(millrace::opgen::kUsage, stderr);
    return 2;
  }
  if (std::strcmp(argv[1], "--list") == 0) {
    millrace::opgen::List();
    return 0;
  }
  const millrace::Status s = millrace::opgen::Generate(argv[1]);
  if (!s.ok()) std::fprintf(stderr, "opgen: %s\n", s.ToString().c_str());
  return s.ok() ? 0 : 1;
}
