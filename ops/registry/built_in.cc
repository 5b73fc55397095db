// The table of families becomes the built-in registry.
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace families {

#define MILLRACE_FAMILY(folder, name) void name(Registry&);
#include "millrace/ops/families.def"
#undef MILLRACE_FAMILY

}  // namespace families

const Registry& Registry::BuiltIn() {
  // Never destroyed: threads of the host may outlive static objects.
  static const Registry* const built_in = [] {
    auto* registry = new Registry;
#define MILLRACE_FAMILY(folder, name) families::name(*registry);
#include "millrace/ops/families.def"
#undef MILLRACE_FAMILY
    return registry;
  }();
  return *built_in;
}

}  // namespace millrace
