// The wire's grammar for the codec: a reader and a writer of fields. Internal
// to proto/codec; throws, so only files listed under EXCEPTIONS include it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <protozero/exception.hpp>
#include <protozero/varint.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"
#include "millrace/proto/value/strings.h"

namespace millrace::codec {

// What the codec throws on its own account; Guard turns it into its Status.
class Malformed : public std::exception {
 public:
  explicit Malformed(Status status) : status_(std::move(status)) {}
  explicit Malformed(std::string message) : status_(InvalidArgument(std::move(message))) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return "malformed message"; }

 private:
  Status status_;
};

// Runs `f`; whatever it throws becomes a Status that names `what`.
template <typename F>
Status Guard(std::string_view what, F&& f) {
  try {
    f();
    return OkStatus();
  } catch (const Malformed& e) {
    return Status(e.status().code(), Cat(what, ": ", e.status().message()), std::string(e.status().node()),
                  std::string(e.status().op()));
  } catch (const protozero::exception& e) {
    return InvalidArgument(Cat(what, ": malformed bytes (", e.what(), ")"));
  } catch (const std::bad_alloc&) {
    return ResourceExhausted(Cat(what, ": out of memory"));
  } catch (const std::exception& e) {
    return ResourceExhausted(Cat(what, ": ", e.what()));
  }
}

// True where `s` is UTF-8, as a field of type string must be.
bool IsUtf8(std::string_view s);

// What all readers of one message share.
struct Context {
  std::shared_ptr<const void> owner;  // of the bytes; null: views of them are not kept
  bool in_place = false;              // tensor contents are views of the bytes
  Limits limits = {};
  int64_t nodes = 0;
};

enum : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };
// The key of a field: what Reader::key() gives and case labels are made of.
constexpr uint32_t Var(uint32_t field) { return field << 3 | kVarint; }
constexpr uint32_t F64(uint32_t field) { return field << 3 | kFixed64; }
constexpr uint32_t Len(uint32_t field) { return field << 3 | kLength; }
constexpr uint32_t F32(uint32_t field) { return field << 3 | kFixed32; }

// Reads the fields of one message in order:
//
//   while (r.Next()) switch (r.key()) {
//     case Len(1): out->name = r.String(); break;
//     case Var(2): out->count = r.Int<int32_t>(); break;
//     default: r.Skip(&out->unread_fields);
//   }
//
// Each field is read or skipped before the next Next().
class Reader {
 public:
  Reader(std::string_view bytes, Context* context, int depth = 0)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), context_(context), depth_(depth) {
    if (depth > context->limits.message_depth) {
      throw Malformed(PastLimit("messages within messages", "message_depth", context->limits.message_depth,
                                static_cast<uint64_t>(depth)));
    }
  }

  bool Next() {
    if (at_ == end_) return false;
    start_ = at_;
    const uint64_t key = protozero::decode_varint(&at_, end_);
    if (key > UINT32_MAX || (key >> 3) == 0) throw Malformed(Cat("field key ", key, " is not valid"));
    key_ = static_cast<uint32_t>(key);
    return true;
  }
  uint32_t key() const { return key_; }
  Context& context() const { return *context_; }

  template <typename T>
  T Int() {
    return static_cast<T>(protozero::decode_varint(&at_, end_));
  }
  bool Bool() { return protozero::decode_varint(&at_, end_) != 0; }
  float Float() { return std::bit_cast<float>(Fixed<uint32_t>()); }
  double Double() { return std::bit_cast<double>(Fixed<uint64_t>()); }
  template <typename T>
  T Fixed() {
    if (static_cast<size_t>(end_ - at_) < sizeof(T)) throw protozero::end_of_buffer_exception();
    T v;
    std::memcpy(&v, at_, sizeof(T));
    at_ += sizeof(T);
    return v;
  }
  std::string_view View() {
    const uint64_t n = protozero::decode_varint(&at_, end_);
    if (n > static_cast<uint64_t>(end_ - at_)) throw protozero::end_of_buffer_exception();
    const std::string_view view(at_, n);
    at_ += n;
    return view;
  }
  std::string RawString() { return std::string(View()); }
  std::string String() {
    const std::string_view view = View();
    if (!IsUtf8(view)) throw Malformed(Cat("field ", key_ >> 3, " is not UTF-8"));
    return std::string(view);
  }
  Reader Sub() { return Reader(View(), context_, depth_ + 1); }

  // A repeated number, packed or not: adds to `out`.
  template <typename T>
  void Ints(std::vector<T>* out) {
    if ((key_ & 7) != kLength) {
      out->push_back(ToInt<T>(protozero::decode_varint(&at_, end_)));
      return;
    }
    const std::string_view packed = View();
    const char* at = packed.data();
    const char* const end = at + packed.size();
    while (at != end) out->push_back(ToInt<T>(protozero::decode_varint(&at, end)));
  }
  // T is float or double.
  template <typename T>
  void Floats(std::vector<T>* out) {
    if ((key_ & 7) != kLength) {
      if constexpr (sizeof(T) == 4) out->push_back(Float());
      else out->push_back(Double());
      return;
    }
    const std::string_view packed = View();
    if (packed.size() % sizeof(T) != 0) throw protozero::invalid_length_exception();
    const size_t old = out->size();
    out->resize(old + packed.size() / sizeof(T));
    if (!packed.empty()) std::memcpy(out->data() + old, packed.data(), packed.size());
  }

  // Passes over the field; its bytes, key included, are added to `unread`.
  void Skip(std::string* unread = nullptr) {
    switch (key_ & 7) {
      case kVarint:
        protozero::skip_varint(&at_, end_);
        break;
      case kFixed64:
        Fixed<uint64_t>();
        break;
      case kLength:
        View();
        break;
      case kFixed32:
        Fixed<uint32_t>();
        break;
      default:
        throw protozero::unknown_pbf_wire_type_exception();
    }
    if (unread != nullptr) unread->append(start_, at_);
  }

 private:
  template <typename T>
  static T ToInt(uint64_t v) {
    if constexpr (std::is_same_v<T, bool>) return v != 0;
    else return static_cast<T>(v);
  }

  const char* at_;
  const char* end_;
  const char* start_ = nullptr;
  uint32_t key_ = 0;
  Context* context_;
  int depth_;
};

