#include "millrace/runtime/plan/variables.h"

#include "millrace/ops/state/variable.h"
#include "millrace/proto/value/strings.h"

namespace millrace::exec {

Result<std::shared_ptr<Resource>> FindOrMakeResource(ResourceStore& store, const plan::Resource& resource) {
  if (resource.kind != VariableResource::kKind) {
    return Unimplemented(
        Cat("resource '", resource.name, "': expected kind ", VariableResource::kKind, ", found ", resource.kind));
  }
  const Shape shape = resource.unknown_rank ? Shape::UnknownRank() : Shape(resource.dims);
  return LookupOrCreateVariable(store, resource.container, resource.name, BaseType(resource.dtype), shape);
}

Result<Tensor> ReadVariable(Resource& resource) {
  if (resource.kind() != VariableResource::kKind) {
    return InvalidArgument(Cat("expected a resource of kind ", VariableResource::kKind, ", found ", resource.kind()));
  }
  return static_cast<VariableResource&>(resource).Snapshot();
}

}  // namespace millrace::exec
