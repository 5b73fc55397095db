#include "millrace/compiler/api/explain.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/plan/peak_memory.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"

namespace millrace::graphc {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string graph;
  std::vector<std::string> nodes, dims;
  bool json = false;
  SignatureArguments signatures;
  CompileOptions options;
};

// "3072*x.0 = 24576".
std::string Numbered(const std::string& text, int64_t number) {
  return number < 0 || text == Cat(number) ? text : Cat(text, " = ", number);
}
std::string Text(const SizeExplanation& size) { return Numbered(size.text, size.number); }

std::string Text(const ValueExplanation& v) {
  std::string text = Cat(v.type, " in ", v.place);
  if (v.place.starts_with("slot")) text += Cat(" at ", Text(v.offset));
  if (v.bytes.text != "?") text += Cat(", ", Text(v.bytes), " bytes");
  if (!v.over.empty()) text += Cat(", over '", v.over, "'");
  return text;
}

// A list that is cut where it gets long.
std::string Some(const std::vector<std::string>& all, size_t most) {
  std::vector<std::string> shown(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most)));
  if (all.size() > most) shown.push_back(Cat("and ", all.size() - most, " more"));
  return Join(shown, ", ");
}

void PrintStep(size_t number, const StepExplanation& s, size_t most) {
  std::printf("step %zu: %s '%s' on %s\n", number, s.op.c_str(), s.node.c_str(), s.device.c_str());
  if (!s.device_why.empty()) std::printf("    there because: %s\n", s.device_why.c_str());
  if (s.nodes.size() > 1) std::printf("    %zu nodes: %s\n", s.nodes.size(), Some(s.nodes, most).c_str());
  else if (!s.why_not_fused.empty()) std::printf("    alone because: %s\n", s.why_not_fused.c_str());
  if (!s.code.empty()) std::printf("    compiled: %s\n", s.code.c_str());
  if (!s.reads.empty()) std::printf("    reads %s\n", Some(s.reads, most).c_str());
  for (const ValueExplanation& v : s.writes) std::printf("    writes %s: %s\n", v.name.c_str(), Text(v).c_str());
  if (!s.after.empty()) {
    std::vector<std::string> after;
    for (uint32_t a : s.after) after.push_back(Cat(a));
    std::printf("    after %s\n", Some(after, most).c_str());
  }
}

std::string Where(const NodeExplanation& n, const Explanation& e) {
  const std::string pass = n.passes.empty() ? "" : Cat(" (", Join(n.passes, ", "), ")");
  const StepExplanation* step = n.step < 0 ? nullptr : &e.steps[static_cast<size_t>(n.step)];
  switch (n.fate) {
    case NodeFate::kNotAsked:
      return "nothing that was asked for needs it";
    case NodeFate::kFed:
      return Cat("fed as '", n.by, "'");
    case NodeFate::kStep:
      return Cat("step ", n.step, step == nullptr || step->op == n.op ? "" : Cat(" as ", step->op), pass);
    case NodeFate::kFused: {
      std::vector<std::string> others;
      for (const std::string& other : step->nodes) {
        if (other != n.node) others.push_back(other);
      }
      return Cat("fused into step ", n.step, ", ", step->op, pass, ", with ", Some(others, 6));
    }
    case NodeFate::kConstant:
      return n.op == "Const" ? "constant" : Cat("computed into a constant", pass);
    case NodeFate::kExtents:
      return Cat("extents", pass);
    case NodeFate::kAlias:
      return Cat("alias", pass);
    case NodeFate::kResource:
      return "variable";
    case NodeFate::kOrder:
      return Cat("order alone, without work", pass);
    case NodeFate::kReplaced:
      return Cat("'", n.by, "' stands for it", pass, step == nullptr ? "" : Cat(", from step ", n.step));
    case NodeFate::kGone:
      return Cat("gone: nothing needs it any more", pass);
  }
  return "?";
}

