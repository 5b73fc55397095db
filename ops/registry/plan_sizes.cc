#include "millrace/ops/registry/plan_sizes.h"

#include <algorithm>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status CheckDims(const plan::Plan& plan, const std::map<std::string, int64_t>& dims) {
  for (const auto& [name, value] : dims) {
    if (value < 0) return InvalidArgument(Cat("dim ", name, ": expected 0 or more, found ", value));
    const bool known = std::any_of(plan.symbols.begin(), plan.symbols.end(),
                                   [&name = name](const plan::Symbol& s) { return s.name == name; });
    if (known) continue;
    std::vector<std::string> names;
    for (const plan::Symbol& s : plan.symbols) names.push_back(s.name);
    return InvalidArgument(
        Cat("dim ", name, ": no open dimension has that name; there are ", names.empty() ? "none" : Join(names, ", ")));
  }
  return OkStatus();
}

}  // namespace

Status PlanSizes::Read(const plan::Plan& plan, const std::map<std::string, int64_t>& dims) {
  MR_RETURN_IF_ERROR(CheckDims(plan, dims));
  for (size_t i = 0; i < plan.exprs.size(); ++i) {
    const plan::DimExpr& e = plan.exprs[i];
    if (e.op == plan::DimOp::kConstant) {
      exprs_.push_back(Number(e.value));
    } else if (e.op == plan::DimOp::kSymbol) {
      if (e.value < 0 || static_cast<uint64_t>(e.value) >= plan.symbols.size()) {
        return InvalidArgument(Cat("expression ", i, ": no symbol has the number ", e.value));
      }
      const std::string& name = plan.symbols[static_cast<size_t>(e.value)].name;
      const auto given = dims.find(name);
      exprs_.push_back({SymElement::Of(texts_.Symbol(name)), given != dims.end()
                                                                 ? SymElement::Number(given->second)
                                                                 : SymElement::Of(numbers_.Symbol(name))});
    } else {
      if (e.a >= i || e.b >= i) return InvalidArgument(Cat("expression ", i, ": expected operands before it"));
      const Size a = exprs_[e.a], b = exprs_[e.b];
      exprs_.push_back(e.op != plan::DimOp::kBroadcast
                           ? Apply(e.op, a, b)
                           : Size{SymElement::Of(texts_.Broadcast(a.symbolic.dim(), b.symbolic.dim())),
                                  SymElement::Of(numbers_.Broadcast(a.numeric.dim(), b.numeric.dim()))});
    }
  }
  return OkStatus();
}

PlanSizes::Size PlanSizes::Aligned(const Size& a) {
  const Size unit = Number(static_cast<int64_t>(kBufferAlignment));
  return Mul(Apply(plan::DimOp::kCeilDiv, a, unit), unit);
}

}  // namespace millrace
