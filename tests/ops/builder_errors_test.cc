// What is wrong is said at once: the line of the program, the node with its
// scopes, op, argument, expected and found.
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Output Feed(const Scope& s, DType dtype, Shape shape = {2, 3}) {
  return ops::Placeholder(s, dtype, {.shape = std::move(shape)});
}

// The status is an error at `line` of this file, blamed on node and op, whose
// message is `message`.
void CheckError(const Scope& s, int line, std::string_view node, std::string_view op, const std::string& message) {
  CHECK(s.status().code() == Code::kInvalidArgument);
  CHECK(s.status().node() == node);
  CHECK(s.status().op() == op);
  CHECK(std::string(s.status().message()) == Cat(message, " (builder_errors_test.cc:", line, ")"));
}

TEST_CASE("a dtype that does not fit names the argument and the one that decided") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat), i = Feed(s, DType::kInt32);
  const int line = __LINE__ + 1;
  const Output y = ops::MatMul(s.NewSubScope("outer").NewSubScope("inner").WithOpName("product"), x, i);
  CHECK(!y.valid());
  CheckError(s, line, "outer/inner/product", "MatMul",
             "argument 'b': expected float, as argument 'a' has, found int32");
}

TEST_CASE("a dtype that the op does not allow names the argument and what is allowed") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kString);
  const int line = __LINE__ + 1;
  ops::Softplus(s, x);
  CheckError(s, line, "Softplus", "Softplus",
             "argument 'features': expected one of {half, bfloat16, float, double}, found string");
}

TEST_CASE("a fixed dtype, a literal and an attribute that decides are named too") {
  {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat);
    const int line = __LINE__ + 1;
    ops::LogicalNot(s, x);
    CheckError(s, line, "LogicalNot", "LogicalNot", "argument 'x': expected bool, found float");
  }
  {
    const Scope s = Scope::NewRoot();
    const Output i = Feed(s, DType::kInt32);
    const int line = __LINE__ + 1;
    ops::Add(s, i, {1.5, 2.5});
    CheckError(s, line, "Add", "Add",
               "argument 'y': expected int32, as argument 'x' has, found the literal [1.5, 2.5]");
  }
  {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat);
    const int line = __LINE__ + 1;
    Call(s, "Neg", {x}, {{"T", DType::kDouble}});
    CheckError(s, line, "Neg", "Neg", "argument 'x': expected double, as attribute 'T' has, found float");
  }
  {
    const Scope s = Scope::NewRoot();
    const int line = __LINE__ + 1;
    ops::Sqrt(s, "four");
    CHECK(s.status().message().starts_with("argument 'x': expected one of {"));
    CHECK(s.status().message().ends_with(Cat("found the literal 'four' (builder_errors_test.cc:", line, ")")));
  }
}

TEST_CASE("shapes are checked at the line, operators too") {
  {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat), y = Feed(s, DType::kFloat, {4, 5});
    const int line = __LINE__ + 1;
    ops::MatMul(s, x, y);
    CHECK(s.status().node() == "MatMul");
    CHECK(s.status().message().find("3 and 4") != std::string_view::npos);
    CHECK(s.status().message().ends_with(Cat("(builder_errors_test.cc:", line, ")")));
  }
  {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat), y = Feed(s, DType::kFloat, {4, 5});
    const int line = __LINE__ + 1;
    const Output sum = 2 * x + y;
    CHECK(!sum.valid());
    CHECK(s.status().op() == "AddV2");
    CHECK(s.status().message().find("[2, 3], [4, 5]") != std::string_view::npos);
    CHECK(s.status().message().ends_with(Cat("(builder_errors_test.cc:", line, ")")));
  }
}