void PrintNode(const NodeExplanation& n, const Explanation& e) {
  std::printf("%s (%s): %s\n", n.node.c_str(), n.op.c_str(), Where(n, e).c_str());
  for (const ValueExplanation& v : n.values) std::printf("    %s: %s\n", v.name.c_str(), Text(v).c_str());
}

void PrintTotals(const Explanation& e, const PeakMemory& m) {
  std::printf("%zu nodes, %lld asked for, %zu steps\n", e.nodes.size(), static_cast<long long>(e.asked),
              e.steps.size());
  std::vector<std::pair<std::string, int64_t>> fates;
  for (const NodeExplanation& n : e.nodes) {
    const std::string fate = FateName(n.fate);
    auto it = std::find_if(fates.begin(), fates.end(), [&](const auto& f) { return f.first == fate; });
    if (it == fates.end()) fates.emplace_back(fate, 1);
    else ++it->second;
  }
  std::sort(fates.begin(), fates.end());
  std::vector<std::string> texts;
  for (const auto& [fate, count] : fates) texts.push_back(Cat(fate, " ", count));
  std::printf("nodes by fate: %s\n", Join(texts, ", ").c_str());
  std::printf("constants: %lld, %lld bytes\n", static_cast<long long>(e.constants),
              static_cast<long long>(e.constant_bytes));
  std::vector<std::string> parts;
  const auto part = [&](const char* name, const MemorySize& size) {
    if (size.text != "0") parts.push_back(Cat(name, " ", Numbered(size.text, size.bytes)));
  };
  part("arena", m.arena);
  part("late values", m.late);
  part("results", m.results);
  part("constants", m.constants);
  part("variables", m.variables);
  part("in all", m.total);
  std::printf("memory, bytes: %s\n", Join(parts, "; ").c_str());
  if (!m.unbounded.empty()) std::printf("without a bound: %s\n", Some(m.unbounded, 16).c_str());
}

Json ToJson(const SizeExplanation& s) {
  Json json = {{"text", s.text}};
  if (s.number >= 0) json["number"] = s.number;
  return json;
}

Json ToJson(const ValueExplanation& v) {
  Json json = {{"name", v.name}, {"type", v.type}, {"place", v.place}};
  if (v.bytes.text != "?") json["bytes"] = ToJson(v.bytes);
  if (v.place.starts_with("slot")) json["offset"] = ToJson(v.offset);
  if (!v.over.empty()) json["over"] = v.over;
  return json;
}

Json ToJson(const std::vector<ValueExplanation>& values) {
  Json json = Json::array();
  for (const ValueExplanation& v : values) json.push_back(ToJson(v));
  return json;
}

Json ToJson(const StepExplanation& s) {
  Json json = {{"node", s.node},     {"op", s.op},       {"nodes", s.nodes},
               {"device", s.device}, {"reads", s.reads}, {"writes", ToJson(s.writes)},
               {"after", s.after}};
  if (!s.device_why.empty()) json["device_why"] = s.device_why;
  if (!s.code.empty()) json["code"] = s.code;
  if (!s.why_not_fused.empty()) json["why_not_fused"] = s.why_not_fused;
  return json;
}

Json ToJson(const NodeExplanation& n) {
  Json json = {{"node", n.node}, {"op", n.op}, {"fate", FateName(n.fate)}};
  if (!n.passes.empty()) json["passes"] = n.passes;
  if (n.step >= 0) json["step"] = n.step;
  if (!n.by.empty()) json["by"] = n.by;
  if (!n.values.empty()) json["values"] = ToJson(n.values);
  return json;
}

Json ToJson(const MemorySize& s) {
  Json json = {{"text", s.text}};
  if (s.bytes >= 0) json["number"] = s.bytes;
  return json;
}

Json ToJson(const PeakMemory& m) {
  return {{"arena", ToJson(m.arena)},         {"late", ToJson(m.late)},           {"results", ToJson(m.results)},
          {"constants", ToJson(m.constants)}, {"variables", ToJson(m.variables)}, {"total", ToJson(m.total)},
          {"unbounded", m.unbounded}};
}

