#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "millrace/proto/codec/attr.h"
#include "millrace/proto/codec/config.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/schema/config.pb.h"
#include "millrace/proto/schema/graph.pb.h"
#include "millrace/tests/growth.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

std::string Deterministic(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  return out;
}

// A field of type message or string.
std::string Field(uint32_t number, const std::string& content) {
  std::string out;
  for (uint64_t v : {uint64_t{number} << 3 | 2, uint64_t{content.size()}}) {
    for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
    out += static_cast<char>(v);
  }
  return out + content;
}

// Our value goes to protobuf and comes back the same.
void CheckAttr(const AttrValue& value) {
  INFO(value.ToString());
  const std::string bytes = SerializeAttr(value);
  wire::AttrValue theirs;
  REQUIRE(theirs.ParseFromString(bytes));
  CHECK((Deterministic(theirs) == bytes));
  const Result<AttrValue> back = ParseAttr(Bytes(bytes));
  MR_REQUIRE_OK(back);
  CHECK(*back == value);
}

TEST_CASE("attributes of every kind are the same after writing and reading, here and in protobuf") {
  CheckAttr(AttrValue());
  CheckAttr("");
  CheckAttr(std::string("\xff\0binary", 8));
  for (int64_t i : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX}) CheckAttr(i);
  CheckAttr(0.0f);
  CheckAttr(-0.0f);
  CheckAttr(1e-40f);
  CheckAttr(false);
  CheckAttr(true);
  CheckAttr(DType::kInvalid);
  CheckAttr(MakeRef(DType::kHalf));
  CheckAttr(static_cast<DType>(-7));
  CheckAttr(Shape());
  CheckAttr(Shape::UnknownRank());
  CheckAttr(ShapeValue{{-1, 0, 300}, {"batch", "", "c"}});
  CheckAttr(AttrPlaceholder{"T"});
  CheckAttr(FuncValue{"f", nullptr});
  CheckAttr(FuncValue{"g", std::make_shared<AttrMap>(AttrMap{{"b", 1}, {"a", DType::kFloat}})});
  CheckAttr(ListValue());
  CheckAttr(ListValue{.s = {"", "x"}, .i = {}, .f = {}, .b = {}, .type = {}, .shape = {}, .tensor = {}, .func = {}});
  ListValue list;
  list.i = {-1, 0, 1 << 20};
  CheckAttr(list);
  list = {};
  list.f = {0, -0.0f, 3};
  CheckAttr(list);
  list = {};
  list.b = {true, false};
  CheckAttr(list);
  list = {};
  list.type = {DType::kFloat, DType::kInvalid, static_cast<DType>(-1)};
  CheckAttr(list);
  list = {};
  list.shape = {{Shape(), {}}, {Shape::UnknownRank(), {}}, {{3}, {}}};
  CheckAttr(list);
  list = {};
  list.tensor = {std::make_shared<const TensorValue>(TensorValue{.dtype = DType::kBool, .bool_val = {true}})};
  CheckAttr(list);
  list = {};
  list.func = {{"f", nullptr}, {"g", nullptr}};
  CheckAttr(list);
}

TEST_CASE("tensors in every representation are the same after writing and reading, here and in protobuf") {
  TensorValue t{.dtype = DType::kFloat, .shape = {2, -1}, .dim_names = {"a", "b"}, .version_number = -3};
  CheckAttr(t);
  t.has_shape = false;
  t.shape = Shape();
  t.dim_names.clear();
  CheckAttr(t);
  t.has_shape = true;
  t.content = Bytes(std::string(300, 'c'));
  CheckAttr(t);
  t.half_val = {1, -1, 70000};
  t.float_val = {1, -0.0f};
  t.double_val = {-0.0, 1e300};
  t.int_val = {-1, INT32_MIN, 0};
  t.string_val = {"", std::string("\0", 1), std::string(200, 'x')};
  t.scomplex_val = {{1, -2}, {0, 0}};
  t.int64_val = {INT64_MIN, 0, 1};
  t.bool_val = {true, false, true};
  t.dcomplex_val = {{1, -2}};
  t.uint32_val = {0, UINT32_MAX};
  t.uint64_val = {0, UINT64_MAX};
  CheckAttr(t);
  t.unread_fields = Field(18, "later");
  CheckAttr(t);
}

