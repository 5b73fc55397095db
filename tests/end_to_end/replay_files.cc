#include "millrace/tests/end_to_end/replay_files.h"

#include <cstdio>
#include <cstdlib>

#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

Result<std::string> NextText(RecordReader* reader) {
  MR_ASSIGN_OR_RETURN(std::string_view record, reader->Next());
  return std::string(record);
}
Result<int64_t> NextNumber(RecordReader* reader) {
  MR_ASSIGN_OR_RETURN(std::string text, NextText(reader));
  return static_cast<int64_t>(std::strtoll(text.c_str(), nullptr, 10));
}
Result<Tensor> NextTensor(RecordReader* reader) {
  MR_ASSIGN_OR_RETURN(std::string_view record, reader->Next());
  MR_ASSIGN_OR_RETURN(TensorValue value, ParseTensor(Bytes(std::string(record))));
  return Tensor::FromValue(value, HostAllocator());
}
void AppendTensor(const Tensor& tensor, std::string* out) { AppendRecord(SerializeTensor(tensor.ToValue()), out); }

}  // namespace

void AppendJobRun(const JobRun& run, std::string* out) {
  AppendRecord(run.signature, out);
  AppendRecord(Cat(run.feeds.size()), out);
  for (const auto& [name, tensor] : run.feeds) {
    AppendRecord(name, out);
    AppendTensor(tensor, out);
  }
}

Result<JobRun> NextJobRun(RecordReader* reader) {
  JobRun run;
  MR_ASSIGN_OR_RETURN(run.signature, NextText(reader));
  MR_ASSIGN_OR_RETURN(const int64_t count, NextNumber(reader));
  for (int64_t i = 0; i < count; ++i) {
    MR_ASSIGN_OR_RETURN(std::string name, NextText(reader));
    MR_ASSIGN_OR_RETURN(Tensor tensor, NextTensor(reader));
    run.feeds.emplace_back(std::move(name), std::move(tensor));
  }
  return run;
}

void AppendReply(const Reply& reply, std::string* out) {
  if (reply.status.ok()) {
    AppendRecord("ok", out);
    AppendRecord(Cat(reply.outputs.size()), out);
    for (const Tensor& tensor : reply.outputs) AppendTensor(tensor, out);
    return;
  }
  AppendRecord("error", out);
  AppendRecord(Cat(static_cast<int>(reply.status.code())), out);
  AppendRecord(reply.status.message(), out);
  AppendRecord(reply.status.node(), out);
  AppendRecord(reply.status.op(), out);
}

Result<Reply> NextReply(RecordReader* reader) {
  Reply reply;
  MR_ASSIGN_OR_RETURN(const std::string kind, NextText(reader));
  MR_ASSIGN_OR_RETURN(const int64_t number, NextNumber(reader));
  if (kind == "ok") {
    for (int64_t i = 0; i < number; ++i) {
      MR_ASSIGN_OR_RETURN(Tensor tensor, NextTensor(reader));
      reply.outputs.push_back(std::move(tensor));
    }
    return reply;
  }
  MR_ASSIGN_OR_RETURN(std::string message, NextText(reader));
  MR_ASSIGN_OR_RETURN(std::string node, NextText(reader));
  MR_ASSIGN_OR_RETURN(std::string op, NextText(reader));
  reply.status = Status(static_cast<Code>(number), std::move(message), std::move(node), std::move(op));
  return reply;
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return NotFound(Cat("cannot write ", path));
  const bool ok = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && ok ? OkStatus() : DataLoss(Cat("cannot write ", path));
}

}  // namespace millrace::end_to_end
