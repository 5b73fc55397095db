// The small texts that options take, as values. Nothing here reads a file; any
// text gets an answer or an error that quotes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/proto/value/status.h"

namespace millrace::graphc {

// "x" is "x:0"; other names stay.
std::string TensorName(const std::string& name);
std::vector<std::string> TensorNames(const std::vector<std::string>& names);

// "train: feed=x,y fetch=loss target=train".
Result<SignatureSpec> ParseSignature(const std::string& text);

// "x.0=8": open dimensions and their numbers.
Result<std::map<std::string, int64_t>> ParseDims(const std::vector<std::string>& dims);

// "x=1,2,3": a tensor and numbers of 0 and more; "x=" has none. `option` is for
// the message.
Result<std::pair<std::string, std::vector<int64_t>>> ParseNumbers(const std::string& text, const char* option);

// "x=FILE.npy" or "x=FILE.npz[NAME]".
struct ValueSource {
  std::string name, file;
  std::string member;  // of an NPZ; "" where none is named
};
Result<ValueSource> ParseValueSource(const std::string& text, const char* option);

}  // namespace millrace::graphc
