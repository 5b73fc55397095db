// Which inputs the effects of an op are on, and which ops only update variables.
#include "millrace/ops/registry/effects.h"

#include <utility>
#include <vector>

#include "millrace/ops/train/update_many.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using Accesses = std::vector<std::pair<int, bool>>;  // input, whether it is written

Accesses Of(const Op& op, const AttrMap& attrs = {}) {
  Accesses found;
  VisitAccesses(op, attrs, [&](int input, bool write) { found.emplace_back(input, write); });
  return found;
}

const Op& BuiltIn(std::string_view name) {
  const Op* op = Registry::BuiltIn().Find(name);
  REQUIRE(op != nullptr);
  return *op;
}

}  // namespace

TEST_CASE("effects are on the inputs of the arguments that they name") {
  CHECK(Of(BuiltIn("ResourceApplyAdam")) == Accesses{{0, true}, {1, true}, {2, true}});
  CHECK(Of(BuiltIn("ReadVariableOp")) == Accesses{{0, false}});
  CHECK(Of(BuiltIn("VarHandleOp")).empty());
  CHECK(Of(BuiltIn("Add")).empty());
}

TEST_CASE("of a list of types an effect is on references and handles; lists before it count") {
  Registry registry;
  registry.Define("Some")
      .Input("first: N * float")
      .Input("handles: N * resource")
      .Input("mixed: Types")
      .Attr("N: int >= 1")
      .Attr("Types: list(type) >= 0")
      .Doc("For this test.")
      .Shape([](InferenceContext&) { return OkStatus(); })
      .NoGradient("test")
      .Reads(1)
      .Writes(2);
  const Op& op = *registry.Find("Some");
  ListValue types;
  types.type = {DType::kFloat, DType::kResource, MakeRef(DType::kFloat), DType::kInt32};
  CHECK(Of(op, {{"N", int64_t{2}}, {"Types", types}}) == Accesses{{2, false}, {3, false}, {5, true}, {6, true}});
  CHECK(Of(op, {{"N", int64_t{2}}}) == Accesses{{2, false}, {3, false}});
  CHECK(Of(op).empty());
}

TEST_CASE("updates write their first inputs, and give back nothing but a reference") {
  for (const char* name : {"ApplyAdam", "ResourceApplyAdam", "ApplyGradientDescent", "SparseApplyMomentum", "Assign",
                           "AssignSubVariableOp", "ScatterAdd", "ResourceScatterUpdate"}) {
    INFO(name);
    CHECK(train::IsUpdate(BuiltIn(name)));
  }
  for (const char* name :
       {"Add", "ReadVariableOp", "VariableV2", "IsVariableInitialized", "RandomUniform", "NoOp", "_UpdateMany"}) {
    INFO(name);
    CHECK_FALSE(train::IsUpdate(BuiltIn(name)));
  }
  // A program's own op may want more of its surroundings.
  const auto own = Registry::Extending();
  own->Define("MyUpdate")
      .Input("var: Ref(float)")
      .Doc("For this test.")
      .Shape([](InferenceContext&) { return OkStatus(); })
      .NoGradient("test")
      .Writes(0);
  CHECK_FALSE(train::IsUpdate(*own->Find("MyUpdate")));
}

}  // namespace millrace
