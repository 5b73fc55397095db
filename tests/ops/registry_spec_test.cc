// The specifications of arguments and attributes, good and bad.
#include "millrace/ops/registry/op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrDef& AttrOf(const Registry& registry, std::string_view name) { return *registry.Find("Op")->FindAttr(name); }

OpBuilder Complete(Registry& registry) {
  OpBuilder op = registry.Define("Op");
  op.Shape(shape_fns::UnknownOutputs);
  return op;
}

TEST_CASE("arguments: fixed types, attributes, repeated, lists, references") {
  Registry registry;
  Complete(registry)
      .Input("a: float")
      .Input("b: T")
      .Input("c: N * T")
      .Input("d: Tlist")
      .Input("e: Ref(T)")
      .Input("f: N*int32")
      .Output("y: Ref(float)")
      .Attr("T: type")
      .Attr("N: int >= 1")
      .Attr("Tlist: list(type)");
  REQUIRE(registry.Check() == std::vector<std::string>{});
  const OpDefValue& def = registry.Find("Op")->signature();
  CHECK(def.inputs[0].type == DType::kFloat);
  CHECK(def.inputs[1].type_attr == "T");
  CHECK(def.inputs[2].number_attr == "N");
  CHECK(def.inputs[2].type_attr == "T");
  CHECK(def.inputs[3].type_list_attr == "Tlist");
  CHECK(def.inputs[3].type_attr.empty());
  CHECK(def.inputs[4].is_ref);
  CHECK(def.inputs[5].type == DType::kInt32);
  CHECK(def.inputs[5].number_attr == "N");
  CHECK(def.outputs[0].type == DType::kFloat);
  CHECK(def.outputs[0].is_ref);
}

TEST_CASE("attributes: types, minima, defaults, allowed values") {
  Registry registry;
  Complete(registry)
      .Attr("i: int >= -2 = -1")
      .Attr("f: float = 1e-3")
      .Attr("b: bool = true")
      .Attr("s: string = 'a \\'quoted\\' text'")
      .Attr("t: {float, half} = DT_HALF")
      .Attr("p: { 'SAME', 'VALID' } = \"SAME\"")
      .Attr("l: list(int) >= 2 = [1, -1]")
      .Attr("e: list(string) = []")
      .Attr("g: list({int32, int64})")
      .Attr("h: shape = {}")
      .Attr("k: shape = {2, ?}")
      .Attr("u: shape = {unknown_rank: true}")
      .Attr("v: tensor")
      .Attr("w: func")
      .Attr("x: realnumbertype");
  REQUIRE(registry.Check() == std::vector<std::string>{});
  CHECK(AttrOf(registry, "i").minimum == -2);
  CHECK(AttrOf(registry, "i").default_value == AttrValue(-1));
  CHECK(AttrOf(registry, "f").default_value == AttrValue(1e-3f));
  CHECK(AttrOf(registry, "b").default_value == AttrValue(true));
  CHECK(AttrOf(registry, "s").default_value == AttrValue("a 'quoted' text"));
  CHECK(AttrOf(registry, "t").default_value == AttrValue(DType::kHalf));
  CHECK(AttrOf(registry, "t").allowed_values.get<ListValue>()->type.size() == 2);
  CHECK(AttrOf(registry, "p").type == "string");
  CHECK(AttrOf(registry, "p").allowed_values.get<ListValue>()->s == std::vector<std::string>{"SAME", "VALID"});
  CHECK(AttrOf(registry, "l").default_value.get<ListValue>()->i == std::vector<int64_t>{1, -1});
  CHECK(AttrOf(registry, "l").has_minimum);
  CHECK(AttrOf(registry, "e").has_default);
  CHECK(AttrOf(registry, "g").type == "list(type)");
  CHECK_FALSE(AttrOf(registry, "g").has_default);
  CHECK(AttrOf(registry, "h").default_value == AttrValue(Shape()));
  CHECK(AttrOf(registry, "k").default_value == AttrValue(Shape{2, -1}));
  CHECK(AttrOf(registry, "u").default_value == AttrValue(Shape::UnknownRank()));
  CHECK(AttrOf(registry, "x").allowed_values.get<ListValue>()->type.size() == 12);
}

