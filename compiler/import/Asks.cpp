#include "millrace/compiler/import/Asks.h"
#include "millrace/proto/value/strings.h"
#include "mlir/IR/Builders.h"
#include <unordered_set>

using namespace mlir;

namespace millrace::compiler {
namespace {

constexpr std::string_view kPrefix = "loc:@";
constexpr int kMostColocations = 8; // followed from one node to the next

// "loc:@x" of the node, without the prefix.
std::vector<std::string> colocatedWith(const Node &node) {
  std::vector<std::string> out;
  auto it = node.attrs().find("_class");
  const ListValue *list = it == node.attrs().end() ? nullptr : it->second.get<ListValue>();
  if (list)
    for (const std::string &s : list->s)
      if (std::string_view(s).starts_with(kPrefix))
        out.push_back(s.substr(kPrefix.size()));
  return out;
}

bool isResourceType(DType dtype) { return IsRef(dtype) || dtype == DType::kResource; }

} // namespace

Result<const DeviceName *> Asks::read(const Node &node) {
  auto [it, fresh] = names.try_emplace(node.device());
  if (!fresh)
    return &it->second;
  Result<DeviceName> name = DeviceName::Parse(node.device());
  if (!name.ok())
    return name.status().At(node.name(), node.op().name());
  it->second = std::move(*name);
  return &it->second;
}

Result<DeviceName> Asks::own(const Node &node, int depth) {
  DeviceName name;
  if (!node.device().empty()) {
    MR_ASSIGN_OR_RETURN(const DeviceName *read, this->read(node));
    name = *read;
  }
  if (depth < kMostColocations && (name.kind.empty() || name.ordinal == DeviceName::kAny))
    for (const std::string &other : colocatedWith(node))
      if (const Node *found = graph.Find(other); found && found != &node) {
        MR_ASSIGN_OR_RETURN(const DeviceName theirs, own(*found, depth + 1));
        if (!name.Contradicts(theirs))
          name = name.Or(theirs);
      }
  return name;
}

Result<DeviceName> Asks::wanted(const Node &node) {
  MR_ASSIGN_OR_RETURN(DeviceName name, own(node, 0));
  if (!createsResource(node.op()) || !name.kind.empty())
    return name;
  std::vector<const Node *> work{&node};
  std::unordered_set<const Node *> seen{&node};
  const Node *first = nullptr;
  DeviceName theirs;
  while (!work.empty()) {
    const Node *at = work.back();
    work.pop_back();
    for (const Node *user : at->users()) {
      const bool touches =
          std::any_of(user->inputs().begin(), user->inputs().end(), [&](const Endpoint &e) {
            return e.node == at && isResourceType(at->output_types()[static_cast<size_t>(e.index)]);
          });
      if (!touches || !seen.insert(user).second)
        continue;
      if (!first || user->id() < first->id()) {
        MR_ASSIGN_OR_RETURN(DeviceName asked, own(*user, 0));
        if (!asked.kind.empty() && !name.Contradicts(asked)) {
          first = user;
          theirs = std::move(asked);
        }
      }
      if (std::any_of(user->output_types().begin(), user->output_types().end(), isResourceType))
        work.push_back(user);
    }
  }
  return name.Or(theirs);
}

Status Asks::add(const Node &node, Operation *op) {
  const bool several = state.devices.size() > 1;
  if (!node.device().empty()) {
    MR_ASSIGN_OR_RETURN(const DeviceName *name, read(node));
    if (!state.softPlacement && llvm::none_of(state.devices, [&](const plan::DeviceRef &d) {
          return name->Matches(d.kind, static_cast<int32_t>(d.ordinal));
        }))
      return InvalidArgument(Cat("asks for device '", node.device(),
                                 "', which is not there; the devices are ", deviceTexts(state),
                                 ", and soft placement is off"))
          .At(node.name(), node.op().name());
  }
  if (!several && !state.explainPlacement)
    return OkStatus();
  // With one device it makes no difference what others want: the plan is as if
  // nobody had asked.
  DeviceName own, all;
  if (!node.device().empty()) {
    MR_ASSIGN_OR_RETURN(const DeviceName *name, read(node));
    own = all = *name;
  }
  Builder b(op->getContext());
  if (several) {
    MR_ASSIGN_OR_RETURN(all, wanted(node));
    // Operations that want different devices are not equal.
    if (!all.open())
      op->setAttr("graph.device", b.getStringAttr(all.ToString()));
  }
  if (!all.open())
    state.askedDevices.emplace(node.name(),
                               CompileState::DeviceAsk{own.ToString(), all.ToString()});
  if (!several)
    return OkStatus();
  SmallVector<Attribute> others;
  for (const std::string &other : colocatedWith(node))
    if (other != node.name())
      others.push_back(b.getStringAttr(other));
  if (!others.empty())
    op->setAttr("graph.colocate", b.getArrayAttr(others));
  return OkStatus();
}

} // namespace millrace::compiler
