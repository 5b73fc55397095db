// Emit: the scheduled module as a Plan.
#pragma once

#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"
#include "mlir/IR/BuiltinOps.h"

namespace millrace::compiler {

// After the schedule phase. Constants share the graph's memory; expressions that
// nothing uses are left out.
Result<plan::Plan> emitPlan(mlir::ModuleOp module);

} // namespace millrace::compiler
