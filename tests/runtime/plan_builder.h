// Plans made by hand, and a registry of a few plain ops to run them with.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace::testing {

// Add, Mul (float, with broadcasting), Slow (copies, and looks at `cancelled`),
// Fail (an error), Positive (the elements above 0: a shape that comes late),
// Pair (x + 1 and x - 1), Work (uses scratch and ParallelFor), Variable, Assign
// and AssignAdd on references, Identity.
const Registry& TestRegistry();

// Builds one block and its signature.
class PlanBuilder {
 public:
  PlanBuilder();
  uint32_t Const(int64_t value);
  uint32_t Symbol(const std::string& name);
  uint32_t Expr(plan::DimOp op, uint32_t a, uint32_t b);
  // A fed value; a dim below 0 is a new symbol.
  uint32_t Feed(const std::string& name, std::vector<int64_t> dims, DType dtype = DType::kFloat);
  uint32_t FeedSymbols(const std::string& name, std::vector<uint32_t> exprs, DType dtype = DType::kFloat);
  uint32_t Constant(std::vector<int64_t> dims, const std::vector<float>& values);
  // A value in a slot of its own.
  uint32_t Slot(const std::string& name, std::vector<uint32_t> dims, DType dtype = DType::kFloat);
  uint32_t InSlot(uint32_t slot, const std::string& name, std::vector<uint32_t> dims, DType dtype = DType::kFloat);
  uint32_t NewSlot(std::vector<uint32_t> dims, DType dtype = DType::kFloat);
  uint32_t Late(const std::string& name, DType dtype = DType::kFloat);
  uint32_t LateOf(const std::string& name, std::vector<uint32_t> dims, DType dtype = DType::kFloat);
  uint32_t Alias(const std::string& name, uint32_t of, std::vector<uint32_t> dims);
  uint32_t Extents(const std::string& name, std::vector<uint32_t> exprs, bool scalar = false);
  uint32_t Variable(const std::string& name, std::vector<int64_t> dims, DType dtype = DType::kFloat);
  // Returns the step's number.
  uint32_t Step(const std::string& op, const std::string& node, std::vector<uint32_t> inputs,
                std::vector<uint32_t> outputs, std::vector<uint32_t> after = {});
  void Fetch(const std::string& name, uint32_t value);
  // Starts the next signature, with a block of its own.
  void Signature(const std::string& name);

  std::vector<uint32_t> DimsOf(uint32_t value) { return block().values[value].dims; }
  plan::Block& block() { return plan.blocks.back(); }
  plan::Signature& signature() { return plan.signatures.back(); }
  plan::Plan plan;

 private:
  uint32_t AddValue(plan::Value value);
};

// With TestRegistry.
std::shared_ptr<Environment> TestEnvironment(int threads = 1, uint64_t memory_limit = 0);
Result<std::unique_ptr<Runner>> Load(const plan::Plan& plan, int threads = 1, uint64_t memory_limit = 0);

}  // namespace millrace::testing
