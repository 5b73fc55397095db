#include "millrace/ops/builder/output.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

DType Output::dtype() const { return valid() ? node().output_types()[static_cast<size_t>(index())] : DType::kInvalid; }

const SymShape& Output::shape() const {
  static const SymShape* const unknown = new SymShape();
  return valid() ? node().output(index()).shape : *unknown;
}

std::string Output::name() const { return valid() ? Cat(node().name(), ":", index()) : std::string(); }

}  // namespace millrace