TEST_CASE("bad specifications are named") {
  const auto problem_of_attr = [](std::string_view spec) {
    Registry registry;
    Complete(registry).Attr(spec);
    const std::vector<std::string> problems = registry.Check();
    return problems.empty() ? std::string() : problems[0];
  };
  for (const char* spec : {"",
                           "a",
                           "a:",
                           "a: integer",
                           "a: int = x",
                           "a: int >= ",
                           "a: float >= 1",
                           "a: bool = 1",
                           "a: string = text",
                           "a: string = 'open",
                           "a: {}",
                           "a: {float",
                           "a: {floot}",
                           "a: list(int",
                           "a: list(int) = 1",
                           "a: list(int) = [1",
                           "a: type = 3",
                           "a: int = 1 2",
                           "a: tensor = {}",
                           "a: shape = [1]",
                           "a: shape = {-1}",
                           "7: int"}) {
    INFO(spec);
    const std::string problem = problem_of_attr(spec);
    CHECK_THAT(problem, Catch::Matchers::Contains("op 'Op'"));
    CHECK_THAT(problem, Catch::Matchers::Contains(std::string("\"") + spec + "\""));
  }
  const auto problems_of_input = [](std::string_view spec) {
    Registry registry;
    Complete(registry).Input(spec).Attr("T: type").Attr("L: list(type)").Attr("N: int");
    return registry.Check().size();
  };
  CHECK(problems_of_input("x: T") == 0);
  for (const char* spec :
       {"x", "x:", ": T", "x: U", "x: T * T", "x: N", "x: N * N", "x: N * L", "x: Ref(T", "x: T T"}) {
    INFO(spec);
    CHECK(problems_of_input(spec) > 0);
  }
}

TEST_CASE("a definition says its shape, once") {
  Registry registry;
  registry.Define("A").Shape(shape_fns::NoOutputs);
  registry.Define("B");
  registry.Define("C").Shape(shape_fns::NoOutputs).NoGradient("");
  registry.Define("D").Shape(shape_fns::NoOutputs).Reads(0);
  registry.Define("E").Shape(shape_fns::NoOutputs).Kernel("CPU", nullptr);
  registry.Define("F").Shape(shape_fns::NoOutputs);
  registry.Define("F").Shape(shape_fns::NoOutputs);
  registry.Define("G").Shape(shape_fns::NoOutputs).Attr("a: int").Attr("a: int");
  std::string all;
  for (const std::string& p : registry.Check()) all += p + "\n";
  INFO(all);
  CHECK(registry.Check().size() == 6);
  CHECK(all.find("op 'B' has no shape function") != std::string::npos);
  CHECK(all.find("op 'F' is defined twice") != std::string::npos);
}

TEST_CASE("kernels are found by device and types") {
  Registry registry;
  const KernelFactory factory = [](const KernelInit&) -> Result<std::unique_ptr<Kernel>> { return Internal("none"); };
  Complete(registry)
      .Attr("T: type")
      .Attr("L: list(type) = []")
      .Kernel("CPU", factory, {{"T", {DType::kFloat, DType::kDouble}}})
      .Kernel("CPU", factory, {{"T", {DType::kInt32}}, {"L", {DType::kBool}}})
      .Kernel("GPU", factory);
  const Op& op = *registry.Find("Op");
  const auto find = [&](const char* device, DType t, std::vector<DType> list) -> int64_t {
    ListValue l;
    l.type = std::move(list);
    const KernelDef* kernel = op.FindKernel(device, {{"T", t}, {"L", l}});
    return kernel == nullptr ? -1 : kernel - op.kernels().data();
  };
  CHECK(find("CPU", DType::kFloat, {}) == 0);
  CHECK(find("CPU", DType::kInt32, {DType::kBool, DType::kBool}) == 1);
  CHECK(find("CPU", DType::kInt32, {DType::kBool, DType::kFloat}) == -1);
  CHECK(find("CPU", DType::kHalf, {}) == -1);
  CHECK(find("GPU", DType::kHalf, {}) == 2);
  CHECK(find("TPU", DType::kHalf, {}) == -1);
}

}  // namespace
}  // namespace millrace
