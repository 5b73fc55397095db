#include "millrace/tools/graphc/text_graph.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/schema/graph.pb.h"
#include "millrace/proto/value/strings.h"

namespace millrace::graphc {
namespace {

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = Cat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  std::string text;
};

}  // namespace

Result<GraphDef> GraphDefFromText(const std::string& text, const Limits& limits) {
  wire::GraphDef message;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(200);
  if (!parser.ParseFromString(text, &message)) return InvalidArgument(error.text);
  const auto bytes = std::make_shared<std::string>();
  if (!message.SerializeToString(bytes.get())) return InvalidArgument("more than the 2 GB that protobuf can hold");
  return ParseGraphDef(Bytes(*bytes, bytes), limits);
}

Result<std::string> GraphDefToText(const GraphDef& graph, bool* left_out) {
  const std::string bytes = SerializeGraphDef(graph);
  wire::GraphDef message;
  if (bytes.size() > size_t{INT32_MAX} || !message.ParseFromString(bytes)) {
    return InvalidArgument("more than the 2 GB that protobuf can hold as text; the binary form has no such limit");
  }
  const size_t all = message.ByteSizeLong();
  message.DiscardUnknownFields();
  *left_out = message.ByteSizeLong() != all;
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  if (!printer.PrintToString(message, &text)) return InvalidArgument("protobuf cannot print this graph");
  return text;
}

}  // namespace millrace::graphc
