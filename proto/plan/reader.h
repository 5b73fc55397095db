// Reading a Plan's bytes (proto/plan/layout.h), wherever they come from.
#pragma once

#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/status.h"

namespace millrace::plan {

struct ReadOptions {
  // False: damage is not looked for. For tests that change bytes on purpose;
  // whatever the bytes, the plan that is returned is valid.
  bool check_digests = true;
  // Refuse a plan that carries compiled code.
  bool no_code = false;
};

// The plan in `bytes`. Contents of constants and of code are views of `bytes`
// (which its owner keeps alive) and start at multiples of 64: bytes that do not
// are copied first, so map or align what is big. DataLoss for what is cut off or damaged,
// FailedPrecondition for another version or refused code, InvalidArgument for
// what makes no sense; the message names the section, the index, expected and
// found. Takes time and memory linear in the bytes. Safe on any bytes, as long
// as nobody changes them meanwhile.
Result<Plan> Read(const Bytes& bytes, const ReadOptions& options = {});

}  // namespace millrace::plan
