// C++ texts of names, types and values.
#pragma once

#include <string>
#include <string_view>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/status.h"

namespace millrace::opgen {

// `name`, with an underscore where it is a word of the language, or one that the
// generated functions use themselves.
std::string Identifier(std::string_view name);
// The type of a field or variable for an attribute of that type ("list(int)").
std::string TypeOf(std::string_view attr_type);
// The same as a parameter: by value where it is small.
std::string ParameterOf(std::string_view attr_type);
// An initializer; Unimplemented for what has none (tensors, functions).
Result<std::string> Initializer(std::string_view attr_type, const AttrValue& value);
// For comments: 'SAME', [1, 1], int32.
std::string Shown(const AttrValue& value);

// `text` with `start` at the front of its first line and `indent` at that of
// others, broken at blanks so that lines have at most 100 characters.
std::string Wrapped(std::string_view text, std::string_view start, std::string_view indent);

}  // namespace millrace::opgen
