#include <cstdlib>
#include <limits>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/status.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

TEST_CASE("every dtype has a name that parses back, in each spelling") {
  for (int32_t i = 1; i <= 23; ++i) {
    const auto t = static_cast<DType>(i);
    CHECK(IsValid(t));
    CHECK(IsValid(MakeRef(t)));
    CHECK(ParseDType(DTypeName(t)) == t);
    CHECK(ParseDType(DTypeName(MakeRef(t))) == MakeRef(t));
    CHECK(DTypeName(MakeRef(t)) == DTypeName(t) + "_ref");
    CHECK(BaseType(MakeRef(t)) == t);
    CHECK((ElementSize(t) == 0) == IsObject(t));
  }
  CHECK(!IsValid(DType::kInvalid));
  CHECK(!IsValid(static_cast<DType>(24)));
  CHECK(!IsValid(static_cast<DType>(100)));
  CHECK(!IsValid(static_cast<DType>(124)));
  CHECK(!IsValid(static_cast<DType>(-5)));
  CHECK(ParseDType("DT_FLOAT") == DType::kFloat);
  CHECK(ParseDType("DT_HALF_REF") == MakeRef(DType::kHalf));
  CHECK(ParseDType("float32") == DType::kFloat);
  CHECK(ParseDType("float16") == DType::kHalf);
  CHECK(ParseDType("float64") == DType::kDouble);
  for (const char* bad : {"", "DT_", "DT_float", "FLOAT", "floa", "_ref", "DT__REF", "invalid"}) {
    CHECK(!ParseDType(bad).has_value());
  }
}

TEST_CASE("dtypes have the sizes and classes of the wire's types") {
  CHECK(ElementSize(DType::kComplex128) == 16);
  CHECK(ElementSize(DType::kQuint16) == 2);
  CHECK(ElementSize(DType::kBool) == 1);
  CHECK(ElementSize(MakeRef(DType::kFloat)) == 4);
  CHECK((IsFloating(DType::kBfloat16) && !IsFloating(DType::kComplex64)));
  CHECK((IsInteger(DType::kUint64) && !IsInteger(DType::kQint8) && !IsInteger(DType::kBool)));
  CHECK((IsQuantized(DType::kQint32) && IsComplex(DType::kComplex64)));
}

TEST_CASE("shapes of any rank keep their dimensions") {
  Shape shape;
  CHECK(shape.rank() == 0);
  CHECK(shape.NumElements() == 1);
  CHECK(shape.ToString() == "[]");
  for (int i = 0; i < 20; ++i) shape.Append(i + 1);
  CHECK(shape.rank() == 20);
  for (int i = 0; i < 20; ++i) CHECK(shape.dim(i) == i + 1);
  Shape copy = shape;
  CHECK(copy == shape);
  copy.set_dim(19, 7);
  CHECK(!(copy == shape));
  copy = Shape{2, 3};
  CHECK(copy.rank() == 2);
  CHECK(copy.ToVector() == std::vector<int64_t>{2, 3});
  copy = shape;
  CHECK(copy == shape);
}

TEST_CASE("shapes that are not known say so") {
  const Shape unknown = Shape::UnknownRank();
  CHECK(unknown.ToString() == "<unknown>");
  CHECK(!unknown.NumElements());
  CHECK(!unknown.IsFullyKnown());
  const Shape part{2, Shape::kUnknownDim, 3};
  CHECK(part.ToString() == "[2,?,3]");
  CHECK(!part.NumElements());
  CHECK(part.IsCompatibleWith({2, 5, 3}));
  CHECK(!part.IsCompatibleWith({2, 5, 4}));
  CHECK(!part.IsCompatibleWith({2, 5}));
  CHECK(unknown.IsCompatibleWith({1}));
  CHECK(!(unknown == Shape()));
}

TEST_CASE("the count of elements does not overflow") {
  CHECK(Shape({int64_t{1} << 31, int64_t{1} << 26}).NumElements() == int64_t{1} << 57);
  CHECK(!Shape({int64_t{1} << 32, int64_t{1} << 31}).NumElements());
  CHECK(Shape({kMostElements}).NumElements() == kMostElements);
  CHECK(!Shape({kMostElements + 1}).NumElements());
}

TEST_CASE("an empty tensor's other extents have bounds, so that code may multiply them") {
  CHECK(Shape({int64_t{1} << 40, 0, 1000}).NumElements() == 0);
  CHECK(!Shape({int64_t{1} << 40, int64_t{1} << 40, 0}).NumElements());
  CHECK(!Shape({0, int64_t{1} << 40, int64_t{1} << 40}).NumElements());
}

TEST_CASE("a status carries code, message and the first node blamed") {
  CHECK(Status().ok());
  CHECK(Status().ToString() == "OK");
  const Status s = InvalidArgument("expected 3, found 4").At("loss", "Sub").At("outer", "Add");
  CHECK(s.node() == "loss");
  CHECK(s.op() == "Sub");
  CHECK(s.ToString() == "INVALID_ARGUMENT: node 'loss' (Sub): expected 3, found 4");
  CHECK(Status().At("a", "b").ok());
  CHECK(Status(Code::kOk, "no matter").ok());
}

TEST_CASE("numbers in messages are short and read back") {
  CHECK(Cat(0.1f, " ", 0.1, " ", 1e300, " ", 1.0, " ", -0.0) == "0.1 0.1 1e+300 1 -0");
  CHECK(Cat(1, ",", int64_t{-5}, ",", uint64_t{1} << 63, ",", true, ',', "x") == "1,-5,9223372036854775808,true,x");
  for (double v : {1.0 / 3, 5e-324, std::numeric_limits<double>::max(), 16777217.0}) {
    CHECK(std::strtod(Cat(v).c_str(), nullptr) == v);
  }
  CHECK(Join(std::vector<int>{1, 2, 3}, ", ") == "1, 2, 3");
}

TEST_CASE("attributes compare by content and print short") {
  const TensorValue tensor{.dtype = DType::kFloat, .shape = {2}, .float_val = {1, 2}};
  CHECK(AttrValue(tensor) == AttrValue(tensor));
  TensorValue other = tensor;
  other.float_val[1] = 3;
  CHECK(!(AttrValue(tensor) == AttrValue(other)));
  CHECK(!(AttrValue(1) == AttrValue(1.0f)));
  CHECK(AttrValue(FuncValue{"f", nullptr}) == AttrValue(FuncValue{"f", std::make_shared<AttrMap>()}));
  ListValue list;
  list.tensor.push_back(std::make_shared<const TensorValue>(tensor));
  ListValue same;
  same.tensor.push_back(std::make_shared<const TensorValue>(tensor));
  CHECK(AttrValue(list) == AttrValue(same));
  CHECK(AttrValue(tensor).ToString() == "float[2]{1,2}");
  CHECK(AttrValue(true).kind() == AttrValue::Kind::kBool);
  CHECK(AttrValue("a\n").ToString() == "\"a\\x0a\"");
  CHECK(AttrValue(Shape{1, -1}).ToString() == "[1,?]");
  CHECK(KindName(AttrValue(list).kind()) == "list");
}

}  // namespace
}  // namespace millrace
