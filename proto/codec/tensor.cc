#include "millrace/proto/codec/tensor.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {
namespace {

// TensorShapeProto.Dim
void ReadDim(Reader r, int64_t* size, std::string* name) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        *size = r.Int<int64_t>();
        break;
      case Len(2):
        *name = r.String();
        break;
      default:
        r.Skip();
    }
  }
}

// Numbers in pairs. An unpacked list may be cut anywhere, so both halves are
// gathered first.
template <typename T>
void ToComplex(const std::vector<T>& parts, std::vector<std::complex<T>>* out) {
  if (parts.size() % 2 != 0) {
    throw Malformed(Cat("complex values need an even count of numbers, found ", parts.size()));
  }
  for (size_t i = 0; i < parts.size(); i += 2) out->emplace_back(parts[i], parts[i + 1]);
}

}  // namespace

void Read(Reader r, ShapeValue* out) {
  bool unknown_rank = !out->shape.has_rank();
  std::vector<int64_t> dims = out->shape.ToVector();
  std::vector<std::string>& names = out->dim_names;
  names.resize(dims.size());
  while (r.Next()) {
    switch (r.key()) {
      case Len(2):
        dims.push_back(0);
        names.emplace_back();
        if (dims.size() > Shape::kMaxRank) throw Malformed(Cat("shape of more than ", Shape::kMaxRank, " dimensions"));
        ReadDim(r.Sub(), &dims.back(), &names.back());
        if (dims.back() < -1) throw Malformed(Cat("dimension ", dims.size() - 1, " is ", dims.back()));
        break;
      case Var(3):
        unknown_rank = r.Bool();
        break;
      default:
        r.Skip();
    }
  }
  bool any_name = false;
  for (const std::string& name : names) any_name |= !name.empty();
  if (!any_name) names.clear();
  if (unknown_rank && !dims.empty()) {
    throw Malformed(Cat("shape of unknown rank has ", dims.size(), " dimensions"));
  }
  out->shape = unknown_rank ? Shape::UnknownRank() : Shape(dims);
}

void Write(const Shape& shape, const std::vector<std::string>& dim_names, std::string* out) {
  Writer w(out);
  for (int i = 0; i < shape.rank(); ++i) {
    w.PutMessage(2, [&] {
      w.Int(1, shape.dim(i));
      if (static_cast<size_t>(i) < dim_names.size()) w.String(2, dim_names[static_cast<size_t>(i)]);
    });
  }
  w.Bool(3, !shape.has_rank());
}

void Read(Reader r, TensorValue* out) {
  std::vector<float> scomplex;
  std::vector<double> dcomplex;
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->dtype = r.Int<DType>();
        break;
      case Len(2): {
        ShapeValue shape{out->shape, std::move(out->dim_names)};
        Read(r.Sub(), &shape);
        out->shape = std::move(shape.shape);
        out->dim_names = std::move(shape.dim_names);
        out->has_shape = true;
        break;
      }
      case Var(3):
        out->version_number = r.Int<int32_t>();
        break;
      case Len(4):
        if (r.context().in_place) out->content = Bytes(r.View(), r.context().owner);
        else out->content = Bytes(r.RawString());
        break;
      case Len(5):
      case F32(5):
        r.Floats(&out->float_val);
        break;
      case Len(6):
      case F64(6):
        r.Floats(&out->double_val);
        break;
      case Len(7):
      case Var(7):
        r.Ints(&out->int_val);
        break;
      case Len(8):
        out->string_val.push_back(r.RawString());
        break;
      case Len(9):
      case F32(9):
        r.Floats(&scomplex);
        break;
      case Len(10):
      case Var(10):
        r.Ints(&out->int64_val);
        break;
      case Len(11):
      case Var(11):
        r.Ints(&out->bool_val);
        break;
      case Len(12):
      case F64(12):
        r.Floats(&dcomplex);
        break;
      case Len(13):
      case Var(13):
        r.Ints(&out->half_val);
        break;
      case Len(16):
      case Var(16):
        r.Ints(&out->uint32_val);
        break;
      case Len(17):
      case Var(17):
        r.Ints(&out->uint64_val);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
  ToComplex(scomplex, &out->scomplex_val);
  ToComplex(dcomplex, &out->dcomplex_val);
}

void Write(const TensorValue& t, std::string* out) {
  Writer w(out);
  w.Int(1, static_cast<int32_t>(t.dtype));
  if (t.has_shape) w.PutMessage(2, [&] { Write(t.shape, t.dim_names, out); });
  w.Int(3, t.version_number);
  w.String(4, t.content.view());
  w.Fixed(5, t.float_val);
  w.Fixed(6, t.double_val);
  w.Ints(7, t.int_val);
  for (const std::string& s : t.string_val) w.PutString(8, s);
  w.Fixed(9, t.scomplex_val);
  w.Ints(10, t.int64_val);
  w.Ints(11, t.bool_val);
  w.Fixed(12, t.dcomplex_val);
  w.Ints(13, t.half_val);
  w.Ints(16, t.uint32_val);
  w.Ints(17, t.uint64_val);
  w.Unread(t.unread_fields);
}

}  // namespace codec

Result<TensorValue> ParseTensor(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<TensorValue>("tensor", bytes, limits, [](codec::Reader r, TensorValue* out) {
    out->has_shape = false;
    codec::Read(r, out);
  });
}

std::string SerializeTensor(const TensorValue& value) {
  std::string out;
  codec::Write(value, &out);
  return out;
}

Result<ShapeValue> ParseShape(const Bytes& bytes) {
  ShapeValue out;
  MR_RETURN_IF_ERROR(codec::Guard("shape", [&] {
    codec::Context context;
    codec::Read(codec::Reader(bytes.view(), &context), &out);
  }));
  return out;
}

std::string SerializeShape(const ShapeValue& value) {
  std::string out;
  codec::Write(value.shape, value.dim_names, &out);
  return out;
}

}  // namespace millrace
