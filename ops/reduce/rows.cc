#include "millrace/ops/reduce/rows.h"

#include "millrace/ops/reduce/definitions.h"

namespace millrace::reduce {

const RowReducer* FindRowReducer(std::string_view op, DType type, DType result) {
  if (op == "ArgMax") return ArgMaxRows(type, result);
  if (op == "ArgMin") return ArgMinRows(type, result);
  if (type != result) return nullptr;
  struct Named {
    std::string_view op;
    const RowReducer* (*find)(DType);
  };
  static constexpr Named kAll[] = {{"Sum", SumRows}, {"Mean", MeanRows}, {"Prod", ProdRows}, {"Max", MaxRows},
                                   {"Min", MinRows}, {"All", AllRows},   {"Any", AnyRows}};
  for (const Named& named : kAll) {
    if (named.op == op) return named.find(type);
  }
  return nullptr;
}

}  // namespace millrace::reduce