TEST_CASE("lists and numbers of arguments are checked") {
  const auto message = [](auto call) {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat);
    call(s, x);
    REQUIRE(!s.ok());
    const std::string text(s.status().message());
    return text.substr(0, text.rfind(" ("));
  };
  CHECK(message([](At at, const Output& x) { Call(at, "Add", {x}); }) == "expected 2 arguments (x, y), found 1");
  CHECK(message([](At at, const Output& x) { Call(at, "AddN", {x}); }) ==
        "argument 'inputs': expected a list of tensors, found one tensor");
  CHECK(message([](At at, const Output& x) { Call(at, "Neg", {Operands{x}}); }) ==
        "argument 'x': expected one tensor, found a list");
  CHECK(message([](At at, const Output&) { ops::AddN(at, {}); }) ==
        "argument 'inputs': expected a list of at least 1 tensor, found 0");
  CHECK(message([](At at, const Output& x) { Call(at, "AddN", {Operands{x, x}}, {{"N", 3}}); }) ==
        "argument 'inputs': expected a list of 3 tensors (attribute 'N'), found 2");
  CHECK(message([](At at, const Output& x) { ops::AddN(at, {x, Feed(at.scope(), DType::kInt32)}); }) ==
        "argument 'inputs': expected float, as argument 'inputs' has, found int32");
  CHECK(message([](At at, const Output& x) { ops::Assign(at, x, x); }) ==
        "argument 'ref': expected a reference to a variable, found float");
  CHECK(message([](At at, const Output& x) { ops::Assign(at, 1, x); }) ==
        "argument 'ref': expected a reference to a variable, found the literal 1");
  CHECK(message([](At at, const Output&) { ops::Neg(at, Output()); }) ==
        "argument 'x': expected a tensor, found none (an Output that no call has returned)");
  CHECK(message([](At at, const Output&) { ops::Neg(at, Tensor()); }) ==
        "argument 'x': expected a tensor, found an empty Tensor object");
  CHECK(message([](At at, const Output&) {
          const Scope other = Scope::NewRoot();
          ops::Neg(at, Feed(other.NewSubScope("a"), DType::kFloat));
        }) == "argument 'x': expected a tensor of this graph, found 'a/Placeholder:0' of another");
  CHECK(message([](At at, const Output&) {
          const Scope other = Scope::NewRoot();
          Feed(other, DType::kFloat);
          ops::Neg(at, Feed(other, DType::kFloat));
        }) == "argument 'x': expected a tensor of this graph, found 'Placeholder_1:0' of another");
}

TEST_CASE("attributes are checked: names, kinds and values") {
  const auto message = [](auto call) {
    const Scope s = Scope::NewRoot();
    const Output x = Feed(s, DType::kFloat);
    call(s, x);
    REQUIRE(!s.ok());
    CHECK(s.graph()->nodes().size() == 1);
    const std::string text(s.status().message());
    return text.substr(0, text.rfind(" ("));
  };
  CHECK(message([](At at, const Output& x) { Call(at, "Neg", {x}, {{"alpha", 1}}); }) ==
        "expected attributes of {T}, found one named 'alpha'");
  CHECK(message([](At at, const Output& x) { Call(at, "MatMul", {x, 1}, {{"transpose_a", "yes"}}); }) ==
        "attribute 'transpose_a': expected bool, found string \"yes\"");
  CHECK(message([](At at, const Output& x) { Call(at, "Cast", {x}); }) == "attribute 'DstT' is missing: expected type");
  CHECK(message([](At at, const Output& x) { Call(at, "AddN", {Operands{}}); }) ==
        "argument 'inputs': expected a list of at least 1 tensor, found 0");
}

TEST_CASE("an op that nobody knows is named") {
  const Scope s = Scope::NewRoot();
  CHECK(!Call(s.NewSubScope("a"), "Nonsense").valid());
  CHECK(s.status().code() == Code::kNotFound);
  CHECK(s.status().node() == "a/Nonsense");
  CHECK(s.status().op() == "Nonsense");
}

TEST_CASE("the first error stays, and nothing is added after it") {
  const Scope s = Scope::NewRoot();
  const Output x = Feed(s, DType::kFloat);
  int told = 0;
  s.OnError([&](const Status& status) {
    ++told;
    CHECK(status.op() == "LogicalNot");
  });
  const Scope sub = s.NewSubScope("sub");
  const Output bad = ops::LogicalNot(sub, x);
  CHECK(!bad.valid());
  CHECK(bad.name().empty());
  CHECK(bad.dtype() == DType::kInvalid);
  CHECK(!bad.shape().has_rank);
  const size_t nodes = s.graph()->nodes().size();
  const std::string first = s.status().ToString();
  CHECK(!ops::Neg(s, x).valid());
  CHECK(!(x + bad).valid());
  CHECK(!(bad + 1).valid());
  CHECK(ops::Split(s, 0, bad, 2).empty());
  CHECK(!ops::TopKV2(s, bad, 1).values.valid());
  CHECK(!ops::NoOp(s).valid());
  CHECK(!Const(s, 1).valid());
  CHECK(s.WithControlDependencies(bad).ColocateWith(bad).status().ToString() == first);
  s.Fail(Internal("another"));
  CHECK(s.status().ToString() == first);
  CHECK(sub.status().ToString() == first);
  CHECK(s.graph()->nodes().size() == nodes);
  CHECK(told == 1);
  CHECK(
      first.starts_with("INVALID_ARGUMENT: node 'sub/LogicalNot' (LogicalNot): argument 'x': expected bool, found "
                        "float (builder_errors_test.cc:"));
}

TEST_CASE("a program's own functions fail at their caller's line") {
  const auto half = [](At at, const Output& x) {
    at.scope().Fail(InvalidArgument("expected a half, found a whole"), at.where());
    return x;
  };
  const Scope s = Scope::NewRoot();
  const int line = __LINE__ + 1;
  half(s, Output());
  CHECK(std::string(s.status().message()) == Cat("expected a half, found a whole (builder_errors_test.cc:", line, ")"));
}

}  // namespace
}  // namespace millrace
