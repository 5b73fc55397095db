#include "millrace/proto/value/device_name.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// A kind's or a job's name: letters, digits and what stands between them.
bool IsName(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && (letter(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; });
}

std::string Capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

// Kinds that may stand without "device:" before them.
bool IsShortKind(std::string_view kind) { return kind == "CPU" || kind == "GPU" || kind == "TPU" || kind == "NULL"; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<DeviceName> Run() {
    for (;;) {
      while (at_ < text_.size() && text_[at_] == '/') ++at_;
      if (at_ == text_.size()) return std::move(name_);
      const size_t end = std::min(text_.find('/', at_), text_.size());
      MR_RETURN_IF_ERROR(Part(text_.substr(at_, end - at_)));
      at_ = end;
    }
  }

 private:
  Status Bad(std::string_view what) const {
    constexpr size_t kShown = 200;
    return InvalidArgument(Cat("device '", text_.substr(0, kShown), text_.size() > kShown ? "..." : "", "', at ", at_,
                               ": ", what, "; expected parts of /job:NAME/replica:N/task:N/device:KIND:N, or KIND:N"));
  }

  Status Once(bool* seen, std::string_view part) {
    if (*seen) return Bad(Cat(part, " is given twice"));
    *seen = true;
    return OkStatus();
  }

  Status Number(std::string_view text, int32_t* out) {
    if (text == "*") return OkStatus();
    int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      return Bad(Cat("'", text.substr(0, 40), "' is no number"));
    }
    *out = value;
    return OkStatus();
  }

  Status Kind(std::string_view kind, std::optional<std::string_view> number) {
    MR_RETURN_IF_ERROR(Once(&seen_kind_, "the kind"));
    if (kind != "*") {
      if (!IsName(kind)) return Bad(Cat("'", kind.substr(0, 40), "' is no kind of device"));
      name_.kind = Capitals(kind);
    }
    return number ? Number(*number, &name_.ordinal) : OkStatus();
  }

  Status Part(std::string_view part) {
    const size_t colon = part.find(':');
    if (colon == std::string_view::npos) return Bad(Cat("'", part.substr(0, 40), "' has no value"));
    const std::string_view key = part.substr(0, colon), value = part.substr(colon + 1);
    if (key == "job") {
      MR_RETURN_IF_ERROR(Once(&seen_job_, "the job"));
      if (value == "*") return OkStatus();
      if (!IsName(value)) return Bad(Cat("'", value.substr(0, 40), "' is no name of a job"));
      name_.job = value;
      return OkStatus();
    }
    if (key == "replica") {
      MR_RETURN_IF_ERROR(Once(&seen_replica_, "the replica"));
      return Number(value, &name_.replica);
    }
    if (key == "task") {
      MR_RETURN_IF_ERROR(Once(&seen_task_, "the task"));
      return Number(value, &name_.task);
    }
    if (key == "device") {
      const size_t second = value.find(':');
      if (second == std::string_view::npos) return Kind(value, std::nullopt);
      return Kind(value.substr(0, second), value.substr(second + 1));
    }
    if (IsShortKind(Capitals(key))) return Kind(key, value);
    return Bad(Cat("unknown part '", key.substr(0, 40), "'"));
  }

  const std::string_view text_;
  size_t at_ = 0;
  bool seen_job_ = false, seen_replica_ = false, seen_task_ = false, seen_kind_ = false;
  DeviceName name_;
};

}  // namespace

Result<DeviceName> DeviceName::Parse(std::string_view text) { return Reader(text).Run(); }

std::string DeviceName::ToString() const {
  std::string out;
  if (!job.empty()) out += Cat("/job:", job);
  if (replica != kAny) out += Cat("/replica:", replica);
  if (task != kAny) out += Cat("/task:", task);
  if (!kind.empty() || ordinal != kAny) {
    out +=
        Cat("/device:", kind.empty() ? "*" : kind, ":", ordinal == kAny ? std::string("*") : std::to_string(ordinal));
  }
  return out;
}

bool DeviceName::local() const {
  return (job.empty() || job == "localhost") && (replica == kAny || replica == 0) && (task == kAny || task == 0);
}

bool DeviceName::Matches(std::string_view device_kind, int32_t device_ordinal) const {
  return local() && (kind.empty() || kind == device_kind) && (ordinal == kAny || ordinal == device_ordinal);
}

DeviceName DeviceName::Or(const DeviceName& defaults) const {
  DeviceName out = *this;
  if (out.job.empty()) out.job = defaults.job;
  if (out.replica == kAny) out.replica = defaults.replica;
  if (out.task == kAny) out.task = defaults.task;
  if (out.kind.empty()) out.kind = defaults.kind;
  if (out.ordinal == kAny) out.ordinal = defaults.ordinal;
  return out;
}

bool DeviceName::Contradicts(const DeviceName& other) const {
  const auto differ = [](int32_t a, int32_t b) { return a != kAny && b != kAny && a != b; };
  return (!job.empty() && !other.job.empty() && job != other.job) || differ(replica, other.replica) ||
         differ(task, other.task) || (!kind.empty() && !other.kind.empty() && kind != other.kind) ||
         differ(ordinal, other.ordinal);
}

std::string LocalDeviceName(std::string_view kind, int32_t ordinal) { return Cat("/device:", kind, ":", ordinal); }

std::string FullDeviceName(std::string_view kind, int32_t ordinal) {
  return Cat("/job:localhost/replica:0/task:0", LocalDeviceName(kind, ordinal));
}

}  // namespace millrace
