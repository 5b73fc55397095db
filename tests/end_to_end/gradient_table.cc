// gradient_table [--filter TEXT]: every op with a gradient function against
// central differences, the same in a graph that does not know the extents, and
// the gradient of the gradient likewise. Prints the worst relative error by op.
// Fails where one is too large, and where an op with a gradient has no case.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <optional>

#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/gradient_checker.h"
#include "millrace/tests/end_to_end/gradient_cases.h"

using namespace millrace;
using namespace millrace::end_to_end;

namespace {

double Limit(DType precision) { return precision == DType::kDouble ? 1e-6 : 2e-2; }

// First order; the same in a graph with open shapes; second order.
enum Way { kFirst, kOpen, kSecond };

struct Row {
  int cases = 0;
  int64_t elements = 0;
  DType precision = DType::kDouble;
  std::optional<double> worst[3];  // by Way
  std::vector<std::string> failures;
};

void Note(const Result<GradientCheck>& check, Way way, Row* row) {
  constexpr const char* kNames[] = {"", "open shapes: ", "second order: "};
  const char* const what = kNames[way];
  if (!check.ok()) {
    row->failures.push_back(Cat(what, check.status().ToString()));
    return;
  }
  row->elements += check->checked;
  if (check->precision != DType::kDouble) row->precision = check->precision;
  row->worst[way] = std::max(row->worst[way].value_or(0), check->worst_error);
  if (!(check->worst_error <= Limit(check->precision))) row->failures.push_back(Cat(what, check->ToString()));
}

// True where the gradient says that there is none: an op that refuses stands in
// the way.
bool Refused(const Status& status) { return status.code() == Code::kUnimplemented || status.code() == Code::kNotFound; }

// A graph of today, or the last that may have the op.
Scope NewGraph(const char* op) {
  const auto graph = std::make_shared<Graph>();
  const Op* known = Registry::BuiltIn().Find(op);
  GraphDef empty;
  empty.has_versions = known != nullptr && known->signature().has_deprecation;
  if (empty.has_versions) empty.versions.producer = known->signature().deprecation.version - 1;
  const Scope scope(graph);
  if (const Status s = graph->Import(empty); !s.ok()) scope.Fail(s);
  return scope;
}

void CheckOpen(const GradientTableCase& c, Row* row) {
  const Scope scope = NewGraph(c.op);
  GradientCases cases(scope, c.op, true);
  const Ys ys = c.build(cases);
  GradientCheckOptions options;
  options.feeds = cases.feeds;
  options.targets = cases.targets;
  Note(scope.ok() ? CheckGradient(ys.outputs, cases.xs, options) : scope.status(), kOpen, row);
}

void Check(const GradientTableCase& c, Row* row) {
  const Scope scope = NewGraph(c.op);
  GradientCases cases(scope, c.op, false);
  const Ys ys = c.build(cases);
  ++row->cases;
  if (!scope.ok()) {
    row->failures.push_back(scope.status().ToString());
    return;
  }
  GradientCheckOptions options;
  options.feeds = cases.feeds;
  options.targets = cases.targets;
  Note(CheckGradient(ys.outputs, cases.xs, options), kFirst, row);

  // Of the square, so that linear ops, too, have gradients that depend on x.
  std::vector<Output> squares, first;
  for (const Output& y : ys.outputs) squares.push_back(Call(scope, "Square", {y}).output());
  GradientOptions with;
  for (const Output& y : squares) with.grad_ys.push_back(Call(scope, "OnesLike", {y}).output());
  for (const Gradient& g : Gradients(scope, squares, cases.xs, with)) {
    if (!g.none()) first.push_back(g.ToDense(scope));
  }
  if (!scope.ok()) {
    row->failures.push_back(scope.status().ToString());
    return;
  }
  if (first.empty()) return;
  const Result<GradientCheck> second = CheckGradient(first, cases.xs, options);
  if (second.ok() || !Refused(second.status())) Note(second, kSecond, row);
}

std::string Text(const std::optional<double>& error) {
  if (!error) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", *error);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Compares the gradients of all ops with central differences.");
  std::string filter;
  app.add_option("--filter", filter, "only ops whose name contains this text");
  CLI11_PARSE(app, argc, argv);

  std::map<std::string, Row> rows;
  for (const std::string& op : GradientTable::BuiltIn().names()) {
    // Without a kernel there is nothing to compare with: the compiler takes such nodes
    // apart, or refuses them, and has tests of its own.
    const Op* const def = Registry::BuiltIn().Find(op);
    const bool runs = def == nullptr || !def->kernels().empty();
    if (runs && GradientTable::BuiltIn().Find(op) != RefuseGradient) rows[op];
  }
  for (const auto& cases : {MathGradientCases(), ArrayGradientCases(), NetworkGradientCases()}) {
    for (const GradientTableCase& c : cases) {
      if (std::string_view(c.op).find(filter) != std::string_view::npos) {
        Check(c, &rows[c.op]);
        CheckOpen(c, &rows[c.op]);
      }
    }
  }

  std::printf("%-40s %6s %9s %10s %10s %10s %10s\n", "", "cases", "elements", "computed", "worst", "open", "2nd order");
  int failed = 0, shown = 0;
  double worst = 0;
  for (auto& [op, row] : rows) {
    if (op.find(filter) == std::string::npos) continue;
    ++shown;
    if (row.cases == 0) row.failures.push_back("no case");
    failed += !row.failures.empty();
    std::printf("%-40s %6d %9lld %10s %10s %10s %10s%s\n", op.c_str(), row.cases, static_cast<long long>(row.elements),
                DTypeName(row.precision).c_str(), Text(row.worst[kFirst]).c_str(), Text(row.worst[kOpen]).c_str(),
                Text(row.worst[kSecond]).c_str(), row.failures.empty() ? "" : "  FAILED");
    for (const std::string& failure : row.failures) std::printf("    %s\n", failure.c_str());
    if (row.precision == DType::kDouble) worst = std::max(worst, row.worst[kFirst].value_or(0));
  }
  std::printf("%d ops, %d failed; worst error in double %.1e\n", shown, failed, worst);
  return failed == 0 ? 0 : 1;
}
