// Attributes of nodes against definitions: defaults, kinds, minima, allowed values.
#include "millrace/ops/registry/op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const Op& Define(Registry& registry) {
  registry.Define("Op")
      .Input("x: N * T")
      .Input("y: L")
      .Output("z: Ref(T)")
      .Attr("T: {float, int32}")
      .Attr("N: int >= 2")
      .Attr("L: list(type) >= 1 = [DT_BOOL]")
      .Attr("p: {'a', 'b'} = 'a'")
      .Attr("k: list(int) = [1]")
      .Shape(shape_fns::UnknownOutputs);
  return *registry.Find("Op");
}

TEST_CASE("absent attributes take their defaults, unknown ones stay") {
  Registry registry;
  const Op& op = Define(registry);
  AttrMap attrs = {{"T", DType::kFloat}, {"N", 2}, {"_other", "kept"}, {"more", 1}};
  MR_REQUIRE_OK(CompleteAttrs(op, &attrs));
  CHECK(attrs.size() == 7);
  CHECK(*attrs["p"].get<std::string>() == "a");
  CHECK(*attrs["_other"].get<std::string>() == "kept");
  std::vector<DType> inputs, outputs;
  MR_REQUIRE_OK(ArgumentTypes(op.signature(), attrs, &inputs, &outputs));
  CHECK(inputs == std::vector<DType>{DType::kFloat, DType::kFloat, DType::kBool});
  CHECK(outputs == std::vector<DType>{MakeRef(DType::kFloat)});
}

TEST_CASE("a bad attribute is named with expected and found") {
  Registry registry;
  const Op& op = Define(registry);
  const AttrMap good = {{"T", DType::kFloat}, {"N", 2}};
  ListValue no_types, ints, mixed;
  ints.i = {1, 2};
  mixed.i = {1};
  mixed.s = {"x"};
  struct Case {
    const char* name;
    AttrValue value;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {"T", DType::kBool, {"'T'", "{float, int32}", "bool"}},
      {"T", 1, {"'T'", "expected type", "found int"}},
      {"T", static_cast<DType>(77), {"'T'", "dtype"}},
      {"N", 1, {"'N'", "at least 2", "found 1"}},
      {"N", "2", {"'N'", "expected int", "found string"}},
      {"L", no_types, {"'L'", "at least 1", "found 0"}},
      {"L", ints, {"'L'", "expected list(type)"}},
      {"L", DType::kBool, {"'L'", "expected list(type)", "found type"}},
      {"p", "c", {"'p'", "'a', 'b'", "\"c\""}},
      {"k", mixed, {"'k'", "expected list(int)"}},
      {"k", AttrPlaceholder{"x"}, {"'k'", "expected list(int)"}},
  };
  for (const Case& c : cases) {
    AttrMap attrs = good;
    attrs[c.name] = c.value;
    const Status s = CompleteAttrs(op, &attrs);
    INFO(s.ToString());
    CHECK(s.code() == Code::kInvalidArgument);
    for (const std::string& part : c.parts) CHECK_THAT(std::string(s.message()), Catch::Matchers::Contains(part));
  }
  AttrMap missing = {{"T", DType::kFloat}};
  CHECK_THAT(CompleteAttrs(op, &missing).ToString(), Catch::Matchers::Contains("'N' is missing: expected int"));
}

TEST_CASE("a made-up number of arguments allocates nothing") {
  Registry registry;
  const Op& op = Define(registry);
  AttrMap attrs = {{"T", DType::kFloat}, {"N", int64_t{1} << 60}};
  MR_REQUIRE_OK(CompleteAttrs(op, &attrs));
  std::vector<DType> inputs, outputs;
  CHECK(ArgumentTypes(op.signature(), attrs, &inputs, &outputs).code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace millrace
