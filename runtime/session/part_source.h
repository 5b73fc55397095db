// PartSource: what a partial run has of its session.
#pragma once

#include <memory>

#include "millrace/compiler/api/compile.h"
#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/runtime/executor/run_limit.h"

namespace millrace {

class PartSource {
 public:
  virtual ~PartSource() = default;
  // The callable of a part, compiled where it is new; null where it fetches nothing and
  // has no targets. FailedPrecondition once the session is closed.
  virtual Result<std::shared_ptr<SinkCallable>> FindPart(const SignatureSpec& part, const RunLimit& limit) = 0;
  // Of results, and of what is kept.
  virtual Allocator& allocator() = 0;
};

}  // namespace millrace
