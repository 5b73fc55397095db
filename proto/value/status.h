// Status and Result: how every part of Millrace reports failure. No exception
// crosses a library boundary; a function that can fail returns one of these.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

// The numbers are those of gRPC and of TF_Code, so they cross the C ABI as is.
enum class Code : int32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "INVALID_ARGUMENT" and so on.
std::string_view CodeName(Code code);

// Success, or an error with a code, a message and, where one is to blame, the
// graph node and its op. A success is a null pointer: cheap to pass and test.
// Copies share the error; a Status is immutable and safe to read from any
// thread.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : Status(code, std::move(message), {}, {}) {}
  Status(Code code, std::string message, std::string node, std::string op);

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  // What is wrong: expected and found, without the node.
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }
  // Name of the node to blame, or "".
  std::string_view node() const { return rep_ ? std::string_view(rep_->node) : ""; }
  // Op of that node, or "".
  std::string_view op() const { return rep_ ? std::string_view(rep_->op) : ""; }

  // The same error blamed on a node. The first blame stays: the innermost
  // caller knows best. A success stays a success.
  Status At(std::string_view node, std::string_view op) const;

  // "INVALID_ARGUMENT: node 'loss' (Sub): ...", or "OK".
  std::string ToString() const;

 private:
  struct Rep {
    Code code;
    std::string message, node, op;
  };
  std::shared_ptr<const Rep> rep_;
};

std::ostream& operator<<(std::ostream& os, const Status& status);

inline Status OkStatus() { return Status(); }
Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status AlreadyExists(std::string message);
Status OutOfRange(std::string message);
Status FailedPrecondition(std::string message);
Status ResourceExhausted(std::string message);
Status Unimplemented(std::string message);
Status Internal(std::string message);
Status DataLoss(std::string message);
Status Cancelled(std::string message);
Status DeadlineExceeded(std::string message);

// A value or the error that prevented it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }
  // Only where ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

#define MR_CONCAT_INNER(a, b) a##b
#define MR_CONCAT(a, b) MR_CONCAT_INNER(a, b)

// Leaves the function with the error, if `expr` (a Status) is one.
#define MR_RETURN_IF_ERROR(expr)                                                     \
  do {                                                                               \
    if (::millrace::Status mr_status_ = (expr); !mr_status_.ok()) return mr_status_; \
  } while (false)

// MR_ASSIGN_OR_RETURN(auto x, MakeX()): the value, or leaves with the error.
#define MR_ASSIGN_OR_RETURN(lhs, expr) MR_ASSIGN_OR_RETURN_IMPL(MR_CONCAT(mr_result_, __LINE__), lhs, expr)
#define MR_ASSIGN_OR_RETURN_IMPL(result, lhs, expr)    \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = std::move(result).value()

}  // namespace millrace
