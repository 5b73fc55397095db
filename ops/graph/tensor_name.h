// Names of tensors as graphs write them.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

// "name", "name:k" or "^name" taken apart; a control input has index -1.
struct TensorName {
  std::string_view node;
  int index = 0;
};
// Any text: what it does not say is as above.
TensorName ParseTensorName(std::string_view text);
// With its index: "x" becomes "x:0"; "x:0" and "^x" stay.
std::string FullTensorName(std::string_view text);

}  // namespace millrace
