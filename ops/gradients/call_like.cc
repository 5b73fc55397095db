#include "millrace/ops/gradients/call_like.h"

#include <algorithm>

#include "millrace/ops/graph/graph.h"

namespace millrace {
namespace {

bool FollowsFromInputs(const OpDefValue& signature, std::string_view attr) {
  return std::any_of(signature.inputs.begin(), signature.inputs.end(), [&](const ArgDef& arg) {
    return arg.type_attr == attr || arg.number_attr == attr || arg.type_list_attr == attr;
  });
}

}  // namespace

Operation CallLike(GradientContext& g, std::string_view op, const std::vector<Argument>& arguments, AttrMap changes) {
  const AttrMap& has = g.node().attrs();
  if (const Op* called = g.scope().graph()->registry().Find(op)) {
    for (const AttrDef& attr : called->signature().attrs) {
      const auto it = has.find(attr.name);
      if (it == has.end() || FollowsFromInputs(called->signature(), attr.name)) continue;
      changes.emplace(attr.name, it->second);
    }
  }
  return Call(g, op, arguments, std::move(changes));
}

}  // namespace millrace