TEST_CASE("packed and unpacked numbers read the same") {
  // list { i: 5  i: 6  i: 7 } with the middle one packed.
  const std::string mixed = Field(1, std::string("\x18\x05\x1a\x01\x06\x18\x07", 7));
  const auto attr = ParseAttr(Bytes(mixed));
  MR_REQUIRE_OK(attr);
  CHECK(attr->get<ListValue>()->i == std::vector<int64_t>{5, 6, 7});
  wire::AttrValue theirs;
  REQUIRE(theirs.ParseFromString(mixed));
  CHECK((SerializeAttr(*attr) == Deterministic(theirs)));
  // scomplex_val cut between the real and the imaginary part.
  const std::string complex("\x4d\0\0\x80\x3f\x4a\x04\0\0\0\x40", 11);
  const auto tensor = ParseTensor(Bytes(complex));
  MR_REQUIRE_OK(tensor);
  CHECK(tensor->scomplex_val == std::vector<std::complex<float>>{{1, 2}});
}

TEST_CASE("messages that come twice are merged as in protobuf, plain values replaced") {
  const std::string list = Field(1, std::string("\x18\x05", 2));
  const std::string func = Field(10, Field(1, "f") + Field(2, Field(1, "a")));
  const std::string more = Field(10, Field(2, Field(1, "b")));
  const std::string text = Field(2, "s");
  for (const std::string& bytes : {list + list, func + more, func + text, text + func, list + text + list,
                                   Field(8, Field(2, Field(2, ""))) + Field(8, Field(2, Field(2, "")))}) {
    wire::AttrValue theirs;
    REQUIRE(theirs.ParseFromString(bytes));
    const auto ours = ParseAttr(Bytes(bytes));
    MR_REQUIRE_OK(ours);
    CHECK((SerializeAttr(*ours) == Deterministic(theirs)));
  }
}

GraphDef SampleGraph() {
  GraphDef g;
  NodeDef node;
  node.name = "naïve";
  node.op = "Op";
  node.inputs = {"a", "b:1", "^c"};
  node.device = "/cpu:0";
  node.attrs = {{"T", DType::kFloat}, {"N", 3}};
  g.nodes = {node, NodeDef()};
  FunctionDef f;
  f.signature.name = "F";
  ArgDef arg;
  arg.name = "x";
  arg.type = DType::kFloat;
  arg.is_ref = true;
  f.signature.inputs = {arg};
  AttrDef attr;
  attr.name = "n";
  attr.type = "int";
  attr.has_default = true;
  attr.default_value = 0;
  attr.has_minimum = true;
  attr.minimum = -2;
  f.signature.attrs = {attr};
  f.signature.has_deprecation = true;
  f.signature.is_stateful = true;
  f.signature.control_outputs = {"out"};
  f.attrs = {{"_noinline", true}};
  f.arg_attrs = {{0, {{"_user", "x"}}}, {200, {}}};
  f.resource_arg_unique_id = {{0, 0}, {1, 7}};
  f.nodes = {node};
  f.ret = {{"y", "op:z:0"}};
  f.control_ret = {{"c", "op"}};
  g.has_library = true;
  g.library.functions = {f};
  g.library.gradients = {{"F", "FGrad"}};
  g.has_versions = true;
  g.versions = {1087, 12, {5, 1000}};
  g.deprecated_version = 3;
  return g;
}

TEST_CASE("a graph with functions is the same after writing and reading, here and in protobuf") {
  const GraphDef graph = SampleGraph();
  const std::string bytes = SerializeGraphDef(graph);
  wire::GraphDef theirs;
  REQUIRE(theirs.ParseFromString(bytes));
  CHECK((Deterministic(theirs) == bytes));
  const auto back = ParseGraphDef(Bytes(bytes));
  MR_REQUIRE_OK(back);
  CHECK(*back == graph);
}

TEST_CASE("fields that are not read are kept") {
  const std::string bytes =
      Field(1, Field(1, "n") + Field(7, "full type")) + Field(2, Field(9, "x")) + Field(5, "debug info");
  const auto graph = ParseGraphDef(Bytes(bytes));
  MR_REQUIRE_OK(graph);
  CHECK((SerializeGraphDef(*graph) == bytes));
}

