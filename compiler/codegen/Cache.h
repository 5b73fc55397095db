// Compiled code on disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::codegen {

// A folder of files, one for each piece of code, named by its key. Processes may
// share it: entries appear by renaming and are never changed. Nothing that is wrong
// with the folder or a file is an error: get finds nothing, put does nothing.
//
// Code is trusted, so a file must belong to this user, be writable by nobody else,
// and hold the very key that is asked for and the digest of its code.
class Cache {
public:
  // No folder: a cache that is always empty.
  explicit Cache(std::string folder, int64_t maxBytes)
      : folder(std::move(folder)), maxBytes(maxBytes) {}

  std::optional<std::string> get(std::string_view key) const;
  void put(std::string_view key, std::string_view blob) const;
  // Removes the entries that were not used for longest until no more than maxBytes
  // are left, and what writers that died left behind.
  void trim() const;

private:
  std::string folder;
  int64_t maxBytes;
};

} // namespace millrace::codegen