// Appends fields to a string. The names say which fields are left out where
// they hold their default: all but those of the Put calls.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {}

  void PutInt(uint32_t field, uint64_t v) {
    Varint(Var(field));
    Varint(v);
  }
  void PutFloat(uint32_t field, float v) {
    Varint(F32(field));
    Raw(v);
  }
  void PutDouble(uint32_t field, double v) {
    Varint(F64(field));
    Raw(v);
  }
  void PutString(uint32_t field, std::string_view s) {
    Varint(Len(field));
    Varint(s.size());
    out_->append(s);
  }
  // f() appends the message's fields.
  template <typename F>
  void PutMessage(uint32_t field, F&& f) {
    Varint(Len(field));
    const size_t start = out_->size();
    out_->push_back(0);
    f();
    const size_t n = out_->size() - start - 1;
    if (n < 0x80) {
      (*out_)[start] = static_cast<char>(n);
      return;
    }
    char length[protozero::max_varint_length];
    const int bytes = WriteVarint(length, n);
    (*out_)[start] = length[0];
    out_->insert(start + 1, length + 1, static_cast<size_t>(bytes - 1));
  }

  // Negative numbers are sign-extended to 64 bits first, as the wire wants.
  template <typename T>
  void Int(uint32_t field, T v) {
    if (v != 0) PutInt(field, static_cast<uint64_t>(static_cast<int64_t>(v)));
  }
  void Bool(uint32_t field, bool v) {
    if (v) PutInt(field, 1);
  }
  void Float(uint32_t field, float v) {
    if (std::bit_cast<uint32_t>(v) != 0) PutFloat(field, v);
  }
  void Double(uint32_t field, double v) {
    if (std::bit_cast<uint64_t>(v) != 0) PutDouble(field, v);
  }
  void String(uint32_t field, std::string_view s) {
    if (!s.empty()) PutString(field, s);
  }
  template <typename T>
  void Ints(uint32_t field, const std::vector<T>& list) {
    if (list.empty()) return;
    PutMessage(field, [&] {
      for (const auto& v : list) Varint(ToWire(static_cast<T>(v)));
    });
  }
  // Plain fixed-width elements, packed.
  template <typename T>
  void Fixed(uint32_t field, const std::vector<T>& list) {
    if (!list.empty()) PutString(field, {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T)});
  }
  void Unread(std::string_view fields) { out_->append(fields); }

 private:
  template <typename T>
  static uint64_t ToWire(T v) {
    if constexpr (std::is_unsigned_v<T>) return v;
    else return static_cast<uint64_t>(static_cast<int64_t>(v));
  }
  template <typename T>
  void Raw(T v) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &v, sizeof(T));
    out_->append(bytes, sizeof(T));
  }
  static int WriteVarint(char* to, uint64_t v) {
    int n = 0;
    for (; v >= 0x80; v >>= 7) to[n++] = static_cast<char>(v | 0x80);
    to[n++] = static_cast<char>(v);
    return n;
  }
  void Varint(uint64_t v) {
    char bytes[protozero::max_varint_length];
    out_->append(bytes, static_cast<size_t>(WriteVarint(bytes, v)));
  }

  std::string* out_;
};

}  // namespace millrace::codec