TEST_CASE("malformed bytes are an error that says where") {
  const struct {
    const char* message;
    std::string bytes;
  } cases[] = {
      {"graph: malformed bytes", "\x0a"},
      {"graph: malformed bytes", std::string("\x0a\x05zz")},
      {"graph: malformed bytes", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"},
      {"field key 0 is not valid", std::string("\0\0", 2)},
      {"field key 99", "\xff\xff\xff\xff\xff\x7f"},
      {"malformed bytes", "\x0b\x0c"},  // a group
      {"field 1 is not UTF-8", Field(1, Field(1, "\xc0\x80"))},
      {"field 1 is not UTF-8", Field(1, Field(1, "\xed\xa0\x80"))},
      {"node 'bad' (Op): ", Field(1, Field(1, "bad") + Field(2, "Op") + "\x2a\x7f")},
      {"dimension 0 is -2",
       Field(1, Field(5, Field(2, Field(7, Field(2, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")))))},
      {"shape of unknown rank has 1 dimensions", Field(1, Field(5, Field(2, Field(7, Field(2, "") + "\x18\x01"))))},
      {"complex values need an even count", Field(1, Field(5, Field(2, Field(8, Field(9, std::string(4, 'x'))))))},
      {"malformed bytes", Field(1, Field(5, Field(2, Field(8, Field(5, "xyz")))))},
  };
  for (const auto& c : cases) {
    const auto graph = ParseGraphDef(Bytes(c.bytes));
    INFO(c.message);
    REQUIRE(!graph.ok());
    INFO(graph.status().ToString());
    CHECK(graph.status().code() == Code::kInvalidArgument);
    if (std::string(c.message) != "field key 99") {
      CHECK(graph.status().ToString().find(c.message) != std::string::npos);
    }
  }
  std::string shape;
  for (int i = 0; i < 255; ++i) shape += Field(2, "");
  CHECK(!ParseShape(Bytes(shape)).ok());
  CHECK(ParseShape(Bytes(shape.substr(2))).ok());
}

// An attribute of functions within functions, `depth` of them.
std::string Nested(int depth) {
  std::string attr;
  for (int i = 0; i < depth; ++i) attr = Field(10, Field(1, "f") + Field(2, Field(1, "a") + Field(2, attr)));
  return attr;
}

TEST_CASE("nesting is limited, and the limit is protobuf's") {
  MR_REQUIRE_OK(ParseAttr(Bytes(Nested(30))));
  const auto deep = ParseAttr(Bytes(Nested(40)));
  REQUIRE(!deep.ok());
  CHECK(deep.status().message().find("the limit message_depth is 100, found 101") != std::string_view::npos);
  CHECK(!wire::AttrValue().ParseFromString(Nested(40)));
  CHECK(!ParseAttr(Bytes(Nested(30)), {.message_depth = 50}).ok());
  CHECK(!ParseAttr(Bytes(Nested(10000))).ok());
}

TEST_CASE("nodes and bytes are limited") {
  std::string nodes;
  for (int i = 0; i < 10; ++i) nodes += Field(1, "");
  MR_REQUIRE_OK(ParseGraphDef(Bytes(nodes), {.file_nodes = 10}));
  const auto many = ParseGraphDef(Bytes(nodes), {.file_nodes = 9});
  REQUIRE(!many.ok());
  CHECK(many.status().code() == Code::kResourceExhausted);
  CHECK(ParseGraphDef(Bytes(nodes), {.file_bytes = 5}).status().code() == Code::kResourceExhausted);
}

TEST_CASE("time to parse is linear, for lists and functions that come again and again too") {
  const auto parse_list = [](int count) {
    std::string lists;
    for (int i = 0; i < count; ++i) lists += Field(1, std::string("\x18\x05", 2));
    const auto list = ParseAttr(Bytes(lists));
    MR_REQUIRE_OK(list);
    CHECK(list->get<ListValue>()->i.size() == static_cast<size_t>(count));
  };
  const auto parse_func = [](int count) {
    std::string funcs;
    for (int i = 0; i < count; ++i) funcs += Field(10, Field(2, Field(1, std::to_string(i))));
    const auto func = ParseAttr(Bytes(funcs));
    MR_REQUIRE_OK(func);
    CHECK(func->get<FuncValue>()->attrs->size() == static_cast<size_t>(count));
  };
  CHECK(GrowthOfTime(50000, parse_list) < 9);
  CHECK(GrowthOfTime(25000, parse_func) < 9);
}

TEST_CASE("a session's config is read, and what is not known of it kept") {
  wire::ConfigProto theirs;
  (*theirs.mutable_device_count())["GPU"] = 0;
  (*theirs.mutable_device_count())["CPU"] = -1;
  theirs.set_intra_op_parallelism_threads(3);
  theirs.set_inter_op_parallelism_threads(-1);
  theirs.set_use_per_session_threads(true);
  theirs.set_allow_soft_placement(true);
  theirs.set_operation_timeout_in_ms(5000);
  theirs.mutable_graph_options()->mutable_optimizer_options()->set_opt_level(wire::OptimizerOptions::L0);
  theirs.mutable_graph_options()->mutable_rewrite_options()->set_constant_folding(wire::RewriterConfig::OFF);
  theirs.mutable_graph_options()->mutable_rewrite_options()->set_disable_meta_optimizer(true);
  theirs.mutable_gpu_options()->set_allow_growth(true);
  const auto ours = ParseConfig(Bytes(theirs.SerializeAsString()));
  MR_REQUIRE_OK(ours);
  CHECK(ours->device_count == std::map<std::string, int32_t>{{"GPU", 0}, {"CPU", -1}});
  CHECK(ours->intra_op_parallelism_threads == 3);
  CHECK(ours->inter_op_parallelism_threads == -1);
  CHECK(ours->use_per_session_threads);
  CHECK(ours->allow_soft_placement);
  CHECK(ours->operation_timeout_in_ms == 5000);
  CHECK(ours->graph_options.optimizer_options.opt_level == -1);
  CHECK(ours->graph_options.rewrite_options.constant_folding == 2);
  CHECK(ours->graph_options.rewrite_options.disable_meta_optimizer);
  wire::ConfigProto back;
  REQUIRE(back.ParseFromString(SerializeConfig(*ours)));
  CHECK((Deterministic(back) == Deterministic(theirs)));
  CHECK(!ParseConfig(Bytes(std::string("\x10"))).ok());
}

TEST_CASE("run options are read, run metadata is written as protobuf reads it") {
  wire::RunOptions options;
  options.set_trace_level(wire::RunOptions::FULL_TRACE);
  options.set_timeout_in_ms(-5);
  const auto ours = ParseRunOptions(Bytes(options.SerializeAsString()));
  MR_REQUIRE_OK(ours);
  CHECK(ours->trace_level == 3);
  CHECK(ours->timeout_in_ms == -5);
  CHECK((SerializeRunOptions(*ours) == Deterministic(options)));

  RunMetadataValue metadata;
  DeviceStatsValue device;
  device.device = "/cpu:0";
  device.nodes = {{"y", "y = MatMul()", 1000, 5000, 6000, 9000, 10500, 4}};
  device.thread_names = {{4, "pool/4"}};
  metadata.devices = {device};
  metadata.partition_graphs = {SampleGraph()};
  const std::string bytes = SerializeRunMetadata(metadata);
  wire::RunMetadata theirs;
  REQUIRE(theirs.ParseFromString(bytes));
  CHECK((Deterministic(theirs) == bytes));
  const auto& node = theirs.step_stats().dev_stats(0).node_stats(0);
  CHECK(node.node_name() == "y");
  CHECK(node.all_start_nanos() == 5000);
  CHECK(node.op_end_rel_nanos() == 4000);
  CHECK(node.all_end_rel_micros() == 5);
  CHECK(theirs.step_stats().dev_stats(0).thread_names().at(4) == "pool/4");
  CHECK(theirs.partition_graphs(0).node(0).op() == "Op");
}

TEST_CASE("an op list is the same after writing and reading") {
  const std::vector<OpDefValue> ops = {SampleGraph().library.functions[0].signature, OpDefValue()};
  const auto back = ParseOpList(Bytes(SerializeOpList(ops)));
  MR_REQUIRE_OK(back);
  CHECK(*back == ops);
}

}  // namespace
}  // namespace millrace
