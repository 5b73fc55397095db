#include "millrace/proto/codec/saved_model.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {

Result<SavedModel> ParseSavedModel(const Bytes& bytes, const Limits& limits) {
  using codec::Len, codec::Var;
  return codec::Parse<SavedModel>("saved model", bytes, limits, [](codec::Reader r, SavedModel* out) {
    while (r.Next()) {
      switch (r.key()) {
        case Var(1):
          out->schema_version = r.Int<int64_t>();
          break;
        case Len(2):
          codec::Read(r.Sub(), &out->meta_graphs.emplace_back());
          break;
        default:
          r.Skip(&out->unread_fields);
      }
    }
  });
}

std::string SerializeSavedModel(const SavedModel& model) {
  std::string out;
  codec::Writer w(&out);
  w.Int(1, model.schema_version);
  for (const MetaGraphDef& m : model.meta_graphs) w.PutMessage(2, [&] { codec::Write(m, &out); });
  w.Unread(model.unread_fields);
  return out;
}

}  // namespace millrace
