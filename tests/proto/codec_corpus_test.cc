// The codec against protobuf's own classes, on every graph of the corpora.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/meta_graph.h"
#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/codec/saved_model.h"
#include "millrace/proto/schema/graph.pb.h"
#include "millrace/proto/schema/op_def.pb.h"
#include "millrace/proto/schema/saved_model.pb.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

std::string Deterministic(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  return out;
}

struct Silent : google::protobuf::io::ErrorCollector {
  void AddError(int, int, const std::string&) override {}
};

template <typename Message>
bool FromText(const std::string& text, Message* out) {
  google::protobuf::TextFormat::Parser parser;
  Silent silent;
  parser.RecordErrorsTo(&silent);
  parser.AllowUnknownField(true);
  return parser.ParseFromString(text, out);
}

// How one kind of message goes through both.
struct Format {
  std::function<std::unique_ptr<google::protobuf::Message>()> make;
  // Our parse and serialization.
  std::function<Result<std::string>(const Bytes&)> through;
};

template <typename Message, typename Parse, typename Serialize>
Format Make(Parse parse, Serialize serialize) {
  return {[] { return std::make_unique<Message>(); },
          [=](const Bytes& bytes) -> Result<std::string> {
            auto value = parse(bytes, Limits());
            if (!value.ok()) return value.status();
            return serialize(*value);
          }};
}

Format Graphs() { return Make<wire::GraphDef>(ParseGraphDef, SerializeGraphDef); }
Format MetaGraphs() { return Make<wire::MetaGraphDef>(ParseMetaGraphDef, SerializeMetaGraphDef); }
Format Models() { return Make<wire::SavedModel>(ParseSavedModel, SerializeSavedModel); }
Format OpLists() { return Make<wire::OpList>(ParseOpList, SerializeOpList); }

// Files below the corpora and the models that `wanted` takes.
std::vector<fs::path> Files(const std::function<bool(const fs::path&)>& wanted) {
  std::vector<fs::path> out;
  for (const char* folder : {"corpora", "models"}) {
    const fs::path root = fs::path(SharedDir()) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file() && wanted(entry.path())) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Parses `bytes` with both and compares what both write. False where protobuf
// refuses the bytes: then we must not crash.
bool Compare(const Format& format, const std::string& bytes) {
  const auto message = format.make();
  const bool accepted = message->ParseFromString(bytes);
  const Result<std::string> ours = format.through(Bytes(bytes));
  if (!accepted) return false;
  MR_REQUIRE_OK(ours);
  const std::string theirs = Deterministic(*message);
  CHECK(ours->size() == theirs.size());
  CHECK((*ours == theirs));
  return true;
}

// Text in spite of its name.
bool IsTextMetaGraph(const fs::path& p) { return p.filename() == "metrics_export_meta_graph.pb"; }
bool IsText(const fs::path& p) { return p.extension() == ".pbtxt" || IsTextMetaGraph(p); }

TEST_CASE("what the codec writes of a binary graph is protobuf's deterministic serialization") {
  if (SharedDir().empty()) MR_SKIP("the folder of recorded cases is not there");
  const auto files = Files([](const fs::path& p) {
    const std::string name = p.filename().string();
    return p.extension() == ".pb" && name != "saved_model.pb" && name != "fingerprint.pb" &&
           name != "saved_model_config.pb" && name != "keras_metadata.pb" && !IsTextMetaGraph(p);
  });
  size_t compared = 0;
  for (const fs::path& path : files) {
    INFO(path);
    CHECK(Compare(Graphs(), ReadFile(path)));
    ++compared;
  }
  CHECK(compared >= 200);
}

TEST_CASE("what the codec writes of a saved model or meta graph is protobuf's deterministic serialization") {
  if (SharedDir().empty()) MR_SKIP("the folder of recorded cases is not there");
  size_t models = 0, metas = 0;
  for (const fs::path& path : Files([](const fs::path& p) { return p.filename() == "saved_model.pb"; })) {
    INFO(path);
    CHECK(Compare(Models(), ReadFile(path)));
    ++models;
  }
  for (const fs::path& path : Files([](const fs::path& p) { return p.extension() == ".meta"; })) {
    INFO(path);
    CHECK(Compare(MetaGraphs(), ReadFile(path)));
    ++metas;
  }
  CHECK(models >= 30);
  CHECK(metas >= 5);
}

TEST_CASE("graphs in text form go through the codec as through protobuf") {
  if (SharedDir().empty()) MR_SKIP("the folder of recorded cases is not there");
  size_t compared = 0;
  for (const fs::path& path : Files(IsText)) {
    INFO(path);
    const std::string name = path.filename().string();
    Format format = Graphs();
    if (IsTextMetaGraph(path)) format = MetaGraphs();
    if (name == "saved_model.pbtxt") format = Models();
    if (name == "ops.pbtxt") format = OpLists();
    if (name.find(".config.") != std::string::npos) continue;
    const auto message = format.make();
    if (!FromText(ReadFile(path), message.get())) continue;  // not of this kind, or wrong on purpose
    CHECK(Compare(format, Deterministic(*message)));
    ++compared;
  }
  CHECK(compared >= 80);
}

TEST_CASE("the codec refuses what protobuf refuses of cut off graphs, and never crashes") {
  if (SharedDir().empty()) MR_SKIP("the folder of recorded cases is not there");
  const std::string whole = ReadFile(fs::path(SharedDir()) / "models/training/quadratic_adam_ref/graph.pb");
  REQUIRE(whole.size() > 1000);
  for (size_t n = 0; n < whole.size(); n += n < 2000 ? 1 : 97) {
    const std::string cut = whole.substr(0, n);
    const bool theirs = wire::GraphDef().ParseFromString(cut);
    const bool ours = ParseGraphDef(Bytes(cut)).ok();
    if (ours != theirs) FAIL("cut to " << n << " bytes: protobuf says " << theirs << ", we say " << ours);
  }
}

TEST_CASE("contents of tensors stay in the bytes that were parsed") {
  if (SharedDir().empty()) MR_SKIP("the folder of recorded cases is not there");
  size_t views = 0;
  for (const fs::path& path : Files([](const fs::path& p) { return p.filename() == "graph.pb"; })) {
    const auto owner = std::make_shared<const std::string>(ReadFile(path));
    const Result<GraphDef> graph = ParseGraphDef(Bytes(*owner, owner));
    MR_REQUIRE_OK(graph);
    for (const NodeDef& node : graph->nodes) {
      const auto value = node.attrs.find("value");
      if (value == node.attrs.end()) continue;
      const auto* tensor = value->second.get<std::shared_ptr<const TensorValue>>();
      if (tensor == nullptr || (*tensor)->content.empty()) continue;
      const char* data = (*tensor)->content.data();
      CHECK((data >= owner->data() && data < owner->data() + owner->size()));
      ++views;
    }
  }
  CHECK(views > 100);
}

}  // namespace
}  // namespace millrace
