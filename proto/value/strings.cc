#include "millrace/proto/value/strings.h"

#include <charconv>
#include <cmath>

namespace millrace::strings_internal {

void AppendDouble(std::string& out, double v) {
  // A float widened to double prints as the float does: both texts read back
  // as the same number, and the float's is the shorter one.
  char buffer[40];
  const float narrow = static_cast<float>(v);
  const std::to_chars_result end = static_cast<double>(narrow) == v || std::isnan(v)
                                       ? std::to_chars(buffer, buffer + sizeof(buffer), narrow)
                                       : std::to_chars(buffer, buffer + sizeof(buffer), v);
  out.append(buffer, end.ptr);
}

}  // namespace millrace::strings_internal
