// Bytes: a range of bytes with whatever keeps it alive, so that the weights of
// a graph are read where they lie.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

class Bytes {
 public:
  Bytes() = default;
  // Owns a copy.
  explicit Bytes(std::string s) {
    auto owner = std::make_shared<const std::string>(std::move(s));
    view_ = *owner;
    owner_ = std::move(owner);
  }
  // Views memory that `owner` keeps alive; a null owner means that the caller
  // outlives every copy.
  Bytes(std::string_view view, std::shared_ptr<const void> owner) : view_(view), owner_(std::move(owner)) {}

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  std::string_view view_;
  std::shared_ptr<const void> owner_;
};

}  // namespace millrace