Json ToJson(const Explanation& e, const PeakMemory& m) {
  Json json = {{"asked", e.asked},       {"constants", e.constants}, {"constant_bytes", e.constant_bytes},
               {"slots", e.slots},       {"memory", ToJson(m)},      {"late_values", e.late_values},
               {"steps", Json::array()}, {"nodes", Json::array()}};
  for (const StepExplanation& s : e.steps) json["steps"].push_back(ToJson(s));
  for (const NodeExplanation& n : e.nodes) json["nodes"].push_back(ToJson(n));
  return json;
}

Status Explain(const Arguments& a) {
  MR_ASSIGN_OR_RETURN(const auto signatures, a.signatures.Parse());
  if (signatures.size() != 1) return InvalidArgument(Cat("expected one entry point, found ", signatures.size()));
  Stage(Cat("import ", a.graph));
  MR_ASSIGN_OR_RETURN(const auto graph, ReadGraph(a.graph));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, signatures));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, "--node", a.nodes));
  ExplainOptions options;
  options.compile = a.options;
  MR_ASSIGN_OR_RETURN(options.compile.limits, LimitsFromEnvironment());
  options.compile.before_pass = [](std::string_view pass) { Stage(Cat("compile: ", pass)); };
  MR_ASSIGN_OR_RETURN(options.dims, ParseDims(a.dims));
  MR_ASSIGN_OR_RETURN(Explanation e, InFile(a.graph, millrace::Explain(*graph, signatures[0], options)));
  MR_ASSIGN_OR_RETURN(const PeakMemory memory, PeakMemoryOf(e.plan, signatures[0].name, options.dims));
  EndProgress();

  if (a.json) {
    // The steps stay: nodes refer to them by number.
    const auto unwanted = [&](const NodeExplanation& n) {
      return !a.nodes.empty() && std::find(a.nodes.begin(), a.nodes.end(), n.node) == a.nodes.end();
    };
    std::erase_if(e.nodes, unwanted);
    std::printf("%s\n", ToJson(e, memory).dump(1, ' ', false, Json::error_handler_t::replace).c_str());
    return OkStatus();
  }
  if (!a.nodes.empty()) {
    for (const std::string& name : a.nodes) {
      const auto it =
          std::find_if(e.nodes.begin(), e.nodes.end(), [&](const NodeExplanation& n) { return n.node == name; });
      if (it == e.nodes.end()) return NotFound(Cat("--node ", name, ": the graph has no node of that name"));
      PrintNode(*it, e);
      if (it->step >= 0) PrintStep(static_cast<size_t>(it->step), e.steps[static_cast<size_t>(it->step)], SIZE_MAX);
    }
    return OkStatus();
  }
  for (size_t s = 0; s < e.steps.size(); ++s) PrintStep(s, e.steps[s], 16);
  for (const NodeExplanation& n : e.nodes) PrintNode(n, e);
  PrintTotals(e, memory);
  return OkStatus();
}

}  // namespace

void AddExplain(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("explain", "what became of every node of a graph, and of its memory");
  AddFile(command, "graph", a->graph, "GraphDef, bytes or text")->required();
  a->signatures.AddTo(command);
  AddList(command, "--node", a->nodes, "only this node, and the step that computes it")->delimiter(',');
  AddList(command, "--dim", a->dims, "an open dimension as a number, x.0=8: sizes then have numbers")->delimiter(',');
  command->add_flag("--json", a->json, "as JSON");
  AddPasses(command, &a->options.disabled_passes);
  AddCodegen(command, &a->options);
  command->footer(
      "Examples:\n"
      "  graphc explain digits.pb --feed images --fetch digit --dim images.0=8\n"
      "  graphc explain digits.pb --feed images --fetch digit --node c1/mul   why is it where it is?\n");
  command->callback([a, outcome] { outcome->status = Explain(*a); });
}

}  // namespace millrace::graphc
